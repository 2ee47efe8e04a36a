//! `mizan ledger export`: every row of the journal, exactly.

use mizan_testkit::on_every_store;
use serde_json::Value;

use super::{leg, post, transaction, transfer};
use crate::harness::{Mizan, PATIENCE};

async fn export(app: &Mizan, args: &[&str]) -> String {
    let done = app
        .command()
        .args(["ledger", "export"])
        .args(args)
        .run(PATIENCE)
        .await
        .expect("export ends");
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout
}

on_every_store! {
    async fn every_row_is_exported_once_in_both_formats(app: Mizan) {
        app.open_source("bank").await;
        app.open("till").await;
        let mut odd = transaction(&[leg("bank", "till", "90071992547409.93"), leg("till", "bank", "0.01")]);
        odd["reference"] = "a \"quoted\", reference\nof two lines; =cmd()".into();
        post(&app, &odd).await.expect(201);
        let many: Vec<_> = (0..5_100).map(|_| transfer("bank", "till", "0.01")).collect();
        app.bulk(&many, true).await.expect(200);
        let rows = app.journal_rows().await;
        assert_eq!(rows, 5_102, "more than one page of the export");

        let text = export(&app, &["--format", "csv"]).await;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let column = |name: &str| header.iter().position(|it| it == name).expect("a column");
        let records: Vec<_> = reader.records().collect::<Result<_, _>>().expect("CSV");
        assert_eq!(records.len() as u64, rows);
        assert_eq!(&records[0][column("amount_minor")], "9007199254740993");
        assert_eq!(&records[0][column("reference")], odd["reference"].as_str().expect("text"));

        let lines: Vec<Value> = export(&app, &["--format", "ndjson"])
            .await
            .lines()
            .map(|it| serde_json::from_str(it).expect("one JSON object a line"))
            .collect();
        assert_eq!(lines.len() as u64, rows);
        assert_eq!(lines[0]["amount_minor"], "9007199254740993");
        assert!(lines.windows(2).all(|it| it[0]["seq"].as_i64() < it[1]["seq"].as_i64()), "in order");

        let after = lines[5_099]["seq"].to_string();
        let rest = export(&app, &["--format", "ndjson", "--after", &after]).await;
        assert_eq!(rest.lines().count(), 2);
        let out = tempfile::NamedTempFile::new().expect("a file");
        let path = out.path().to_str().expect("UTF-8");
        assert_eq!(export(&app, &["--format", "ndjson", "--out", path]).await, "");
        let written = std::fs::read_to_string(path).expect("the file");
        assert_eq!(written.lines().count() as u64, rows);
    }
}
