//! Payouts: one per idempotency key, whatever happens to the calls.

use mizan_core::Timestamp;
use mizan_payments::EventKind;

use super::{Book, Dispatch, Refused, money, texts};
use crate::mockpsp::simulator::event::{Event, made_up_id};
use crate::mockpsp::simulator::fault::Group;
use crate::mockpsp::wire::{PAYOUT_NOT_FOUND, PayoutBody, PayoutStatus, PayoutView};

#[derive(Debug)]
pub(super) struct Payout {
    asked: PayoutBody,
    /// What became of it.
    view: PayoutView,
}

impl Book {
    /// Takes a payout and carries it out at once; the first answer is "accepted" all the same, as most providers
    /// do it. The same key with the same body is the same payout, answered with its state.
    pub(in crate::mockpsp::simulator) fn create_payout(
        &mut self,
        key: &str,
        body: PayoutBody,
        now: Timestamp,
    ) -> Result<(PayoutView, Option<Dispatch>), Refused> {
        if let Some(known) = self.payout_keys.get(key).and_then(|it| self.payouts.get(it)) {
            if known.asked != body {
                let detail = "another payout was asked for with this key".to_owned();
                return Err(Refused(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT", detail));
            }
            return Ok((known.view.clone(), None));
        }
        let amount = money(&body.amount, &body.currency)?;
        texts([
            ("Idempotency-Key", key),
            ("method", &body.method),
            ("address", &body.address),
            ("withdrawal", &body.withdrawal),
            ("player_id", &body.player_id),
            ("tenant_id", &body.tenant_id),
        ])?;
        let number = u64::try_from(self.payouts.len()).unwrap_or(u64::MAX);
        let payout_id = made_up_id(self.seed, "out", number);
        let event_id = self.next_event_id();
        let fails = self.faults.choose(Group::Payout, None, self.events);
        if let Some(plan) = &fails {
            self.faults.plant(plan.fault, &event_id, false);
        }
        let (kind, view) = if fails.is_some() {
            (EventKind::WithdrawFailed, failed(&payout_id, &event_id))
        } else {
            (EventKind::WithdrawPaid, paid(&payout_id, &event_id, now))
        };
        let event = Event {
            id: event_id,
            kind,
            provider_ref: payout_id.clone(),
            player: body.player_id.clone(),
            tenant: body.tenant_id.clone(),
            amount,
            withdrawal: Some(body.withdrawal.clone()),
            at: now,
        };
        self.payout_keys.insert(key.to_owned(), payout_id.clone());
        self.payouts
            .insert(payout_id.clone(), Payout { asked: body, view });
        Ok((accepted(&payout_id), self.happen(event)))
    }

    /// What became of the payout with this key or id.
    pub(in crate::mockpsp::simulator) fn payout(&self, key_or_id: &str) -> Result<PayoutView, Refused> {
        let id = self.payout_keys.get(key_or_id).map_or(key_or_id, String::as_str);
        self.payouts
            .get(id)
            .map(|it| it.view.clone())
            .ok_or_else(|| Refused(404, PAYOUT_NOT_FOUND, "there is no such payout".to_owned()))
    }
}

fn accepted(payout_id: &str) -> PayoutView {
    PayoutView {
        payout_id: payout_id.to_owned(),
        status: PayoutStatus::Accepted,
        event_id: None,
        at: None,
        reason: None,
    }
}

fn paid(payout_id: &str, event_id: &str, at: Timestamp) -> PayoutView {
    PayoutView {
        status: PayoutStatus::Paid,
        event_id: Some(event_id.to_owned()),
        at: Some(at),
        ..accepted(payout_id)
    }
}

fn failed(payout_id: &str, event_id: &str) -> PayoutView {
    PayoutView {
        status: PayoutStatus::Failed,
        event_id: Some(event_id.to_owned()),
        reason: Some("the receiving account is closed".to_owned()),
        ..accepted(payout_id)
    }
}
