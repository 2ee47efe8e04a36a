//! `mizan migrate`, on an empty database of each store.

use mizan_testkit::{Finished, MizanCommand};

use crate::harness::{BINARY, Home, PATIENCE};

struct Shell {
    home: Home,
    head: String,
}

impl Shell {
    async fn on(home: Home) -> Self {
        let mut shell = Self {
            home,
            head: String::new(),
        };
        let heads = shell.run("heads").await.stdout;
        let head = heads
            .trim()
            .strip_suffix(" (head)")
            .expect("heads names the head");
        head.clone_into(&mut shell.head);
        shell
    }

    async fn run(&self, args: &str) -> Finished {
        let command = MizanCommand::new(BINARY).env("DATABASE_URL", self.home.url());
        command
            .arg("migrate")
            .args(args.split(' '))
            .run(PATIENCE)
            .await
            .expect("the command ends")
    }

    /// Runs it, and returns what it printed.
    #[track_caller]
    fn check(args: &str, ended: &Finished, code: i32) -> String {
        assert_eq!(
            ended.code, code,
            "migrate {args}: {}{}",
            ended.stdout, ended.stderr
        );
        ended.stdout.clone()
    }

    async fn expect(&self, args: &str, code: i32) -> String {
        Self::check(args, &self.run(args).await, code)
    }
}

#[tokio::test]
async fn up_down_and_up_again_on_postgres() {
    up_down_and_up_again(Home::empty_postgres().await).await;
}

#[tokio::test]
async fn up_down_and_up_again_on_sqlite() {
    up_down_and_up_again(Home::sqlite()).await;
}

async fn up_down_and_up_again(home: Home) {
    let shell = Shell::on(home).await;
    let head = shell.head.clone();
    assert!(shell.expect("current", 0).await.starts_with("nothing is applied"));
    shell.expect("current --check-heads", 1).await;
    let first = shell.expect("upgrade +1", 0).await;
    assert!(first.starts_with("Running upgrade  -> 0001, "), "{first}");
    assert!(shell.expect("current", 0).await.starts_with("0001 (behind: "));
    shell.expect("current --check-heads", 1).await;
    let rest = shell.expect("upgrade head", 0).await;
    assert!(
        rest.lines()
            .next()
            .is_some_and(|it| it.starts_with("Running upgrade 0001 -> 0002, ")),
        "{rest}"
    );
    assert_eq!(shell.expect("current", 0).await.trim(), format!("{head} (head)"));
    shell.expect("current --check-heads", 0).await;
    assert!(shell.expect("check", 0).await.starts_with("no drift"));
    assert!(shell.expect("upgrade head", 0).await.contains("nothing to do"));

    let history = shell.expect("history", 0).await;
    assert!(
        history
            .lines()
            .next()
            .is_some_and(|it| it.contains(&format!("{head} (head)"))),
        "{history}"
    );
    assert!(
        history
            .lines()
            .last()
            .is_some_and(|it| it.starts_with("<base> -> 0001")),
        "{history}"
    );
    assert!(shell.expect("history --verbose", 0).await.contains("checksum"));

    let down = shell.expect("downgrade 0007", 0).await;
    assert!(
        down.contains("Running downgrade") && down.contains("drops table reconciliation_findings"),
        "{down}"
    );
    shell.expect("current --check-heads", 1).await;
    shell.expect("upgrade head", 0).await;
    shell.expect("downgrade base", 0).await;
    assert!(shell.expect("current", 0).await.starts_with("nothing is applied"));
    shell.expect("upgrade head", 0).await;
    shell.expect("check", 0).await;
}

#[tokio::test]
async fn a_foreign_findings_table_is_a_conflict_and_stays_untouched_on_postgres() {
    a_foreign_findings_table_is_a_conflict(Home::empty_postgres().await).await;
}

#[tokio::test]
async fn a_foreign_findings_table_is_a_conflict_and_stays_untouched_on_sqlite() {
    a_foreign_findings_table_is_a_conflict(Home::sqlite()).await;
}

async fn a_foreign_findings_table_is_a_conflict(home: Home) {
    let shell = Shell::on(home).await;
    shell.expect("upgrade head", 0).await;
    shell.expect("downgrade 0007", 0).await;
    let foreign = "CREATE TABLE reconciliation_findings (id integer, note text);
                   INSERT INTO reconciliation_findings VALUES (1, 'not ours')";
    shell.home.sql(foreign).await.expect("the foreign table is made");
    let ended = shell.expect("upgrade head", 1).await;
    assert!(
        ended.contains("CONFLICT") && ended.contains("reconciliation_findings"),
        "{ended}"
    );
    let rows = shell
        .home
        .sql("SELECT id, note FROM reconciliation_findings")
        .await
        .expect("it is there");
    assert_eq!(rows, "1|not ours");
    shell.expect("current --check-heads", 1).await;
    let json = shell.expect("upgrade head --json", 1).await;
    let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!(
        (&json["ok"], &json["stopped"]["class"]),
        (&false.into(), &"conflict".into()),
        "{json}"
    );
}

#[tokio::test]
async fn ahead_diverged_and_unknown_have_codes_of_their_own_on_postgres() {
    let home = Home::empty_postgres().await;
    let Home::Postgres(database) = &home else {
        unreachable!("it is PostgreSQL")
    };
    let away = database.url_on(1);
    ahead_and_diverged(home).await;
    let command = MizanCommand::new(BINARY).args(["migrate", "current", "--check-heads"]);
    let ended = command
        .env("DATABASE_URL", &away)
        .run(PATIENCE)
        .await
        .expect("the command ends");
    assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
    let password = away
        .split(':')
        .nth(2)
        .and_then(|it| it.split('@').next())
        .expect("a password");
    assert!(
        !format!("{}{}", ended.stdout, ended.stderr).contains(password),
        "the password is shown"
    );
}

#[tokio::test]
async fn ahead_and_diverged_have_codes_of_their_own_on_sqlite() {
    ahead_and_diverged(Home::sqlite()).await;
}

async fn ahead_and_diverged(home: Home) {
    let shell = Shell::on(home).await;
    shell.expect("upgrade head", 0).await;
    let ledger = "mizan_migrations";
    let newer = format!(
        "INSERT INTO {ledger} SELECT '9999', name, checksum, applied_at FROM {ledger} WHERE revision = '0001'"
    );
    shell
        .home
        .sql(&newer)
        .await
        .expect("a newer revision is recorded");
    shell.expect("current --check-heads", 2).await;
    shell.expect("upgrade head", 1).await;
    shell
        .home
        .sql(&format!("DELETE FROM {ledger} WHERE revision = '9999'"))
        .await
        .expect("it is taken back");
    shell.expect("current --check-heads", 0).await;
    let edited = format!("UPDATE {ledger} SET checksum = 'edited' WHERE revision = '0002'");
    shell.home.sql(&edited).await.expect("a checksum is changed");
    shell.expect("current --check-heads", 3).await;
    shell.expect("upgrade head", 1).await;
}

#[tokio::test]
async fn what_is_no_revision_is_wrong_use_and_sql_touches_nothing() {
    let shell = Shell::on(Home::sqlite()).await;
    shell.expect("upgrade 9999", 2).await;
    shell.expect("downgrade +1", 2).await;
    let sql = shell.expect("upgrade head --sql", 0).await;
    assert!(sql.contains("CREATE TABLE journal"), "{sql}");
    assert!(shell.expect("current", 0).await.starts_with("nothing is applied"));
    let refused = shell.expect("stamp head", 1).await;
    assert!(refused.starts_with("not stamped"), "{refused}");
}
