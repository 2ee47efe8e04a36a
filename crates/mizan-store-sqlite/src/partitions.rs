//! The journal is one table here: it has no parts, and none of it goes to an archive.

use async_trait::async_trait;
use mizan_store::partitions::{Archived, Carried, Partition, Partitions};
use mizan_store::{Result, StoreError};

use crate::platform::SqlitePlatform;

#[async_trait]
impl Partitions for SqlitePlatform {
    async fn partitions(&mut self) -> Result<Vec<Partition>> {
        Ok(Vec::new())
    }

    async fn make_partitions(&mut self, _ahead: u32) -> Result<u32> {
        Ok(0)
    }

    async fn lock_archive(&mut self) -> Result<bool> {
        Ok(true)
    }

    async fn archives(&mut self) -> Result<Vec<Archived>> {
        Ok(Vec::new())
    }

    async fn carried(&mut self) -> Result<Vec<Carried>> {
        Ok(Vec::new())
    }

    async fn blocks_between(&mut self, _from_seq: i64, _to_seq: i64) -> Result<Option<(i64, i64)>> {
        Ok(None)
    }

    async fn archive_partition(&mut self, name: &str, _archived: &Archived) -> Result<()> {
        Err(StoreError::Database(
            format!("the journal has no part {name}: SQLite keeps it in one table").into(),
        ))
    }
}
