//! `start`: how long a process takes to be ready, and what it weighs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_testkit::Signal;
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::http::{self, Connection};
use crate::server::Server;
use crate::subject::{self, Service};
use crate::{timing, usage};

pub const ABOUT: &str = "process start to ready, idle memory, size of the binary";
pub const METHOD: &str = "From starting `mizan serve` on a database that is migrated and set up to the first 200 of \
`/api/ready`, asked every millisecond. Memory is the resident set five seconds after that, with nothing asked. The size \
is that of the release binary without symbols (`strip`), as it is shipped.";
pub const LIMITS: &str = "";

const LIMIT: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(5);

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let starts = if options.quick { 3 } else { 9 };
    let server = Server::start().await?;
    let database = server.database().await?;
    let directory = tempfile::tempdir()?;
    let file = format!("sqlite://{}", directory.path().join("mizan.db").display());
    let mut cases = Vec::new();
    for (name, url) in [("PostgreSQL", database.url()), ("SQLite", file)] {
        drop(Service::start(&url, &[]).await?); // makes the owner, whose password takes its time to be hashed
        let mut times = Vec::new();
        for _ in 0..starts {
            times.push(start(&url).await?);
        }
        let memory = idle_memory(&url).await?;
        cases.push(
            Case::alone(
                format!("start to ready, {name}"),
                Series::new("Mizan", "ms", times),
            )
            .at_most(150.0),
        );
        cases.push(
            Case::alone(
                format!("resident memory idle, {name}"),
                Series::new("Mizan", "MiB", vec![memory]),
            )
            .at_most(40.0),
        );
    }
    cases.push(size(directory.path())?);
    Ok(cases)
}

/// Milliseconds from the start of a process until it says that it is ready.
async fn start(url: &str) -> anyhow::Result<f64> {
    let began = timing::now();
    let mut service = Service::spawn(url, &[])?;
    let request = http::request("GET", "/api/ready", &[], b"");
    while !says_ready(&service, &request).await {
        ensure!(
            began.elapsed() < LIMIT,
            "not ready after {LIMIT:?}: {}",
            service.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed();
    service.process.signal(Signal::SIGKILL)?;
    service.process.exit_code(LIMIT).await?;
    Ok(took.as_secs_f64() * 1_000.0)
}

async fn says_ready(service: &Service, request: &[u8]) -> bool {
    let Ok(mut connection) = Connection::open(service.address).await else {
        return false;
    };
    connection.send(request).await.is_ok_and(|it| it.status == 200)
}

async fn idle_memory(url: &str) -> anyhow::Result<f64> {
    // Nobody signs in here: hashing a password takes 19 MiB that an idle process has not touched.
    let service = Service::spawn(url, &[])?;
    let request = http::request("GET", "/api/ready", &[], b"");
    while !says_ready(&service, &request).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(IDLE).await;
    usage::memory_mib(service.process.pid(), "VmRSS").context("the process is gone")
}

fn size(directory: &Path) -> anyhow::Result<Case> {
    let binary = subject::binary()?;
    let stripped = directory.join("mizan");
    let strip = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(&binary)
        .status();
    ensure!(
        strip.is_ok_and(|it| it.success()),
        "strip is missing or failed; on Debian: apt-get install binutils"
    );
    let mib = |path: &Path| anyhow::Ok(timing::number(std::fs::metadata(path)?.len()) / 1_048_576.0);
    let series = Series::new("Mizan", "MiB", vec![mib(&stripped)?]);
    let raw = json!({ "with_debug_information_mib": mib(&binary)?, "profile": "release" });
    Ok(Case::alone("binary", series).at_most(40.0).raw(raw))
}
