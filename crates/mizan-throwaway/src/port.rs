//! Loopback ports for servers that are stopped and started again on the same one.

use std::net::{Ipv4Addr, TcpListener};

/// Below Linux's ephemeral range (32768 and up): no outgoing connection can take the port while its
/// server is down, and a client that retries a closed port cannot connect to itself.
const FIRST: u16 = 15_000;
const LAST: u16 = 32_000;

/// A port of 127.0.0.1 on which nothing listens now. Another process may take it before you do.
pub fn free_port() -> anyhow::Result<u16> {
    (0..200)
        .map(|_| rand::random_range(FIRST..=LAST))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| anyhow::anyhow!("found no free port of 127.0.0.1 between {FIRST} and {LAST}"))
}
