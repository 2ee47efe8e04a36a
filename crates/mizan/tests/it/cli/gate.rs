//! What is done with evidence on the command line: exit codes and sentences.

mod ticket;

use std::path::{Path, PathBuf};

use mizan_gate::evidence::{PackOptions, write_pack};
use mizan_gate::key;
use mizan_gate::record::GateRecord;
use mizan_gate::report::Lang;
use mizan_mask::Masker;
use serde_json::Value;
use tempfile::TempDir;

use super::mizan;

#[path = "../../../../mizan-gate/examples/packs/records.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod records;

/// A directory with a key made by `mizan gate keygen`.
struct Desk {
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let desk = Self { folder };
        let made = mizan(&["gate", "keygen", "--out", &desk.key()], &[]).await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(!made.stdout.contains("PRIVATE"), "the key is shown");
        desk
    }

    fn key(&self) -> String {
        self.folder.path().join("gate.key").display().to_string()
    }

    fn public(&self) -> String {
        format!("{}.pub", self.key())
    }

    fn pack(&self, record: &GateRecord, signed: bool) -> String {
        let workdir = self.folder.path().join("work");
        records::write_outputs(record, &workdir, None).expect("outputs");
        let key = key::from_file(Path::new(&self.key())).expect("the key that was made");
        let root: PathBuf = self
            .folder
            .path()
            .join(if signed { "signed" } else { "unsigned" });
        let options = PackOptions {
            root: &root,
            lang: Lang::En,
            key: signed.then_some(&key),
            masker: &Masker::default(),
        };
        write_pack(record, &workdir, &options)
            .expect("a pack")
            .display()
            .to_string()
    }
}

#[tokio::test]
async fn verify_says_yes_no_or_why_not_with_its_exit_code() {
    let desk = Desk::new().await;
    let (go, no_go) = (
        desk.pack(&records::go(), true),
        desk.pack(&records::no_go(), true),
    );
    let public = desk.public();
    let done = mizan(&["gate", "verify", &go, "--key", &public], &[]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout
            .contains("it stands (signed with the given key); the verdict is GO"),
        "{}",
        done.stdout
    );
    let done = mizan(&["gate", "verify", &no_go], &[]).await;
    assert_eq!(done.code, 0, "a NO-GO that stands is verified: {}", done.stderr);
    assert!(
        done.stdout
            .contains("give --key to check by whom); the verdict is NO-GO"),
        "{}",
        done.stdout
    );
    std::fs::write(Path::new(&go).join("notes.txt"), "x").expect("a file");
    let done = mizan(&["gate", "verify", &go, "--key", &public, "--json"], &[]).await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    let said: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(said["stands"], false);
    assert_eq!(said["verdict"], Value::Null);
    assert_eq!(said["refusals"][0]["code"], "extra_file");
    let done = mizan(&["gate", "verify", "nowhere"], &[]).await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(done.stderr.contains("nowhere cannot be read"), "{}", done.stderr);
    let done = mizan(&["gate", "verify", &no_go, "--key", &desk.key()], &[]).await;
    assert_eq!(done.code, 3, "a private key is no public one: {}", done.stderr);
}

#[tokio::test]
async fn report_speaks_the_language_that_is_asked_for_or_that_of_the_terminal() {
    let desk = Desk::new().await;
    let pack = desk.pack(&records::no_go(), false);
    let check = async |args: &[&str], locale: &str, says: &str| {
        let all = [&["gate", "report", &pack], args].concat();
        let done = mizan(&all, &[("LANG", locale)]).await;
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(done.stdout.contains(says), "{args:?} {locale}: {}", done.stdout);
    };
    check(&[], "tr_TR.UTF-8", "Kapanış raporu").await;
    check(&[], "C.UTF-8", "Closure report").await;
    check(&["--lang", "tr"], "en_US.UTF-8", "Çıkış Kodu").await;
    check(
        &["--lang", "en", "--format", "html"],
        "tr_TR.UTF-8",
        "<html lang=\"en\">",
    )
    .await;
    check(&["--format", "junit"], "C", "<testsuites").await;
    check(&["--format", "json"], "C", "\"verdict\": \"NO-GO\"").await;
    check(&["--format", "rca", "--lang", "tr"], "C", "Kök neden").await;
    std::fs::remove_file(Path::new(&pack).join("junit.xml")).expect("gone");
    let done = mizan(&["gate", "report", &pack], &[]).await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("junit.xml is missing"), "{}", done.stderr);
}
