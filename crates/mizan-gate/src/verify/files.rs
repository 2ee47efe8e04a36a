//! Whether the files of a pack are those of its manifest, no more and no less.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::Refusal;
use crate::attest;
use crate::manifest::{self, Digests};
use crate::record::GateRecord;

/// Compares the directory with the manifest.
pub fn check(pack: &Path, listed: &Digests, refusals: &mut Vec<Refusal>) -> io::Result<()> {
    let (there, strange) = manifest::list(pack)?;
    refusals.extend(strange.into_iter().map(|file| Refusal::Strange { file }));
    for (file, digest) in listed {
        if there.binary_search(file).is_err() {
            refusals.push(Refusal::Missing { file: file.clone() });
        } else if manifest::sha256_of(&pack.join(file))? != *digest {
            refusals.push(Refusal::Changed { file: file.clone() });
        }
    }
    // The manifest cannot list itself, nor what is signed over it.
    let beside = [manifest::NAME, attest::TEST_RESULT, attest::VSA];
    let extra = there
        .into_iter()
        .filter(|it| !listed.contains_key(it) && !beside.contains(&it.as_str()));
    refusals.extend(extra.map(|file| Refusal::Extra { file }));
    Ok(())
}

/// Every output that a step names is there, with the length that it names, and none that no step names.
pub fn check_outputs(record: &GateRecord, listed: &Digests) -> Vec<Refusal> {
    let mut named = BTreeSet::new();
    for packet in &record.packets {
        for output in packet.steps.iter().flat_map(|it| &it.outputs) {
            named.insert(format!("packets/{}/{}", packet.id, output.file));
        }
    }
    let missing = named.iter().filter(|it| !listed.contains_key(*it));
    let missing = missing.map(|it| Refusal::NotListed { file: it.clone() });
    let unnamed =
        |it: &&String| it.starts_with("packets/") && !it.ends_with("/packet.json") && !named.contains(*it);
    let unnamed = listed
        .keys()
        .filter(unnamed)
        .map(|it| Refusal::Extra { file: it.clone() });
    missing.chain(unnamed).collect()
}
