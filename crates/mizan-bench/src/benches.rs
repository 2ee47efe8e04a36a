//! One bench a file, each with the servers it needs and the yardstick it is held against.

pub mod bare_server;
pub mod growth;
pub mod mask;
pub mod post_bulk;
pub mod post_http;
pub mod post_sqlite;
pub mod queue;
pub mod ready;
pub mod recon;
pub mod redis_loop;
pub mod start;
pub mod webhook;
