//! What the journal's owner could do by hand, and what says so: the role, the chain and the anchor.

use mizan_testkit::{MizanProcess, Signal, on_every_store};

use crate::harness::{Home, Mizan, PATIENCE, command};

/// A journal of ten rows with a gap before the last three, sealed, and its server stopped.
async fn sealed(app: Mizan) -> Home {
    app.open_source("bank").await;
    app.open("till").await;
    for round in 0..10 {
        if round == 7 {
            let skip = (
                "SELECT setval(pg_get_serial_sequence('journal', 'seq'), max(seq) + 10) FROM journal",
                "UPDATE sqlite_sequence SET seq = seq + 10 WHERE name = 'journal'",
            );
            app.home.sql_of(skip.0, skip.1).await.expect("a gap");
        }
        app.fund("bank", "till", "1.00").await;
    }
    let Mizan {
        home, mut process, ..
    } = app;
    stop(&mut process).await;
    let (code, said) = verify(&home, &["--seal"]).await;
    assert_eq!(code, 0, "{said}");
    home
}

async fn stop(process: &mut MizanProcess) {
    process.signal(Signal::SIGTERM).expect("it can be told to stop");
    assert_eq!(process.exit_code(PATIENCE).await.expect("it stops"), 0);
}

async fn verify(home: &Home, args: &[&str]) -> (i32, String) {
    let done = command(home, &[])
        .args(["ledger", "verify"])
        .args(args)
        .run(PATIENCE)
        .await
        .expect("verify ends");
    (done.code, done.stdout + &done.stderr)
}

async fn seqs(home: &Home) -> Vec<i64> {
    let text = home
        .sql("SELECT seq FROM journal ORDER BY seq")
        .await
        .expect("the journal");
    text.lines().map(|it| it.parse().expect("a number")).collect()
}

/// The block that covers a place in the journal.
async fn block_of(home: &Home, seq: i64) -> i64 {
    let sql = format!("SELECT min(no) FROM chain_blocks WHERE to_seq >= {seq}");
    home.sql(&sql).await.expect("the chain").parse().expect("a block")
}

/// Tampers, expects the row to be named, takes it back, and expects all to be well again.
async fn is_named(home: &Home, what: &str, tamper: &str, undo: &str, expected: &[String]) {
    home.sql(tamper)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let (code, said) = verify(home, &[]).await;
    assert_eq!(code, 1, "{what}: {said}");
    for line in expected {
        assert!(said.contains(line), "{what}: {line:?} is missing in\n{said}");
    }
    home.sql(undo)
        .await
        .unwrap_or_else(|error| panic!("undoing {what}: {error}"));
    let (code, said) = verify(home, &[]).await;
    assert_eq!(code, 0, "after {what} was undone: {said}");
}

on_every_store! {
    async fn a_row_that_is_changed_deleted_inserted_or_moved_is_named(app: Mizan) {
        let home = sealed(app).await;
        let (code, said) = verify(&home, &[]).await;
        assert_eq!(code, 0, "{said}");
        let seq = seqs(&home).await;
        let (one, other, gap) = (seq[2], seq[4], seq[6] + 5);
        assert!(gap < seq[7], "the gap is there: {seq:?}");
        let blocks = (block_of(&home, one).await, block_of(&home, other).await, block_of(&home, gap).await);
        let changed = |seq: i64, block: i64| format!("journal row {seq} (block {block}) was changed");

        let set = |amount: i64| format!("UPDATE journal SET amount = {amount} WHERE seq = {one}");
        is_named(&home, "a changed amount", &set(101), &set(100), &[changed(one, blocks.0)]).await;
        let set = |text: &str| format!("UPDATE journal SET reference = {text} WHERE seq = {one}");
        is_named(&home, "a changed reference", &set("'x'"), &set("NULL"), &[changed(one, blocks.0)]).await;

        let keep = format!("CREATE TABLE kept AS SELECT * FROM journal WHERE seq = {one}");
        home.sql(&keep).await.expect("a copy of the row");
        let delete = format!("DELETE FROM journal WHERE seq = {one}");
        let gone = format!("journal row {one} (block {}) is gone", blocks.0);
        is_named(&home, "a deleted row", &delete, "INSERT INTO journal SELECT * FROM kept", &[gone]).await;

        let forged = "01930000-0000-7000-8000-00000000000f";
        let like = format!("UPDATE kept SET seq = {gap}, transaction_id = '{forged}'");
        home.sql(&like).await.expect("a forged row");
        let delete = format!("DELETE FROM journal WHERE seq = {gap}");
        let inserted = format!("journal row {gap} was put in after block {}", blocks.2);
        is_named(&home, "an inserted row", "INSERT INTO journal SELECT * FROM kept", &delete, &[inserted]).await;

        let swap = format!(
            "UPDATE journal SET seq = 1000000 WHERE seq = {one};
             UPDATE journal SET seq = {one} WHERE seq = {other};
             UPDATE journal SET seq = {other} WHERE seq = 1000000"
        );
        is_named(&home, "two rows that changed places", &swap, &swap, &[changed(one, blocks.0), changed(other, blocks.1)]).await;

        let last = block_of(&home, seq[9]).await;
        let block = |text: &str| format!("UPDATE chain_blocks SET hash = {text} WHERE no = {last}");
        let hash = |encoded: &str| format!("SELECT {encoded} FROM chain_blocks WHERE no = {last}");
        let (hex, sqlite_hex) = (hash("encode(hash, 'hex')"), hash("hex(hash)"));
        let saved = home.sql_of(&hex, &sqlite_hex);
        let saved = saved.await.expect("the hash");
        let (zeros, back) = if home.is_postgres() {
            (format!("decode('{}', 'hex')", "00".repeat(32)), format!("decode('{saved}', 'hex')"))
        } else {
            ("zeroblob(32)".to_owned(), format!("x'{saved}'"))
        };
        is_named(&home, "a changed block", &block(&zeros), &block(&back), &[format!("block {last} does not recompute")]).await;
    }

    async fn a_tail_that_was_cut_off_is_caught_by_the_anchor_outside(app: Mizan) {
        let mut app = app;
        let outside = tempfile::tempdir().expect("a folder outside the database");
        let anchor = outside.path().join("anchor.json");
        let anchor = anchor.to_str().expect("UTF-8");
        let sealing = async |home: &Home| {
            let done = command(home, &[("MIZAN_ANCHOR_FILE", anchor)]).args(["ledger", "verify", "--seal"]);
            let done = done.run(PATIENCE).await.expect("verify ends");
            assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
            home.sql("SELECT max(no), max(to_seq) FROM chain_blocks").await.expect("the end of the chain")
        };
        app.open_source("bank").await;
        app.open("till").await;
        app.fund("bank", "till", "1.00").await;
        stop(&mut app.process).await;
        let kept = sealing(&app.home).await;
        let (block, seq) = kept.split_once('|').expect("two columns");
        // Whoever seals the tail, the service or the command, writes the anchor.
        app.start_again_with(&[("MIZAN_ANCHOR_FILE", anchor)]).await;
        app.fund("bank", "till", "3.00").await;
        stop(&mut app.process).await;
        assert_ne!(sealing(&app.home).await, kept, "the tail has a block of its own");

        let unique = match app.home {
            Home::Postgres(_) => format!("DELETE FROM transactions WHERE first_seq > {seq};"),
            Home::Sqlite(_) => String::new(),
        };
        let tail = format!(
            "DELETE FROM journal WHERE seq > {seq}; {unique} DELETE FROM chain_blocks WHERE no > {block};
             UPDATE balances SET posted = posted - 300 WHERE posted > 0;
             UPDATE balances SET posted = posted + 300 WHERE posted < 0"
        );
        app.home.sql(&tail).await.expect("the tail is cut off");
        let none = outside.path().join("nothing-here.json");
        let blind = command(&app.home, &[("MIZAN_ANCHOR_FILE", none.to_str().expect("UTF-8"))]);
        let blind = blind.args(["ledger", "verify"]).run(PATIENCE).await.expect("verify ends");
        assert_eq!(blind.code, 0, "without an anchor nobody can tell: {}", blind.stdout);
        for args in [&["--anchor", anchor][..], &["--anchor", anchor, "--json"]] {
            let (code, said) = verify(&app.home, args).await;
            assert_eq!(code, 1, "{said}");
            assert!(said.contains(&format!("the chain ends at block {block}: the end was cut off")), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_the_service_may_append_to_the_journal_and_change_nothing() {
    let app = crate::harness::postgres().await;
    app.open_source("bank").await;
    app.open("till").await;
    app.fund("bank", "till", "1.00").await;
    for table in [
        "journal",
        "reversals",
        "chain_blocks",
        "provider_effects",
        "audit_log",
    ] {
        let column = if table == "chain_blocks" {
            "no"
        } else {
            "tenant_id"
        };
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let refused = app
                .home
                .sql(&format!("SET ROLE mizan_app; {sql}"))
                .await
                .expect_err(&sql);
            assert!(
                refused.to_string().contains("permission denied"),
                "{sql}: {refused}"
            );
        }
        let read = format!("SET ROLE mizan_app; SELECT count(*) FROM {table}");
        app.home.sql(&read).await.expect("the role reads it");
    }
    app.process
        .wait_for_line("journal.protected", PATIENCE)
        .await
        .expect("the service says so at start");
    assert_eq!(app.journal_rows().await, 1);
}
