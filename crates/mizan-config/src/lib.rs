//! Settings: one file a section, every problem found before anything is opened.
//!
//! [`Settings::from_env`] is pure: it is handed name and value pairs and answers with the settings, or with all
//! the problems at once, none of which repeats a value. [`load_process_env`] hands it the real environment.
//! A section's file says what its variables mean; [`reference`] turns that into the manual and the schema.

mod admin;
mod anchor;
mod auth;
mod cors;
mod database;
mod env;
mod flags;
mod journal;
mod listen;
mod locator;
mod log;
mod mockpsp;
mod objects;
mod placeholder;
mod problem;
mod process;
mod queue;
mod ready;
mod recon;
mod redis;
pub mod reference;
mod settings;
mod snapshot;
mod strict;
mod vars;
mod webhooks;

pub use admin::{Admin, FirstOwner};
pub use auth::Auth;
pub use cors::Cors;
pub use database::{Database, Tls};
pub use env::{Env, Mode};
pub use flags::{Flag, Flags, LegacyWallet, Source};
pub use listen::Listen;
pub use log::{Log, LogFormat};
pub use objects::ObjectStore;
pub use problem::{Problem, Problems, Warning};
pub use process::load_process_env;
pub use queue::Queue;
pub use ready::Ready;
pub use recon::{Recon, ReconRunner, memory_limit};
pub use redis::{Redis, RedisLogin};
pub use reference::{Setting, Shape, settings_reference};
pub use settings::{Loaded, Settings};
pub use webhooks::{MOCKPSP_TEST_SECRET, Webhooks};
