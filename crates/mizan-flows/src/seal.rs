//! Sealing the journal behind the commits: complete rows become blocks of the tamper-evidence chain.

use mizan_core::Clock;
use mizan_ledger::chain::{self, Head};
use mizan_store::Store;

use crate::Result;

/// The most rows of one block.
const BLOCK: u32 = 4_096;

/// Seals one block of the rows up to `complete`. `None` if there is nothing to seal, or another process is
/// sealing. Where `complete` is not known yet it is found out, which waits for the postings under way.
async fn seal_block(
    store: &dyn Store,
    clock: &dyn Clock,
    complete: &mut Option<i64>,
) -> Result<Option<Head>> {
    let mut platform = store.platform().await?;
    if !platform.lock_chain().await? {
        return Ok(None);
    }
    let head = platform.chain_head().await?;
    let up_to = match *complete {
        Some(up_to) => up_to,
        None => *complete.insert(platform.complete_up_to().await?),
    };
    let rows = platform.journal_rows(head.seq, up_to, BLOCK).await?;
    let Some(block) = chain::seal(&head, &rows) else {
        return Ok(None);
    };
    platform.insert_block(&block, clock.now()).await?;
    platform.commit().await?;
    let seq = block.leaves.last().map_or(head.seq, |it| it.seq);
    Ok(Some(Head {
        block: block.no,
        seq,
        hash: block.hash,
    }))
}

/// Seals what is complete now, and returns the head if it moved. What is posted meanwhile is left for the next
/// time: finding out what is complete holds postings up, so it is done once.
pub async fn seal_all(store: &dyn Store, clock: &dyn Clock) -> Result<Option<Head>> {
    let (mut complete, mut last) = (None, None);
    while let Some(head) = seal_block(store, clock, &mut complete).await? {
        last = Some(head);
    }
    Ok(last)
}
