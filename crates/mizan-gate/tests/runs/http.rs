//! Steps that ask a server: answers, polling, metrics.

use mizan_gate::record::Status;

use crate::harness::{gate, pack_of, server};

#[tokio::test]
async fn an_answer_is_judged_by_what_was_asked_for() {
    let server = server(|path| match path {
        "/slow" => {
            std::thread::park_timeout(std::time::Duration::from_millis(300));
            (200, String::new(), "{}".into())
        }
        "/away" => (302, "location: /ok\r\n".into(), String::new()),
        _ => (
            200,
            "cache-control: no-store\r\n".into(),
            "{\"status\":\"ok\",\"n\":3,\"list\":[]}".into(),
        ),
    })
    .await;
    let cases = [
        ("/ok", "status: 200", Status::Pass),
        ("/ok", "status: 503", Status::Fail),
        ("/away", "status: 302, headers: { Location: ^/ok$ }", Status::Pass),
        ("/ok", "headers: { Cache-Control: no-store }", Status::Pass),
        ("/ok", "headers: { X-Other: . }", Status::Fail),
        ("/ok", "json: { status: ok, n: 3 }", Status::Pass),
        ("/ok", "json: { n: { min: 3, max: 3 } }", Status::Pass),
        ("/ok", "json: { n: { min: 4 } }", Status::Fail),
        ("/ok", "json: { status: { one_of: [fail, ok] } }", Status::Pass),
        ("/ok", "json: { status: { not: ok } }", Status::Fail),
        ("/ok", "json: { other: { not: ok } }", Status::Fail),
        ("/ok", "json: { other: { exists: false } }", Status::Pass),
        ("/ok", "json: { '$.list[0]': { exists: true } }", Status::Fail),
        ("/ok", "contains: ['\"n\":3']", Status::Pass),
        ("/slow", "status: 200, within: 50ms", Status::Fail),
    ];
    for (path, expect, status) in cases {
        let step = format!(
            "  - id: a\n    http: {{ url: '{}{path}' }}\n    expect: {{ {expect} }}\n",
            server.url
        );
        let ran = gate().run(&pack_of(&step)).await;
        assert_eq!(
            ran.step("a").status,
            status,
            "{path} {expect}: {:?}",
            ran.step("a").criteria
        );
    }
    let nobody =
        pack_of("  - id: a\n    http: { url: 'http://127.0.0.1:9/' }\n    expect: { status: 200 }\n");
    let ran = gate().run(&nobody).await;
    assert_eq!(ran.step("a").status, Status::Error);
    assert!(
        ran.output("a.http").contains("[no answer: "),
        "{}",
        ran.output("a.http")
    );
}

#[tokio::test]
async fn until_records_each_value_once_and_gives_up_in_time() {
    let states = ["queued", "queued", "running", "running", "completed"];
    let mut asked = 0;
    let lifecycle = server(move |_| {
        let state = states[asked.min(states.len() - 1)];
        asked += 1;
        (200, String::new(), format!("{{\"status\":\"{state}\"}}"))
    })
    .await;
    let step = |until: &str| {
        let url = &lifecycle.url;
        pack_of(&format!(
            "  - id: a\n    http: {{ url: '{url}' }}\n    until: {{ {until}, every: 1ms, observe: $.status }}\n"
        ))
    };
    let ran = gate()
        .run(&step("json: { status: completed }, timeout: 20s"))
        .await;
    let it = ran.step("a");
    assert_eq!(
        (it.status, it.observed.join(" ")),
        (Status::Pass, "queued running completed".to_owned())
    );
    let ran = gate().run(&step("json: { status: never }, timeout: 50ms")).await;
    assert_eq!(ran.step("a").status, Status::Fail, "{:?}", ran.step("a"));
    assert_eq!(ran.step("a").criteria[0].seen, "completed");
}

#[tokio::test]
async fn until_waits_for_a_server_that_does_not_answer_yet() {
    let pack = pack_of(
        "  - id: a\n    http: { url: 'http://127.0.0.1:9/' }\n    until: { status: 200, timeout: 30ms, every: 10ms }\n",
    );
    let ran = gate().run(&pack).await;
    assert_eq!(ran.step("a").status, Status::Error);
    let error = ran.step("a").error.clone().unwrap_or_default();
    assert!(error.starts_with("not seen within 30ms: no answer"), "{error}");
}

#[tokio::test]
async fn a_metric_is_a_value_or_a_rate_and_never_nothing() {
    let mut hits = 100;
    let counter = server(move |path| {
        hits += if path == "/falls" { -10 } else { 10 };
        let text = if path == "/none" {
            "other 1\n".into()
        } else {
            format!("# TYPE hits counter\nhits{{code=\"401\"}} {hits}\n")
        };
        (200, String::new(), text)
    })
    .await;
    let cases = [
        ("/", "", "min: 100, max: 2000", Status::Pass),
        ("/", "", "max: 1", Status::Fail),
        ("/", ", labels: { code: 401 }", "min: 1", Status::Pass),
        ("/", ", labels: { code: 500 }", "max: 1000", Status::Error),
        ("/none", "", "max: 1000", Status::Error),
        ("/", ", rate_over: 100ms", "min: 1, max: 101", Status::Pass),
        ("/falls", ", rate_over: 10ms", "min: 0", Status::Error),
        (
            "/",
            ", rate_over: 100ms, baseline: 50",
            "times_baseline: 3",
            Status::Pass,
        ),
        (
            "/",
            ", rate_over: 100ms, baseline: 1",
            "times_baseline: 3",
            Status::Fail,
        ),
        (
            "/",
            ", rate_over: 100ms, baseline: 0",
            "times_baseline: 3, plus: 200",
            Status::Pass,
        ),
        ("/", ", rate_over: 100ms", "times_baseline: 3", Status::Fail),
    ];
    for (path, more, expect, status) in cases {
        let url = &counter.url;
        let step = format!(
            "  - id: a\n    metric: {{ url: '{url}{path}', name: hits{more} }}\n    expect: {{ {expect} }}\n"
        );
        let ran = gate().run(&pack_of(&step)).await;
        let it = ran.step("a");
        assert_eq!(
            it.status, status,
            "{path}{more} {expect}: {:?} {:?}",
            it.criteria, it.error
        );
    }
}
