//! `--local`: PostgreSQL and Redis from the system's binaries, for one run. They end with this process, however it ends.

use std::collections::BTreeMap;

use anyhow::Context;
use mizan_throwaway::{Postgres, Redis, fresh_database};

pub struct Local {
    /// Kept until the run is over.
    _postgres: Postgres,
    _redis: Redis,
}

impl Local {
    /// Starts both and puts their addresses in place of what the environment says.
    pub async fn start(env: &mut BTreeMap<String, String>) -> anyhow::Result<Self> {
        let postgres = Postgres::start().await.context(
            "a throwaway PostgreSQL cannot be started (Debian and Ubuntu: apt-get install postgresql)",
        )?;
        let redis = Redis::start().await.context(
            "a throwaway Redis cannot be started (Debian and Ubuntu: apt-get install redis-server)",
        )?;
        let database = fresh_database(&postgres)
            .await
            .context("no database can be made")?;
        for (name, url) in [("DATABASE_URL", database.url()), ("REDIS_URL", redis.url())] {
            if env
                .insert(name.to_owned(), url.clone())
                .is_some_and(|it| it != url)
            {
                complain!(
                    "note: {name} of the environment is not used, but a throwaway server: --local was given"
                );
            }
        }
        Ok(Self {
            _postgres: postgres,
            _redis: redis,
        })
    }
}
