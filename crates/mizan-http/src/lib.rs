//! The HTTP side: routes, errors, probes, OpenAPI.
//!
//! A handler extracts, calls one story of `mizan-flows` and renders. [`router`] is the table of contents;
//! [`permissions`] says who may do what; [`error`] is the table of codes. Whatever goes wrong, also in a library
//! or in a panic, leaves as `application/problem+json` through [`frame`].

mod accounts;
mod adjustments;
mod amount;
mod api_keys;
mod audit;
mod auth;
mod body;
mod completeness;
mod connections;
pub mod error;
mod finding_adjustments;
mod finding_work;
mod findings;
mod findings_csv;
mod flags;
mod frame;
pub mod health;
mod id;
mod keyed;
mod login;
mod meters;
pub mod openapi;
mod paging;
mod params;
pub mod permissions;
mod players;
mod recon_runs;
mod recon_schedules;
mod request_id;
mod room;
mod router;
#[expect(
    dead_code,
    reason = "shapes of replies that flows serialize; only their schema is used"
)]
mod shapes;
mod staff;
mod state;
mod statements;
mod tenants;
mod throttle;
mod times;
mod transfers;
mod wallets;
mod webhook_inbox;
mod webhooks;
mod withdrawals;

pub use router::{Route, router, routes_table};
pub use state::{HttpState, Limits, VersionInfo};
