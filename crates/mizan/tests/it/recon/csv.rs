//! Findings as CSV: complete, and no cell is a formula.

use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::on_every_store;
use serde_json::json;

use super::{Books, FINDINGS, next};
use crate::harness::Mizan;

on_every_store! {
    async fn every_finding_is_exported_and_formulas_are_disarmed(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::StatementAlter, 2)]).await;
        for _ in 0..2 {
            books.pay("10.00").await;
        }
        books.settled("20.00").await;
        books.run().await;
        let found = books.findings().await;
        let path = format!("{FINDINGS}/{}/ignore", found[0]["id"].as_str().expect("an id"));
        let hostile = "=HYPERLINK(\"http://evil\",\"x\"),\n+1";
        books.app.post(&path, json!({ "reason": hostile })).await.expect(200);
        let rest = "SELECT id FROM reconciliation_findings";
        assert_eq!(books.app.home.sql(rest).await.expect("findings").lines().count(), 2);
        // What a provider sent as an event id is shown as it came, and disarmed too.
        let sql = "UPDATE reconciliation_findings SET provider_event_id = '@SUM(1+1)' WHERE status = 'OPEN'";
        books.app.home.sql(sql).await.expect("a hostile event id");

        let reply = books.app.get(&format!("{FINDINGS}.csv")).await.expect(200);
        assert!(reply.header("Content-Type").starts_with("text/csv"), "{}", reply.header("Content-Type"));
        let mut reader = ::csv::Reader::from_reader(reply.text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let column = |name: &str| header.iter().position(|it| it == name).expect("a column");
        let rows: Vec<_> = reader.records().collect::<Result<_, _>>().expect("CSV");
        assert_eq!(rows.len(), 2);
        let cells = |name: &str| rows.iter().map(|it| it[column(name)].to_owned()).collect::<Vec<_>>();
        assert!(cells("status_reason").contains(&format!("'{hostile}")), "{:?}", cells("status_reason"));
        assert!(cells("provider_event_id").contains(&"'@SUM(1+1)".to_owned()), "{:?}", cells("provider_event_id"));
        assert_eq!(cells("statement_amount"), ["10.01", "10.01"]);
        let risky = rows.iter().flatten().filter(|it| it.starts_with(['=', '+', '@', '\t', '\r']));
        assert_eq!(risky.count(), 0, "{}", reply.text);
        let none = books.app.get(&format!("{FINDINGS}.csv?severity=WARN")).await.expect(200);
        assert_eq!(none.text.lines().count(), 1, "the header alone");
        books.app.get(&format!("{FINDINGS}.csv?limit=1")).await.expect_error(400, "UNKNOWN_PARAMETER");
    }
}
