//! The server, the database or the wire between them dies under load.

use mizan_testkit::{FaultProxy, Postgres, fresh_database, on_every_store};

use crate::harness::{Home, Mizan, PATIENCE, command};
use crate::load::{Load, ready_again};

/// An application on a PostgreSQL of its own.
async fn on(server: &Postgres, through: Option<&FaultProxy>) -> Mizan {
    let database = fresh_database(server).await.expect("a database");
    let proxied = through.map(|it| database.url_on(it.port()));
    let home = Home::Postgres(database);
    let migrated = command(&home, &[])
        .args(["migrate", "upgrade", "head"])
        .run(PATIENCE)
        .await
        .expect("it ends");
    assert_eq!(migrated.code, 0, "{}{}", migrated.stdout, migrated.stderr);
    let env: Vec<_> = proxied.iter().map(|it| ("DATABASE_URL", it.as_str())).collect();
    Mizan::start(home, &env).await
}

on_every_store! {
    async fn a_server_that_is_killed_under_load_loses_and_doubles_nothing(app: Mizan) {
        let mut app = app;
        let load = Load::start(&app).await;
        load.acknowledged(60).await;
        app.kill().await;
        let record = load.ended().await;
        app.start_again().await;
        record.is_kept(&app).await;
        app.verify_holds().await;
        record.is_replayed().await;
        record.adds_up(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_killed_under_load_loses_and_doubles_nothing() {
    let server = Postgres::start().await.expect("PostgreSQL starts");
    let app = on(&server, None).await;
    let load = Load::start(&app).await;
    load.acknowledged(60).await;
    server.kill9().await.expect("PostgreSQL is killed");
    let record = load.ended().await;
    server.restart().await.expect("PostgreSQL recovers");
    ready_again(&app).await;
    record.is_kept(&app).await;
    app.verify_holds().await;
    record.is_replayed().await;
    record.adds_up(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_is_cut_under_load_loses_and_doubles_nothing() {
    let server = Postgres::start().await.expect("PostgreSQL starts");
    let wire = FaultProxy::start(server.port()).await.expect("a wire");
    let app = on(&server, Some(&wire)).await;
    let load = Load::start(&app).await;
    load.acknowledged(60).await;
    wire.cut();
    let record = load.ended().await;
    wire.heal();
    ready_again(&app).await;
    record.is_kept(&app).await;
    record.is_replayed().await;
    record.adds_up(&app).await;
}
