//! `file`: whether it is there, and what is in it.

use std::fs;
use std::io::ErrorKind;

use sha2::{Digest, Sha256};

use super::{Context, Failure, Seen};
use crate::expect::{Body, Facts, criterion};
use crate::pack::FileStep;
use crate::process::quote;

/// Files are read as a whole up to this size.
pub const LARGEST: u64 = 64 * 1024 * 1024;

pub fn run(context: &Context<'_>, file: &FileStep) -> Result<Seen, Failure> {
    let path = context.fill(&file.path)?;
    context.command(format!("ls -l {}", quote(&path)));
    let expect = context.step.expect.clone().unwrap_or_default();
    let wanted = expect.exists.unwrap_or(true);
    let bytes = match read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::Error(format!("{path} cannot be read: {error}"))),
    };
    let word = |there: bool| if there { "there" } else { "not there" };
    let there = bytes.is_some();
    let mut criteria = vec![criterion("file", word(wanted), word(there), wanted == there)];
    let mut facts = Facts::default();
    if let Some(bytes) = bytes {
        if let Some(min) = expect.bytes_min {
            let size = bytes.len() as u64;
            criteria.push(criterion(
                "bytes",
                format!("at least {min}"),
                &size.to_string(),
                size >= min,
            ));
        }
        if let Some(digest) = &expect.sha256 {
            let digest = context.fill(digest)?;
            let seen = hex::encode(Sha256::digest(&bytes));
            criteria.push(criterion(
                "sha256",
                &*digest,
                &seen,
                seen.eq_ignore_ascii_case(digest.trim()),
            ));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        context.write("txt", &text)?;
        facts.text = Some(Body { text, cut: false });
    }
    Ok(Seen {
        facts,
        criteria,
        ..Seen::default()
    })
}

/// Reads a file, but no huge one.
pub fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > LARGEST {
        return Err(std::io::Error::other(format!(
            "it has {size} bytes, and {LARGEST} is the most"
        )));
    }
    fs::read(path)
}
