//! Adapters to payment service providers.
