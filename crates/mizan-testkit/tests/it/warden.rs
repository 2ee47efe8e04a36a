//! Servers end with the test process, even when it has no chance to say so.

use std::{path::PathBuf, time::Duration};

use mizan_testkit::{MizanCommand, Postgres, Redis, Signal, eventually, process_tree};

const LIMIT: Duration = Duration::from_mins(1);

/// Not a test: the victim of the next one, run in a process of its own.
#[tokio::test]
#[ignore = "waits until it is killed; started by a_killed_test_process_leaves_no_server_and_no_directory"]
async fn victim() -> anyhow::Result<()> {
    let (postgres, redis) = tokio::try_join!(Postgres::start(), Redis::start())?;
    postgres.pause().await?;
    println!(
        "directories {} {}",
        postgres.directory().display(),
        redis.directory().display()
    );
    println!("pids {} {}", postgres.pids()?[0], redis.pid()?);
    tokio::time::timeout(LIMIT, std::future::pending::<()>())
        .await
        .ok();
    Ok(())
}

#[tokio::test]
async fn a_killed_test_process_leaves_no_server_and_no_directory() -> anyhow::Result<()> {
    let victim = MizanCommand::new(std::env::current_exe()?)
        .args([
            "--ignored",
            "--exact",
            "warden::victim",
            "--nocapture",
            "--test-threads=1",
        ])
        .spawn()?;
    let words = |line: String| {
        line.split(' ')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    let pids = words(victim.wait_for_line("pids ", LIMIT).await?);
    let directories = words(victim.wait_for_line("directories ", LIMIT).await?);
    let pids: Vec<i32> = pids.iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
    assert!(pids.iter().all(|pid| process_tree::is_running(*pid)), "{pids:?}");
    victim.signal(Signal::SIGKILL)?;
    eventually(LIMIT, || async {
        !pids.iter().any(|pid| process_tree::is_running(*pid))
    })
    .await?;
    eventually(LIMIT, || async {
        !directories.iter().any(|it| PathBuf::from(it).exists())
    })
    .await
}
