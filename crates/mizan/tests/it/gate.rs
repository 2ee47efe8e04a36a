//! Gates as an operator runs them: the packs that come with Mizan, signals, exit codes.

mod kinds;
mod packs;
mod secrets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mizan_gate::record::{GateRecord, Status, Verdict};
use mizan_gate::summary::Summary;
use mizan_testkit::{
    Finished, MizanCommand, Signal, eventually, fresh_database, process_tree, shared_postgres, shared_redis,
};
use tempfile::TempDir;

use crate::harness::{BINARY, PATIENCE};

const RUN: Duration = Duration::from_mins(2);
const P1B: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gates/p1b.yaml");

fn gate(out: &TempDir, pack: &str) -> MizanCommand {
    let command = MizanCommand::new(BINARY)
        .args(["gate", "run", pack, "--out"])
        .arg(out.path());
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// The one directory under `out`, and the summary in it.
fn evidence(out: &Path) -> (PathBuf, Summary) {
    let entries = std::fs::read_dir(out).expect("a directory").flatten();
    let mut all: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let dir = all.remove(0);
    let text = std::fs::read_to_string(dir.join("summary.json")).expect("a summary");
    (dir, serde_json::from_str(&text).expect("a summary"))
}

async fn verified(dir: &Path) -> Finished {
    let verify = MizanCommand::new(BINARY).args(["gate", "verify"]).arg(dir);
    verify.run(PATIENCE).await.expect("it ends")
}

async fn servers() -> (String, String) {
    let postgres = shared_postgres().await.expect("a PostgreSQL server");
    let database = fresh_database(postgres).await.expect("a database");
    let redis = shared_redis().await.expect("a Redis server");
    (
        database.url_with_driver("asyncpg"),
        redis.fresh_url().expect("a database"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1b_goes_with_postgres_and_redis_and_leaks_neither_password() {
    let out = tempfile::tempdir().expect("a directory");
    let (database, redis) = servers().await;
    let command = gate(&out, P1B)
        .env("DATABASE_URL", &database)
        .env("REDIS_URL", &redis);
    let done = command.run(RUN).await.expect("it ends within two minutes");
    assert_eq!((done.code, done.stdout.trim()), (0, "p1b: GO"), "{}", done.stderr);
    let (dir, record) = evidence(out.path());
    assert_eq!(record.verdict, Verdict::Go);
    let passed: Vec<&str> = record
        .packets
        .iter()
        .filter(|it| it.status == Status::Pass)
        .map(|it| &*it.id)
        .collect();
    assert_eq!(passed, ["1", "2", "3", "4"], "{}", done.stderr);
    let verified = verified(&dir).await;
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    assert!(record.about.service_version.is_some() && record.about.environment.as_deref() == Some("staging"));
    for url in [&database, &redis] {
        let password = url
            .split('@')
            .next()
            .and_then(|it| it.rsplit(':').next())
            .expect("a password");
        let found = std::process::Command::new("grep")
            .args(["-rlF", password])
            .arg(&dir)
            .output()
            .expect("grep");
        assert!(
            found.stdout.is_empty(),
            "in {}",
            String::from_utf8_lossy(&found.stdout)
        );
        assert!(!done.stderr.contains(password) && !done.stdout.contains(password));
    }
}

/// Of the environment; and on throwaway servers, where a value that is given wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1b_does_not_go_where_redis_refuses() {
    let (database, _) = servers().await;
    let pack = std::fs::read_to_string(P1B)
        .expect("a pack")
        .replace("timeout: 20s", "timeout: 5s");
    let packs = tempfile::tempdir().expect("a directory");
    let impatient = packs.path().join("p1b.yaml").display().to_string();
    std::fs::write(&impatient, pack).expect("a pack");
    let redis = "redis://:s3cr3t-Of-Redis@127.0.0.1:9/0";
    for local in [false, true] {
        let out = tempfile::tempdir().expect("a directory");
        let command = gate(&out, &impatient);
        let command = if local {
            command.args(["--local", "--var", &format!("REDIS_URL={redis}")])
        } else {
            command.env("DATABASE_URL", &database).env("REDIS_URL", redis)
        };
        let done = command.run(RUN).await.expect("it ends");
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(done.stdout.starts_with("p1b: NO-GO"), "{}", done.stdout);
        let (dir, record) = evidence(out.path());
        let verified = verified(&dir).await;
        assert_eq!(
            verified.code, 0,
            "a NO-GO is evidence too: {}{}",
            verified.stdout, verified.stderr
        );
        let statuses: Vec<Status> = record.packets.iter().map(|it| it.status).collect();
        assert_eq!(
            statuses,
            [Status::Pass, Status::Fail, Status::Fail, Status::Pass],
            "{:?}",
            record.reasons
        );
    }
}

/// A pack that starts a service and then waits.
const WAITS: &str = "gate: waits\ntitle: W\nrequires: [1]\npackets:\n- id: 1\n  title: One\n  steps:\n\
    \x20 - id: start\n    service: { start: s, run: 'echo up; sleep 304', ready: { log: up } }\n\
    \x20 - id: wait\n    run: echo pid $$ >&2; echo $$ > \"$pack_dir/pid\"; sleep 304\n  - id: after\n    run: 'true'\n";

/// Starts the pack above and waits until its second step runs.
async fn waiting(out: &TempDir, packs: &TempDir) -> (mizan_testkit::MizanProcess, i32) {
    let pack = packs.path().join("waits.yaml");
    std::fs::write(&pack, WAITS).expect("a pack");
    let process = gate(out, &pack.display().to_string()).spawn().expect("it starts");
    let pid = eventually(PATIENCE, || async {
        std::fs::read_to_string(packs.path().join("pid"))
            .ok()
            .and_then(|it| it.trim().parse::<i32>().ok())
    });
    let pid = pid.await.expect("the step runs");
    (process, pid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_what_runs_and_writes_the_record() {
    for (signal, word) in [(Signal::SIGINT, "SIGINT"), (Signal::SIGTERM, "SIGTERM")] {
        let (out, packs) = (
            tempfile::tempdir().expect("a directory"),
            tempfile::tempdir().expect("a directory"),
        );
        let (mut process, pid) = waiting(&out, &packs).await;
        process.signal(signal).expect("a signal");
        assert_eq!(
            process.exit_code(PATIENCE).await.expect("it ends"),
            1,
            "{}",
            process.stderr()
        );
        let (dir, record) = evidence(out.path());
        assert!(!dir.to_string_lossy().ends_with(".unfinished"));
        assert_eq!(
            (record.verdict, record.interrupted),
            (Verdict::NoGo, Some(format!("interrupted by {word}")))
        );
        let steps: Vec<Status> = record.packets[0].steps.iter().map(|it| it.status).collect();
        assert_eq!(steps, [Status::Pass, Status::Error, Status::Skipped]);
        assert!(!process_tree::is_running(pid));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_run_leaves_no_process_and_a_directory_that_says_so() {
    let (out, packs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let (mut process, pid) = waiting(&out, &packs).await;
    process.signal(Signal::SIGKILL).expect("a signal");
    process.exit_code(PATIENCE).await.expect("it ends");
    eventually(PATIENCE, || async { !process_tree::is_running(pid) })
        .await
        .expect("its processes end too");
    let mut left = std::fs::read_dir(out.path()).expect("a directory").flatten();
    let dir = left.next().expect("the run's directory").path();
    let text = std::fs::read_to_string(dir.join("record.json")).expect("a record");
    let record: GateRecord = serde_json::from_str(&text).expect("a record");
    assert_eq!(verified(&dir).await.code, 1, "no evidence");
    assert!(
        dir.to_string_lossy().ends_with(".unfinished"),
        "{}",
        dir.display()
    );
    assert_eq!(
        (record.verdict, record.reasons),
        (Verdict::NoGo, vec!["the run did not come to its end".to_owned()])
    );
    let listed = MizanCommand::new(BINARY)
        .args(["gate", "list"])
        .arg(packs.path())
        .arg("--out")
        .arg(out.path());
    let listed = listed.run(PATIENCE).await.expect("it ends");
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert!(
        listed
            .stderr
            .contains("was left by a run that did not come to its end"),
        "{}",
        listed.stderr
    );
    assert!(listed.stdout.contains("waits"), "{}", listed.stdout);
}

#[tokio::test]
async fn every_way_to_fail_has_its_exit_code() {
    let packs = tempfile::tempdir().expect("a directory");
    let out = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = packs.path().join(name);
        std::fs::write(&path, text).expect("a pack");
        path.display().to_string()
    };
    let good = "gate: g\ntitle: G\nrequires: [1]\nvars: { a: x }\npackets:\n- { id: 1, title: One, steps: [{ id: s, run: 'true' }] }\n";
    let bad = write("bad.yaml", &good.replace("title: G", "titel: G"));
    let no = write("no.yaml", &good.replace("'true'", "'false'"));
    let good = write("good.yaml", good);
    let check = async |command: MizanCommand, code: i32, words: &str| {
        let Finished {
            code: seen,
            stdout,
            stderr,
        } = command.run(PATIENCE).await.expect("it ends");
        assert_eq!(seen, code, "{stdout}{stderr}");
        assert!(
            format!("{stdout}{stderr}").contains(words),
            "{words}: {stdout}{stderr}"
        );
    };
    check(gate(&out, &good), 0, "g: GO").await;
    check(gate(&out, &good).args(["--var", "a=y"]), 0, "g: GO").await;
    check(
        gate(&out, &no),
        1,
        "packet 1 is FAIL: 0 of 1 steps passed; s: exit code expected 0, seen 1",
    )
    .await;
    check(gate(&out, &bad), 2, "line 2, column 1: unknown field `titel`").await;
    check(gate(&out, "no-such-pack.yaml"), 2, "cannot be read").await;
    check(
        gate(&out, &good).args(["--var", "b=y"]),
        2,
        "the pack has no such variable; it has a",
    )
    .await;
    check(gate(&out, &good).args(["--only", "7"]), 2, "no such packet").await;
    check(gate(&out, &no).args(["--waive", "1"]), 2, "--by").await;
    let waived = ["--waive", "1", "--by", "A Person", "--reason", "known"];
    check(gate(&out, &no).args(waived), 1, "no required packet passed").await;
    let nowhere = MizanCommand::new(BINARY).args(["gate", "run", &good, "--out", "/proc/nowhere"]);
    check(nowhere.env("PATH", "/usr/bin:/bin"), 3, "/proc/nowhere").await;
}
