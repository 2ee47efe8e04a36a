//! A CI job by way of GitHub's API, on a server that answers like it.

use mizan_gate::record::Status;

use crate::harness::{Server, gate, pack_of, server};

async fn github(conclusion: &'static str) -> Server {
    server(move |path| {
        let json = |text: &str| (200, "content-type: application/json\r\n".to_owned(), text.to_owned());
        match path.split('?').next().unwrap_or_default() {
            "/repos/o/r/actions/workflows" => {
                json(r#"{"workflows":[{"id":7,"name":"Backend Tests","path":".github/workflows/backend.yml"}]}"#)
            }
            "/repos/o/r/actions/workflows/7/runs" if path.contains("head_sha=none") => json(r#"{"workflow_runs":[]}"#),
            "/repos/o/r/actions/workflows/7/runs" => json(&format!(
                r#"{{"workflow_runs":[{{"id":42,"run_attempt":1,"head_sha":"abc","html_url":"https://ci.example/42",{conclusion}}}]}}"#
            )),
            "/repos/o/r/actions/runs/42/jobs" => json(
                r#"{"jobs":[{"id":1,"name":"lint","conclusion":"success"},{"id":2,"name":"tests","conclusion":"failure"}]}"#,
            ),
            "/repos/o/r/actions/jobs/2/logs" => (302, "location: /signed/log?sig=s3cr3t-Sign4ture\r\n".into(), String::new()),
            _ => (404, String::new(), "{}".into()),
        }
    })
    .await
}

fn pack(server: &Server, workflow: &str, sha: &str) -> String {
    pack_of(&format!(
        "  - id: a\n    ci_job: {{ repo: o/r, workflow: {workflow}, sha: '{sha}', token: t0ken-For-Actions, base_url: '{}' }}\n",
        server.url
    ))
}

#[tokio::test]
async fn a_job_is_green_or_it_does_not_pass() {
    let green = r#""status":"completed","conclusion":"success""#;
    let cases = [
        (green, "Backend Tests", "", Status::Pass, "GREEN"),
        (green, "backend.yml", "abc", Status::Pass, "GREEN"),
        (
            green,
            "Backend Tests",
            "none",
            Status::Error,
            "has no run that fits",
        ),
        (green, "Other", "", Status::Error, "there are Backend Tests"),
        (
            r#""status":"completed","conclusion":"failure""#,
            "Backend Tests",
            "",
            Status::Fail,
            "RED",
        ),
        (
            r#""status":"completed","conclusion":"cancelled""#,
            "Backend Tests",
            "",
            Status::Fail,
            "RED",
        ),
        (
            r#""status":"completed","conclusion":"skipped""#,
            "Backend Tests",
            "",
            Status::Fail,
            "RED",
        ),
        (
            r#""status":"in_progress","conclusion":null"#,
            "Backend Tests",
            "",
            Status::Fail,
            "not finished",
        ),
    ];
    for (run, workflow, sha, status, words) in cases {
        let api = github(run).await;
        let ran = gate().run(&pack(&api, workflow, sha)).await;
        let it = ran.step("a");
        assert_eq!(it.status, status, "{run} {workflow} {sha}: {it:?}");
        assert!(format!("{it:?}").contains(words), "{it:?}");
        let asked = api.asked.lock().expect("nobody panics").join("\n").to_lowercase();
        assert!(
            asked.contains("authorization: bearer t0ken-for-actions"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn a_red_job_comes_with_its_first_error_and_without_the_token_of_its_log() {
    let logs = server(|_| (200, String::new(), "one\ntwo\nerror[E1]: broken\nthree\n".into())).await;
    let place = format!("location: {}/log?sig=s3cr3t-Sign4ture\r\n", logs.url);
    let api = server(move |path| match path.split('?').next().unwrap_or_default() {
        "/repos/o/r/actions/workflows" => (200, String::new(), r#"{"workflows":[{"id":7,"name":"W","path":"w.yml"}]}"#.into()),
        "/repos/o/r/actions/workflows/7/runs" => (
            200,
            String::new(),
            r#"{"workflow_runs":[{"id":42,"html_url":"https://ci.example/42","status":"completed","conclusion":"failure"}]}"#.into(),
        ),
        "/repos/o/r/actions/runs/42/jobs" => {
            (200, String::new(), r#"{"jobs":[{"id":2,"name":"tests","conclusion":"failure"}]}"#.into())
        }
        _ => (302, place.clone(), String::new()),
    })
    .await;
    let ran = gate().run(&pack(&api, "W", "")).await;
    let shown = ran.output("a.ci");
    assert!(
        shown.contains("job tests\none\ntwo\nerror[E1]: broken"),
        "{shown}"
    );
    assert!(shown.contains("https://ci.example/42"), "{shown}");
    let asked = logs
        .asked
        .lock()
        .expect("nobody panics")
        .join("\n")
        .to_lowercase();
    assert!(
        asked.contains("/log?sig=") && !asked.contains("authorization"),
        "the token stays with the API: {asked}"
    );
}
