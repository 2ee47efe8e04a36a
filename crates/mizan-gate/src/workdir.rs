//! The directory of a run while it goes on. Its name ends in `.unfinished` until the evidence is complete, and its
//! record is written after every step: what a killed run leaves behind says so by itself.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::masking::Masking;
use crate::record::GateRecord;
use crate::run::CouldNot;
use crate::sink;

pub const SUFFIX: &str = ".unfinished";
const RECORD: &str = "record.json";
const LOCK: &str = "run.lock";

pub struct Workdir {
    pub path: PathBuf,
    /// Held as long as this process lives.
    #[expect(dead_code, reason = "the lock is what it is for")]
    lock: File,
}

/// What a run that did not come to its end left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub path: PathBuf,
    /// Whether the run still goes on, in another process.
    pub running: bool,
}

impl Workdir {
    pub fn create(out: &Path, name: &str) -> Result<Self, CouldNot> {
        let path = out.join(format!("{name}{SUFFIX}"));
        let make = || -> io::Result<File> {
            fs::create_dir_all(path.join("packets"))?;
            let lock = File::create(path.join(LOCK))?;
            lock.try_lock()?;
            Ok(lock)
        };
        let lock = make().map_err(|error| CouldNot::disk(&path, &error))?;
        Ok(Self { path, lock })
    }

    /// The directory of a packet; it is made when it is not there.
    pub fn packet(&self, id: &str) -> Result<PathBuf, CouldNot> {
        let path = self.path.join("packets").join(id);
        fs::create_dir_all(&path).map_err(|error| CouldNot::disk(&path, &error))?;
        Ok(path)
    }

    /// Writes the record as it stands: whole or not at all.
    pub fn save(&self, record: &GateRecord) -> Result<(), CouldNot> {
        let path = self.path.join(RECORD);
        let partial = self.path.join("record.json.partial");
        let write = || -> io::Result<()> {
            let mut file = File::create(&partial)?;
            file.write_all(&serde_json::to_vec_pretty(record)?)?;
            file.write_all(b"\n")?;
            file.sync_data()?;
            fs::rename(&partial, &path)
        };
        write().map_err(|error| CouldNot::disk(&path, &error))
    }

    /// Masks once more what was written before the last secret was known, and describes all outputs anew.
    pub fn settle(&self, record: &mut GateRecord, masking: &Masking) -> Result<(), CouldNot> {
        let (masker, _) = masking.current();
        for packet in &mut record.packets {
            let directory = self.path.join("packets").join(&packet.id);
            for output in packet.steps.iter_mut().flat_map(|it| &mut it.outputs) {
                let path = directory.join(&output.file);
                let mut again = || -> io::Result<()> {
                    let before = fs::read(&path)?;
                    let after = masker.mask_bytes(&before);
                    if after != before {
                        fs::write(&path, after)?;
                    }
                    *output = sink::describe(&directory, &output.file)?;
                    Ok(())
                };
                again().map_err(|error| CouldNot::disk(&path, &error))?;
            }
        }
        Ok(())
    }

    /// Takes the directory away: its contents are in an evidence pack, or hold what nobody may see.
    pub fn remove(self) -> Result<(), CouldNot> {
        fs::remove_dir_all(&self.path).map_err(|error| CouldNot::disk(&self.path, &error))
    }

    /// Ends the run's directory: the lock goes, the name loses its suffix.
    pub fn finish(self) -> Result<PathBuf, CouldNot> {
        let name = self.path.to_string_lossy();
        let finished = PathBuf::from(name.strip_suffix(SUFFIX).unwrap_or(&name));
        let end = || -> io::Result<()> {
            fs::remove_file(self.path.join(LOCK))?;
            fs::rename(&self.path, &finished)
        };
        end().map_err(|error| CouldNot::disk(&finished, &error))?;
        Ok(finished)
    }
}

/// Runs under `out` that did not come to their end.
pub fn unfinished(out: &Path) -> Vec<Unfinished> {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    let mut found: Vec<Unfinished> = entries
        .map(|it| it.path())
        .filter(|it| it.to_string_lossy().ends_with(SUFFIX) && it.is_dir())
        .map(|path| {
            let lock = File::open(path.join(LOCK));
            let running = lock.is_ok_and(|it| matches!(it.try_lock(), Err(fs::TryLockError::WouldBlock)));
            Unfinished { path, running }
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
