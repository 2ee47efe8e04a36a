//! Every statement is valid at head.

use std::collections::HashSet;

use mizan_core::{Currency, PlayerId, RunId};
use mizan_ledger::AccountKind;
use mizan_payments::kyc::KycStatus;
use mizan_payments::withdrawal::WithdrawalState;
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::accounts::AccountFilter;
use mizan_store::audit::AuditFilter;
use mizan_store::findings::{FindingFilter, FindingStatus};
use mizan_store::players::PlayerFilter;
use mizan_store::recon_runs::{RunFilter, RunStatus};
use mizan_store::webhooks::{EventState, Signature, WebhookFilter};
use mizan_store::withdrawals::WithdrawalFilter;
use mizan_store::{Page, Start, Store};
use mizan_store_postgres::statements;

use crate::tester::{Tester, at};

#[tokio::test]
async fn every_statement_prepares_on_a_migrated_database() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut names = HashSet::new();
    let mut bad = Vec::new();
    for (name, sql) in statements::all() {
        assert!(names.insert(name), "{name} is listed twice");
        if let Err(error) = it.owner.prepare(sql).await {
            bad.push(format!("{name}: {:?}", error.as_db_error()));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(names.len() > 100, "only {} statements are listed", names.len());
    Ok(())
}

#[tokio::test]
async fn revisions_are_read_in_order_and_none_is_no_error() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    it.owner
        .batch_execute("DROP TABLE IF EXISTS mizan_migrations")
        .await?;
    assert!(it.store.applied_revisions().await?.is_empty());
    it.owner
        .batch_execute(
            "CREATE TABLE mizan_migrations (revision text PRIMARY KEY, name text, checksum text, applied_at timestamptz);
             REVOKE ALL ON mizan_migrations FROM mizan_app;
             INSERT INTO mizan_migrations VALUES ('0002', 'b', '', now()), ('0001', 'a', '', now())",
        )
        .await?;
    assert_eq!(it.store.applied_revisions().await?, ["0001", "0002"]);
    Ok(())
}

fn counted<K>(start: Start<K>) -> Page<K> {
    Page {
        limit: 5,
        start,
        with_total: true,
    }
}

#[tokio::test]
async fn every_list_takes_all_its_filters_at_once() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut tx = it.begin().await?;
    let text = || Some("x%_'".to_owned());
    let (provider, player) = (Some("mockpsp".parse()?), Some(PlayerId::new()));
    let accounts = AccountFilter {
        kind: Some(AccountKind::Held),
        currency: Some(Currency::TRY),
        player,
        code_prefix: text(),
    };
    let page = counted(Start::After(mizan_core::AccountId(9)));
    assert_eq!(tx.accounts(&accounts, &page).await?.total, Some(0));
    let audit = AuditFilter {
        subject_type: text(),
        subject_id: text(),
        actor: text(),
        action: text(),
    };
    assert_eq!(tx.audit(&audit, &counted(Start::Offset(1))).await?.total, Some(0));
    let players = PlayerFilter {
        email: text(),
        kyc: Some(KycStatus::Pending),
    };
    let page = counted(Start::After(PlayerId::new()));
    assert_eq!(tx.players(&players, &page).await?.total, Some(0));
    let findings = FindingFilter {
        provider: provider.clone(),
        finding_type: Some(FindingType::FeeMismatch),
        severity: Some(Severity::Info),
        status: Some(FindingStatus::Open),
        run: Some(RunId::new()),
        ..FindingFilter::default()
    };
    assert_eq!(
        tx.findings(&findings, &counted(Start::First)).await?.total,
        Some(0)
    );
    assert!(tx.count_findings(&findings).await?.is_empty());
    let runs = RunFilter {
        provider: provider.clone(),
        status: Some(RunStatus::Queued),
    };
    assert_eq!(tx.runs(&runs, &counted(Start::First)).await?.total, Some(0));
    let webhooks = WebhookFilter {
        provider: provider.clone(),
        signature: Some(Signature::Valid),
        state: Some(EventState::Parked),
    };
    assert_eq!(
        tx.webhooks(&webhooks, &counted(Start::First)).await?.total,
        Some(0)
    );
    let withdrawals = WithdrawalFilter {
        state: Some(WithdrawalState::Paid),
        provider,
        player,
        from: Some(at(0)),
        to: Some(at(1)),
    };
    assert_eq!(
        tx.withdrawals(&withdrawals, &counted(Start::First)).await?.total,
        Some(0)
    );
    assert_eq!(tx.deposits(player, &counted(Start::First)).await?.total, Some(0));
    assert_eq!(tx.staff_list(&counted(Start::First)).await?.total, Some(0));
    assert_eq!(tx.api_keys(&counted(Start::First)).await?.total, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_prefix_means_its_own_letters() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    for code in ["a_b", "axb", "a_"] {
        it.account(code).await?;
    }
    let filter = AccountFilter {
        code_prefix: Some("a_".into()),
        ..AccountFilter::default()
    };
    let found = it
        .begin()
        .await?
        .accounts(&filter, &counted(Start::First))
        .await?;
    let codes: Vec<_> = found.items.iter().map(|it| it.account.code.as_str()).collect();
    assert_eq!(codes, ["a_", "a_b"]);
    Ok(())
}
