//! A throwaway Redis: alive, paused, killed, restarted, gone.

use std::time::Duration;

use mizan_testkit::{Persistence, Redis, eventually, process_tree, shared_redis};

const SOON: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(150);

async fn survives_a_crash(persistence: Persistence) -> anyhow::Result<String> {
    let server = Redis::start_with(persistence).await?;
    server.command(&["SET", "key", "kept"]).await?;
    server.kill9().await?;
    assert!(!server.answers_within(SOON).await, "a killed server answers");
    server.restart(persistence).await?;
    server.command(&["GET", "key"]).await
}

#[tokio::test]
async fn only_an_append_only_server_remembers_after_a_crash() -> anyhow::Result<()> {
    assert_eq!(survives_a_crash(Persistence::AppendOnly).await?, "kept");
    assert_eq!(survives_a_crash(Persistence::None).await?, "");
    Ok(())
}

#[tokio::test]
async fn a_paused_server_is_silent_and_answers_again_when_resumed() -> anyhow::Result<()> {
    let server = Redis::start().await?;
    assert!(server.answers_within(SOON).await);
    server.pause().await?;
    assert!(!server.answers_within(SILENCE).await);
    server.resume()?;
    assert!(server.answers_within(SOON).await);
    Ok(())
}

#[tokio::test]
async fn a_stopped_server_comes_back_on_its_port() -> anyhow::Result<()> {
    let server = Redis::start().await?;
    let url = server.url();
    server.stop().await?;
    assert!(!server.answers_within(SOON).await);
    server.restart(Persistence::None).await?;
    assert!(server.answers_within(SOON).await);
    assert_eq!(server.url(), url);
    Ok(())
}

#[tokio::test]
async fn a_flush_leaves_nothing() -> anyhow::Result<()> {
    let server = Redis::start().await?;
    server.command(&["SET", "key", "value"]).await?;
    assert_eq!(server.command(&["DBSIZE"]).await?, "1");
    server.flush().await?;
    assert_eq!(server.command(&["DBSIZE"]).await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone_even_when_it_was_paused() -> anyhow::Result<()> {
    let server = Redis::start().await?;
    let (pid, directory) = (server.pid()?, server.directory().to_owned());
    server.pause().await?;
    drop(server);
    assert!(!process_tree::is_running(pid));
    assert!(!directory.exists());
    Ok(())
}

#[tokio::test]
async fn tests_that_share_a_server_get_databases_of_their_own() -> anyhow::Result<()> {
    let (one, other) = (shared_redis().await?, shared_redis().await?);
    assert_eq!(one.pid()?, other.pid()?);
    assert_ne!(one.fresh_url()?, other.fresh_url()?);
    Ok(())
}

#[tokio::test]
async fn a_command_that_redis_refuses_is_an_error() -> anyhow::Result<()> {
    let error = shared_redis()
        .await?
        .command(&["NOSUCH"])
        .await
        .expect_err("no such command");
    assert!(error.to_string().contains("unknown command"), "{error}");
    eventually(SOON, || async { Ok::<_, String>(()) }).await
}
