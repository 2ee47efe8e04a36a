//! Files that are on the disk when they are said to be.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::PackError;

/// Writes a file and waits until it is on the disk. Makes the directories above it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), PackError> {
    let mut file = create(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(PackError::io("cannot write", path))
}

/// Copies a file in pieces and waits until it is on the disk.
pub fn copy(from: &Path, to: &Path) -> Result<(), PackError> {
    let mut source = File::open(from).map_err(PackError::io("cannot read", from))?;
    let mut file = create(to)?;
    let copied = io::copy(&mut source, &mut file).and_then(|_| file.sync_all());
    copied.map_err(PackError::io("cannot write", to))
}

fn create(path: &Path) -> Result<File, PackError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(PackError::io("cannot make the directory", folder))?;
    }
    File::create_new(path).map_err(PackError::io("cannot write", path))
}

/// Waits until the names in a directory are on the disk.
pub fn sync_folder(path: &Path) -> Result<(), PackError> {
    let synced = File::open(path).and_then(|it| it.sync_all());
    synced.map_err(PackError::io("cannot write", path))
}

/// The same for a directory and everything below it.
pub fn sync_all_folders(path: &Path) -> Result<(), PackError> {
    for entry in fs::read_dir(path).map_err(PackError::io("cannot list", path))? {
        let entry = entry.map_err(PackError::io("cannot list", path))?;
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            sync_all_folders(&entry.path())?;
        }
    }
    sync_folder(path)
}

/// Takes a directory away. Its name says that it is unfinished, so what cannot be removed is no pack either; the
/// files are emptied first, so that a leak does not outlive a directory that refuses to go.
pub fn remove(path: &Path) {
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            remove(&entry.path());
        } else {
            drop(File::create(entry.path()));
            drop(fs::remove_file(entry.path()));
        }
    }
    drop(fs::remove_dir(path));
}
