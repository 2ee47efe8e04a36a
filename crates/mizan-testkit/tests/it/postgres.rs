//! A throwaway PostgreSQL: alive, paused, killed, restarted, gone; databases and templates.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mizan_testkit::{
    FaultProxy, Postgres, eventually, fresh_database, process_tree, shared_postgres, template_database,
};
use tokio::try_join;

const SOON: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(150);

#[tokio::test]
async fn commits_are_as_durable_as_in_production() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    for (setting, wanted) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "200"),
        ("password_encryption", "scram-sha-256"),
    ] {
        assert_eq!(
            server.psql("postgres", &format!("SHOW {setting}")).await?,
            wanted,
            "{setting}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_url_opens_the_database_and_a_wrong_password_does_not() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let database = fresh_database(server).await?;
    assert_eq!(
        server.psql(&database.url(), "SELECT current_database()").await?,
        database.name()
    );
    let (user, rest) = database
        .url()
        .split_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a DSN");
    let error = server
        .psql(&format!("{user}x@{rest}"), "SELECT 1")
        .await
        .expect_err("a wrong password");
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
    let asyncpg = database.url_with_driver("asyncpg");
    assert_eq!(
        asyncpg.replacen("postgresql+asyncpg://", "postgresql://", 1),
        database.url()
    );
    assert!(
        server
            .url_with_driver("asyncpg")
            .starts_with("postgresql+asyncpg://mizan:")
    );
    Ok(())
}

#[tokio::test]
async fn each_database_is_empty_and_its_own() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let (one, other) = try_join!(fresh_database(server), fresh_database(server))?;
    server.psql(one.name(), "CREATE TABLE only_here (id int)").await?;
    let count = "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'";
    assert_eq!(server.psql(one.name(), count).await?, "1");
    assert_eq!(server.psql(other.name(), count).await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_template_is_migrated_once_and_its_copies_are_independent() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let runs = &AtomicU32::new(0);
    let copy = || {
        template_database(server, "counted", |url| async move {
            runs.fetch_add(1, Ordering::Relaxed);
            server
                .psql(&url, "CREATE TABLE migrated AS SELECT 1 AS id")
                .await
                .map(drop)
        })
    };
    let (a, b, c, d) = try_join!(copy(), copy(), copy(), copy())?;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    server.psql(a.name(), "DELETE FROM migrated").await?;
    for untouched in [b, c, d] {
        assert_eq!(
            server
                .psql(untouched.name(), "SELECT count(*) FROM migrated")
                .await?,
            "1"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_template_whose_migration_failed_is_tried_again() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let failed = template_database(server, "fails-once", |_| async {
        anyhow::bail!("no such column")
    })
    .await;
    assert_eq!(
        failed.expect_err("the migration fails").to_string(),
        "no such column"
    );
    let again = template_database(server, "fails-once", |url| async move {
        server
            .psql(&url, "CREATE TABLE migrated (id int)")
            .await
            .map(drop)
    });
    assert_eq!(
        server
            .psql(again.await?.name(), "SELECT count(*) FROM migrated")
            .await?,
        "0"
    );
    Ok(())
}

#[tokio::test]
async fn a_template_can_be_copied_though_its_migration_left_a_connection_open() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let left_open = |url: String| async move {
        let connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'left-open'";
        let idle = format!("{url}?application_name=left-open");
        tokio::spawn(async move { server.psql(&idle, "SELECT pg_sleep(600)").await });
        eventually(SOON, || async {
            server
                .psql("postgres", connected)
                .await
                .is_ok_and(|count| count == "1")
        })
        .await
    };
    template_database(server, "left-open", left_open).await.map(drop)
}

#[tokio::test]
async fn a_commit_survives_kill_9_and_what_was_not_committed_does_not() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    server
        .psql("postgres", "CREATE TABLE paid AS SELECT 1 AS id")
        .await?;
    let open = "BEGIN; INSERT INTO paid VALUES (2); SELECT pg_sleep(600); COMMIT";
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let crash = async {
        eventually(SOON, || async {
            server.psql("postgres", sleeping).await.is_ok_and(|it| it == "1")
        })
        .await?;
        server.kill9().await
    };
    let (interrupted, crashed) = tokio::join!(server.psql("postgres", open), crash);
    crashed?;
    interrupted.expect_err("its server was killed");
    assert!(!server.answers_within(SOON).await, "a killed server answers");
    server.restart().await?;
    assert_eq!(server.psql("postgres", "SELECT id FROM paid").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_paused_server_is_silent_with_all_its_backends_and_answers_when_resumed() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    assert!(server.answers_within(SOON).await);
    server.pause().await?;
    let pids = server.pids()?;
    assert!(pids.len() > 1, "PostgreSQL has background processes");
    // One that had ended before has nobody to reap it while its parent is stopped.
    for pid in pids.into_iter().filter(|pid| process_tree::is_running(*pid)) {
        assert_eq!(process_tree::state(pid), Some('T'), "{pid}");
    }
    assert!(!server.answers_within(SILENCE).await);
    server.resume()?;
    assert!(server.answers_within(SOON).await);
    assert_eq!(server.psql("postgres", "SELECT 1").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_stopped_server_comes_back_on_its_port_with_its_data() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let database = fresh_database(&server).await?;
    server.stop().await?;
    assert!(!server.answers_within(SOON).await);
    server.stop().await.expect_err("it is stopped already");
    server.restart().await?;
    assert_eq!(server.psql(&database.url(), "SELECT 1").await?, "1");
    Ok(())
}

#[tokio::test]
async fn servers_started_at_once_are_separate_and_leave_nothing_when_dropped() -> anyhow::Result<()> {
    let (one, other) = try_join!(Postgres::start(), Postgres::start())?;
    assert_ne!(one.port(), other.port());
    other.pause().await?;
    let mut left = Vec::new();
    for server in [one, other] {
        left.push((server.pids()?, server.directory().to_owned()));
        drop(server);
    }
    for (pids, directory) in left {
        eventually(SOON, || async {
            !pids.iter().any(|pid| process_tree::is_running(*pid))
        })
        .await?;
        assert!(!directory.exists(), "{}", directory.display());
    }
    Ok(())
}

#[tokio::test]
async fn a_database_is_reached_through_a_proxy_until_the_wire_is_cut() -> anyhow::Result<()> {
    let server = shared_postgres().await?;
    let proxy = FaultProxy::start(server.port()).await?;
    let database = fresh_database(server).await?;
    let through = database.url_on(proxy.port());
    assert_eq!(server.psql(&through, "SELECT 1").await?, "1");
    proxy.cut();
    server
        .psql(&through, "SELECT 1")
        .await
        .expect_err("the wire is cut");
    Ok(())
}
