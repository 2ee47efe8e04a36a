//! PostgreSQL and Redis for scripts: prints `DATABASE_URL=…` and `REDIS_URL=…`, then waits until its input ends, and they
//! end with it. `cargo run -p mizan-throwaway --example servers`

use std::io::{Read, Write};

use mizan_throwaway::{Postgres, Redis, fresh_database};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let postgres = Postgres::start().await?;
    let redis = Redis::start().await?;
    let database = fresh_database(&postgres).await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "DATABASE_URL={}\nREDIS_URL={}",
        database.url_with_driver("asyncpg"),
        redis.url()
    )?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
