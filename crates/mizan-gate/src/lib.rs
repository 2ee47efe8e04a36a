//! The release gate: a pack of checks goes in, a verdict with evidence comes out.
//!
//! The engine knows nothing of ledgers or payments: `gates/` is data, this crate is the mechanism, and any stack
//! can be gated with it. Running a pack gives a [`record::GateRecord`]; the evidence on disk is made from that alone.

pub mod attest;
pub mod evidence;
pub mod key;
pub mod leak;
pub mod manifest;
pub mod record;
pub mod report;
pub mod summary;
pub mod ticket;
pub mod verify;
