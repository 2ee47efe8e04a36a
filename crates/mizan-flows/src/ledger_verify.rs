//! Checking every invariant of the ledger: the questions to the database, then the chain, row by row. Rows that went
//! to an archive are read from their files; what cannot be read is named, and then the ledger is not said to hold.

mod shelf;

use mizan_ledger::chain::{self, Break, Head};
use mizan_store::verify::Broken;
use mizan_store::{Store, StoreError};
use serde::Serialize;

pub use shelf::Shelf;

use crate::Result;

/// How many rows are read at a time.
const FETCH: u32 = 4_096;

/// One invariant and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub invariant: &'static str,
    pub holds: bool,
    /// At most 1 000 of them.
    pub broken: Vec<String>,
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub holds: bool,
    pub journal_rows: u64,
    /// Rows that are covered by the chain; the others were posted since the last sealing.
    pub sealed_rows: u64,
    pub blocks: i64,
    /// The hash of the last block, in hex.
    pub head: String,
    pub checks: Vec<Check>,
    /// Rows that were read from an archive.
    pub archived_rows: u64,
    /// Ranges of the archive that could not be verified, and why.
    pub unverified: Vec<String>,
}

/// Checks everything. `anchor` is the head that was kept outside the database; `since` is a block up to which the
/// chain was verified before.
pub async fn verify(
    store: &dyn Store,
    anchor: Option<Head>,
    since: i64,
    shelf: Shelf<'_>,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Verification> {
    let mut checks = vec![
        check("sums_to_zero", store.broken_sums().await?),
        check("balance_equals_entries", store.broken_balances().await?),
        check("running_balance", store.broken_running_balances().await?),
        check("transactions_match_rows", store.broken_transactions().await?),
        check("wallet_not_negative", store.negative_wallets().await?),
        check("held_equals_open_withdrawals", store.broken_holds().await?),
        check("one_effect_per_event", store.broken_effects().await?),
    ];
    let mut platform = store.platform().await?;
    let (archives, carried) = (platform.archives().await?, platform.carried().await?);
    platform.rollback().await?;
    let journal_rows = store.count_journal().await? + archives.iter().map(|it| it.rows).sum::<u64>();
    let mut archived = shelf::Rereading::new(shelf, archives);
    let walk = walk_chain(store, anchor, since, &mut archived, &mut progress).await?;
    let archived_rows = archived.rows;
    let (broken, unverified) = archived.finish(&carried);
    checks.push(Check {
        invariant: "archive_adds_up",
        holds: broken.is_empty(),
        broken,
    });
    checks.push(Check {
        invariant: "chain_recomputes",
        holds: walk.breaks.is_empty(),
        broken: walk.breaks.iter().map(ToString::to_string).collect(),
    });
    Ok(Verification {
        holds: unverified.is_empty() && checks.iter().all(|it| it.holds),
        journal_rows,
        sealed_rows: walk.rows,
        blocks: walk.head.block,
        head: walk
            .head
            .hash
            .iter()
            .fold(String::new(), |text, it| text + &format!("{it:02x}")),
        checks,
        archived_rows,
        unverified,
    })
}

fn check(invariant: &'static str, broken: Vec<Broken>) -> Check {
    let broken: Vec<_> = broken
        .into_iter()
        .map(|it| format!("{}: expected {}, found {}", it.what, it.expected, it.found))
        .collect();
    Check {
        invariant,
        holds: broken.is_empty(),
        broken,
    }
}

struct Walk {
    head: Head,
    rows: u64,
    breaks: Vec<Break>,
}

async fn walk_chain(
    store: &dyn Store,
    anchor: Option<Head>,
    since: i64,
    archived: &mut shelf::Rereading<'_>,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<Walk, StoreError> {
    let mut platform = store.platform().await?;
    let mut walk = Walk {
        head: Head::EMPTY,
        rows: 0,
        breaks: Vec::new(),
    };
    let mut at_anchor = None;
    if since > 0
        && let Some(block) = platform.blocks_after(since - 1, 1).await?.into_iter().next()
    {
        let seq = block.leaves.last().map_or(0, |it| it.seq);
        // Read for what they add up to; the chain is not walked there.
        archived.take(seq);
        walk.head = Head {
            block: block.no,
            seq,
            hash: block.hash,
        };
        at_anchor = (anchor.is_some_and(|it| it.block == block.no)).then_some(block.hash);
    }
    loop {
        let blocks = platform.blocks_after(walk.head.block, 16).await?;
        if blocks.is_empty() {
            break;
        }
        for block in &blocks {
            let to = block.leaves.last().map_or(walk.head.seq, |it| it.seq);
            let mut after = walk.head.seq;
            let mut rows = archived.take(to);
            rows.retain(|it| it.seq > after);
            loop {
                let some = platform.journal_rows(after, to, FETCH).await?;
                let full = some.len() == FETCH as usize;
                after = some.last().map_or(after, |it| it.seq);
                rows.extend(some);
                if !full {
                    break;
                }
            }
            walk.rows += block.leaves.len() as u64;
            walk.head = chain::verify(&walk.head, block, &rows, &mut walk.breaks);
            walk.breaks
                .retain(|it| !matches!(it, Break::RowMissing { seq, .. } if archived.is_unread(*seq)));
            if anchor.is_some_and(|it| it.block == block.no) {
                at_anchor = Some(block.hash);
            }
            walk.breaks.truncate(1_000);
            progress(walk.rows);
        }
    }
    platform.rollback().await?;
    if let Some(anchor) = anchor.filter(|it| it.block >= since) {
        chain::verify_anchor(&anchor, &walk.head, at_anchor, &mut walk.breaks);
    }
    Ok(walk)
}
