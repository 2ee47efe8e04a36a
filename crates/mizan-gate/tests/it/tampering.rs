//! What `verify` accepts, and each thing that it refuses, with its sentence.

use std::fs;
use std::path::Path;

use mizan_gate::attest::{self, dsse};
use mizan_gate::manifest;
use mizan_gate::record::{GateRecord, Status, Verdict};
use mizan_gate::verify::{Signature, verify};

use crate::packs::{Place, key};
use crate::records;

#[test]
fn packs_that_nobody_touched_stand_whatever_their_verdict() {
    for record in [records::go(), records::no_go(), records::waived()] {
        let signed = Place::signed().kept(&record, |_| {});
        let ours = verify(&signed.1, Some(&key(1).verifying_key())).expect("readable");
        assert_eq!(
            (ours.refusals.as_slice(), ours.signature),
            (&[][..], Signature::Valid)
        );
        assert_eq!(ours.verdict(), Some(record.verdict));
        assert_eq!(ours.record, Some(record.clone()));
        let unasked = verify(&signed.1, None).expect("readable");
        assert_eq!(
            (unasked.refusals.as_slice(), unasked.signature),
            (&[][..], Signature::NotChecked)
        );
        let unsigned = Place::new().kept(&record, |_| {});
        let unsigned = verify(&unsigned.1, None).expect("readable");
        assert_eq!(
            (unsigned.refusals.as_slice(), unsigned.signature),
            (&[][..], Signature::Unsigned)
        );
    }
}

impl Place {
    /// A pack that was changed after it was written; the place is kept alive beside it.
    fn kept(self, record: &GateRecord, change: impl FnOnce(&Path)) -> (Self, std::path::PathBuf) {
        let pack = self.write(record).expect("a pack");
        change(&pack);
        (self, pack)
    }
}

/// A signed pack is changed, and the sentence of the refusal is looked for.
fn check(record: &GateRecord, change: impl FnOnce(&Path), says: &str) {
    let (_place, pack) = Place::signed().kept(record, change);
    let report = verify(&pack, Some(&key(1).verifying_key())).expect("readable");
    let said: Vec<_> = report.refusals.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|it| it.contains(says)),
        "{says:?} is not in {said:#?}"
    );
    assert_eq!(report.verdict(), None, "{says}");
}

fn replace(pack: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(pack.join(file)).expect("a file");
    assert!(text.contains(from), "{from} is not in {file}");
    fs::write(pack.join(file), text.replacen(from, to, 1)).expect("a file");
}

/// As a forger does who has no key: the manifest fits again.
fn remanifest(pack: &Path) {
    let listed: manifest::Digests = manifest::list(pack)
        .expect("a list")
        .0
        .into_iter()
        .filter(|it| it != manifest::NAME && !it.starts_with(attest::FOLDER))
        .map(|it| (it.clone(), manifest::sha256_of(&pack.join(it)).expect("a digest")))
        .collect();
    fs::write(pack.join(manifest::NAME), manifest::write(&listed)).expect("a manifest");
}

#[test]
fn files_that_are_not_as_the_manifest_says_are_refused() {
    let go = records::go();
    let output = "packets/1/upgrade.stdout";
    check(
        &go,
        |it| replace(it, output, "0001", "0009"),
        "packets/1/upgrade.stdout was changed",
    );
    check(
        &go,
        |it| fs::remove_file(it.join(output)).expect("gone"),
        "packets/1/upgrade.stdout is missing",
    );
    check(
        &go,
        |it| fs::write(it.join("notes.txt"), "x").expect("a file"),
        "notes.txt is extra",
    );
    check(
        &go,
        |it| fs::write(it.join("attestations/more.json"), "{}").expect("a file"),
        "attestations/more.json is extra",
    );
    check(
        &go,
        |it| replace(it, "MANIFEST.sha256", "closure.md", "../closure.md"),
        "names a file outside the pack",
    );
    check(
        &go,
        |it| fs::write(it.join("MANIFEST.sha256"), "nothing\n").expect("a file"),
        "the manifest cannot be relied on",
    );
    check(
        &go,
        |it| fs::remove_file(it.join("MANIFEST.sha256")).expect("gone"),
        "no finished pack",
    );
    #[cfg(unix)]
    check(
        &go,
        |it| {
            fs::remove_file(it.join(output)).expect("gone");
            std::os::unix::fs::symlink("/etc/hostname", it.join(output)).expect("a link");
        },
        "packets/1/upgrade.stdout is neither a file nor a directory",
    );
}

#[test]
fn a_forger_without_the_key_is_found_out_although_the_manifest_fits() {
    let no_go = records::no_go();
    check(
        &no_go,
        |it| {
            replace(it, "closure.md", "## NO-GO", "## GO");
            remanifest(it);
        },
        "its subjects are not the files of the pack",
    );
    check(
        &no_go,
        |it| {
            fs::remove_dir_all(it.join(attest::FOLDER)).expect("gone");
        },
        "attestations/gate.vsa.json is missing",
    );
    check(
        &no_go,
        |it| {
            fs::remove_dir_all(it.join(attest::FOLDER)).expect("gone");
            let summary = it.join("summary.json");
            let mut value: serde_json::Value =
                serde_json::from_slice(&fs::read(&summary).expect("a file")).expect("JSON");
            value["signed_by"] = serde_json::Value::Null;
            fs::write(summary, value.to_string()).expect("a file");
            remanifest(it);
        },
        "the pack is unsigned",
    );
    check(
        &no_go,
        |it| {
            let path = it.join(attest::VSA);
            let mut envelope: dsse::Envelope =
                serde_json::from_slice(&fs::read(&path).expect("a file")).expect("an envelope");
            let payload = String::from_utf8(envelope.payload().expect("base64")).expect("text");
            let forged = dsse::seal(payload.replace("FAILED", "PASSED").as_bytes(), &key(2));
            envelope.payload = forged.payload;
            fs::write(path, serde_json::to_string(&envelope).expect("JSON")).expect("a file");
        },
        "gate.vsa.json cannot be believed: its signature does not fit its content",
    );
    check(
        &no_go,
        |it| {
            replace(
                it,
                attest::VSA,
                "application/vnd.in-toto+json",
                "application/json",
            );
        },
        "its payload type is not application/vnd.in-toto+json",
    );
}

#[test]
fn another_key_is_refused() {
    let (_place, pack) = Place::signed().kept(&records::go(), |_| {});
    let report = verify(&pack, Some(&key(2).verifying_key())).expect("readable");
    assert_eq!(report.signature, Signature::Invalid);
    assert!(
        report
            .refusals
            .iter()
            .all(|it| it.to_string().contains("no signature of this key"))
    );
    assert_eq!(report.refusals.len(), 2);
    let (_place, unsigned) = Place::new().kept(&records::go(), |_| {});
    let report = verify(&unsigned, Some(&key(1).verifying_key())).expect("readable");
    assert_eq!(report.refusals[0].code(), "unsigned");
}

/// These records were never true, but they are signed by whoever holds the key.
#[test]
fn a_verdict_that_does_not_follow_from_its_packets_is_refused() {
    let go = |change: fn(&mut GateRecord), says: &str| {
        let mut record = records::go();
        change(&mut record);
        check(&record, |_| {}, says);
    };
    go(|it| it.packets.clear(), "the gate is empty: no packet ran");
    go(
        |it| it.packets.iter_mut().for_each(|it| it.steps.clear()),
        "the gate is empty: no packet has a step",
    );
    go(
        |it| {
            it.packets
                .iter_mut()
                .flat_map(|it| &mut it.steps)
                .for_each(|it| it.criteria.clear());
        },
        "the gate is empty: no step has a criterion",
    );
    go(|it| drop(it.packets.remove(2)), "packet 2 is missing");
    go(|it| it.packets[1].status = Status::Fail, "packet 1 is FAIL");
    go(|it| it.packets[1].status = Status::Skipped, "packet 1 is SKIPPED");
    go(|it| it.packets[1].status = Status::Error, "packet 1 is ERROR");
    go(
        |it| it.packets[1].steps[0].status = Status::Fail,
        "its step upgrade did not",
    );
    go(
        |it| it.packets[1].steps[0].criteria[0].passed = false,
        "`exit_code` was not met",
    );
    go(
        |it| it.packets[1].steps[0].criteria.clear(),
        "is said to PASS without a criterion",
    );
    go(
        |it| it.packets[1].steps.clear(),
        "packet 1 is said to PASS, but nothing in it was checked",
    );
    go(|it| it.requires.clear(), "no packet is required");
    go(
        |it| it.interrupted = Some("SIGINT".into()),
        "the run was interrupted",
    );
    go(|it| it.reasons.push("one".into()), "reasons against it are given");
    go(|it| it.verdict = Verdict::GoWithWaiver, "there is no waiver");
    let mut unwaived = records::waived();
    unwaived.waivers[0].packet = "2".into();
    check(&unwaived, |_| {}, "packet 3 is FAIL and is not waived");
    let mut nameless = records::waived();
    nameless.waivers[0].by = " ".into();
    check(&nameless, |_| {}, "packet 3 is FAIL and is not waived");
}

#[test]
fn pages_that_contradict_each_other_are_refused_although_they_are_signed() {
    let resign = |it: &Path| {
        remanifest(it);
        let mut listed = manifest::read(&fs::read_to_string(it.join(manifest::NAME)).expect("a manifest"))
            .expect("a manifest");
        listed.insert(
            manifest::NAME.into(),
            manifest::sha256_of(&it.join(manifest::NAME)).expect("a digest"),
        );
        let Ok(summary) = serde_json::from_slice(&fs::read(it.join("summary.json")).expect("a file")) else {
            return;
        };
        for (name, text) in attest::sign(&summary, &listed, &key(1)) {
            fs::write(it.join(name), text).expect("a file");
        }
    };
    let no_go = records::no_go();
    let with = |change: fn(&Path), says: &str| {
        check(
            &no_go,
            |it| {
                change(it);
                resign(it);
            },
            says,
        );
    };
    with(
        |it| {
            replace(
                it,
                "packets/3/packet.json",
                "\"status\": \"FAIL\"",
                "\"status\": \"PASS\"",
            );
        },
        "packets/3/packet.json does not tell what summary.json tells",
    );
    with(
        |it| fs::remove_file(it.join("packets/3/create.http")).expect("gone"),
        "packets/3/create.http is missing from the manifest",
    );
    with(
        |it| fs::write(it.join("packets/3/more.stdout"), "x").expect("a file"),
        "packets/3/more.stdout is extra",
    );
    with(
        |it| replace(it, "summary.json", "\"gate\"", "\"gatte\": 1, \"gate\""),
        "is not of its form",
    );
    with(
        |it| replace(it, "summary.json", "mizan-evidence/1", "mizan-evidence/9"),
        "is of the form `mizan-evidence/9`",
    );
    with(
        |it| replace(it, "summary.json", "3/lifecycle", "3/other"),
        "summary.json does not tell",
    );
}

#[test]
fn a_directory_that_never_became_a_pack_is_refused() {
    let place = Place::new();
    let pack = place.write(&records::go()).expect("a pack");
    let unfinished = pack.with_file_name(".psp-03d-x.unfinished");
    fs::rename(&pack, &unfinished).expect("a name");
    let report = verify(&unfinished, None).expect("readable");
    assert_eq!(report.refusals[0].code(), "unfinished");
    assert!(
        verify(&pack, None).is_err(),
        "a directory that is not there is no refusal but an error"
    );
}
