//! Writing packs: where they go, what is in them, and that there is a whole pack or none.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use mizan_gate::evidence::{PackError, PackOptions, write_pack};
use mizan_gate::manifest;
use mizan_gate::record::GateRecord;
use mizan_gate::report::Lang;
use mizan_gate::summary::Summary;
use mizan_mask::Masker;
use tempfile::TempDir;

use crate::records;

/// A directory for packs, with a working directory beside it.
pub struct Place {
    folder: TempDir,
    pub masker: Masker,
    pub key: Option<SigningKey>,
}

impl Place {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a directory"),
            masker: Masker::default(),
            key: None,
        }
    }

    pub fn signed() -> Self {
        Self {
            key: Some(key(1)),
            ..Self::new()
        }
    }

    pub fn masking(self, masker: Masker) -> Self {
        Self { masker, ..self }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    pub fn workdir(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes the outputs of a record and its pack.
    pub fn write(&self, record: &GateRecord) -> Result<PathBuf, PackError> {
        records::write_outputs(record, &self.workdir(), None).expect("outputs");
        self.pack(record)
    }

    /// Writes a pack of the outputs that are there.
    pub fn pack(&self, record: &GateRecord) -> Result<PathBuf, PackError> {
        let root = self.root();
        let options = PackOptions {
            root: &root,
            lang: Lang::En,
            key: self.key.as_ref(),
            masker: &self.masker,
        };
        write_pack(record, &self.workdir(), &options)
    }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn names(folder: &Path) -> Vec<String> {
    manifest::list(folder).map(|it| it.0).unwrap_or_default()
}

fn summary(pack: &Path) -> Summary {
    let text = fs::read(pack.join("summary.json")).expect("a summary");
    serde_json::from_slice(&text).expect("of its form")
}

#[test]
fn a_pack_holds_every_file_of_its_layout_and_its_manifest_lists_them() {
    let place = Place::signed();
    let pack = place.write(&records::no_go()).expect("a pack");
    let name = pack.file_name().and_then(|it| it.to_str()).expect("a name");
    assert_eq!(
        name,
        "psp-03d-20261123T101541Z-019ab0f4-7c00-7000-8000-000000000002"
    );
    let files = names(&pack);
    insta::assert_snapshot!("layout", files.join("\n"));
    let listed = manifest::read(&fs::read_to_string(pack.join(manifest::NAME)).expect("a manifest"))
        .expect("of its form");
    let unlisted: Vec<_> = files.iter().filter(|it| !listed.contains_key(*it)).collect();
    assert_eq!(
        unlisted,
        [
            "MANIFEST.sha256",
            "attestations/gate.test-result.json",
            "attestations/gate.vsa.json"
        ]
    );
}

#[test]
fn only_a_no_go_holds_a_template_for_its_cause_and_only_a_key_makes_attestations() {
    let check = |record: GateRecord, place: &Place, cause: bool| {
        let files = names(&place.write(&record).expect("a pack"));
        assert_eq!(files.contains(&"rca.md".to_owned()), cause, "{}", record.run_id);
        assert_eq!(
            files.iter().any(|it| it.starts_with("attestations/")),
            place.key.is_some()
        );
    };
    check(records::go(), &Place::signed(), false);
    check(records::waived(), &Place::new(), false);
    check(records::no_go(), &Place::new(), true);
    check(records::empty(), &Place::signed(), true);
}

#[test]
fn a_pack_names_the_one_before_it_of_the_same_gate() {
    let place = Place::new();
    let first = place.write(&records::go()).expect("a pack");
    assert_eq!(summary(&first).previous, None);
    let mut other = records::go();
    other.gate = "psp-03d-strict".into();
    other.finished_at += chrono::TimeDelta::seconds(10);
    place.write(&other).expect("a pack");
    let mut next = records::no_go();
    next.finished_at += chrono::TimeDelta::seconds(60);
    let previous = summary(&place.write(&next).expect("a pack"))
        .previous
        .expect("the one before");
    assert_eq!(
        Some(previous.pack.as_str()),
        first.file_name().and_then(|it| it.to_str())
    );
    let digest = manifest::sha256_of(&first.join(manifest::NAME)).expect("a digest");
    assert_eq!(previous.manifest_sha256, digest);
}

#[test]
fn what_cannot_be_complete_leaves_nothing_behind() {
    let check = |change: fn(&mut GateRecord), says: &str| {
        let place = Place::new();
        let mut record = records::go();
        records::write_outputs(&record, &place.workdir(), None).expect("outputs");
        change(&mut record);
        let error = place.pack(&record).expect_err("no pack");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(fs::read_dir(place.root()).map_or(0, Iterator::count), 0, "{says}");
    };
    check(
        |it| it.packets[1].steps[0].outputs[0].file = "gone.stdout".into(),
        "packets/1/gone.stdout",
    );
    check(
        |it| it.packets[1].steps[0].outputs[0].file = "../../x".into(),
        "no name for a file",
    );
    check(|it| it.packets[1].id = "..".into(), "no name for a file");
    check(|it| it.gate = "a/b".into(), "no name for a file");
}

#[test]
fn a_pack_is_never_written_over() {
    let place = Place::new();
    let pack = place.write(&records::go()).expect("a pack");
    let before = fs::read(pack.join("MANIFEST.sha256")).expect("a manifest");
    assert!(matches!(place.write(&records::go()), Err(PackError::Exists(_))));
    assert_eq!(
        fs::read(pack.join("MANIFEST.sha256")).expect("a manifest"),
        before
    );
}
