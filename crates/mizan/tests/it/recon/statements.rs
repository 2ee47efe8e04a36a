//! Statements that people upload: kept with what was read of them, refused in words, used by runs.

use std::path::Path;
use std::process::Command;

use chrono::{DateTime, SecondsFormat, Utc};
use mizan_core::{Currency, Money, TransactionId};
use mizan_testkit::{Reply, TestApp, on_every_store};
use serde_json::{Value, json};

use super::{Books, RUNS, completed};
use crate::harness::{Mizan, PATIENCE};

pub(super) const STATEMENTS: &str = "/api/v1/reconciliation/statements";
const HEADER: &str = "provider_event_id,provider_ref,type,amount,currency,status,occurred_at\n";

/// The beginning of a bank statement in XML.
fn camt(rest: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt>{rest}"
    )
}

/// Entities that would unpack to a billion words.
const LAUGHS: &str = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><Document";

fn row(event: &str, amount: &str) -> String {
    format!("{event},ref-{event},deposit,{amount},TRY,settled,2026-01-05T12:00:00Z\n")
}

/// A form as a browser sends it.
#[derive(Default)]
pub(super) struct Form(Vec<u8>);

impl Form {
    const BOUNDARY: &str = "a-line-that-no-file-of-these-tests-has";

    fn part(mut self, head: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; {head}\r\n\r\n",
            Self::BOUNDARY
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub(super) fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("name=\"file\"; filename=\"{name}\""), bytes)
    }
}

pub(super) fn form(name: &str, bytes: impl AsRef<[u8]>) -> Form {
    Form::default()
        .text("provider", "mockpsp")
        .file(name, bytes.as_ref())
}

pub(super) async fn send(app: &TestApp, form: Form) -> Reply {
    let mut body = form.0;
    body.extend_from_slice(format!("--{}--\r\n", Form::BOUNDARY).as_bytes());
    let kind = format!("multipart/form-data; boundary={}", Form::BOUNDARY);
    app.post_bytes(STATEMENTS, body, &[("Content-Type", kind)]).await
}

pub(super) async fn upload(app: &TestApp, name: &str, text: &str) -> Reply {
    send(app, form(name, text)).await
}

pub(super) fn id(it: &Value) -> &str {
    it["id"].as_str().expect("an id")
}

on_every_store! {
    async fn a_statement_is_kept_with_what_was_read_of_it(app: Mizan) {
        let text = format!("{HEADER}{}{}bad,r,deposit,1e3,TRY,settled,2026-01-05T12:00:00Z\n", row("e1", "10.00"), row("e2", "5.00"));
        let kept = upload(&app, "january.csv", &text).await.expect(201).body;
        let counts = (&kept["rows_read"], &kept["rows_quarantined"], &kept["version"], &kept["format"]);
        assert_eq!(counts, (&json!(2), &json!(1), &json!(1), &json!("generic")));
        assert_eq!((&kept["bytes"], &kept["already_known"]), (&json!(text.len()), &json!(false)));
        let shown = app.get(&format!("{STATEMENTS}/{}", id(&kept))).await.expect(200).body;
        assert_eq!(shown["sha256"], kept["sha256"]);
        let aside = app.get(&format!("{STATEMENTS}/{}/quarantine", id(&kept))).await.expect(200);
        let lines: Vec<_> = aside.text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, "line,column,reason,row"), "{lines:?}");
        assert!(lines[1].starts_with("4,amount,"), "{lines:?}");
        assert_eq!(app.items(STATEMENTS).await.len(), 1);
    }

    async fn the_same_bytes_are_known_and_a_changed_file_is_the_next_version(app: Mizan) {
        let first = upload(&app, "january.csv", &format!("{HEADER}{}", row("e1", "10.00"))).await.expect(201).body;
        let again = upload(&app, "copy.csv", &format!("{HEADER}{}", row("e1", "10.00"))).await.expect(200).body;
        assert_eq!((&again["id"], &again["name"], &again["already_known"]), (&first["id"], &json!("january.csv"), &json!(true)));
        let changed = upload(&app, "january.csv", &format!("{HEADER}{}", row("e1", "11.00"))).await.expect(201).body;
        assert_eq!(changed["version"], 2);
        let none = app.get(&format!("{STATEMENTS}/{}/quarantine", id(&changed))).await.expect(200);
        assert_eq!(none.text, "line,column,reason,row\n");
        assert_eq!(app.items(&format!("{STATEMENTS}?provider=mockpsp")).await.len(), 2);
        assert_eq!(app.items(&format!("{STATEMENTS}?provider=nobody")).await.len(), 0);
    }

    async fn what_is_no_statement_is_refused_in_words_and_nothing_is_kept(app: Mizan) {
        for (name, bytes, word) in [
            ("empty.csv", b"".to_vec(), "empty"),
            ("header.csv", HEADER.as_bytes().to_vec(), "no rows"),
            ("picture.csv", vec![0x89, b'P', b'N', b'G', 0, 1, 2, 3], ""),
            ("other.csv", b"a,b\n1,2\n".to_vec(), "provider_event_id"),
            ("bomb.csv.gz", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "gzip"),
            ("sheet.xlsx", b"PK\x03\x04rest".to_vec(), "ZIP"),
            ("wide.csv", [b"\xff\xfe".to_vec(), HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(), "UTF-16"),
            ("one-line.csv", vec![b'x'; 1 << 20], "header line"),
            ("cut.parquet", b"PAR1 and no end".to_vec(), "parquet"),
            ("cut.xml", camt("<Ntry><Amt Ccy=\"TRY\">1.00</Amt>").into_bytes(), "breaks off"),
            ("deep.xml", camt(&"<a>".repeat(100)).into_bytes(), "deeper"),
            ("laughs.xml", camt("").replace("<Document", LAUGHS).into_bytes(), "DTD"),
            ("report.xml", camt("").replace("camt.053", "camt.052").into_bytes(), "camt.052"),
        ] {
            let refused = send(&app, form(name, bytes)).await.expect_error(422, "STATEMENT_REFUSED");
            let detail = refused.body["detail"].as_str().unwrap_or_default();
            assert!(detail.len() > 15 && detail.contains(word), "{name}: {detail}");
        }
        let wrong = form("january.csv", format!("{HEADER}{}", row("e1", "10.00"))).text("format", "mt940");
        send(&app, wrong).await.expect_error(422, "STATEMENT_REFUSED");
        assert_eq!(app.items(STATEMENTS).await.len(), 0);
    }

    async fn a_form_that_lacks_something_is_told_which_field(app: Mizan) {
        let good = || form("a.csv", format!("{HEADER}{}", row("e1", "10.00")));
        let nobody = Form::default().file("a.csv", b"x");
        for (sent, field) in [
            (nobody, "provider"),
            (Form::default().text("provider", "mockpsp"), "file"),
            (good().text("format", "pdf"), "format"),
            (good().text("period_start", "2026-01-01T00:00:00Z"), "period_end"),
            (good().text("map", "nonsense = 1"), "map"),
        ] {
            let refused = send(&app, sent).await.expect_error(422, "VALIDATION_FAILED");
            assert_eq!(refused.body["field"], field, "{}", refused.text);
        }
        send(&app, good().text("colour", "red")).await.expect_error(400, "UNKNOWN_PARAMETER");
        app.post(STATEMENTS, json!({})).await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
        let unknown = Form::default().text("provider", "nobody").file("a.csv", b"x");
        send(&app, unknown).await.expect_error(400, "UNSUPPORTED_PROVIDER");
        let staff = app.staff("finance").await;
        send(&staff, good()).await.expect_error(403, "FORBIDDEN");
    }

    async fn a_run_compares_the_statement_it_was_given(app: Mizan) {
        let books = Books::with(app, Vec::new()).await;
        books.pay("10.00").await;
        books.settled("10.00").await;
        let text = format!("{HEADER}{}", row("not-ours", "7.00"));
        let statement = upload(&books.app, "own.csv", &text).await.expect(201).body;
        let window = json!({
            "provider": "mockpsp", "statement_id": statement["id"],
            "window_start": "2026-01-05T00:00:00Z", "window_end": "2026-01-06T00:00:00Z",
        });
        let run = books.app.post(RUNS, window.clone()).await.expect(200);
        let done = completed(&books.app, &run).await;
        assert_eq!(done["statement_id"], statement["id"]);
        assert_eq!(done["stats_json"]["summary"]["findings"], json!({ "missing_in_ledger": 1 }), "{done}");
        let mut missing = window;
        missing["statement_id"] = json!(TransactionId::new());
        let refused = books.app.post(RUNS, missing).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(refused.body["field"], "statement_id");
    }

    async fn a_run_without_room_to_spill_fails_and_names_the_directory_not_the_statement(app: Mizan) {
        // More than the least memory that may be allowed, in long keys.
        let long = |number: u32| format!("{number:0>240}");
        let rows: String = (0..40_000).map(|it| row(&long(it), "1.00")).collect();
        let kept = upload(&app, "long.csv", &format!("{HEADER}{rows}")).await.expect(201).body;
        assert_eq!(kept["rows_read"], 40_000);
        let run = app.command().env("RECON_MEMORY_LIMIT", "16MiB").args([
            "recon", "run", "--provider", "mockpsp", "--json", "--dry-run", "--statement", id(&kept),
            "--from", "2026-01-05T00:00:00Z", "--to", "2026-01-06T00:00:00Z",
        ]);
        let shown = |it: &str| serde_json::from_str::<Value>(it).expect("JSON");
        let nowhere = std::env::temp_dir().join("a-directory-that-nobody-made");
        let failed = run.clone().env("RECON_SPILL_DIR", &nowhere).run(PATIENCE).await.expect("it runs");
        let message = shown(&failed.stdout)["error_json"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(failed.code, 3, "{}{}", failed.stdout, failed.stderr);
        assert!(message.starts_with("rows could not be kept in the spill directory"), "{message}");
        assert!(message.contains("a-directory-that-nobody-made") && message.contains("No such file"), "{message}");
        let done = run.run(PATIENCE).await.expect("it runs");
        let stats = &shown(&done.stdout)["stats_json"];
        assert_eq!(stats["summary"]["findings"], json!({ "missing_in_ledger": 40_000 }), "{}", done.stderr);
        assert!(stats["spilled_bytes"].as_u64() > Some(0), "{stats}");
    }

    async fn the_same_file_and_the_same_ids_of_two_providers_are_independent(app: Mizan) {
        let sql = "INSERT INTO provider_connections (provider, tenant_id, kind, base_url, created_at) \
                   SELECT 'second', tenant_id, kind, base_url, created_at FROM provider_connections WHERE provider = 'mockpsp'";
        app.home.sql(sql).await.expect("a second provider");
        let text = format!("{HEADER}{}", row("e1", "10.00"));
        let first = upload(&app, "january.csv", &text).await.expect(201).body;
        let other = Form::default().text("provider", "second").file("january.csv", text.as_bytes());
        let second = send(&app, other).await.expect(201).body;
        assert_eq!((&second["version"], &second["sha256"]), (&json!(1), &first["sha256"]));
        for (provider, statement) in [("mockpsp", &first), ("second", &second)] {
            let run = json!({
                "provider": provider, "statement_id": statement["id"],
                "window_start": "2026-01-05T00:00:00Z", "window_end": "2026-01-06T00:00:00Z",
            });
            let run = app.post(RUNS, run).await.expect(200);
            let done = completed(&app, &run).await;
            assert_eq!(done["stats_json"]["findings_created"], 1, "{provider}: {done}");
        }
        let found = app.items("/api/v1/reconciliation/findings").await;
        let events: Vec<_> = found.iter().map(|it| it["provider_event_id"].clone()).collect();
        assert_eq!(events, [json!("e1"), json!("e1")], "one of each provider");
    }

    async fn two_uploads_back_to_back_do_not_leak_rows_into_each_other(app: Mizan) {
        let (one, two) = (format!("{HEADER}{}", row("e1", "1.00")), format!("{HEADER}{}{}", row("e2", "2.00"), row("e3", "3.00")));
        let (left, right) = tokio::join!(upload(&app, "a.csv", &one), upload(&app, "a.csv", &two));
        let (left, right) = (left.expect(201).body, right.expect(201).body);
        assert_eq!((&left["rows_read"], &right["rows_read"]), (&json!(1), &json!(2)));
        let mut versions = [left["version"].as_i64(), right["version"].as_i64()];
        versions.sort_unstable();
        assert_eq!(versions, [Some(1), Some(2)]);
    }
}

on_every_store! {
    async fn planted_differences_are_found_through_upload_and_run(app: Mizan) {
        let formats = ["generic", "stripe", "adyen"];
        for (format, seed) in formats.iter().flat_map(|format| ["1", "2", "3"].map(|seed| (*format, seed))) {
            let made = Made::new(format, seed);
            app.home.sql("DELETE FROM provider_effects").await.expect("an empty ledger side");
            for part in made.effects() {
                app.home.sql(&part).await.expect("the ledger side");
            }
            let file = std::fs::read(made.dir.path().join("statement.csv")).expect("a statement");
            let kept = send(&app, form(&format!("{format}-{seed}.csv"), file)).await.expect(201).body;
            assert_eq!((&kept["format"], &kept["rows_quarantined"]), (&json!(format), &json!(0)));
            let run = json!({
                "provider": "mockpsp", "statement_id": kept["id"], "dry_run": true,
                "window_start": "2026-01-01T00:00:00Z", "window_end": "2027-06-01T00:00:00Z",
            });
            let run = app.post(RUNS, run).await.expect(200);
            let done = completed(&app, &run).await;
            assert_eq!(done["stats_json"]["summary"]["findings"], made.expected(), "{format} {seed}: {done}");
        }
    }
}

/// Statements with known differences, made by the tool that is part of the repository.
struct Made {
    dir: tempfile::TempDir,
}

impl Made {
    fn new(format: &str, seed: &str) -> Self {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/make_statements.py");
        let dir = tempfile::tempdir().expect("a directory");
        let made = Command::new("python3")
            .arg(tool)
            .args(["--rows", "1000", "--seed", seed, "--format", format, "--out"])
            .arg(dir.path())
            .output()
            .expect("python3 is needed to make statements");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { dir }
    }

    /// The ledger extract as effects, which are unique by event: a planted duplicate is left out.
    fn effects(&self) -> Vec<String> {
        let mut rows = csv::Reader::from_path(self.dir.path().join("ledger.csv")).expect("a ledger extract");
        let values = rows.records().map(|row| {
            let row = row.expect("a row");
            let currency: Currency = row[7].parse().expect("a currency");
            let minor = Money::parse(&row[6], currency).expect("an amount").minor;
            let at: DateTime<Utc> = row[9].parse().expect("a time");
            let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
            let (event, reference, kind) = (&row[0], &row[1], &row[5]);
            let id = TransactionId::new();
            format!("(1, 'mockpsp', '{event}', '{reference}', '{kind}', {minor}, '{currency}', '{at}', '{id}', '{at}')")
        });
        let values: Vec<_> = values.collect();
        let insert = |part: &[String]| {
            format!(
                "INSERT INTO provider_effects (tenant_id, provider, provider_event_id, provider_ref, kind, amount,
                 currency, occurred_at, transaction_id, created_at) VALUES {} ON CONFLICT DO NOTHING",
                part.join(",")
            )
        };
        values.chunks(300).map(insert).collect()
    }

    fn expected(&self) -> Value {
        let text = std::fs::read_to_string(self.dir.path().join("expected.json")).expect("what is expected");
        let mut expected: Value = serde_json::from_str(&text).expect("JSON");
        let findings = expected["findings"].as_object_mut().expect("counts");
        findings.retain(|kind, count| *count != json!(0) && kind != "duplicate_in_ledger");
        expected["findings"].take()
    }
}
