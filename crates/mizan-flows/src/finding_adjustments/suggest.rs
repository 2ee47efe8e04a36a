//! The correction that would bring the provider's clearing account to what the statement says. A suggestion: people
//! may know better which account the money belongs to.

use mizan_core::Money;
use mizan_ledger::{AccountCode, AccountKind};
use mizan_recon::finding::FindingType;
use mizan_store::findings::StoredFinding;

/// A correction that somebody may propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub debit: AccountCode,
    pub credit: AccountCode,
    pub amount: Money,
}

/// `None` where the ledger would not be corrected by an amount: another currency, a duplicate, an unclear match.
///
/// A deposit debited the clearing account, a payout credited it. Where the ledger has more of it than the
/// statement, the difference goes back; where it has less, it is added; `adjustments` takes the other side.
pub fn suggest(finding: &StoredFinding) -> Option<Suggestion> {
    let (ledger, statement) = match finding.finding_type {
        FindingType::AmountMismatch => (finding.ledger_amount?, finding.statement_amount?),
        FindingType::MissingInLedger => (0, finding.statement_amount?),
        FindingType::MissingInPsp => (finding.ledger_amount?, 0),
        _ => return None,
    };
    let excess = ledger.checked_sub(statement)?;
    let amount = Money::new(excess.checked_abs().filter(|it| *it > 0)?, finding.currency?);
    let clearing = AccountCode::psp_clearing(&finding.provider);
    let adjustments = AccountCode::of_tenant(AccountKind::Adjustments);
    let details: serde_json::Value = serde_json::from_str(&finding.details).ok()?;
    let debited = match details["kind"].as_str()? {
        "deposit" => true,
        "withdraw" | "refund" | "chargeback" => false,
        _ => return None,
    };
    let (debit, credit) = if debited == (excess > 0) {
        (adjustments, clearing)
    } else {
        (clearing, adjustments)
    };
    Some(Suggestion {
        debit,
        credit,
        amount,
    })
}

#[cfg(test)]
mod tests {
    use mizan_core::{Currency, FindingId, Timestamp};
    use mizan_recon::finding::Severity;
    use mizan_store::findings::FindingStatus;

    use super::*;

    fn finding(
        kind: &str,
        finding_type: FindingType,
        ledger: Option<i64>,
        statement: Option<i64>,
    ) -> StoredFinding {
        let at = Timestamp::UNIX_EPOCH;
        StoredFinding {
            id: FindingId::new(),
            provider: "mockpsp".parse().unwrap(),
            provider_event_id: "evt_1".into(),
            provider_ref: None,
            finding_type,
            severity: Severity::Error,
            status: FindingStatus::Open,
            currency: "TRY".parse::<Currency>().ok(),
            statement_amount: statement,
            ledger_amount: ledger,
            transaction: None,
            details: serde_json::json!({ "kind": kind }).to_string(),
            run: None,
            last_run: None,
            occurred_at: None,
            created_at: at,
            updated_at: at,
            status_by: None,
            status_reason: None,
            assigned_to: None,
            settled_by: None,
        }
    }

    #[test]
    fn the_clearing_account_is_brought_to_what_the_statement_says() {
        use FindingType::{AmountMismatch, CurrencyMismatch, MissingInLedger, MissingInPsp};
        let (to, from) = (
            Some(("psp_clearing:mockpsp", "adjustments")),
            Some(("adjustments", "psp_clearing:mockpsp")),
        );
        for (kind, finding_type, ledger, statement, expected, minor) in [
            ("deposit", AmountMismatch, Some(1_000), Some(900), from, 100),
            ("deposit", AmountMismatch, Some(900), Some(1_000), to, 100),
            ("withdraw", AmountMismatch, Some(1_000), Some(900), to, 100),
            ("refund", AmountMismatch, Some(900), Some(1_000), from, 100),
            ("deposit", MissingInLedger, None, Some(500), to, 500),
            ("deposit", MissingInPsp, Some(500), None, from, 500),
            ("withdraw", MissingInPsp, Some(500), None, to, 500),
            ("deposit", AmountMismatch, Some(5), Some(5), None, 0),
            ("fee", AmountMismatch, Some(5), Some(6), None, 0),
            ("deposit", CurrencyMismatch, Some(5), Some(6), None, 0),
        ] {
            let seen = suggest(&finding(kind, finding_type, ledger, statement));
            let codes = seen.as_ref().map(|it| (it.debit.as_str(), it.credit.as_str()));
            assert_eq!(codes, expected, "{kind} {finding_type} {ledger:?} {statement:?}");
            assert_eq!(seen.map_or(0, |it| it.amount.minor), minor);
        }
    }
}
