//! `schemas/database-sqlite.json` says what the migrations leave behind.
//!
//! `MIZAN_BLESS=1 cargo test -p mizan-store-sqlite --test migrate schema` writes it anew.

use std::path::Path;

use mizan_store::migrate::{Expected, Migrate as _, Target};
use mizan_store_sqlite::migrate::REVISIONS;

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn the_description_of_the_schema_is_up_to_date() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    // Nothing is expected while the expectation is being made.
    let mut database = tester.open()?.with_revisions(REVISIONS, Expected::default());
    let mut series = Vec::new();
    for revision in REVISIONS {
        let target = Target::Rev(revision.id.to_owned());
        mizan_store::migrate::upgrade(&mut database, &target, PATIENCE, &mut |_| {}).await?;
        series.push((revision.id.to_owned(), database.live().await?));
    }
    let expected = Expected::from_series(series).to_json()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/database-sqlite.json");
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of this test, not a setting of Mizan"
    )]
    if std::env::var_os("MIZAN_BLESS").is_some() {
        std::fs::write(&path, &expected)?;
    }
    assert!(
        std::fs::read_to_string(&path)? == expected,
        "{} is stale: run MIZAN_BLESS=1 cargo test -p mizan-store-sqlite --test migrate schema",
        path.display()
    );
    Ok(())
}

#[tokio::test]
async fn the_constraint_that_others_rely_on_is_there_by_name() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester.upgrade("head").await?;
    let live = tester.live().await?;
    let definition = &live.objects["reconciliation_findings"].parts["definition"];
    let constraint =
        "CONSTRAINT uq_recon_provider_event_type UNIQUE(provider,provider_event_id,finding_type)";
    assert!(definition.contains(constraint), "{definition}");
    Ok(())
}
