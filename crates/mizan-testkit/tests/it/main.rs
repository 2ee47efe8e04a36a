//! The test kit against real servers: what it promises to the tests of the other crates.

mod client;
mod every_store;
mod harness;
mod http;
mod postgres;
mod process;
mod proxy;
mod redis;
mod wait;
mod warden;
