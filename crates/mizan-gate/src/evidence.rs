//! Writing an evidence pack: complete or not at all. It grows under a name that says that it is unfinished, is
//! scanned for leaks, and gets its own name last, by one rename.

mod contents;
mod disk;
pub mod name;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use mizan_mask::Masker;

use crate::attest;
use crate::key;
use crate::leak::{self, Hit};
use crate::manifest::{self, Digests};
use crate::record::GateRecord;
use crate::report::{Lang, ReportError};
use crate::summary::{Previous, Summary};

/// How a pack is to be written.
pub struct PackOptions<'a> {
    /// Where packs are kept, `evidence/`.
    pub root: &'a Path,
    /// The language of the pages for people.
    pub lang: Lang,
    /// Without a key the pack is unsigned and says so.
    pub key: Option<&'a SigningKey>,
    /// The masker of the run, with everything that it learned: every page passes it, and the scan asks it.
    pub masker: &'a Masker,
}

/// Why there is no pack. Nothing is left behind under the name of a finished one.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error("{what} {path}", path = path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the evidence names {output}, which is not among the files of the run")]
    MissingOutput { output: String },
    #[error(
        "{0} is no name for a file of a pack: letters, digits, `.`, `_` and `-` are, not beginning with `.`"
    )]
    BadName(String),
    #[error("{0} is there already")]
    Exists(PathBuf),
    #[error("a page of the pack cannot be made")]
    Report(#[from] ReportError),
    #[error("masking {0} left it unreadable; a known value is part of its form")]
    MaskedForm(String),
    #[error("{}", leak::sentence(.0))]
    Leak(Vec<Hit>),
}

impl PackError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// Writes the evidence of a run and returns the pack's directory. `workdir` holds the outputs of the steps as
/// `packets/<packet>/<file>`, already masked. On a leak the pack is deleted and the hits are the error.
pub fn write_pack(record: &GateRecord, workdir: &Path, options: &PackOptions) -> Result<PathBuf, PackError> {
    let name = name::of_pack(record)?;
    let finished = options.root.join(&name);
    let growing = options.root.join(name::unfinished(&name));
    fs::create_dir_all(options.root).map_err(PackError::io("cannot make the directory", options.root))?;
    if finished.exists() {
        return Err(PackError::Exists(finished));
    }
    fs::create_dir(&growing).map_err(PackError::io("cannot make the directory", &growing))?;
    match fill(record, workdir, &growing, &name, options) {
        Ok(()) => {}
        Err(error) => {
            disk::remove(&growing);
            return Err(error);
        }
    }
    fs::rename(&growing, &finished).map_err(PackError::io("cannot rename to", &finished))?;
    disk::sync_folder(options.root)?;
    Ok(finished)
}

fn fill(
    record: &GateRecord,
    workdir: &Path,
    to: &Path,
    name: &str,
    options: &PackOptions,
) -> Result<(), PackError> {
    let previous = previous(options.root, &record.gate, name)?;
    let signed_by = options.key.map(|it| key::id(&it.verifying_key()));
    let summary = Summary::new(record, previous, signed_by);
    contents::packets(record, workdir, to, options.masker)?;
    contents::pages(record, &summary, name, to, options)?;
    let mut digests = digest_all(to)?;
    let listed = manifest::write(&digests);
    disk::write(&to.join(manifest::NAME), listed.as_bytes())?;
    digests.insert(manifest::NAME.to_owned(), manifest::sha256(listed.as_bytes()));
    if let Some(key) = options.key {
        // What is attested is what a reader will find: the summary as it was written, masked.
        let summary = contents::written_summary(to)?;
        for (name, text) in attest::sign(&summary, &digests, key) {
            disk::write(&to.join(name), text.as_bytes())?;
        }
    }
    disk::sync_all_folders(to)?;
    let hits = leak::scan(to, options.masker).map_err(PackError::io("cannot scan", to))?;
    if hits.is_empty() {
        Ok(())
    } else {
        Err(PackError::Leak(hits))
    }
}

fn digest_all(pack: &Path) -> Result<Digests, PackError> {
    let (files, _) = manifest::list(pack).map_err(PackError::io("cannot list", pack))?;
    let digest = |name: String| {
        let path = pack.join(&name);
        let digest = manifest::sha256_of(&path).map_err(PackError::io("cannot read", &path))?;
        Ok((name, digest))
    };
    files.into_iter().map(digest).collect()
}

/// The newest finished pack of the same gate. The time is part of the name, so names sort by age.
fn previous(root: &Path, gate: &str, than: &str) -> Result<Option<Previous>, PackError> {
    let entries = fs::read_dir(root).map_err(PackError::io("cannot list", root))?;
    let mut names: Vec<String> = entries
        .filter_map(|it| it.ok()?.file_name().into_string().ok())
        .filter(|it| name::is_of_gate(it, gate) && it.as_str() < than)
        .filter(|it| root.join(it).join(manifest::NAME).is_file())
        .collect();
    names.sort_unstable();
    let Some(pack) = names.pop() else {
        return Ok(None);
    };
    let path = root.join(&pack).join(manifest::NAME);
    let manifest_sha256 = manifest::sha256_of(&path).map_err(PackError::io("cannot read", &path))?;
    Ok(Some(Previous {
        pack,
        manifest_sha256,
    }))
}
