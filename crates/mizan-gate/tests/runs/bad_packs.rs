//! What is wrong with a pack is said before anything runs, all of it, with where it is and what to do.

use std::fmt::Write;

use crate::harness::{gate, pack_of};

async fn refused(cases: Vec<(String, &[&str])>) {
    for (pack, words) in cases {
        let refusal = gate().refusal(&pack).await;
        for word in words {
            assert!(
                refusal.contains(word),
                "{word:?} is not in {refusal:?} for\n{pack}"
            );
        }
    }
}

#[tokio::test]
async fn a_bad_pack_is_refused_with_words_that_help() {
    let ok = "    run: 'true'\n";
    let whole = |head: &str| format!("{head}packets:\n- id: 1\n  title: One\n  steps:\n  - id: a\n{ok}");
    let cases: Vec<(String, &[&str])> = vec![
        (String::new(), &["the file is empty"]),
        ("{".into(), &["line 2, column 1"]),
        (
            "gate: t\ntitle: T\nrequires: [1]\nextra: 1\npackets: []\n".into(),
            &["line 4, column 1", "unknown field `extra`"],
        ),
        (
            "gate: t\ntitle: T\nrequires: [1]\npackets: []\n".into(),
            &["a gate that checks nothing", "there is none"],
        ),
        (whole("gate: t\ntitle: T\nrequires: []\n"), &["requires is empty"]),
        (
            pack_of("    []\n"),
            &["packet 1: has no steps, and so could never pass"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [2]\n"),
            &["requires names packet 2, and there is none"],
        ),
        (
            whole("gate: ../t\ntitle: T\nrequires: [1]\n"),
            &["is no id of a gate"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\nvars: { a: \"${b}\", b: \"${a}\" }\n"),
            &["a and b need each other"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\nvars: { a: \"${b}\" }\n"),
            &["a uses b, which the pack does not declare"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\nvars: { a: \"${a}\" }\n"),
            &["need each other"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\nvars: { a: 1.5 }\n"),
            &["line 4", "put anything else in quotes"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\nenv: [NOT_SET_AT_ALL]\n"),
            &["NOT_SET_AT_ALL is not set in the environment"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\ngenerate: { t: { token: 4 } }\n"),
            &["16 to 256"],
        ),
        (
            whole("gate: t\ntitle: T\nrequires: [1]\ngenerate: { t: { time: yesterday } }\n"),
            &["no time relative to now"],
        ),
    ];
    refused(cases).await;
}

#[tokio::test]
async fn a_bad_step_is_refused_with_its_line() {
    let step = |it: &str| pack_of(&format!("  - id: a\n{it}"));
    let cases: Vec<(String, &[&str])> = vec![
        (
            pack_of("  - id: a\n    run: 'true'\n  - id: a\n    run: 'true'\n"),
            &["line 10", "packet 1, step a", "taken by an earlier step"],
        ),
        (
            step("    run: 'true'\n    expect: { matches: null }\n"),
            &["packets[0].steps[0].expect.matches has no value"],
        ),
        (step("    runs: 'true'\n"), &["line 9", "unknown field `runs`"]),
        (step("    optional: true\n"), &["line 8", "is of no kind"]),
        (step("    run: ''\n"), &["runs nothing"]),
        (
            step("    run: 'true'\n    redis: { url: x }\n"),
            &["is run and redis at once"],
        ),
        (
            step("    run: [echo, \"${nobody}\"]\n"),
            &["uses nobody, which nobody sets"],
        ),
        (
            step("    run: echo ${nobody}\n"),
            &["uses nobody, which nobody sets"],
        ),
        (
            step("    run: [echo, \"${a-b}\"]\n"),
            &["a name has letters, digits and _"],
        ),
        (
            step("    run: 'true'\n    expect: { status: 200 }\n"),
            &["expect.status is for http, and this is run"],
        ),
        (
            step("    run: 'true'\n    expect: { matches: '(' }\n"),
            &["no regular expression"],
        ),
        (
            step("    run: 'true'\n    timeout: 5 minutes\n"),
            &["line 8, column 5", "no span of time", "500ms, 30s, 5m, 1h"],
        ),
        (step("    http: { url: 'http://x' }\n"), &["expects nothing"]),
        (
            step(
                "    http: { url: 'http://x', method: GET, body: a, json: {} }\n    expect: { status: 200 }\n",
            ),
            &["one body"],
        ),
        (
            step("    http: { url: 'http://x' }\n    expect: { json: { '$..a': 1 } }\n"),
            &["$..a is no path"],
        ),
        (
            step("    http: { url: 'http://x' }\n    cwd: /\n    expect: { status: 200 }\n"),
            &["cwd is for run and service"],
        ),
        (
            step("    run: 'true'\n    until: { timeout: 1s }\n"),
            &["until waits for nothing"],
        ),
        (
            step("    run: 'true'\n    capture: { 'a b': $.x }\n"),
            &["capture a b"],
        ),
        (
            step("    run: 'true'\n    capture: { a: { secret: true } }\n"),
            &["exactly one of json, regex and header"],
        ),
        (
            step("    log: { contains: [x] }\n"),
            &["exactly one of service and file"],
        ),
        (
            step("    log: { service: s, contains: [x] }\n"),
            &["no service s was started before"],
        ),
        (step("    log: { file: f }\n"), &["looks for nothing"]),
        (step("    service: { start: s, run: 'true' }\n"), &["needs ready"]),
        (
            step("    service: { restart: s }\n"),
            &["no service s was started before"],
        ),
        (step("    sql: { url: x }\n"), &["sql.query is missing"]),
        (
            step("    run: 'true'\n    unless_given: [x]\n"),
            &["x, which is no variable that can be given"],
        ),
    ];
    refused(cases).await;
}

#[tokio::test]
async fn all_problems_are_said_at_once() {
    let pack = "gate: t\ntitle: T\nrequires: [1, 9]\nenv: [MISSING_ONE, MISSING_TWO]\nvars: { a: \"${b}\" }\npackets:\n\
                - id: 1\n  title: One\n  steps:\n  - id: x\n    run: echo ${y}\n  - id: z\n";
    let refusal = gate().given("unknown", "1").refusal(pack).await;
    for word in [
        "packet 9",
        "MISSING_ONE",
        "MISSING_TWO",
        "a uses b",
        "uses y",
        "is of no kind",
        "--var unknown",
    ] {
        assert!(refusal.contains(word), "{word} is not in\n{refusal}");
    }
}

#[tokio::test]
async fn a_value_is_captured_before_it_is_used() {
    let pack = |first: &str, second: &str| {
        format!(
            "gate: t\ntitle: T\nrequires: [1]\npackets:\n- id: 1\n  title: One\n{first}\n- id: 2\n  title: Two\n{second}\n"
        )
    };
    let captures = "  steps: [{ id: c, run: echo 1, capture: { x: { regex: '.' } } }]";
    let uses = "  steps: [{ id: u, run: [echo, \"${x}\"] }]";
    gate().run(&pack(captures, uses)).await;
    let refusal = gate().refusal(&pack(uses, captures)).await;
    assert!(
        refusal.contains("packet 2 captures, and that does not run before this one"),
        "{refusal}"
    );
    let beside = |it: &str| format!("  parallel: true\n{it}");
    let refusal = gate().refusal(&pack(&beside(captures), &beside(uses))).await;
    assert!(refusal.contains("does not run before"), "{refusal}");
    let mut only = gate();
    only.options.only = vec!["2".into()];
    let refusal = only.refusal(&pack(captures, uses)).await;
    assert!(refusal.contains("uses x, which packet 1 captures"), "{refusal}");
}

#[tokio::test]
async fn bombs_are_refused() {
    let large = format!("gate: t\ntitle: {}\n", "x".repeat(600_000));
    assert!(gate().refusal(&large).await.contains("may have"));
    let mut aliases = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='j').zip('a'..) {
        let list = vec![format!("*{before}"); 10].join(", ");
        writeln!(aliases, "{name}: &{name} [{list}]").expect("a string takes everything");
    }
    assert!(!gate().refusal(&aliases).await.is_empty());
    let bomb = format!("vars:\n  {}", aliases.replace('\n', "\n  ")) + "\ngate: t\n";
    assert!(!gate().refusal(&bomb).await.is_empty());
    let deep = format!("gate: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    assert!(!gate().refusal(&deep).await.is_empty());
}
