//! Values made at the start of a run.

use std::net::{Ipv4Addr, TcpListener};

use chrono::{DateTime, SecondsFormat, Utc};
use rand::RngExt;

use crate::pack::Generate;

/// A value, and whether it is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub value: String,
    pub secret: bool,
}

/// Below Linux's ephemeral range: no outgoing connection can take the port before its service does.
const PORTS: std::ops::RangeInclusive<u16> = 15_000..=32_000;

impl Made {
    pub fn new(how: Generate, now: DateTime<Utc>) -> Result<Self, String> {
        if let Some(length) = how.token {
            let random = rand::rng().sample_iter(rand::distr::Alphanumeric);
            let value = random.take(usize::from(length)).map(char::from).collect();
            return Ok(Self { value, secret: true });
        }
        let value = if let Some(offset) = how.time {
            now.checked_add_signed(offset.0)
                .ok_or("the time is out of range")?
                .to_rfc3339_opts(SecondsFormat::Secs, true)
        } else if let Some(offset) = how.unix_time {
            let at = now
                .checked_add_signed(offset.0)
                .ok_or("the time is out of range")?;
            at.timestamp().to_string()
        } else if how.port == Some(true) {
            free_port()?.to_string()
        } else {
            new_uuid()
        };
        Ok(Self { value, secret: false })
    }
}

#[expect(clippy::disallowed_methods, reason = "a pack may ask for an id of its own")]
fn new_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn free_port() -> Result<u16, String> {
    let mut random = rand::rng();
    (0..200)
        .map(|_| random.random_range(PORTS))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| "no port of 127.0.0.1 is free".to_owned())
}
