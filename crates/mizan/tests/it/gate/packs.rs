//! The packs that come with Mizan against this binary: P1-B beside a service that is up, and PSP-03D whole.

use axum::Router;
use axum::http::{StatusCode, Uri};
use mizan_gate::record::{PacketRecord, Status};
use mizan_testkit::{MizanCommand, port, process_tree};
use serde_json::{Value, json};

use super::{P1B, RUN, evidence, gate, servers, verified};
use crate::harness::{BINARY, PATIENCE};

const PSP_03D: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gates/psp-03d.yaml");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_up_is_gated_and_left_alone() {
    let out = tempfile::tempdir().expect("a directory");
    let (database, redis) = servers().await;
    let strict = |command: MizanCommand| {
        command
            .env("DATABASE_URL", &database)
            .env("REDIS_URL", &redis)
            .env("ENV", "staging")
    };
    let migrated = strict(MizanCommand::new(BINARY).args(["migrate", "upgrade", "head"]));
    assert_eq!(migrated.run(PATIENCE).await.expect("it ends").code, 0);
    let port = port::free_port().expect("a port").to_string();
    let base = format!("http://127.0.0.1:{port}");
    let service = strict(MizanCommand::new(BINARY).args(["serve", "--port", &port]));
    let service = service.spawn().expect("it starts");
    service.wait_ready(&base, PATIENCE).await.expect("it is ready");
    let before = service.pid();

    let command = strict(gate(&out, P1B)).args(["--var", &format!("base_url={base}")]);
    let done = command.run(RUN).await.expect("it ends");
    assert_eq!((done.code, done.stdout.trim()), (0, "p1b: GO"), "{}", done.stderr);
    let (dir, _) = evidence(out.path());
    assert_eq!(verified(&dir).await.code, 0);
    let ready = packet(&dir, "2");
    let left_out: Vec<&str> = ready
        .steps
        .iter()
        .filter(|it| it.status == Status::Skipped)
        .map(|it| &*it.id)
        .collect();
    assert_eq!(left_out, ["serve", "boot-database", "boot-redis"]);
    let services = |id: &str| {
        packet(&dir, id)
            .steps
            .iter()
            .filter(|it| it.kind == "service" && it.status == Status::Pass)
            .count()
    };
    assert_eq!(
        (services("2"), services("3")),
        (0, 4),
        "only the proof is started, restarted and stopped"
    );
    service
        .wait_ready(&base, PATIENCE)
        .await
        .expect("it still answers");
    assert!(process_tree::is_running(before) && service.pid() == before);
}

fn packet(dir: &std::path::Path, id: &str) -> PacketRecord {
    let text = std::fs::read_to_string(dir.join(format!("packets/{id}/packet.json"))).expect("a packet");
    serde_json::from_str(&text).expect("a packet")
}

/// Says what the API of GitHub Actions says about a workflow whose last run is green.
async fn green_ci() -> String {
    let answer = async |uri: Uri| -> (StatusCode, axum::Json<Value>) {
        let said = match uri.path() {
            "/repos/o/r/actions/workflows" => {
                json!({ "workflows": [{ "id": 7, "name": "Backend PSP-03D Postgres Tests", "path": ".github/workflows/psp.yml" }] })
            }
            "/repos/o/r/actions/workflows/7/runs" => {
                json!({ "workflow_runs": [{ "id": 42, "run_attempt": 1, "head_sha": "abc",
                "html_url": "https://ci.example/42", "status": "completed", "conclusion": "success" }] })
            }
            _ => return (StatusCode::NOT_FOUND, axum::Json(json!({}))),
        };
        (StatusCode::OK, axum::Json(said))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// Everything that Mizan has passes; what it does not have, the backfill and the browser smoke, is why it is NO-GO.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn psp_03d_fails_for_what_is_missing_and_for_nothing_else() {
    let out = tempfile::tempdir().expect("a directory");
    let (database, redis) = servers().await;
    let command = gate(&out, PSP_03D)
        .args([
            "--var",
            "repo=o/r",
            "--var",
            &format!("github_api={}", green_ci().await),
        ])
        .args(["--var", "downgrade_smoke=yes"])
        .env("DATABASE_URL", database)
        .env("REDIS_URL", redis);
    let done = command.run(RUN).await.expect("it ends");
    assert_eq!(done.code, 1, "{}", done.stderr);
    let (dir, record) = evidence(out.path());
    let statuses: Vec<Status> = record.packets.iter().map(|it| it.status).collect();
    assert_eq!(
        statuses,
        [Status::Pass, Status::Pass, Status::Fail, Status::Pass],
        "{}",
        done.stderr
    );
    let missing: Vec<String> = packet(&dir, "2")
        .steps
        .into_iter()
        .filter(|it| it.status != Status::Pass)
        .map(|it| it.id)
        .collect();
    assert_eq!(
        missing,
        [
            "backfill-dry-run",
            "backfill",
            "backfill-counts",
            "withdrawals-smoke",
            "withdrawals-smoke-report"
        ],
        "{}",
        done.stderr
    );
    let migrations = packet(&dir, "1");
    assert!(
        migrations
            .steps
            .iter()
            .any(|it| it.id == "downgrade-upgrade" && it.status == Status::Pass),
        "{migrations:?}"
    );
    let queue = packet(&dir, "3");
    let lifecycle = queue
        .steps
        .iter()
        .find(|it| it.id == "lifecycle")
        .expect("a step");
    assert_eq!(lifecycle.observed.last().map(String::as_str), Some("completed"));
    let read = |name: &str| std::fs::read_to_string(dir.join("packets/3").join(name)).expect("an output");
    let created = read("create.http");
    let run_id = created
        .split("\"id\":\"")
        .nth(1)
        .and_then(|it| it.split('"').next())
        .expect("an id");
    let log = read("worker-log.log");
    let lines = |word: &str| {
        log.lines()
            .filter(|it| it.contains(run_id) && it.contains(word))
            .count()
    };
    assert_eq!(
        (
            lines("reconciliation run started"),
            lines("reconciliation run completed")
        ),
        (1, 1),
        "{log}"
    );
    assert!(read("worker-start-log.log").lines().count() <= 20 && read("redis.redis").contains("PONG"));
    assert_eq!(verified(&dir).await.code, 0);
}
