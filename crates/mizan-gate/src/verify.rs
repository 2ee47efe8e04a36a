//! Checking a pack offline, as one who trusts nobody: files, form, verdict, signature. Every refusal is one
//! sentence that says what is wrong and where.

mod consistency;
mod files;
mod refusal;
mod signature;

use std::fs;
use std::io;
use std::path::Path;

use ed25519_dalek::VerifyingKey;

use crate::evidence::name;
use crate::manifest::{self, Digests};
use crate::record::{GateRecord, PacketRecord, Verdict};
use crate::summary::{FORM, PacketSummary, Summary};
pub use refusal::Refusal;

/// What is known about who made a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// The owner of the given key signed it.
    Valid,
    /// It is signed, and no key was given to check that with.
    NotChecked,
    /// Nobody signed it.
    Unsigned,
    /// It is refused.
    Invalid,
}

/// The outcome for a pack that could be read.
#[derive(Debug)]
pub struct Report {
    /// Empty for a pack that stands.
    pub refusals: Vec<Refusal>,
    pub signature: Signature,
    /// The summary, where it could be read. To be believed only without refusals.
    pub summary: Option<Summary>,
    /// The whole record again, where all of it could be read.
    pub record: Option<GateRecord>,
}

impl Report {
    /// Whether nothing was refused.
    pub fn stands(&self) -> bool {
        self.refusals.is_empty()
    }

    /// The verdict, if the pack stands.
    pub fn verdict(&self) -> Option<Verdict> {
        self.summary
            .as_ref()
            .filter(|_| self.stands())
            .map(|it| it.verdict)
    }
}

/// Checks a pack. With a key it must be signed with that key; without one the signature is not looked at.
///
/// # Errors
/// Where the directory cannot be read at all; nothing is said about the pack then.
pub fn verify(pack: &Path, key: Option<&VerifyingKey>) -> io::Result<Report> {
    if !fs::metadata(pack)?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is not a directory",
        ));
    }
    let mut report = Report {
        refusals: Vec::new(),
        signature: Signature::Unsigned,
        summary: None,
        record: None,
    };
    let absolute = fs::canonicalize(pack)?;
    let called = absolute
        .file_name()
        .map(|it| it.to_string_lossy().into_owned())
        .unwrap_or_default();
    if name::is_unfinished(&called) || !pack.join(manifest::NAME).is_file() {
        report.refusals.push(Refusal::Unfinished);
        return Ok(report);
    }
    let listed = match manifest::read(&fs::read_to_string(pack.join(manifest::NAME))?) {
        Ok(listed) => listed,
        Err(error) => {
            report.refusals.push(Refusal::Manifest(error.to_string()));
            return Ok(report);
        }
    };
    files::check(pack, &listed, &mut report.refusals)?;
    read_record(pack, &listed, &mut report);
    if let Some(record) = &report.record {
        report
            .refusals
            .extend(consistency::check(record).into_iter().map(Refusal::Verdict));
    }
    signature::check(pack, &listed, key, &mut report)?;
    Ok(report)
}

/// Reads `summary.json` and every packet, and checks that they tell the same.
fn read_record(pack: &Path, listed: &Digests, report: &mut Report) {
    let refusals = &mut report.refusals;
    let summary: Summary = match read(pack, listed, "summary.json") {
        Ok(summary) => summary,
        Err(refusal) => return refusals.push(refusal),
    };
    if summary.form != FORM {
        let says = format!("is of the form `{}`; this program reads `{FORM}`", summary.form);
        return refusals.push(Refusal::Form {
            file: "summary.json".into(),
            says,
        });
    }
    let mut packets = Vec::new();
    for about in &summary.packets {
        match read::<PacketRecord>(pack, listed, &about.file) {
            Ok(packet) => {
                if PacketSummary::new(&packet) != *about {
                    refusals.push(Refusal::Disagrees {
                        file: about.file.clone(),
                    });
                }
                packets.push(packet);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    let counted = listed.keys().filter(|it| it.ends_with("/packet.json")).count();
    if counted != summary.packets.len() {
        let says = format!(
            "names {} packets, and the pack holds {counted}",
            summary.packets.len()
        );
        refusals.push(Refusal::Form {
            file: "summary.json".into(),
            says,
        });
    }
    if packets.len() == summary.packets.len() {
        let record = summary.clone().into_record(packets);
        if summary.not_run != crate::summary::not_run(&record) {
            refusals.push(Refusal::Disagrees {
                file: "summary.json".into(),
            });
        }
        refusals.extend(files::check_outputs(&record, listed));
        report.record = Some(record);
    }
    report.summary = Some(summary);
}

fn read<T: serde::de::DeserializeOwned>(pack: &Path, listed: &Digests, file: &str) -> Result<T, Refusal> {
    // Only what the manifest covers is opened, so a path in a file cannot lead elsewhere.
    if !listed.contains_key(file) {
        return Err(Refusal::NotListed {
            file: file.to_owned(),
        });
    }
    let form = |says: String| Refusal::Form {
        file: file.to_owned(),
        says,
    };
    let text = fs::read(pack.join(file)).map_err(|it| form(format!("cannot be read: {it}")))?;
    serde_json::from_slice(&text).map_err(|it| form(format!("is not of its form: {it}")))
}
