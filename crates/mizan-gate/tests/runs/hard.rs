//! Steps that hang, fork, flood or die, and runs that are broken off: the record is there all the same.

use std::sync::Arc;
use std::time::Duration;

use mizan_gate::record::{Status, Verdict};
use mizan_gate::{Event, KeepLimit, unfinished};

use tokio::time::Instant;

use crate::harness::{gate, pack_of};

/// Whether a process with this marker in its command line is alive.
fn lives(marker: &str) -> bool {
    let entries = std::fs::read_dir("/proc").expect("proc").flatten();
    entries
        .filter_map(|it| std::fs::read(it.path().join("cmdline")).ok())
        .any(|it| {
            String::from_utf8_lossy(&it)
                .replace('\0', " ")
                .starts_with(&format!("sleep {marker}"))
        })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_step_started_outlives_it() {
    let cases = [
        ("hangs", "sleep 301.1", "500ms", Status::Error),
        (
            "forks and hangs",
            "(sleep 301.2 & sleep 301.2)",
            "500ms",
            Status::Error,
        ),
        (
            "leaves its group",
            "setsid sleep 301.3 & setsid -w sleep 301.3",
            "500ms",
            Status::Error,
        ),
        (
            "ignores SIGTERM",
            "trap '' TERM; sleep 301.4",
            "500ms",
            Status::Error,
        ),
        (
            "leaves a child with its outputs",
            "sleep 301.5 & echo done",
            "20s",
            Status::Pass,
        ),
        (
            "leaves a child without outputs",
            "sleep 301.6 >/dev/null 2>&1 & echo done",
            "20s",
            Status::Pass,
        ),
        (
            "leaves a child in another session",
            "setsid sleep 301.7 >/dev/null 2>&1 & echo done",
            "20s",
            Status::Pass,
        ),
    ];
    for (no, (name, script, timeout, status)) in cases.into_iter().enumerate() {
        let pack = pack_of(&format!(
            "  - id: a\n    timeout: {timeout}\n    run: |\n      {script}\n"
        ));
        let began = Instant::now();
        let ran = gate().run(&pack).await;
        assert_eq!(ran.step("a").status, status, "{name}: {:?}", ran.step("a"));
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{name}: {:?}",
            began.elapsed()
        );
        // A kill is delivered a little after it is sent.
        let gone = (0..500).any(|_| {
            std::thread::yield_now();
            !lives(&format!("301.{}", no + 1)) || {
                std::thread::park_timeout(Duration::from_millis(10));
                false
            }
        });
        assert!(gone, "{name}: a process is left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_cut_on_disk_and_never_in_memory() {
    let mut gate = gate().env("DB_PASSWORD", "Tr0ub4dor&3x");
    gate.options.keep = KeepLimit {
        head: 100_000,
        tail: 10_000,
    };
    let pack = pack_of(
        "  - id: a\n    run: |\n      (yes 'password Tr0ub4dor&3x line' || true) | head -c 6000000\n      echo the end\n    \
         expect: { contains: [the end], lacks: [nowhere] }\n",
    );
    let ran = gate.run(&pack).await;
    let step = ran.step("a");
    let text = ran.output("a.stdout");
    assert!(
        text.len() < 120_000 && text.contains("bytes of this output were not kept]"),
        "{}",
        text.len()
    );
    assert!(
        text.ends_with("the end\n") && !text.contains("Tr0ub4dor"),
        "masked, with its end"
    );
    let criteria: Vec<(&str, bool)> = step
        .criteria
        .iter()
        .map(|it| (it.name.as_str(), it.passed))
        .collect();
    assert_eq!(
        criteria,
        [
            ("exit code", true),
            ("text contains", true),
            ("text lacks", false)
        ]
    );
    assert!(
        step.note.as_ref().is_some_and(|it| it.contains("were not kept")),
        "{:?}",
        step.note
    );
}

#[tokio::test]
async fn binary_output_is_kept_and_shown_harmlessly() {
    let ran = gate()
        .run(&pack_of("  - id: a\n    run: printf '\\000\\377\\033[2Jx\\n'\n"))
        .await;
    assert_eq!(ran.step("a").status, Status::Pass);
    let output = &ran.step("a").outputs[0];
    assert_eq!((output.bytes, output.head.len()), (8, 1));
    assert!(!output.head[0].contains('\u{1b}'), "{:?}", output.head);
    let bytes = std::fs::read(ran.dir.join("packets/1/a.stdout")).expect("a file");
    assert_eq!(bytes, b"\x00\xff\x1b[2Jx\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_leaves_a_complete_record() {
    let pack = "gate: t\ntitle: T\nrequires: [1, 2]\npackets:\n- id: 1\n  title: One\n  steps:\n\
                \x20 - { id: a, run: echo first }\n  - { id: b, run: echo second; sleep 302.1 }\n  - { id: c, run: 'true' }\n\
                - id: 2\n  title: Two\n  steps: [{ id: d, run: 'true' }]\n";
    let mut gate = gate();
    let stop = gate.options.stop.clone();
    gate.options.progress = Arc::new(move |event| {
        if matches!(event, Event::Step { step, .. } if step.id == "a") {
            stop.now("interrupted by SIGINT");
        }
    });
    let ran = gate.run(pack).await;
    assert_eq!(ran.record.verdict, Verdict::NoGo);
    assert_eq!(ran.record.interrupted.as_deref(), Some("interrupted by SIGINT"));
    assert!(
        ran.record
            .reasons
            .contains(&"the run was interrupted by SIGINT".to_owned()),
        "{:?}",
        ran.record.reasons
    );
    assert_eq!(
        (ran.step("a").status, ran.step("c").status),
        (Status::Pass, Status::Skipped)
    );
    assert_eq!(
        (ran.packet("2").status, ran.packet("2").steps.len()),
        (Status::Skipped, 0)
    );
    assert!(!lives("302.1"), "what ran was killed");
    let saved = std::fs::read_to_string(ran.dir.join("record.json")).expect("a record");
    let saved: mizan_gate::record::GateRecord = serde_json::from_str(&saved).expect("a record");
    assert_eq!(saved, ran.record);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_grows_with_the_run_and_says_no_until_its_end() {
    let gate = gate();
    let out = gate.out.path().to_owned();
    let pack = pack_of(
        "  - { id: a, run: 'true' }\n  - { id: b, run: cp \"$gate_dir/record.json\" \"$gate_dir/half.json\" }\n",
    );
    let mut gate = gate;
    gate.options.progress = Arc::new(move |event| {
        if matches!(event, Event::Step { .. }) {
            let found = unfinished(&out);
            assert!(found.len() == 1 && found[0].running, "{found:?}");
        }
    });
    let ran = gate.run(&pack).await;
    assert_eq!(ran.record.verdict, Verdict::Go);
    let half = std::fs::read_to_string(ran.dir.join("half.json")).expect("a record");
    let half: mizan_gate::record::GateRecord = serde_json::from_str(&half).expect("a record");
    assert_eq!((half.verdict, half.packets[0].steps.len()), (Verdict::NoGo, 1));
    assert_eq!(half.reasons, ["the run did not come to its end"]);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_said() {
    let mut gate = gate();
    gate.options.out = "/proc/nowhere".into();
    let error = match gate.try_run(&pack_of("  - { id: a, run: 'true' }\n")).await {
        Err(error) => error.to_string(),
        Ok(_) => panic!("nobody can write there"),
    };
    assert!(
        error.contains("/proc/nowhere") && error.contains("cannot be written"),
        "{error}"
    );
}
