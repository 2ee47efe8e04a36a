//! What a run says in the end, from packs as they are written.

use mizan_gate::record::{Status, Verdict, Waiver};

use crate::harness::{gate, pack_of};

#[tokio::test]
async fn a_run_step_passes_for_its_exit_code_and_nothing_less() {
    let cases = [
        ("run: 'true'", Status::Pass, "0"),
        ("run: 'false'", Status::Fail, "1"),
        ("run: false | cat", Status::Fail, "1"),
        ("run: \"false\\ntrue\"", Status::Fail, "1"),
        ("run: echo $not_set_anywhere", Status::Fail, "1"),
        ("run: exit 3\n    expect: { exit_code: 3 }", Status::Pass, "3"),
        ("run: kill -9 $$", Status::Fail, "signal 9"),
        ("run: no-such-program-anywhere", Status::Error, "exit code 127"),
        ("run: [no-such-program-anywhere]", Status::Error, "was not found"),
        (
            "run: 'true'\n    cwd: /no/such/directory",
            Status::Error,
            "not found",
        ),
        (
            "run: echo hello\n    expect: { contains: [hell], matches: '^h.*o' }",
            Status::Pass,
            "hello",
        ),
        (
            "run: echo hello\n    expect: { contains: [world] }",
            Status::Fail,
            "not in 1 lines",
        ),
        (
            "run: echo hello\n    expect: { lacks: [hello] }",
            Status::Fail,
            "hello",
        ),
        (
            "run: echo oops >&2\n    expect: { stderr_contains: [oops] }",
            Status::Pass,
            "oops",
        ),
        (
            "run: echo '{\"a\":{\"b\":[1,2]}}'\n    expect: { json: { '$.a.b[1]': 2 } }",
            Status::Pass,
            "2",
        ),
        (
            "run: echo no json\n    expect: { json: { a: { exists: false } } }",
            Status::Fail,
            "not JSON",
        ),
        (
            "run: sleep 1\n    timeout: 100ms",
            Status::Error,
            "took longer than 100ms",
        ),
    ];
    for (step, status, words) in cases {
        let ran = gate().run(&pack_of(&format!("  - id: a\n    {step}\n"))).await;
        let it = ran.step("a");
        let said = format!("{:?} {:?}", it.criteria, it.error);
        assert_eq!(it.status, status, "{step}: {said}");
        assert!(said.contains(words), "{step}: {said}");
        let go = if status == Status::Pass {
            Verdict::Go
        } else {
            Verdict::NoGo
        };
        assert_eq!(ran.record.verdict, go, "{step}: {:?}", ran.record.reasons);
    }
}

#[tokio::test]
async fn files_databases_and_reports_need_something_in_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| directory.path().join(name).display().to_string();
    let database = rusqlite::Connection::open(place("db")).expect("a database");
    database
        .execute_batch("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL)")
        .expect("a table");
    let sql = |query: &str, expect: &str| {
        format!(
            "sql: {{ url: 'sqlite:{}', query: {query} }}\n    expect: {{ {expect} }}",
            place("db")
        )
    };
    std::fs::write(place("empty.xml"), "<testsuite/>").expect("a file");
    std::fs::write(place("green.xml"), "<testsuite><testcase name='a'/></testsuite>").expect("a file");
    std::fs::write(place("old.log"), "started\n").expect("a file");
    let cases = [
        (
            sql("SELECT * FROM t", "rows: 2, any_row_matches: '^1 . x$'"),
            Status::Pass,
        ),
        (sql("SELECT * FROM t", "all_rows_match: '^1'"), Status::Fail),
        (sql("SELECT * FROM t", "no_row_matches: 'NULL'"), Status::Fail),
        (
            sql("SELECT * FROM t WHERE a > 2", "no_row_matches: x"),
            Status::Fail,
        ),
        (
            sql("SELECT * FROM t WHERE a > 2", "all_rows_match: x"),
            Status::Fail,
        ),
        (sql("SELECT * FROM t WHERE a > 2", "rows: 0"), Status::Pass),
        (sql("SELECT a FROM t", "json: { '$[0].a': 1 }"), Status::Pass),
        (sql("SELECT * FROM nowhere", "rows: 0"), Status::Error),
        (sql("DELETE FROM t", "rows: 0"), Status::Error),
        (
            format!("sql: {{ url: 'sqlite:{}', query: SELECT 1 }}", place("missing")),
            Status::Error,
        ),
        (format!("file: {{ path: '{}' }}", place("old.log")), Status::Pass),
        (format!("file: {{ path: '{}' }}", place("no.log")), Status::Fail),
        (
            format!(
                "file: {{ path: '{}' }}\n    expect: {{ exists: false }}",
                place("no.log")
            ),
            Status::Pass,
        ),
        (
            format!("junit: {{ file: '{}', any_age: true }}", place("empty.xml")),
            Status::Fail,
        ),
        (
            format!("junit: {{ file: '{}', any_age: true }}", place("green.xml")),
            Status::Pass,
        ),
        (format!("junit: {{ file: '{}' }}", place("no.xml")), Status::Error),
        (
            format!(
                "log: {{ file: '{}', contains: [start], within: 0s }}",
                place("old.log")
            ),
            Status::Pass,
        ),
        (
            format!(
                "log: {{ file: '{}', contains: [stop], within: 0s }}",
                place("old.log")
            ),
            Status::Fail,
        ),
        (
            format!("log: {{ file: '{}', first: 20, within: 0s }}", place("no.log")),
            Status::Fail,
        ),
    ];
    for (step, status) in cases {
        let ran = gate().run(&pack_of(&format!("  - id: a\n    {step}\n"))).await;
        let it = ran.step("a");
        assert_eq!(it.status, status, "{step}: {:?} {:?}", it.criteria, it.error);
    }
}

/// Whatever has nothing in it: not GO, and the reason says what was missing.
#[tokio::test]
async fn nothing_passes_for_no_reason() {
    let metrics = crate::harness::server(|_| (200, String::new(), "other 1\n".into())).await;
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| directory.path().join(name).display().to_string();
    rusqlite::Connection::open(place("db"))
        .expect("a database")
        .execute_batch("CREATE TABLE t (a)")
        .expect("a table");
    std::fs::write(place("log"), "started\n").expect("a file");
    std::fs::write(place("empty"), "").expect("a file");
    let cases = [
        (step("run: 'true'\n    optional: true"), "only optional steps"),
        (
            step("run: 'true'\n    if_given: [v]"),
            "no step was run: left out: v was not given",
        ),
        (step("run: false | cat"), "exit code expected 0, seen 1"),
        (
            step(&format!(
                "sql: {{ url: 'sqlite:{}', query: SELECT * FROM t }}",
                place("db")
            )),
            "rows expected at least 1, seen 0",
        ),
        (
            step(&format!(
                "metric: {{ url: '{}', name: hits }}\n    expect: {{ max: 5 }}",
                metrics.url
            )),
            "no sample of hits",
        ),
        (
            step(&format!(
                "log: {{ file: '{}', contains: [completed], within: 0s }}",
                place("log")
            )),
            "completed",
        ),
        (
            step(&format!(
                "log: {{ file: '{}', first: 20, within: 0s }}",
                place("empty")
            )),
            "line",
        ),
        (step(&format!("junit: {{ file: '{}' }}", place("empty"))), "empty"),
    ];
    for (steps, words) in cases {
        let pack = pack_of(&steps).replace("packets:", "vars: { v: x }\npackets:");
        let ran = gate().run(&pack).await;
        let reasons = ran.record.reasons.join("; ");
        assert_eq!(ran.record.verdict, Verdict::NoGo, "{steps}: {reasons}");
        assert!(reasons.contains(words), "{steps}: {words:?} is not in {reasons}");
        assert!(
            reasons.contains("no required packet passed"),
            "{steps}: {reasons}"
        );
    }
}

fn step(what: &str) -> String {
    format!("  - id: a\n    {what}\n")
}

#[tokio::test]
async fn a_report_from_before_the_run_does_not_count() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("report.xml");
    std::fs::write(&path, "<testsuite><testcase name='a'/></testsuite>").expect("a file");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    std::fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|it| it.set_modified(old))
        .expect("a time");
    let pack = pack_of(&format!(
        "  - id: a\n    junit: {{ file: '{}' }}\n",
        path.display()
    ));
    let ran = gate().run(&pack).await;
    assert_eq!(ran.step("a").status, Status::Fail, "{:?}", ran.step("a").criteria);
}

const TWO: &str = "gate: t\ntitle: T\nrequires: [1, 2]\npackets:\n- id: 1\n  title: One\n  steps: [{ id: a, run: 'true' }]\n\
                   - id: 2\n  title: Two\n  steps: [{ id: b, run: 'false' }]\n";

#[tokio::test]
async fn what_was_not_asked_for_is_missing() {
    let mut gate = gate();
    gate.options.only = vec!["1".into()];
    let ran = gate.run(TWO).await;
    assert_eq!(ran.packet("1").status, Status::Pass);
    assert_eq!(ran.packet("2").status, Status::Skipped);
    assert_eq!(ran.packet("2").note, "was not run: only 1 was asked for");
    assert_eq!(
        (ran.record.verdict, ran.record.only),
        (Verdict::NoGo, vec!["1".to_owned()])
    );
}

#[tokio::test]
async fn a_waiver_is_a_persons() {
    let waiver = |packet: &str, by: &str| Waiver {
        packet: packet.into(),
        by: by.into(),
        reason: "known".into(),
    };
    let mut waived = gate();
    waived.options.waivers = vec![waiver("2", "Ayşe Kaya")];
    let ran = waived.run(TWO).await;
    assert_eq!(
        ran.record.verdict,
        Verdict::GoWithWaiver,
        "{:?}",
        ran.record.reasons
    );
    for (packet, by, words) in [("2", "", "needs --by"), ("3", "x", "only a required packet")] {
        let mut gate = gate();
        gate.options.waivers = vec![waiver(packet, by)];
        let refusal = gate.refusal(TWO).await;
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[tokio::test]
async fn a_step_that_is_left_out_is_said_to_be() {
    let pack = "gate: t\ntitle: T\nrequires: [1]\nvars: { place: here }\npackets:\n- id: 1\n  title: One\n  steps:\n\
                \x20 - { id: a, run: 'true' }\n  - { id: b, run: 'false', unless_given: [place] }\n\
                \x20 - { id: c, run: 'false', if_given: [place] }\n";
    let ran = gate().given("place", "there").run(pack).await;
    assert_eq!(
        (ran.step("b").status, ran.step("b").note.as_deref()),
        (Status::Skipped, Some("left out: place was given"))
    );
    assert_eq!(
        (ran.step("c").status, ran.record.verdict),
        (Status::Fail, Verdict::NoGo)
    );
    let ran = gate().run(pack).await;
    assert_eq!(
        (ran.step("b").status, ran.step("c").status),
        (Status::Fail, Status::Skipped)
    );
}

#[tokio::test]
async fn a_step_is_tried_again_and_every_try_is_kept() {
    let step = "  - id: a\n    run: |\n      echo try >> \"$gate_dir/tries\"\n      n=$(wc -l < \"$gate_dir/tries\")\n      \
                echo \"this is try $n\"\n      test \"$n\" -ge 3\n    retry: { times: 4, every: 1ms }\n";
    let ran = gate().run(&pack_of(step)).await;
    assert_eq!((ran.step("a").status, ran.step("a").attempts), (Status::Pass, 3));
    assert_eq!(ran.output("a.attempt-1.stdout"), "this is try 1\n");
    assert_eq!(ran.output("a.stdout"), "this is try 3\n");
    let files: Vec<&str> = ran.step("a").outputs.iter().map(|it| it.file.as_str()).collect();
    assert!(
        files.contains(&"a.attempt-2.stderr") && files.contains(&"a.stdout"),
        "{files:?}"
    );
    let step = step.replace("times: 4", "times: 2");
    let ran = gate().run(&pack_of(&step)).await;
    assert_eq!((ran.step("a").status, ran.step("a").attempts), (Status::Fail, 2));
}

#[tokio::test]
async fn packets_that_may_run_side_by_side() {
    // Each waits for the other's file: one after the other, they would wait for ever.
    let packet = |id: u8, other: u8| {
        format!(
            "- id: {id}\n  title: P\n  parallel: true\n  steps:\n  - id: s\n    timeout: 20s\n    run: |\n      \
             touch \"$gate_dir/{id}\"\n      until [ -e \"$gate_dir/{other}\" ]; do sleep 0.01; done\n"
        )
    };
    let pack = format!(
        "gate: t\ntitle: T\nrequires: [1, 2]\npackets:\n{}{}",
        packet(1, 2),
        packet(2, 1)
    );
    let ran = gate().run(&pack).await;
    assert_eq!(ran.record.verdict, Verdict::Go, "{:?}", ran.record.reasons);
}
