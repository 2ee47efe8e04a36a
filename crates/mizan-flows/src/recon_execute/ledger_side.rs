//! The ledger's side on its way from the store to the engine, which blocks a thread of its own: a few batches are
//! under way at a time, whatever the size of the window.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, TimeWindow};
use mizan_recon::statement::{Batches, StatementError};
use mizan_recon::{LineBatch, LineSource};
use mizan_store::effects::EffectSink;
use tokio::sync::{mpsc, oneshot};

use crate::{App, Result};

/// Batches that wait for the engine.
const AHEAD: usize = 4;

pub(super) enum Message {
    Batch(LineBatch),
    /// Without it the window is not complete.
    End,
}

pub(super) struct Sender {
    wanted: oneshot::Receiver<()>,
    batches: mpsc::Sender<Message>,
}

pub(super) struct Receiver {
    want: oneshot::Sender<()>,
    batches: mpsc::Receiver<Message>,
}

#[derive(Debug, thiserror::Error)]
#[error("the store stopped sending before the end of the window")]
struct Stopped;

pub(super) fn channel() -> (Sender, Receiver) {
    let (want, wanted) = oneshot::channel();
    let (send, receive) = mpsc::channel(AHEAD);
    let sender = Sender {
        wanted,
        batches: send,
    };
    (
        sender,
        Receiver {
            want,
            batches: receive,
        },
    )
}

impl Sender {
    /// Waits until the engine asks for this side, so that no query stands open meanwhile, and streams the window.
    pub(super) async fn send(
        mut self,
        app: &App,
        tenant: TenantId,
        provider: &ProviderKey,
        window: TimeWindow,
    ) -> Result<()> {
        if (&mut self.wanted).await.is_err() {
            return Ok(()); // the engine failed before it came this far, and says why
        }
        let mut tx = app.store.read(tenant).await?;
        tx.stream_effects(provider, window, &mut self).await?;
        tx.rollback().await?;
        let _ = self.batches.send(Message::End).await;
        Ok(())
    }
}

#[async_trait]
impl EffectSink for Sender {
    async fn take(&mut self, batch: LineBatch) -> bool {
        self.batches.send(Message::Batch(batch)).await.is_ok()
    }
}

impl Receiver {
    /// To be read on a thread that may block.
    pub(super) fn source(self) -> impl LineSource {
        let (mut want, mut batches) = (Some(self.want), self.batches);
        Batches::new("ledger", move || {
            if let Some(want) = want.take() {
                let _ = want.send(());
            }
            match batches.blocking_recv() {
                Some(Message::Batch(batch)) => Ok(Some(batch)),
                Some(Message::End) => Ok(None),
                None => Err(StatementError::BrokenOff {
                    source: Box::new(Stopped),
                }),
            }
        })
    }
}
