//! Running a binary: what it sees, what it says and how it ends. A shell stands in for `mizan`.

use std::time::Duration;

use mizan_testkit::{MizanCommand, MizanProcess, Signal, eventually, process_tree};

use crate::http::Page;

const LIMIT: Duration = Duration::from_secs(20);

fn shell(script: &str) -> MizanCommand {
    MizanCommand::new("/bin/sh").args(["-c", script])
}

fn running(script: &str) -> MizanProcess {
    shell(script).spawn().expect("a shell")
}

#[tokio::test]
async fn it_sees_the_given_environment_and_nothing_else() -> anyhow::Result<()> {
    let env = MizanCommand::new("/usr/bin/env")
        .env("ENV", "staging")
        .run(LIMIT)
        .await?;
    assert_eq!((env.code, env.stdout.as_str()), (0, "ENV=staging\n"));
    Ok(())
}

#[tokio::test]
async fn exit_status_streams_and_input_are_kept_apart() -> anyhow::Result<()> {
    let echo = shell("read -r word; echo \"out $word\"; echo err >&2; exit 78")
        .input("hello\n")
        .run(LIMIT)
        .await?;
    assert_eq!(
        (echo.code, echo.stdout.as_str(), echo.stderr.as_str()),
        (78, "out hello\n", "err\n")
    );
    Ok(())
}

#[tokio::test]
async fn a_line_is_found_before_and_after_it_is_printed() -> anyhow::Result<()> {
    let process =
        running("echo one >&2; trap 'echo two; exit 3' TERM; echo armed; while :; do sleep 0.01; done");
    process.wait_for_line("armed", LIMIT).await?;
    assert_eq!(process.wait_for_line("on", LIMIT).await?, "one");
    process.signal(Signal::SIGTERM)?;
    assert_eq!(process.wait_for_line("two", LIMIT).await?, "two");
    Ok(())
}

#[tokio::test]
async fn a_line_that_can_no_longer_come_fails_at_once_with_what_was_printed() {
    let process = running("echo 'config error: DATABASE_URL is not set' >&2; exit 78");
    let error = process
        .wait_for_line("listening", Duration::from_mins(10))
        .await
        .expect_err("it ended");
    assert!(error.to_string().contains("its output ended"), "{error}");
    assert!(error.to_string().contains("DATABASE_URL is not set"), "{error}");
}

#[tokio::test]
async fn a_signal_ends_it_with_128_plus_its_number() -> anyhow::Result<()> {
    let mut process = running("echo up; read -r never < /dev/zero");
    process.wait_for_line("up", LIMIT).await?;
    process.signal(Signal::SIGKILL)?;
    assert_eq!(process.exit_code(LIMIT).await?, 137);
    Ok(())
}

#[tokio::test]
async fn one_that_does_not_end_in_time_is_killed() -> anyhow::Result<()> {
    let mut process = running("exec sleep 600");
    let error = process
        .exit_code(Duration::from_millis(50))
        .await
        .expect_err("it sleeps");
    assert!(error.to_string().contains("did not end within 50ms"), "{error}");
    eventually(LIMIT, || async { !process_tree::is_running(process.pid()) }).await
}

#[tokio::test]
async fn a_dropped_one_is_killed() -> anyhow::Result<()> {
    let process = running("echo up; exec sleep 600");
    process.wait_for_line("up", LIMIT).await?;
    let pid = process.pid();
    drop(process);
    eventually(LIMIT, || async { !process_tree::is_running(pid) }).await
}

#[tokio::test]
async fn ready_means_200_not_an_open_port() -> anyhow::Result<()> {
    let page = Page::serve(|number| {
        if number < 3 {
            ("503 Service Unavailable", "{}".into())
        } else {
            ("200 OK", "{}".into())
        }
    })
    .await;
    running("exec sleep 600")
        .wait_ready(&page.base_url, LIMIT)
        .await?;
    assert_eq!(page.seen.lock().expect("nobody panics holding it").len(), 3);
    assert!(page.last().starts_with("GET /api/ready "), "{}", page.last());
    Ok(())
}

#[tokio::test]
async fn waiting_for_one_that_ended_fails_at_once() {
    let process = running("echo boom; exit 1");
    let error = process
        .wait_ready("http://127.0.0.1:9", Duration::from_mins(10))
        .await
        .expect_err("it ended");
    assert!(error.to_string().contains("ended before it was ready"), "{error}");
}
