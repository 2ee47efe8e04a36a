//! Starting, being ready, being asked to stop: what an orchestrator sees.

mod drain;
mod failfast;
mod logs;
mod ready;
mod small;

use mizan_testkit::{Database, MizanCommand, MizanProcess, Postgres, Redis, TestApp, fresh_database, port};

use crate::harness::{BINARY, PATIENCE};

/// The service with servers of its own, started with exactly the four variables of strict mode.
pub struct Staging {
    pub postgres: Postgres,
    pub database: Database,
    pub redis: Redis,
    pub process: MizanProcess,
    pub app: TestApp,
}

impl Staging {
    pub async fn start() -> Self {
        let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start());
        let (postgres, redis) = (postgres.expect("PostgreSQL starts"), redis.expect("Redis starts"));
        let database = fresh_database(&postgres).await.expect("a database");
        let url = database.url_with_driver("asyncpg");
        let migrated = strict(&url, &redis.url())
            .args(["migrate", "upgrade", "head"])
            .run(PATIENCE)
            .await;
        let migrated = migrated.expect("migrate ends");
        assert_eq!(migrated.code, 0, "{}{}", migrated.stdout, migrated.stderr);
        let (app, process) = serve(&strict(&url, &redis.url()));
        process
            .wait_ready(app.base_url(), PATIENCE)
            .await
            .expect("the service becomes ready");
        Self {
            postgres,
            database,
            redis,
            process,
            app,
        }
    }

    pub async fn migrate(&self, args: &str) {
        let command = strict(&self.database.url_with_driver("asyncpg"), &self.redis.url());
        let done = command
            .arg("migrate")
            .args(args.split(' '))
            .run(PATIENCE)
            .await
            .expect("migrate ends");
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    }
}

/// The binary in the environment of the release documents: these four, and nothing else.
pub fn strict(database: &str, redis: &str) -> MizanCommand {
    let command = MizanCommand::new(BINARY)
        .env("ENV", "staging")
        .env("CI_STRICT", "1");
    command.env("DATABASE_URL", database).env("REDIS_URL", redis)
}

/// Starts the service on a free port, without waiting for it.
pub fn serve(command: &MizanCommand) -> (TestApp, MizanProcess) {
    let port = port::free_port().expect("a free port").to_string();
    let process = command
        .clone()
        .args(["serve", "--port", &port])
        .spawn()
        .expect("the binary starts");
    (TestApp::new(format!("http://127.0.0.1:{port}")), process)
}
