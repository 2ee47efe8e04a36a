//! A run that is careless with every secret that it has: none of them is in what it leaves behind, in ten encodings.

use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use mizan_testkit::{Finished, MizanCommand};
use tempfile::TempDir;

use super::{gate, verified};
use crate::harness::{BINARY, PATIENCE};

const DATABASE: &str = "p4ss-Of-Db_9wQ";
const REDIS: &str = "r3dis-Pass_77x";
/// With what JSON, HTML and addresses write in other ways.
const SECRETS: [(&str, &str); 3] = [
    ("API_KEY", "mz<live>&\"Key+/=91 zQ"),
    ("JWT_SECRET", "jwt-Sign1ng-Sécret-x9"),
    ("WEBHOOK_SECRET_MOCKPSP", "whsec_C2FVsBQIhrscChlQIMV+b5sS/ob="),
];

/// The letters of an encoding of three bytes to four that depend on the secret alone, wherever it begins.
fn aligned(encode: impl Fn(&[u8]) -> String, secret: &[u8]) -> Vec<Vec<u8>> {
    let at = |(before, unsure): (usize, usize)| {
        let all = encode(&[&vec![0; before][..], secret].concat());
        all.as_bytes()[unsure..(before + secret.len()) * 8 / 6].to_vec()
    };
    [(0, 0), (1, 2), (2, 3)].map(at).to_vec()
}

fn percent(secret: &[u8]) -> String {
    let letter = |it: &u8| match it {
        b'-' | b'.' | b'_' | b'~' => char::from(*it).to_string(),
        _ if it.is_ascii_alphanumeric() => char::from(*it).to_string(),
        _ => format!("%{it:02X}"),
    };
    secret.iter().map(letter).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Ten ways to write a secret. What is no text has fewer.
fn encodings(secret: &[u8]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut all = vec![
        ("raw", vec![secret.to_vec()]),
        ("base64", aligned(|it| STANDARD_NO_PAD.encode(it), secret)),
        ("base64url", aligned(|it| URL_SAFE_NO_PAD.encode(it), secret)),
        ("hex", vec![hex::encode(secret).into_bytes()]),
        ("upper hex", vec![hex::encode_upper(secret).into_bytes()]),
        ("percent", vec![percent(secret).into_bytes()]),
    ];
    if let Ok(text) = str::from_utf8(secret) {
        let json = serde_json::to_string(text).expect("JSON");
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        all.extend([
            ("JSON", vec![json.as_bytes()[1..json.len() - 1].to_vec()]),
            ("HTML", vec![html(text).into_bytes()]),
            ("UTF-16LE", vec![wide(u16::to_le_bytes)]),
            ("UTF-16BE", vec![wide(u16::to_be_bytes)]),
        ]);
    }
    all
}

/// Everything that a run must not show, by name. The seed is the last 32 bytes of the key.
fn unspeakable(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let body: String = pem.lines().filter(|it| !it.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(&body)
        .expect("base64");
    let mut all: Vec<_> = SECRETS
        .iter()
        .map(|(name, it)| (*name, it.as_bytes().to_vec()))
        .collect();
    all.extend([
        ("DATABASE_URL", DATABASE.into()),
        ("REDIS_URL", REDIS.into()),
        ("MIZAN_GATE_KEY", body.into_bytes()),
        ("the seed of the signing key", der[der.len() - 32..].to_vec()),
    ]);
    all
}

fn files(below: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(below).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
}

fn expect_none(out: &Path, done: &Finished, pem: &str) {
    let mut places = vec![
        ("stdout".to_owned(), done.stdout.clone().into_bytes()),
        ("stderr".to_owned(), done.stderr.clone().into_bytes()),
    ];
    files(out, &mut places);
    assert!(places.len() > 10, "{} files", places.len());
    for (name, secret) in unspeakable(pem) {
        for (kind, forms) in encodings(&secret) {
            for (path, text) in &places {
                let holds = |form: &Vec<u8>| memchr_find(text, form) || memchr_find(path.as_bytes(), form);
                assert!(!forms.iter().any(holds), "{path} holds {name} as {kind}");
            }
        }
    }
}

fn memchr_find(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|it| it == part)
}

/// Says back whatever it is told.
async fn echo() -> String {
    let say_back = async |headers: HeaderMap, body: Bytes| {
        let told = headers
            .get("authorization")
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        let header = HeaderMap::from_iter(
            headers
                .get("x-note")
                .map(|it| ("x-echo".parse().expect("a name"), it.clone())),
        );
        (header, format!("{told}\n{}", String::from_utf8_lossy(&body)))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(say_back)).await });
    url
}

const CARELESS: &str = r#"
gate: careless
title: Careless
requires: [1]
env: [DATABASE_URL, REDIS_URL, API_KEY, JWT_SECRET, WEBHOOK_SECRET_MOCKPSP, MIZAN_GATE_KEY]
vars: { base_url: "", folder: "" }
packets:
- id: 1
  title: Shows what it has
  steps:
  - { id: shapes, run: [cat, "${folder}/shapes"] }
  - { id: environment, run: "env; env >&2" }
  - { id: unset, run: "printf 'API_KEY=\nJWT_SECRET=\n'; echo \"token='begun\"" }
  - { id: command, run: [echo, "${API_KEY}", "${REDIS_URL}", "${MIZAN_GATE_KEY}"] }
  - { id: fails, run: "echo \"$JWT_SECRET\"; exit 1", expect: { contains: ["${JWT_SECRET}!"], matches: "x${WEBHOOK_SECRET_MOCKPSP}" } }
  - { id: service, service: { start: s, run: "env; exec sleep 305", ready: { log: PATH } } }
  - { id: service-log, log: { service: s, first: 40, contains: [API_KEY] } }
  - id: http
    http: { method: POST, url: "${base_url}/${JWT_SECRET}?k=${API_KEY}", bearer: "${API_KEY}", headers: { X-Note: "${WEBHOOK_SECRET_MOCKPSP}" }, json: { note: "${API_KEY}" } }
    expect: { status: 201, contains: ["${API_KEY}"], json: { a: "${JWT_SECRET}" } }
  - { id: rows, sql: { url: "sqlite:${folder}/db", query: "SELECT '${JWT_SECRET}' AS a, '${WEBHOOK_SECRET_MOCKPSP}' AS b" }, expect: { no_row_matches: "jwt" } }
  - { id: database, sql: { url: "${DATABASE_URL}", query: SELECT 1 } }
  - { id: redis, redis: { url: "${REDIS_URL}" } }
  - { id: log, log: { file: "${folder}/shapes", first: 20, contains: ["${API_KEY}?"], within: 0s } }
  - { id: report, junit: { file: "${folder}/report.xml" } }
  - { id: file, file: { path: "${folder}/${WEBHOOK_SECRET_MOCKPSP}" } }
  - { id: captured, run: "echo \"$JWT_SECRET\"", capture: { taken: { regex: ".+" } } }
"#;

/// What the pack above reads: every secret in every encoding that can stand in a line of text.
fn prepare(folder: &Path, pem: &str) {
    let mut shapes = Vec::new();
    for (name, secret) in unspeakable(pem) {
        let text = String::from_utf8(secret.clone()).is_ok();
        for (kind, forms) in encodings(&secret) {
            // The masker looks for texts: what is no text it knows in hex and base64 alone, and UTF-16 is the guard's.
            let known = text || matches!(kind, "hex" | "upper hex");
            for form in forms.iter().filter(|_| known && !kind.starts_with("UTF-16")) {
                shapes.extend([format!("{kind} ").as_bytes(), form, b"\n"].concat());
            }
        }
        if name == "MIZAN_GATE_KEY" {
            shapes.extend(pem.as_bytes());
        }
    }
    std::fs::write(folder.join("shapes"), shapes).expect("a file");
    std::fs::write(folder.join("db"), "").expect("a file");
    let failure = format!("<failure message=\"{}\"/>", html(SECRETS[0].1));
    let report = format!(
        "<testsuite><testcase name=\"{}\">{failure}</testcase></testsuite>",
        SECRETS[1].1
    );
    std::fs::write(folder.join("report.xml"), report).expect("a file");
}

/// The environment of a careless run.
fn with_secrets(mut command: MizanCommand, pem: &str) -> MizanCommand {
    for (name, value) in SECRETS {
        command = command.env(name, value);
    }
    command
        .env(
            "DATABASE_URL",
            format!("postgresql://app:{DATABASE}@127.0.0.1:9/d"),
        )
        .env("REDIS_URL", format!("redis://:{REDIS}@127.0.0.1:9/0"))
        .env("MIZAN_GATE_KEY", pem)
}

async fn key(folder: &TempDir) -> String {
    let path = folder.path().join("gate.key");
    let made = MizanCommand::new(BINARY)
        .args(["gate", "keygen", "--out"])
        .arg(&path);
    assert_eq!(made.run(PATIENCE).await.expect("it ends").code, 0);
    std::fs::read_to_string(path).expect("a key")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_careless_run_is_in_its_evidence_in_ten_encodings() {
    let (out, folder) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let pem = key(&folder).await;
    prepare(folder.path(), &pem);
    let pack = folder.path().join("careless.yaml");
    std::fs::write(&pack, CARELESS).expect("a pack");
    let command = with_secrets(gate(&out, &pack.display().to_string()), &pem)
        .args(["--var", &format!("base_url={}", echo().await)])
        .args(["--var", &format!("folder={}", folder.path().display())]);
    let done = command.run(PATIENCE * 3).await.expect("it ends");
    assert_eq!(done.code, 1, "{}", done.stderr);
    expect_none(out.path(), &done, &pem);
    let (dir, record) = super::evidence(out.path());
    let verified = verified(&dir).await;
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert_eq!(record.packets[0].steps.len(), 15);
    let shown = std::fs::read_to_string(dir.join("packets/1/environment.stdout")).expect("an output");
    assert!(
        shown.contains("API_KEY=***") && shown.contains("redis://:***@127.0.0.1:9/0"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_masker_does_not_know_stops_the_pack_with_exit_4() {
    let wide = |bytes: fn(u16) -> [u8; 2]| SECRETS[1].1.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let cases: [(&str, &str, Vec<u8>); 4] = [
        ("UTF-16LE", "cat \"$pack_dir/hidden\"", wide(u16::to_le_bytes)),
        ("UTF-16BE", "cat \"$pack_dir/hidden\"", wide(u16::to_be_bytes)),
        ("gzip", "gzip -c \"$pack_dir/hidden\"", SECRETS[1].1.into()),
        (
            "gzip in base64",
            "gzip -c \"$pack_dir/hidden\" | base64",
            SECRETS[1].1.into(),
        ),
    ];
    for (name, script, hidden) in cases {
        let (out, folder) = (
            tempfile::tempdir().expect("a directory"),
            tempfile::tempdir().expect("a directory"),
        );
        std::fs::write(folder.path().join("hidden"), hidden).expect("a file");
        let pack = folder.path().join("leaks.yaml");
        let text = format!(
            "gate: leaks\ntitle: L\nrequires: [1]\npackets:\n- id: 1\n  title: One\n  steps:\n  - id: a\n    run: {script}\n"
        );
        std::fs::write(&pack, text).expect("a pack");
        let command = gate(&out, &pack.display().to_string()).env(SECRETS[1].0, SECRETS[1].1);
        let done = command.run(PATIENCE).await.expect("it ends");
        assert_eq!(done.code, 4, "{name}: {}", done.stderr);
        assert!(
            done.stderr.contains("a known secret in packets/1/a.stdout"),
            "{name}: {}",
            done.stderr
        );
        let left = std::fs::read_dir(out.path()).expect("a directory").count();
        assert_eq!(left, 0, "{name}: something is left");
        assert!(!done.stderr.contains(SECRETS[1].1) && !done.stdout.contains(SECRETS[1].1));
    }
}
