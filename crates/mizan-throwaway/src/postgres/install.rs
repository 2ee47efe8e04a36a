//! The PostgreSQL that is installed on this machine, and who may run it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use nix::unistd::{User, geteuid};

const ROOT: &str = "/usr/lib/postgresql";

/// One installed major version.
pub struct Install {
    pub version: u32,
    pub bin: PathBuf,
    /// PostgreSQL refuses to run as root; then this user runs it.
    pub user: Option<User>,
}

impl Install {
    /// The newest version under `/usr/lib/postgresql`.
    pub fn newest() -> anyhow::Result<Self> {
        let (version, bin) = newest_under(Path::new(ROOT)).with_context(|| {
            format!("no PostgreSQL server in {ROOT}/*/bin; on Debian: apt-get install postgresql")
        })?;
        let user = if geteuid().is_root() {
            let found = User::from_name("postgres").context("cannot read the list of users")?;
            Some(found.context("we are root, and there is no user `postgres` to run PostgreSQL as")?)
        } else {
            None
        };
        Ok(Self { version, bin, user })
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// Compares versions as numbers: 9 is older than 15.
fn newest_under(root: &Path) -> Option<(u32, PathBuf)> {
    fs::read_dir(root)
        .ok()?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            let bin = path.join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .max_by_key(|(version, _)| *version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_the_greatest_number_that_has_a_server() {
        let root = tempfile::tempdir().expect("a directory");
        assert_eq!(newest_under(root.path()), None);
        for version in ["9", "15", "main"] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).expect("a directory");
            fs::write(bin.join("initdb"), "").expect("a file");
        }
        fs::create_dir_all(root.path().join("17/bin")).expect("a directory"); // client tools only
        let (version, bin) = newest_under(root.path()).expect("a version");
        assert_eq!((version, bin), (15, root.path().join("15/bin")));
    }
}
