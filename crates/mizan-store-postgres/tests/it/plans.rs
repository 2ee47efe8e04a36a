//! A page costs what it shows, however long the list is: it comes from an index that has its order already.

use anyhow::Context;
use mizan_store_postgres::statements;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::tester::Tester;

/// A value of each type that parameters of lists have, as SQL.
fn some(of: &Type) -> anyhow::Result<&'static str> {
    Ok(match *of {
        Type::INT2 | Type::INT4 | Type::INT8 => "7",
        Type::TEXT => "'x'::text",
        Type::UUID => "'00000000-0000-7000-8000-000000000001'::uuid",
        Type::TIMESTAMPTZ => "'2026-01-01Z'::timestamptz",
        Type::BOOL => "true",
        Type::TEXT_ARRAY => "ARRAY['x', 'y']",
        ref other => anyhow::bail!("no value for {other}"),
    })
}

/// The statement with values where its parameters were: filters given, or left out as far as they can be.
async fn spelled_out(owner: &Client, sql: &str, filtered: bool) -> anyhow::Result<String> {
    let prepared = owner.prepare(sql).await?;
    let mut text = sql.to_owned();
    for (place, of) in prepared.params().iter().enumerate().rev() {
        let name = format!("${}", place + 1);
        let optional = sql.split(&format!("{name}::")).skip(1).any(|it| {
            it.split_once(' ')
                .is_some_and(|(_, rest)| rest.starts_with("IS NULL"))
        });
        let value = if optional && !filtered {
            format!("NULL::{}", of.name())
        } else {
            some(of)?.to_owned()
        };
        text = text.replace(&name, &value);
    }
    Ok(text)
}

async fn plan(owner: &Client, sql: &str) -> anyhow::Result<String> {
    let rows = owner.query(&format!("EXPLAIN (COSTS OFF) {sql}"), &[]).await?;
    let lines: Vec<String> = rows.iter().map(|it| it.get(0)).collect();
    Ok(lines.join("\n"))
}

/// Merging what is sorted already costs no more than what is taken.
fn costs_more_than_the_page(line: &str) -> bool {
    let node = line.trim_start().trim_start_matches("-> ").trim();
    node == "Sort" || node.starts_with("Incremental Sort") || node.contains("Seq Scan")
}

#[tokio::test]
async fn every_page_is_read_from_an_index_in_its_order() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    // What cannot be done without these is planned with them all the same, and found below.
    it.owner
        .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        .await?;
    let (mut looked_at, mut bad) = (0, Vec::new());
    for (name, sql) in statements::all().filter(|(_, sql)| sql.contains("LIMIT") && sql.contains("OFFSET")) {
        for filtered in [false, true] {
            let sql = spelled_out(&it.owner, sql, filtered)
                .await
                .with_context(|| name.to_owned())?;
            let plan = plan(&it.owner, &sql).await.with_context(|| sql.clone())?;
            looked_at += 1;
            if plan.lines().any(costs_more_than_the_page) {
                bad.push(format!("{name} (filtered: {filtered}):\n{plan}"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
    assert!(looked_at > 20, "only {looked_at} lists were looked at");
    Ok(())
}
