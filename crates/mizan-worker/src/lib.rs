//! The job side: claims jobs from the outbox, runs their stories, and keeps house.
//!
//! The outbox row is the truth. Whoever holds a row has a lease and a fencing token; what a former holder
//! writes is refused. In this version the runner lives in the serving process and is woken by a bell;
//! a queue that wakes other processes hangs itself in where the bell is.

pub mod housekeeping;
pub mod retry;
pub mod runner;

pub use housekeeping::{Housekeeping, keep_house};
pub use runner::{Runner, RunnerSettings};
