//! Adapters to payment service providers, and the provider to test against.
//!
//! Each adapter has the same parts: `verify` and `translate` are pure, `client` does I/O. What they have in
//! common is the contract in `mizan_payments::provider`; [`registry::build`] is the only way to one of them.

mod event_body;
mod hmac;
pub mod mockpsp;
pub mod registry;
mod signature;
mod standard_webhooks;

pub use hmac::verify::sign;
pub use mockpsp::backoff::Backoff;
pub use mockpsp::client::ClientSettings;
pub use mockpsp::simulator;
pub use registry::{ConnectionConfig, UnsupportedKind, build};
pub use standard_webhooks::verify::sign as sign_standard_webhooks;
