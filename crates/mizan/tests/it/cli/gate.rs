//! What is done with evidence on the command line: exit codes, sentences, and what a ticket is told.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use mizan_gate::evidence::{PackOptions, write_pack};
use mizan_gate::key;
use mizan_gate::record::GateRecord;
use mizan_gate::report::Lang;
use mizan_mask::Masker;
use serde_json::Value;
use tempfile::TempDir;

use super::mizan;

#[path = "../../../../mizan-gate/examples/packs/records.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod records;

const TOKEN: &str = "ghx-0123456789abcdefghij";

/// A directory with a key made by `mizan gate keygen`.
struct Desk {
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let desk = Self { folder };
        let made = mizan(&["gate", "keygen", "--out", &desk.key()], &[]).await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(!made.stdout.contains("PRIVATE"), "the key is shown");
        desk
    }

    fn key(&self) -> String {
        self.folder.path().join("gate.key").display().to_string()
    }

    fn public(&self) -> String {
        format!("{}.pub", self.key())
    }

    fn pack(&self, record: &GateRecord, signed: bool) -> String {
        let workdir = self.folder.path().join("work");
        records::write_outputs(record, &workdir, None).expect("outputs");
        let key = key::from_file(Path::new(&self.key())).expect("the key that was made");
        let root: PathBuf = self
            .folder
            .path()
            .join(if signed { "signed" } else { "unsigned" });
        let options = PackOptions {
            root: &root,
            lang: Lang::En,
            key: signed.then_some(&key),
            masker: &Masker::default(),
        };
        write_pack(record, &workdir, &options)
            .expect("a pack")
            .display()
            .to_string()
    }
}

#[tokio::test]
async fn verify_says_yes_no_or_why_not_with_its_exit_code() {
    let desk = Desk::new().await;
    let (go, no_go) = (
        desk.pack(&records::go(), true),
        desk.pack(&records::no_go(), true),
    );
    let public = desk.public();
    let done = mizan(&["gate", "verify", &go, "--key", &public], &[]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout
            .contains("it stands (signed with the given key); the verdict is GO"),
        "{}",
        done.stdout
    );
    let done = mizan(&["gate", "verify", &no_go], &[]).await;
    assert_eq!(done.code, 0, "a NO-GO that stands is verified: {}", done.stderr);
    assert!(
        done.stdout
            .contains("give --key to check by whom); the verdict is NO-GO"),
        "{}",
        done.stdout
    );
    std::fs::write(Path::new(&go).join("notes.txt"), "x").expect("a file");
    let done = mizan(&["gate", "verify", &go, "--key", &public, "--json"], &[]).await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    let said: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(said["stands"], false);
    assert_eq!(said["verdict"], Value::Null);
    assert_eq!(said["refusals"][0]["code"], "extra_file");
    let done = mizan(&["gate", "verify", "nowhere"], &[]).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(done.stderr.contains("nowhere cannot be read"), "{}", done.stderr);
    let done = mizan(&["gate", "verify", &no_go, "--key", &desk.key()], &[]).await;
    assert_eq!(done.code, 3, "a private key is no public one: {}", done.stderr);
}

#[tokio::test]
async fn report_speaks_the_language_that_is_asked_for_or_that_of_the_terminal() {
    let desk = Desk::new().await;
    let pack = desk.pack(&records::no_go(), false);
    let check = async |args: &[&str], locale: &str, says: &str| {
        let all = [&["gate", "report", &pack], args].concat();
        let done = mizan(&all, &[("LANG", locale)]).await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(done.stdout.contains(says), "{args:?} {locale}: {}", done.stdout);
    };
    check(&[], "tr_TR.UTF-8", "Kapanış raporu").await;
    check(&[], "C.UTF-8", "Closure report").await;
    check(&["--lang", "tr"], "en_US.UTF-8", "Çıkış Kodu").await;
    check(
        &["--lang", "en", "--format", "html"],
        "tr_TR.UTF-8",
        "<html lang=\"en\">",
    )
    .await;
    check(&["--format", "junit"], "C", "<testsuites").await;
    check(&["--format", "json"], "C", "\"verdict\": \"NO-GO\"").await;
    check(&["--format", "rca", "--lang", "tr"], "C", "Kök neden").await;
    std::fs::remove_file(Path::new(&pack).join("junit.xml")).expect("gone");
    let done = mizan(&["gate", "report", &pack], &[]).await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("junit.xml is missing"), "{}", done.stderr);
}

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
}

impl Tracker {
    async fn start(status: StatusCode) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let state = (Arc::clone(&heard), status);
        let app = Router::new().fallback(hear).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("a list").clone()
    }
}

type TrackerState = (Arc<Mutex<Vec<Heard>>>, StatusCode);

async fn hear(
    State((heard, status)): State<TrackerState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let token = headers
        .get("authorization")
        .or_else(|| headers.get("private-token"));
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
        done.stderr.contains("GitHub answered 403 to a comment: no:"),
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
