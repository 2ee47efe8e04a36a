//! What a payment is: the state machines of deposits and withdrawals, the events of providers, the contract
//! that an adapter implements, and the rollout flags.
//!
//! Decisions are pure; a flow loads, asks and writes. The one trait with async functions is [`provider`].

pub mod actor;
pub mod deposit;
pub mod event;
pub mod kyc;
pub mod payout;
pub mod provider;
pub mod rollout;
pub mod withdrawal;

pub use actor::{Actor, Role};
pub use event::{EventKind, ProviderEvent};
