//! Backups as operators take them: `pg_dump`, and `psql` to restore.

use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{Postgres, SUPERUSER};

impl Postgres {
    /// What `pg_dump` writes of a database, as SQL.
    pub async fn dump(&self, database: &str) -> anyhow::Result<Vec<u8>> {
        let mut command = self.client("pg_dump", database);
        let outcome = command.output().await.context("cannot run pg_dump")?;
        ensure!(
            outcome.status.success(),
            "pg_dump: {}",
            String::from_utf8_lossy(&outcome.stderr)
        );
        Ok(outcome.stdout)
    }

    /// Fills an empty database with what [`Self::dump`] wrote.
    pub async fn restore(&self, database: &str, dump: &[u8]) -> anyhow::Result<()> {
        let mut command = self.client("psql", database);
        command.args(["-Xq", "-v", "ON_ERROR_STOP=1"]);
        let mut psql = command.stdin(Stdio::piped()).spawn().context("cannot run psql")?;
        let mut stdin = psql.stdin.take().context("psql has no stdin")?;
        stdin
            .write_all(dump)
            .await
            .context("psql ended before it read the dump")?;
        drop(stdin);
        let outcome = psql.wait_with_output().await?;
        ensure!(
            outcome.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&outcome.stderr)
        );
        Ok(())
    }

    fn client(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(self.install.program(program));
        command
            .args(["-h", "127.0.0.1", "-U", SUPERUSER, "-p", &self.port.to_string()])
            .args(["-d", database])
            .env_clear()
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}
