//! Runs a story again when a rival came first. Bounded, and counted.

use std::time::Duration;

use mizan_payments::provider::ProviderError;
use mizan_recon::engine::MatchError;

use crate::objects::ObjectError;
use crate::{FlowError, Result};

/// How often a story is told at the most.
const TRIES: u32 = 8;

/// Runs `story` until it ends in something other than a collision, at most eight times, with a short random
/// pause that doubles.
pub async fn retrying<T, F, S>(name: &'static str, story: S) -> Result<T>
where
    S: Fn() -> F,
    F: Future<Output = Result<T>>,
{
    let mut pause = Duration::from_millis(2);
    for left in (0..TRIES).rev() {
        match story().await {
            Err(error) if error.may_retry() && left > 0 => {
                metrics::counter!("mizan_collisions_total", "story" => name).increment(1);
                tracing::debug!(story = name, %error, "another transaction came first, trying again");
                tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            ended => return ended,
        }
    }
    unreachable!("the last try returns whatever it ended in")
}

/// Whether an error is one that time heals: the database is away, or too many came at once.
pub fn is_passing(error: &FlowError) -> bool {
    use mizan_store::StoreError;
    match error {
        FlowError::Busy | FlowError::Interrupted => true,
        FlowError::Objects(error) => !matches!(error, ObjectError::Missing { .. }),
        // Room on a disk is made by people, or by the next run that ends.
        FlowError::Matching(error) => matches!(error, MatchError::Spill { .. }),
        FlowError::Provider(error) => *error != ProviderError::NotOffered,
        FlowError::Store(error) => {
            matches!(
                error,
                StoreError::Unavailable(_) | StoreError::Collision { .. } | StoreError::Database(_)
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_full_spill_directory_heals_and_an_unreadable_statement_does_not() {
        let full = MatchError::Spill {
            dir: "/spill".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        assert!(is_passing(&FlowError::Matching(full)));
        assert!(!is_passing(&FlowError::invalid("statement", "line 3")));
    }
}
