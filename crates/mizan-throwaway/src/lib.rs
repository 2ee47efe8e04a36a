//! Servers that are thrown away: PostgreSQL and Redis as the machine has them installed, on loopback, with a
//! random password, in a directory that disappears.
//!
//! Nothing outlives the process that started them, even when that is killed: see [`warden`]. Linux only, as it
//! reads `/proc`. Tests come here through `mizan-testkit`.

pub mod port;
pub mod postgres;
pub mod process_tree;
pub mod redis;
pub mod wait;
pub mod warden;

pub use nix::sys::signal::Signal;
pub use postgres::{Database, Postgres, fresh_database, shared_postgres, template_database};
pub use redis::{Persistence, Redis, shared_redis};
pub use wait::eventually;
