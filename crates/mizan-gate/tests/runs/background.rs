//! Services: started, looked at, restarted with another environment, ended.

use mizan_gate::record::{Status, Verdict};

use crate::harness::{gate, pack_of};

/// A service that prints what it was given, and then waits.
const SERVICE: &str = "'echo \"mode=${MODE:-none}\"; exec sleep 303.1'";

fn alive() -> usize {
    let entries = std::fs::read_dir("/proc").expect("proc").flatten();
    let lines = entries.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    lines.filter(|it| it.starts_with(b"sleep\x00303.1\0")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_restarted_with_another_environment_and_back() {
    let steps = format!(
        "  - id: start\n    env: {{ MODE: good }}\n    service: {{ start: s, run: {SERVICE}, ready: {{ log: mode=good }} }}\n  \
         - id: log\n    log: {{ service: s, contains: [mode=good] }}\n  \
         - id: break\n    env: {{ MODE: bad }}\n    service: {{ restart: s, ready: {{ log: mode=bad }} }}\n  \
         - id: log-bad\n    log: {{ service: s, contains: [mode=bad], lacks: [mode=good] }}\n  \
         - id: without\n    unset: [MODE]\n    service: {{ restart: s, ready: {{ log: mode=none }} }}\n  \
         - id: restore\n    service: {{ restart: s }}\n  \
         - id: log-good\n    log: {{ service: s, contains: [mode=good], first: 20 }}\n  \
         - id: stop\n    service: {{ stop: s }}\n    optional: false\n"
    );
    let ran = gate().run(&pack_of(&steps)).await;
    assert_eq!(ran.record.verdict, Verdict::Go, "{:?}", ran.record.reasons);
    assert_eq!(ran.output("break.service.log"), "mode=bad\n");
    assert_eq!(ran.output("restore.service.log"), "mode=good\n");
    assert!(
        ran.step("break").command.contains("export MODE=bad"),
        "{}",
        ran.step("break").command
    );
    assert_eq!(alive(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_not_ready_is_no_service() {
    let cases = [
        ("'exit 7'", "log: x", "the process ended: exit code 7"),
        (
            "'echo y; sleep 303.2'",
            "log: x, timeout: 300ms",
            "not in 1 lines",
        ),
        ("'sleep 303.2'", "tcp: '127.0.0.1:9', timeout: 300ms", "refused"),
        (
            "'sleep 303.2'",
            "http: 'http://127.0.0.1:9/', timeout: 300ms",
            "no answer",
        ),
        ("no-such-program", "log: x", "exit code 127"),
    ];
    for (run, ready, words) in cases {
        let step = format!("  - id: a\n    service: {{ start: s, run: {run}, ready: {{ {ready} }} }}\n");
        let ran = gate().run(&pack_of(&step)).await;
        let it = ran.step("a");
        assert_eq!(it.status, Status::Fail, "{run}: {it:?}");
        assert!(it.criteria[0].seen.contains(words), "{run}: {:?}", it.criteria);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_service_prints_after_its_step_is_in_the_record() {
    let steps = "  - id: start\n    service:\n      start: s\n      run: |\n        echo ready\n        \
                 until [ -e \"$gate_dir/go\" ]; do sleep 0.01; done\n        echo later\n        sleep 303.3\n      \
                 ready: { log: ready }\n  - id: go\n    run: touch \"$gate_dir/go\"\n  - id: later\n    log: { service: s, contains: [later] }\n";
    let ran = gate().run(&pack_of(steps)).await;
    assert_eq!(ran.record.verdict, Verdict::Go, "{:?}", ran.record.reasons);
    assert_eq!(ran.step("start").outputs[0].head, ["ready", "later"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_died_was_not_stopped() {
    let steps = "  - id: start\n    service: { start: s, run: 'echo up; sleep 0.2', ready: { log: up } }\n  \
                 - id: wait\n    run: sleep 1\n  - id: stop\n    service: { stop: s }\n";
    let ran = gate().run(&pack_of(steps)).await;
    assert_eq!(ran.step("stop").status, Status::Fail, "{:?}", ran.step("stop"));
}
