//! An initialised data directory, made once per machine and copied for each server.
//!
//! `initdb` takes most of a second, a copy a tenth of that. The seed lies under `target/testkit` and is
//! safe to make and to use from several test processes at once.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use nix::unistd::User;
use std::os::unix::process::CommandExt;

use super::{SUPERUSER, install::Install};

/// Part of the seed's name: raise it when the arguments of `initdb` change.
const REVISION: u32 = 1;

/// A directory in which to run a server: `data` inside it is ready to start.
pub struct Planted {
    pub directory: PathBuf,
    pub password: String,
}

/// Copies the seed to a new directory, making the seed first when it is not there yet. A program that lies
/// outside of a `target` has nowhere to keep a seed that only its user can write to, and does without.
pub fn plant(install: &Install) -> anyhow::Result<Planted> {
    let Some(nursery) = nursery()? else {
        let directory = new_directory(install.user.as_ref())?;
        let password = make(install, &directory)?;
        return Ok(Planted { directory, password });
    };
    let seed = seed(install, &nursery)?;
    let directory = new_directory(install.user.as_ref())?;
    copy_tree(&seed.join("data"), &directory.join("data"), install.user.as_ref())?;
    Ok(Planted {
        directory,
        password: fs::read_to_string(seed.join("password"))?,
    })
}

fn seed(install: &Install, nursery: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("postgres-{}-{REVISION}", install.version);
    let seed = nursery.join(&name);
    if seed.exists() {
        return Ok(seed);
    }
    let lock = File::create(nursery.join(format!("{name}.lock")))?;
    lock.lock().context("cannot lock the seed")?;
    if seed.exists() {
        return Ok(seed); // another process made it while we waited
    }
    // The user who runs initdb may not be able to reach our target directory, so it works elsewhere.
    let workshop = new_directory(install.user.as_ref())?;
    let made = make(install, &workshop).and_then(|password| {
        let partial = tempfile::tempdir_in(nursery)?;
        copy_tree(&workshop.join("data"), &partial.path().join("data"), None)?;
        fs::write(partial.path().join("password"), password)?;
        fs::rename(partial.keep(), &seed)?; // whole or not at all, even when we are killed
        Ok(())
    });
    fs::remove_dir_all(&workshop)?;
    made.map(|()| seed)
}

fn make(install: &Install, workshop: &Path) -> anyhow::Result<String> {
    let password = format!("{:032x}", rand::random::<u128>());
    let password_file = workshop.join("password");
    fs::write(&password_file, &password)?;
    let mut initdb = Command::new(install.program("initdb"));
    initdb
        .args([
            "--no-sync",
            "--no-locale",
            "--encoding=UTF8",
            "--auth=scram-sha-256",
            "--username",
            SUPERUSER,
        ])
        .arg("--pwfile")
        .arg(&password_file)
        .arg(workshop.join("data"))
        .current_dir(workshop)
        .env_clear()
        .stdin(Stdio::null());
    if let Some(user) = &install.user {
        chown(&password_file, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        initdb.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    let outcome = initdb.output().context("cannot run initdb")?;
    ensure!(
        outcome.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    Ok(password)
}

/// `target/testkit`, found from the program's own place below `target`.
fn nursery() -> anyhow::Result<Option<PathBuf>> {
    let binary = std::env::current_exe().context("cannot tell where the program is")?;
    let target = binary.ancestors().find(|it| it.join("CACHEDIR.TAG").exists());
    let Some(nursery) = target.map(|it| it.join("testkit")) else {
        return Ok(None);
    };
    fs::create_dir_all(&nursery)?;
    Ok(Some(nursery))
}

/// An empty directory for one server, below the system's temporary directory; its warden removes it.
fn new_directory(owner: Option<&User>) -> anyhow::Result<PathBuf> {
    let directory = tempfile::Builder::new()
        .prefix("mizan-postgres-")
        .tempdir()?
        .keep();
    give(&directory, owner)?;
    Ok(directory)
}

fn copy_tree(from: &Path, to: &Path, owner: Option<&User>) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, Permissions::from_mode(0o700))?;
    give(to, owner)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &copy, owner)?;
        } else {
            fs::copy(entry.path(), &copy)?;
            give(&copy, owner)?;
        }
    }
    Ok(())
}

fn give(path: &Path, owner: Option<&User>) -> anyhow::Result<()> {
    if let Some(owner) = owner {
        chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
            .with_context(|| format!("cannot give {} to {}", path.display(), owner.name))?;
    }
    Ok(())
}
