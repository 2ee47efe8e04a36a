//! `mask`: how much log text a second has its secrets taken out.

use std::fmt::Write as _;
use std::io::Write as _;

use aho_corasick::AhoCorasick;
use anyhow::{Context, ensure};
use mizan_mask::{MaskStream, Masker};
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::ledger_load::Draw;
use crate::timing;

pub const ABOUT: &str = "MB/s of log text masked with 20 known secrets, against one pass of an automaton";
pub const METHOD: &str = "JSON log lines, one in fifty with one of 20 secrets the masker knows, through the masking stream \
that logs go through, line by line, and as one text. The yardstick is one pass of an Aho-Corasick automaton of the same \
20 values over the same bytes that counts what it finds: it knows no encodings, no shapes of credentials, no structure, \
and writes nothing. One thread each.";
pub const LIMITS: &str = "the masker looks for every value in ten encodings and for shapes of credentials, and \
it keeps back what could be the beginning of one.";

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    tokio::task::spawn_blocking(move || measure(&options)).await?
}

fn measure(options: &Options) -> anyhow::Result<Vec<Case>> {
    let secrets = secrets();
    let (text, planted) = log_text(&secrets, if options.quick { 16 } else { 64 } << 20)?;
    let builder = secrets.iter().enumerate();
    let builder = builder.fold(Masker::builder(), |it, (n, secret)| {
        it.known(secret, format!("SECRET_{n}"))
    });
    let masker = builder.build();
    ensure!(
        masker.refused().is_empty(),
        "a secret of the bench is too weak to be looked for"
    );
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&secrets)?;
    let megabytes = timing::number(text.len() as u64) / 1e6;
    let (mut streamed, mut whole, mut passes) = (vec![], vec![], vec![]);
    for _ in 0..options.rounds().max(3) {
        let began = timing::now();
        let mut stream = MaskStream::new(masker.clone(), Vec::with_capacity(text.len()));
        for line in text.split_inclusive('\n') {
            stream.write_all(line.as_bytes())?;
        }
        let masked = stream.finish()?;
        streamed.push(megabytes / began.elapsed().as_secs_f64());
        let left = automaton.find_iter(&masked).count();
        ensure!(left == 0, "{left} secrets are still in the masked text");

        let began = timing::now();
        let masked = masker.mask_bytes(text.as_bytes());
        whole.push(megabytes / began.elapsed().as_secs_f64());
        drop(masked);

        let began = timing::now();
        let found = automaton.find_iter(&text).count();
        passes.push(megabytes / began.elapsed().as_secs_f64());
        ensure!(
            found == planted,
            "the automaton found {found} of {planted} secrets"
        );
    }
    let yardstick = Series::new("Aho-Corasick pass", "MB/s", passes);
    let against =
        |name: &str, rounds| Case::against(name, Series::new("Mizan", "MB/s", rounds), yardstick.clone());
    let raw = json!({ "bytes": text.len(), "secrets_planted": planted });
    Ok(vec![
        Case::alone(
            "log lines through the stream",
            Series::new("Mizan", "MB/s", streamed.clone()),
        )
        .at_least(100.0)
        .raw(raw),
        against("log lines through the stream, against the pass", streamed),
        against("as one text, against the pass", whole),
    ])
}

/// Twenty values of 32 characters, as secrets are made up.
fn secrets() -> Vec<String> {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut numbers = Draw::from(20);
    let mut letter = || char::from(LETTERS[numbers.between(0, LETTERS.len() - 1)]);
    (0..20).map(|_| (0..32).map(|_| letter()).collect()).collect()
}

/// Log lines of at least so many bytes, and how many secrets are in them.
fn log_text(secrets: &[String], bytes: usize) -> anyhow::Result<(String, usize)> {
    let (mut text, mut planted, mut numbers) = (String::with_capacity(bytes + 512), 0, Draw::from(7));
    while text.len() < bytes {
        let number = numbers.between(0, 999_999);
        write!(
            text,
            "{{\"timestamp\":\"2026-01-01T12:00:{:02}.{number:06}Z\",\"level\":\"INFO\",\"event\":\"http.request\",\"method\":\"POST\",\
             \"path\":\"/api/v1/ledger/transactions\",\"status\":201,\"duration_ms\":{}.{:03},\"tenant\":\"default\",\"request_id\":\"0198a000-0000-7000-8000-{number:012}\"",
            number % 60, number % 40, number % 1_000
        )
        .context("a String takes everything")?;
        if number % 50 == 0 {
            let secret = &secrets[number / 50 % secrets.len()];
            write!(text, ",\"message\":\"sent {secret} to the provider\"")
                .context("a String takes everything")?;
            planted += 1;
        }
        text.push_str("}\n");
    }
    Ok((text, planted))
}
