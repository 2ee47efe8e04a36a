//! The release gate: a pack of checks goes in, a verdict with evidence comes out.
//!
//! The engine knows nothing of ledgers or payments: `gates/` is data, this crate is the mechanism, and any stack
//! can be gated with it. Running a pack gives a [`record::GateRecord`]; the evidence on disk is made from that alone.

pub mod attest;
pub mod evidence;
pub mod expect;
pub mod key;
pub mod leak;
pub mod manifest;
pub mod pack;
pub mod pick;
pub mod record;
pub mod report;
pub mod run;
pub mod schema;
pub mod step;
pub mod summary;
pub mod ticket;
pub mod values;
pub mod verdict;
pub mod verify;

mod masking;
mod process;
mod sink;
mod workdir;

pub use pack::{Pack, Problem, Problems};
pub use run::{CouldNot, Event, Options, Stop, run};
pub use sink::Limit as KeepLimit;
pub use workdir::{Unfinished, Workdir, unfinished};
