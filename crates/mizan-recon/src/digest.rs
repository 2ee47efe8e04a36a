//! The digest of a result: equal results have equal digests, whatever engine, order or threads made them.

use sha2::{Digest, Sha256};

use crate::compare::{hash_line, hash_text, hex};
use crate::engine::Summary;
use crate::finding::Finding;

/// SHA-256 in hex of the counts, the sums and the findings, which have to be sorted. Left out: where rows
/// stand in their files, and the digest that the summary holds.
pub(crate) fn digest(summary: &Summary, findings: &[Finding]) -> String {
    let mut hash = Sha256::new();
    hash_text(&mut hash, "mizan-recon-result-1");
    for count in [
        summary.statement_rows,
        summary.ledger_rows,
        summary.statement_quarantined,
        summary.ledger_quarantined,
        summary.statement_outside_window,
        summary.ledger_outside_window,
        summary.matched,
        summary.disagreeing,
    ] {
        hash.update(count.to_le_bytes());
    }
    for ((side, currency), sum) in &summary.sums {
        hash_text(&mut hash, &side.to_string());
        hash_text(&mut hash, currency.code());
        hash.update(sum.rows.to_le_bytes());
        hash.update(sum.gross_minor.to_le_bytes());
        hash.update(sum.fees_minor.to_le_bytes());
    }
    for finding in findings {
        hash_finding(&mut hash, finding);
    }
    hex(&hash.finalize())
}

fn hash_finding(hash: &mut Sha256, it: &Finding) {
    for text in [
        it.finding_type.as_str(),
        it.severity.as_str(),
        &it.event_id,
        it.why.rule.as_str(),
        &it.why.key,
        &it.why.detail,
    ] {
        hash_text(hash, text);
    }
    hash.update([u8::from(it.why.difference_minor.is_some())]);
    hash.update(it.why.difference_minor.unwrap_or_default().to_le_bytes());
    for (first, rows) in [
        (&it.statement, &it.why.statement_rows),
        (&it.ledger, &it.why.ledger_rows),
    ] {
        hash.update((rows.len() as u64).to_le_bytes());
        if let Some(line) = first {
            hash_line(hash, line);
        }
    }
}
