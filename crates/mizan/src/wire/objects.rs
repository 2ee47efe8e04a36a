//! The object store of the settings: a folder, or a bucket that speaks S3.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use futures::StreamExt;
use mizan_config::ObjectStore as Configured;
use mizan_flows::objects::{LocalCopy, ObjectError, Objects};
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

/// Opens the store. A folder is made when the first file comes.
pub fn open(configured: &Configured) -> anyhow::Result<Arc<dyn Objects>> {
    Ok(match configured {
        Configured::Folder(root) => Arc::new(Folder {
            spool: root.join(".spool"),
            root: root.clone(),
        }),
        Configured::S3 { bucket, prefix } => {
            let store = AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .build()
                .context("MIZAN_OBJECT_STORE names a bucket that the AWS_* variables do not open")?;
            Arc::new(Bucket {
                store: Arc::new(store),
                prefix: prefix.clone(),
                spool: std::env::temp_dir(),
            })
        }
    })
}

/// Files in a folder. A file is whole or not there: it is written beside, synced, and renamed.
struct Folder {
    root: PathBuf,
    spool: PathBuf,
}

#[async_trait]
impl Objects for Folder {
    fn spool(&self) -> &Path {
        // Made here, so that an installation that never takes a file has no folder.
        let _ = std::fs::create_dir_all(&self.spool);
        &self.spool
    }

    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        let (from, to, spool) = (file.to_owned(), self.root.join(key), self.spool().to_owned());
        let kept = tokio::task::spawn_blocking(move || keep(&from, &to, &spool)).await;
        kept.map_err(unavailable)?.map_err(unavailable)
    }

    async fn fetch(&self, key: &str) -> Result<LocalCopy, ObjectError> {
        let path = self.root.join(key);
        match tokio::fs::try_exists(&path).await {
            Ok(true) => Ok(LocalCopy::Itself(path)),
            Ok(false) => Err(ObjectError::Missing { key: key.to_owned() }),
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn keep(from: &Path, to: &Path, spool: &Path) -> io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    std::fs::create_dir_all(parent)?;
    let mut beside = NamedTempFile::new_in(spool)?;
    io::copy(&mut std::fs::File::open(from)?, &mut beside)?;
    beside.as_file().sync_all()?;
    beside.persist(to).map_err(|it| it.error)?;
    std::fs::File::open(parent)?.sync_all()
}

/// Objects of a bucket.
struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    spool: PathBuf,
}

impl Bucket {
    fn path(&self, key: &str) -> ObjectPath {
        ObjectPath::from(format!("{}/{key}", self.prefix))
    }
}

#[async_trait]
impl Objects for Bucket {
    fn spool(&self) -> &Path {
        &self.spool
    }

    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError> {
        let mut from = tokio::fs::File::open(file).await.map_err(unavailable)?;
        let mut to = BufWriter::new(Arc::clone(&self.store), self.path(key));
        let copied = tokio::io::copy(&mut from, &mut to).await;
        match copied {
            Ok(_) => to.shutdown().await.map_err(unavailable),
            Err(error) => {
                // A part of a file must not stay behind; the first error is the one that counts.
                let _ = to.abort().await;
                Err(unavailable(error))
            }
        }
    }

    async fn fetch(&self, key: &str) -> Result<LocalCopy, ObjectError> {
        let found = self
            .store
            .get(&self.path(key))
            .await
            .map_err(|error| match error {
                object_store::Error::NotFound { .. } => ObjectError::Missing { key: key.to_owned() },
                other => unavailable(other),
            })?;
        let spooled = |source| ObjectError::Spool {
            dir: self.spool.clone(),
            source,
        };
        let (file, path) = NamedTempFile::new_in(&self.spool).map_err(spooled)?.into_parts();
        let mut out = tokio::fs::File::from_std(file);
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks.next().await {
            out.write_all(&chunk.map_err(unavailable)?)
                .await
                .map_err(spooled)?;
        }
        out.flush().await.map_err(spooled)?;
        Ok(LocalCopy::Copy(path))
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> ObjectError {
    ObjectError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(objects: &dyn Objects) {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"row").unwrap();
        objects.put("statements/1/a", file.path()).await.unwrap();
        objects.put("statements/1/a", file.path()).await.unwrap();
        let back = objects.fetch("statements/1/a").await.unwrap();
        assert_eq!(std::fs::read(back.path()).unwrap(), b"row");
        let missing = objects.fetch("statements/1/b").await.unwrap_err();
        assert!(
            matches!(missing, ObjectError::Missing { ref key } if key == "statements/1/b"),
            "{missing:?}"
        );
    }

    #[tokio::test]
    async fn what_was_kept_comes_back_from_a_folder_and_from_a_bucket() {
        let root = tempfile::tempdir().unwrap();
        let folder = open(&Configured::Folder(root.path().join("objects"))).unwrap();
        check(&*folder).await;
        check(&Bucket {
            store: Arc::new(object_store::memory::InMemory::new()),
            prefix: "mizan".into(),
            spool: root.path().to_owned(),
        })
        .await;
    }
}
