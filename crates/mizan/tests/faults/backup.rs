//! A backup that is taken under load, and restored: it verifies, and requests from before it are replayed.

use mizan_testkit::{fresh_database, on_every_store, shared_postgres};
use rusqlite::Connection;

use crate::harness::{Home, Mizan, PATIENCE, command};
use crate::load::Load;
use crate::verbs::event;

/// Copies the database while it is in use, as the manual says, and restores it elsewhere.
async fn restored(home: &Home) -> Home {
    match home {
        Home::Postgres(database) => {
            let server = shared_postgres().await.expect("the server");
            let dump = server.dump(database.name()).await.expect("a dump");
            let empty = fresh_database(server).await.expect("a database");
            server
                .restore(empty.name(), &dump)
                .await
                .expect("the dump is read back");
            Home::Postgres(empty)
        }
        Home::Sqlite(dir) => {
            let copy = tempfile::tempdir().expect("a folder");
            let source = Connection::open(dir.path().join("mizan.db")).expect("the database");
            source
                .backup(
                    "main",
                    copy.path().join("mizan.db"),
                    None::<fn(rusqlite::backup::Progress)>,
                )
                .expect("a copy");
            Home::Sqlite(copy)
        }
    }
}

on_every_store! {
    async fn a_restored_backup_verifies_and_replays_what_was_acknowledged(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let paid = event("deposit_captured", "evt-1", "pay-1", &player.id, "12.34");
        app.webhook(&paid).await.expect(200);
        assert_eq!(app.event_state("evt-1").await, "applied");
        let load = Load::start(&app).await;
        load.acknowledged(40).await;
        // In the middle of everything: what it holds is one moment of the database.
        let early = restored(&app.home).await;
        let verified = command(&early, &[]).args(["ledger", "verify"]).run(PATIENCE).await.expect("verify ends");
        assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);

        app.kill().await;
        let record = load.ended().await.acknowledged();
        let home = restored(&app.home).await;
        let standing = command(&home, &[]).args(["migrate", "current", "--check-heads"]);
        assert_eq!(standing.run(PATIENCE).await.expect("it ends").code, 0, "the restored schema is at head");
        let copy = Mizan::start(home, &[]).await;
        copy.verify_holds().await;
        // Tokens from before the backup are good: the signing keys are in the database.
        let record = record.sent_to(&copy);
        record.is_kept(&copy).await;
        record.is_replayed().await;
        copy.webhook(&paid).await.expect(200);
        assert_eq!(copy.event_state("evt-1").await, "applied");
        let wallet = copy.get(&format!("/api/v1/players/{}/wallet", player.id)).await.expect(200);
        assert_eq!(wallet.body["balances"][0]["available"], "12.34", "one effect");
        copy.verify_holds().await;
    }
}
