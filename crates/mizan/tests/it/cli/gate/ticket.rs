//! What a ticket is told: once, without tokens, and closed only by a pack that says GO.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

use super::{Desk, mizan, records};

const TOKEN: &str = "ghx-0123456789abcdefghij";

/// One request that a ticket system received.
#[derive(Debug, Clone)]
struct Heard {
    line: String,
    token: Option<String>,
    body: Value,
}

/// A ticket system on this machine that takes everything, or refuses everything.
struct Tracker {
    base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// How many more comments it takes before it refuses.
    room: Arc<AtomicUsize>,
}

impl Tracker {
    async fn start(status: StatusCode) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let room = Arc::new(AtomicUsize::new(usize::MAX));
        let state = (Arc::clone(&heard), status, Arc::clone(&room));
        let app = Router::new().fallback(hear).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, heard, room }
    }

    /// What was written to it.
    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("a list").clone()
    }
}

type TrackerState = (Arc<Mutex<Vec<Heard>>>, StatusCode, Arc<AtomicUsize>);

/// A page of the comments on a ticket, after 130 of other people.
fn list(heard: &[Heard], uri: &Uri) -> String {
    let asked = |name: &str| {
        let pairs = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|it| it.split_once('='));
        pairs
            .filter(|it| it.0 == name)
            .find_map(|it| it.1.parse::<usize>().ok())
            .expect("a page is asked for")
    };
    let of_others = (0..130).map(|_| serde_json::json!({ "body": "looks good" }));
    let path = format!("POST {}", uri.path());
    let ours = heard
        .iter()
        .filter(|it| it.line == path)
        .map(|it| it.body.clone());
    let (page, size) = (asked("page"), asked("per_page"));
    let shown: Vec<Value> = of_others.chain(ours).skip((page - 1) * size).take(size).collect();
    serde_json::to_string(&shown).expect("JSON")
}

async fn hear(
    State((heard, status, room)): State<TrackerState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let token = headers
        .get("authorization")
        .or_else(|| headers.get("private-token"));
    if method == Method::GET && status.is_success() {
        return (status, list(&heard.lock().expect("a list"), &uri));
    }
    let taken = room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
    if taken.is_err() {
        return (StatusCode::BAD_GATEWAY, String::new());
    }
    heard.lock().expect("a list").push(Heard {
        line: format!("{method} {uri}"),
        token: token.and_then(|it| it.to_str().ok()).map(str::to_owned),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    (
        status,
        format!("no: {}", token.and_then(|it| it.to_str().ok()).unwrap_or("")),
    )
}

#[tokio::test]
async fn post_writes_the_report_and_for_a_no_go_its_cause_and_full_output_to_the_same_ticket() {
    let desk = Desk::new().await;
    let (go, no_go) = (
        desk.pack(&records::go(), true),
        desk.pack(&records::no_go(), true),
    );
    let tracker = Tracker::start(StatusCode::CREATED).await;
    let github = [
        "--to",
        "github",
        "--project",
        "acme/pay",
        "--issue",
        "12",
        "--base-url",
        &tracker.base,
    ];
    let env = [("GITHUB_TOKEN", TOKEN), ("GITLAB_TOKEN", TOKEN)];
    let done = mizan(&[&["gate", "post", &go], &github[..]].concat(), &env).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let done = mizan(&[&["gate", "post", &no_go], &github[..]].concat(), &env).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let heard = tracker.heard();
    assert!(
        heard
            .iter()
            .all(|it| it.line == "POST /repos/acme/pay/issues/12/comments"),
        "{heard:?}"
    );
    assert!(
        heard
            .iter()
            .all(|it| it.token.as_deref() == Some(&format!("Bearer {TOKEN}"))),
        "{heard:?}"
    );
    let bodies: Vec<&str> = heard.iter().filter_map(|it| it.body["body"].as_str()).collect();
    assert_eq!(bodies.len(), 4);
    assert!(bodies[0].contains("## GO"));
    assert!(bodies[1].contains("## NO-GO"));
    assert!(bodies[2].starts_with("# Root-cause analysis"));
    assert!(
        bodies[3].starts_with("**packets/3/create.http** (1/1)")
            && bodies[3].contains("content-type: application/json")
    );

    let gitlab = [
        "--to",
        "gitlab",
        "--project",
        "acme/pay",
        "--issue",
        "7",
        "--base-url",
        &tracker.base,
    ];
    let done = mizan(&[&["gate", "post", &go], &gitlab[..]].concat(), &env).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let last = tracker.heard().pop().expect("a request");
    assert_eq!(last.line, "POST /projects/acme%2Fpay/issues/7/notes");
    assert_eq!(last.token.as_deref(), Some(TOKEN));

    let hook = format!("{}/hook", tracker.base);
    let done = mizan(
        &["gate", "post", &no_go, "--to", "webhook", "--base-url", &hook],
        &env,
    )
    .await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let last = tracker.heard().pop().expect("a request");
    assert_eq!((last.line.as_str(), last.token), ("POST /hook", None));
    assert_eq!(last.body["about"]["verdict"], "NO-GO");
    assert_eq!(last.body["comments"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_pack_is_on_a_ticket_once_however_often_it_is_posted() {
    let desk = Desk::new().await;
    let (no_go, other) = (
        desk.pack(&records::no_go(), true),
        desk.pack(&records::go(), true),
    );
    let tracker = Tracker::start(StatusCode::CREATED).await;
    for (system, token) in [("github", "GITHUB_TOKEN"), ("gitlab", "GITLAB_TOKEN")] {
        tracker.heard.lock().expect("a list").clear();
        let post = async |pack: &str, more: &[&str]| {
            let to = [
                "--to",
                system,
                "--project",
                "acme/pay",
                "--issue",
                "3",
                "--base-url",
                &tracker.base,
            ];
            let all = [&["gate", "post", pack], &to[..], more].concat();
            mizan(&all, &[(token, TOKEN)]).await
        };
        // The second of three comments is refused: what is there is found, and the rest follows.
        tracker.room.store(1, Ordering::SeqCst);
        let done = post(&no_go, &[]).await;
        assert_eq!(done.code, 3, "{system}: {}", done.stderr);
        assert!(
            done.stderr.contains("1 of 3 comments are on the ticket"),
            "{}",
            done.stderr
        );
        tracker.room.store(usize::MAX, Ordering::SeqCst);
        for (pack, more, says, on_it) in [
            (
                &no_go,
                &[][..],
                "posted: NO-GO (2 comments; 1 were on the ticket before)",
                3,
            ),
            (&no_go, &[], "posted before: NO-GO (3 comments", 3),
            (&other, &[], "posted: GO (1 comments)", 4),
            (&no_go, &["--force"], "posted: NO-GO (3 comments)", 7),
            (&other, &[], "posted before: GO (1 comments", 7),
        ] {
            let done = post(pack, more).await;
            assert_eq!(done.code, 0, "{system}: {}", done.stderr);
            assert!(
                done.stdout.contains(says),
                "{system}: {says} is not in {}",
                done.stdout
            );
            assert_eq!(tracker.heard().len(), on_it, "{system}: {says}");
        }
    }
}

#[tokio::test]
async fn a_ticket_system_that_refuses_is_quoted_without_the_token() {
    let desk = Desk::new().await;
    let go = desk.pack(&records::go(), true);
    let tracker = Tracker::start(StatusCode::FORBIDDEN).await;
    let args = [
        "gate",
        "post",
        &go,
        "--to",
        "github",
        "--project",
        "acme/pay",
        "--issue",
        "1",
        "--base-url",
        &tracker.base,
    ];
    let done = mizan(&args, &[("GITHUB_TOKEN", TOKEN)]).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stderr
            .contains("GitHub answered 403 to the list of comments: no:"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains(TOKEN), "{}", done.stderr);
    let done = mizan(&args, &[]).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stderr.contains("GITHUB_TOKEN holds no token"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn close_closes_only_on_a_pack_that_stands_is_signed_and_says_go() {
    let desk = Desk::new().await;
    let tracker = Tracker::start(StatusCode::OK).await;
    let go = desk.pack(&records::go(), true);
    let no_go = desk.pack(&records::no_go(), true);
    let waived = desk.pack(&records::waived(), true);
    let unsigned = desk.pack(&records::go(), false);
    let public = desk.public();
    let close = async |pack: &str, more: &[&str]| {
        let to = [
            "--to",
            "github",
            "--project",
            "acme/pay",
            "--issue",
            "12",
            "--base-url",
            &tracker.base,
        ];
        let args = [&["gate", "close", pack], &to[..], more].concat();
        mizan(&args, &[("GITHUB_TOKEN", TOKEN)]).await
    };
    let with_key = ["--key", public.as_str()];
    let refused = async |pack: &str, more: &[&str], says: &str| {
        let done = close(pack, more).await;
        assert_eq!(done.code, 1, "{says}: {}", done.stderr);
        assert!(done.stderr.contains(says), "{says} is not in {}", done.stderr);
        assert!(tracker.heard().is_empty(), "{says}: the ticket was touched");
    };
    refused(&no_go, &with_key, "the verdict is NO-GO").await;
    refused(&waived, &with_key, "--accept-waiver").await;
    refused(&go, &[], "the signature was not checked").await;
    refused(&unsigned, &with_key, "the pack is unsigned").await;
    refused(&unsigned, &[], "--allow-unsigned").await;
    std::fs::write(Path::new(&unsigned).join("closure.md"), "# GO\n").expect("a file");
    refused(&unsigned, &["--allow-unsigned"], "closure.md was changed").await;

    let done = close(&go, &with_key).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let done = close(&waived, &["--key", &public, "--accept-waiver"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let heard = tracker.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].line, "PATCH /repos/acme/pay/issues/12");
    assert_eq!(heard[0].body["state"], "closed");
}
