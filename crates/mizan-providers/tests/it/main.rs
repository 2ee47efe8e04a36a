//! The adapters and the simulator over loopback HTTP: what one sends the other must read.

mod bench;
mod connection;
mod deliveries;
mod payouts;
mod refusals;
mod statements;
