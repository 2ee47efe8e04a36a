//! What a run found, as it is stored.

use mizan_core::{Timestamp, TransactionId};
use mizan_recon::finding::Finding;
use mizan_recon::line::Line;
use mizan_recon::view::FindingView;
use mizan_store::findings::{StoredFinding, Subject};
use mizan_store::recon_runs::ReconRun;

use super::bank_side::OfBank;

pub(super) fn stored(run: &ReconRun, it: &Finding, now: Timestamp) -> StoredFinding {
    let any = it.statement.as_ref().or(it.ledger.as_ref());
    let subject = Subject {
        provider: run.provider.clone(),
        provider_event_id: it.event_id.clone(),
        provider_ref: it.reference.clone(),
        finding_type: it.finding_type,
        severity: it.severity,
        run: Some(run.id),
    };
    let details = serde_json::to_string(&FindingView::from(it)).unwrap_or_else(|_| "{}".into());
    StoredFinding {
        currency: any.map(|line| line.currency),
        statement_amount: it.statement.as_ref().map(|line| line.amount_minor),
        ledger_amount: it.ledger.as_ref().map(|line| line.amount_minor),
        transaction: it
            .ledger
            .as_ref()
            .and_then(Line::transaction_id)
            .and_then(|id| id.parse::<TransactionId>().ok()),
        occurred_at: any.map(|line| line.occurred_at),
        ..StoredFinding::open(subject, details, now)
    }
}

/// The statement's amount is the net of the payout; what the bank shows is in the details.
pub(super) fn stored_of_bank(run: &ReconRun, it: &OfBank, now: Timestamp) -> StoredFinding {
    let finding = &it.finding;
    let amount = |minor: i128| i64::try_from(minor).ok();
    let subject = Subject {
        provider: run.provider.clone(),
        provider_event_id: it.key.clone(),
        provider_ref: finding.payout_id.clone(),
        finding_type: finding.finding_type,
        severity: finding.severity,
        run: Some(run.id),
    };
    StoredFinding {
        currency: Some(finding.currency),
        statement_amount: finding
            .payout_id
            .as_ref()
            .and_then(|_| amount(finding.expected_minor)),
        occurred_at: Some(it.occurred_at),
        ..StoredFinding::open(subject, it.details().to_string(), now)
    }
}
