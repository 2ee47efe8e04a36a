//! One running `mizan serve` per test, on a database of its own.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use mizan_testkit::{
    Database, MizanCommand, MizanProcess, Signal, TestApp, port, shared_postgres, template_database,
};
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_mizan");
pub const OWNER: &str = "owner@example.com";
pub const PASSWORD: &str = "correct horse battery";
/// Signs the events of the `mockpsp` connection in these tests.
pub const SECRET: &str = "a-webhook-secret-of-these-tests";
/// Signs the events of a connection `other`, once a test has made one.
pub const OTHER_SECRET: &str = "another-webhook-secret-of-these-tests";
/// The provider of tests that do not start one: nothing listens there.
pub const NOBODY: &str = "http://127.0.0.1:9";
/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The same for a job that a dead process had taken: its lease of 30 s has to run out first.
pub const LEASE_AND_MORE: Duration = Duration::from_mins(1);

/// Where a test's rows are.
pub enum Home {
    Postgres(Database),
    Sqlite(TempDir),
}

impl Home {
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url().clone(),
            Self::Sqlite(dir) => format!("sqlite://{}", Self::file(dir).display()),
        }
    }

    fn file(dir: &TempDir) -> PathBuf {
        dir.path().join("mizan.db")
    }

    pub async fn postgres() -> Self {
        let server = shared_postgres()
            .await
            .expect("a PostgreSQL server can be started");
        let made = template_database(server, "mizan_head", |url| async move {
            let migrate = MizanCommand::new(BINARY).args(["migrate", "upgrade", "head"]);
            let done = migrate.env("DATABASE_URL", url).run(PATIENCE).await?;
            anyhow::ensure!(done.code == 0, "migrate: {} {}", done.stdout, done.stderr);
            Ok(())
        });
        Self::Postgres(made.await.expect("a database can be copied"))
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder for the database"))
    }
}

/// A running application, and the platform's owner signed in to it.
pub struct Mizan {
    app: TestApp,
    pub home: Home,
    pub process: MizanProcess,
    env: Vec<(String, String)>,
}

impl Deref for Mizan {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

pub async fn postgres() -> Mizan {
    Mizan::start(Home::postgres().await, &[]).await
}

pub async fn sqlite() -> Mizan {
    Mizan::start(Home::sqlite(), &[]).await
}

/// The command line in the environment of a test, with further variables.
pub fn command(home: &Home, env: &[(&str, &str)]) -> MizanCommand {
    let mut command = MizanCommand::new(BINARY)
        .env("ENV", "test")
        .env("DATABASE_URL", home.url())
        .env("MIZAN_ADMIN_EMAIL", OWNER)
        .env("MIZAN_ADMIN_PASSWORD", PASSWORD)
        .env("WEBHOOK_SECRET_MOCKPSP", SECRET)
        .env("WEBHOOK_SECRET_OTHER", OTHER_SECRET)
        .env("MOCKPSP_URL", NOBODY);
    for (name, value) in env {
        command = command.env(name, value);
    }
    command
}

impl Mizan {
    /// Starts the server and signs the owner in.
    pub async fn start(home: Home, env: &[(&str, &str)]) -> Self {
        let port = port::free_port().expect("a free port").to_string();
        let base = format!("http://127.0.0.1:{port}");
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let process = Self::spawn(&home, &env, &port);
        process
            .wait_ready(&base, PATIENCE)
            .await
            .expect("the server becomes ready");
        process
            .wait_for_line("journal.", PATIENCE)
            .await
            .expect("the first start is done");
        let app = TestApp::new(base);
        let token = sign_in(&app, OWNER).await;
        Self {
            app: app.with_token(token),
            home,
            process,
            env,
        }
    }

    fn spawn(home: &Home, env: &[(String, String)], port: &str) -> MizanProcess {
        let pairs: Vec<_> = env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let command = command(home, &pairs)
            .env("PORT", port)
            .env("LOG_FORMAT", "json")
            .args(["serve"]);
        command.spawn().expect("the binary starts")
    }

    /// Ends the process as a power failure would.
    pub async fn kill(&mut self) {
        self.process
            .signal(Signal::SIGKILL)
            .expect("the process can be killed");
        self.process.exit_code(PATIENCE).await.expect("the process ends");
    }

    /// The same as [`Self::start_again`], with further variables from now on.
    pub async fn start_again_with(&mut self, env: &[(&str, &str)]) {
        self.env.extend(
            env.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.start_again().await;
    }

    /// Starts the same application again on the same database and port, after the process ended.
    pub async fn start_again(&mut self) {
        let port = self.base_url().rsplit(':').next().unwrap_or_default().to_owned();
        self.process = Self::spawn(&self.home, &self.env, &port);
        self.process
            .wait_ready(self.app.base_url(), PATIENCE)
            .await
            .expect("the server becomes ready again");
    }

    /// Another process on the same database, at a port of its own.
    pub async fn second(&self) -> (TestApp, MizanProcess) {
        let port = port::free_port().expect("a free port").to_string();
        let process = Self::spawn(&self.home, &self.env, &port);
        let base = format!("http://127.0.0.1:{port}");
        process
            .wait_ready(&base, PATIENCE)
            .await
            .expect("the second server becomes ready");
        (TestApp::new(base), process)
    }

    /// The command line on the same database.
    pub fn command(&self) -> MizanCommand {
        command(&self.home, &[])
    }
}

/// Signs a member of staff in.
pub async fn sign_in(app: &TestApp, email: &str) -> String {
    let body = serde_json::json!({ "email": email, "password": PASSWORD });
    let reply = app.post("/api/v1/auth/login", body).await.expect(200);
    reply.body["access_token"].as_str().expect("a token").to_owned()
}
