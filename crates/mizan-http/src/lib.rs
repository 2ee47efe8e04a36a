//! The HTTP side: routes, errors, probes, OpenAPI.
