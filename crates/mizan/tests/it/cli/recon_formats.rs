//! `mizan recon match` with the formats of providers and banks.

use std::path::Path;

use mizan_testkit::Finished;
use serde_json::Value;
use tempfile::TempDir;

use super::mizan;

const LEDGER: &str = "provider_event_id,provider_ref,type,amount,currency,status,occurred_at,payout_id\n\
                      txn_1,ch_1,deposit,100.00,TRY,settled,2026-11-02T09:00:00Z,po_2026110\n\
                      txn_2,re_1,refund,10.00,TRY,settled,2026-11-02T10:00:00Z,po_2026110\n";
const STRIPE: &str = "automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id\n\
                      po_2026110,txn_1,2026-11-02 09:00:00,try,100.00,3.20,96.80,charge,ch_1\n\
                      po_2026110,txn_2,2026-11-02 10:00:00,try,-10.00,0.00,-10.00,refund,re_1\n";

/// A bank statement with one credit.
fn mt940(amount: &str, closing: &str) -> String {
    format!(
        ":20:X\n:25:TR330006100519786457841326\n:28C:1/1\n:60F:C261101TRY0,\n:61:261104C{amount}NTRFNONREF\n\
         :86:STRIPE PAYOUT po_2026110\n:62F:C261130TRY{closing}\n-\n"
    )
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

/// Runs with arguments of which those that name a file of the folder are made its path.
async fn compare(dir: &Path, args: &[&str]) -> Finished {
    let args: Vec<String> = ["recon", "match"]
        .iter()
        .chain(args)
        .map(|it| match dir.join(it) {
            path if path.is_file() => path.to_str().expect("UTF-8").to_owned(),
            _ => (*it).to_owned(),
        })
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    mizan(&args, &[]).await
}

fn object(ended: &Finished) -> Value {
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("one JSON object")
}

#[tokio::test]
async fn a_report_of_stripe_is_found_out_and_its_payouts_are_looked_for_at_the_bank() {
    let good = mt940("86,80", "86,80");
    let dir = folder(&[("s.csv", STRIPE), ("l.csv", LEDGER), ("b.sta", &good)]);
    let args = [
        "--statement",
        "s.csv",
        "--ledger",
        "l.csv",
        "--bank",
        "b.sta",
        "--json",
        "--fail-on-findings",
    ];
    let seen = object(&compare(dir.path(), &args).await);
    assert_eq!(
        (&seen["format"], &seen["matched"]),
        (&"stripe".into(), &2.into()),
        "{seen}"
    );
    let batch = &seen["bank"]["batches"][0];
    assert_eq!(
        (
            &batch["gross"],
            &batch["fees"],
            &batch["net"],
            &batch["bank"],
            &batch["days"]
        ),
        (
            &"90.00".into(),
            &"3.20".into(),
            &"86.80".into(),
            &"86.80".into(),
            &2.into()
        ),
        "{seen}"
    );
    std::fs::write(dir.path().join("b.sta"), mt940("86,81", "86,81")).expect("written");
    let ended = compare(dir.path(), &args).await;
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    let seen: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(seen["bank"]["findings"]["payout_mismatch"], 1, "{seen}");
    assert_eq!(seen["findings_total"], 0, "{seen}");
}

#[tokio::test]
async fn a_bank_statement_is_compared_with_the_payouts_of_the_ledger() {
    let dir = folder(&[("b.sta", &mt940("90,00", "90,01")), ("l.csv", LEDGER)]);
    let args = [
        "--statement",
        "b.sta",
        "--ledger",
        "l.csv",
        "--format",
        "mt940",
        "--json",
    ];
    let seen = object(&compare(dir.path(), &args).await);
    assert_eq!(seen["states"]["matched"], 1, "{seen}");
    assert_eq!(seen["findings_total"], 0, "{seen}");
    assert_eq!(
        seen["checks"][0]["held"], false,
        "the closing balance is one off: {seen}"
    );
    let ended = compare(
        dir.path(),
        &["--statement", "b.sta", "--ledger", "l.csv", "--fail-on-findings"],
    )
    .await;
    assert_eq!(
        ended.code, 1,
        "a file that does not add up is not clean: {}",
        ended.stdout
    );
}

#[tokio::test]
async fn a_file_of_another_format_is_refused_with_the_option_that_reads_it() {
    let dir = folder(&[("b.sta", &mt940("1,", "1,")), ("l.csv", LEDGER)]);
    let args = ["--statement", "b.sta", "--ledger", "l.csv", "--format", "camt053"];
    let ended = compare(dir.path(), &args).await;
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert!(ended.stderr.contains("say --format mt940"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_map_and_a_rule_file_are_obeyed_and_a_mistake_in_one_is_named() {
    let statement = "Ref;Tür;Tutar;Tarih\nch_1;Satış;100,03;02.11.2026\n";
    let map = "[file]\ndecimal_comma = true\ntime_format = \"%d.%m.%Y\"\n[columns]\nreference = \"Ref\"\n\
               kind = \"Tür\"\namount = \"Tutar\"\noccurred_at = \"Tarih\"\n[constant]\ncurrency = \"TRY\"\n\
               status = \"settled\"\n[kinds]\n\"Satış\" = \"deposit\"\n";
    let rules = "[[leg]]\nname = \"ref\"\nkeys = [\"reference=transaction_id\"]\ntolerance_minor = 3\n";
    let ledger = "provider_event_id,transaction_id,type,amount,currency,status,occurred_at\n\
                  e1,ch_1,deposit,100.00,TRY,settled,2026-11-02T09:00:00Z\n";
    let dir = folder(&[
        ("s.csv", statement),
        ("l.csv", ledger),
        ("m.toml", map),
        ("r.toml", rules),
    ]);
    let args = [
        "--statement",
        "s.csv",
        "--ledger",
        "l.csv",
        "--format",
        "generic",
        "--map",
        "m.toml",
        "--rules",
        "r.toml",
        "--json",
    ];
    let seen = object(&compare(dir.path(), &args).await);
    assert_eq!(
        (&seen["matched"], &seen["findings_total"]),
        (&1.into(), &0.into()),
        "{seen}"
    );
    assert_eq!(seen["rule_legs"][0]["matched"], 1, "{seen}");
    let pairs = dir.path().join("pairs.csv");
    let with_pairs = [&args[..], &["--pairs", pairs.to_str().expect("UTF-8")]].concat();
    object(&compare(dir.path(), &with_pairs).await);
    let written = std::fs::read_to_string(&pairs).expect("written");
    assert_eq!(written, "statement_row,ledger_row,rule\n2,2,ref\n");
    std::fs::write(dir.path().join("r.toml"), rules.replace("= 3", "= 2")).expect("written");
    let seen = object(&compare(dir.path(), &args).await);
    assert_eq!(seen["findings_total"], 2, "{seen}");
    std::fs::write(dir.path().join("r.toml"), "[[leg]]\nnme = \"x\"\n").expect("written");
    let ended = compare(dir.path(), &args).await;
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("r.toml") && ended.stderr.contains("line 2"),
        "{}",
        ended.stderr
    );
}
