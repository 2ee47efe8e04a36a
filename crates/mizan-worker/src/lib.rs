//! The job side: claims jobs from the outbox, runs their stories, and keeps house.
//!
//! The outbox row is the truth. Whoever holds a row has a lease and a fencing token; what a former holder
//! writes is refused. Without a queue a [`Runner`] in the serving process is woken by a bell. With one, a
//! [`Relay`] gives the ids of due rows to the queue, and a [`Consumer`] in each worker takes them from it.

mod attempt;
pub mod consumer;
mod crew;
pub mod housekeeping;
pub mod queue;
pub mod relay;
pub mod retry;
pub mod runner;
pub mod settings;

pub use consumer::Consumer;
pub use housekeeping::{Housekeeping, follow_schedules, keep_house, measure_queue};
pub use relay::{Relay, RelaySettings};
pub use runner::Runner;
pub use settings::WorkerSettings;
