//! Steps that ask a real PostgreSQL and a real Redis, each by itself; and a disk that is full.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use mizan_gate::record::{GateRecord, Status, Verdict};
use mizan_testkit::MizanCommand;

use super::{evidence, gate, servers, verified};
use crate::harness::{BINARY, PATIENCE};

/// Each step with how it has to end, and words of its record.
const ASKS: [(&str, Status, &str); 16] = [
    ("redis: { url: '${REDIS_URL}' }", Status::Pass, "PONG"),
    (
        "redis: { url: '${REDIS_URL}', info: [server] }\n    expect: { json: { redis_version: { exists: true } } }",
        Status::Pass,
        "redis_version",
    ),
    (
        "redis: { url: '${REDIS_URL}', info: [replication] }\n    expect: { json: { role: slave } }",
        Status::Fail,
        "master",
    ),
    ("redis: { url: '${other_redis}' }", Status::Fail, "PING"),
    (
        "redis: { url: 'redis://127.0.0.1:9/0' }",
        Status::Fail,
        "cannot be reached",
    ),
    (
        "redis: { url: 'nonsense' }",
        Status::Error,
        "redis.url cannot be read",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELECT 1 AS one }",
        Status::Pass,
        "rows",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELECT 1 WHERE false }",
        Status::Fail,
        "at least 1",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELECT 1 WHERE false }\n    expect: { rows: 0 }",
        Status::Pass,
        "0",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELECT 1 WHERE false }\n    expect: { all_rows_match: . }",
        Status::Fail,
        "row",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: 'SELECT * FROM generate_series(1, 3)' }\n    expect: { rows: 3, no_row_matches: '^4' }",
        Status::Pass,
        "3",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELEC }",
        Status::Error,
        "syntax error",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: CREATE TABLE made_by_a_gate () }\n    expect: { rows: 0 }",
        Status::Error,
        "read-only transaction",
    ),
    (
        "sql: { url: '${DATABASE_URL}', query: SELECT * FROM no_such_table }",
        Status::Error,
        "no_such_table",
    ),
    (
        "sql: { url: 'postgresql://u:x9-Secret-Of-Nobody@127.0.0.1:9/d', query: SELECT 1 }",
        Status::Error,
        "cannot be reached",
    ),
    (
        "sql: { url: 'mysql://h/d', query: SELECT 1 }",
        Status::Error,
        "neither postgresql",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_and_a_redis_are_asked_by_themselves() {
    let (out, packs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let (database, redis) = servers().await;
    let mut pack = "gate: asks\ntitle: A\nrequires: [1]\nenv: [DATABASE_URL, REDIS_URL]\nvars: { other_redis: '' }\npackets:\n- id: 1\n  title: One\n  steps:\n".to_owned();
    for (no, (step, ..)) in ASKS.iter().enumerate() {
        writeln!(pack, "  - id: s{no}\n    {step}").expect("a string takes everything");
    }
    let path = packs.path().join("asks.yaml");
    std::fs::write(&path, pack).expect("a pack");
    let (_, place) = redis.split_once('@').expect("a password");
    let other = format!("other_redis=redis://:not-the-Password-9@{place}");
    let command = gate(&out, &path.display().to_string()).args(["--var", &other]);
    let command = command.env("DATABASE_URL", database).env("REDIS_URL", &redis);
    let done = command.run(PATIENCE * 3).await.expect("it ends");
    assert_eq!(done.code, 1, "{}", done.stderr);
    let (dir, _) = evidence(out.path());
    assert_eq!(verified(&dir).await.code, 0);
    let packet = std::fs::read_to_string(dir.join("packets/1/packet.json")).expect("a packet");
    let packet: mizan_gate::record::PacketRecord = serde_json::from_str(&packet).expect("a packet");
    for ((step, status, words), seen) in ASKS.iter().zip(&packet.steps) {
        let all = format!("{:?} {:?} {:?}", seen.criteria, seen.error, seen.outputs);
        assert_eq!(seen.status, *status, "{step}: {all}");
        assert!(all.contains(words), "{step}: {words:?} is not in {all}");
        assert!(
            !all.contains("not-the-Password-9") && !all.contains("x9-Secret-Of-Nobody"),
            "{all}"
        );
    }
}

/// A pack whose step prints more than there is room for.
const PRINTS: &str = "gate: prints\ntitle: P\nrequires: [1]\npackets:\n- id: 1\n  title: One\n  steps:\n  - id: small\n    run: echo small\n\
    \x20 - id: large\n    run: yes 'a line of output' | head -c 3000000; sleep 306\n";

/// Runs the pack above by way of a shell that narrows what may be written to `out`.
async fn narrowed(shell: &[&str], script: &str, out: &Path, packs: &Path) -> mizan_testkit::Finished {
    let pack = packs.join("prints.yaml");
    std::fs::write(&pack, PRINTS).expect("a pack");
    let mut command = MizanCommand::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script, "sh", BINARY]);
    command = command
        .arg(&pack)
        .arg(out)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.run(PATIENCE * 2).await.expect("it ends")
}

fn expect_no_evidence(out: &Path, what: &str) {
    let left: Vec<_> = std::fs::read_dir(out)
        .expect("a directory")
        .flatten()
        .map(|it| it.path())
        .collect();
    assert_eq!(left.len(), 1, "{what}: {left:?}");
    assert!(
        left[0].to_string_lossy().ends_with(".unfinished"),
        "{what}: {left:?}"
    );
    let text = std::fs::read_to_string(left[0].join("record.json")).expect("the record of the step before");
    let record: GateRecord = serde_json::from_str(&text).expect("a whole record");
    assert_eq!(
        (record.verdict, record.packets[0].steps.len()),
        (Verdict::NoGo, 1),
        "{what}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_ends_the_run_with_an_error_and_no_evidence() {
    let (out, packs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    // The signal is ignored, as it is where a file system is full, and the write fails.
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$1\" gate run \"$2\" --out \"$3\"";
    let done = narrowed(&["/bin/bash"], script, out.path(), packs.path()).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stderr.contains("cannot be written") && done.stderr.contains("ulimit -f"),
        "{}",
        done.stderr
    );
    assert!(!done.stdout.contains("GO"), "{}", done.stdout);
    expect_no_evidence(out.path(), "a limit of files");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_file_system_that_is_full_is_said_to_be() {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"];
    let (out, packs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let mount = "mount -t tmpfs -o size=512k tmpfs";
    let may = Command::new(unshare[0])
        .args(&unshare[1..])
        .args(["sh", "-c", &format!("{mount} /mnt")])
        .status();
    if !may.is_ok_and(|it| it.success()) {
        eprintln!("skipped: this user may not mount a tmpfs of its own");
        return;
    }
    // What is on the file system goes with its name space, so it is copied out.
    let script = format!(
        "mkdir -p \"$3.small\" && {mount} \"$3.small\" && {{ \"$1\" gate run \"$2\" --out \"$3.small\"; code=$?; rm -f \"$3.small\"/*/packets/1/large.*; cp -r \"$3.small\"/. \"$3\"; exit $code; }}"
    );
    let shell = [&unshare[..], &["/bin/bash"]].concat();
    let done = narrowed(&shell, &script, out.path(), packs.path()).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stderr.contains("free some space, or choose another --out"),
        "{}",
        done.stderr
    );
    expect_no_evidence(out.path(), "a small file system");
}
