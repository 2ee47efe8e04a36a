//! Payments: made, declined, refunded, charged back.

use mizan_core::{Money, Timestamp};
use mizan_payments::EventKind;
use serde::{Deserialize, Serialize};

use super::{Book, Dispatch, Refused, money, texts};
use crate::mockpsp::simulator::event::{Event, made_up_id};

/// `POST /payments`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mockpsp::simulator) struct PaymentBody {
    pub player_id: String,
    pub tenant_id: String,
    pub amount: String,
    pub currency: String,
    #[serde(default)]
    pub method: Option<String>,
    /// Tell of the authorisation as well, before the capture.
    #[serde(default)]
    pub authorize: bool,
    /// Fail instead of capturing.
    #[serde(default)]
    pub decline: bool,
}

/// What a payment's calls answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::mockpsp::simulator) struct PaymentView {
    pub payment_id: String,
    pub status: &'static str,
    /// Given back so far, in major units.
    pub given_back: String,
    /// The events of the payment so far, in order.
    pub event_ids: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Payment {
    player: String,
    tenant: String,
    amount: Money,
    captured: bool,
    given_back: i64,
    event_ids: Vec<String>,
}

/// The two ways in which money goes back.
#[derive(Debug, Clone, Copy)]
pub(in crate::mockpsp::simulator) enum GiveBack {
    Refund,
    Chargeback,
}

impl Book {
    /// Makes a payment. The same key with the same body is the same payment, and nothing happens.
    pub(in crate::mockpsp::simulator) fn create_payment(
        &mut self,
        body: PaymentBody,
        key: Option<String>,
        now: Timestamp,
    ) -> Result<(PaymentView, Vec<Dispatch>), Refused> {
        if let Some((first, id)) = key.as_ref().and_then(|it| self.payment_keys.get(it)) {
            if *first != body {
                let detail = "another payment was made with this key".to_owned();
                return Err(Refused(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT", detail));
            }
            return Ok((self.payment_view(&id.clone())?, Vec::new()));
        }
        let amount = money(&body.amount, &body.currency)?;
        texts([("player_id", &body.player_id), ("tenant_id", &body.tenant_id)])?;
        let number = u64::try_from(self.payments.len()).unwrap_or(u64::MAX);
        let id = made_up_id(self.seed, "pay", number);
        let payment = Payment {
            player: body.player_id.clone(),
            tenant: body.tenant_id.clone(),
            amount,
            captured: !body.decline,
            given_back: 0,
            event_ids: Vec::new(),
        };
        self.payments.insert(id.clone(), payment);
        let mut dispatches = Vec::new();
        if body.authorize {
            dispatches.extend(self.payment_event(&id, EventKind::DepositAuthorized, amount, now)?);
        }
        let last = if body.decline {
            EventKind::DepositFailed
        } else {
            EventKind::DepositCaptured
        };
        dispatches.extend(self.payment_event(&id, last, amount, now)?);
        if let Some(key) = key {
            self.payment_keys.insert(key, (body, id.clone()));
        }
        Ok((self.payment_view(&id)?, dispatches))
    }

    /// Gives back `amount` (major units), or all that is left.
    pub(in crate::mockpsp::simulator) fn give_back(
        &mut self,
        id: &str,
        how: GiveBack,
        amount: Option<&str>,
        now: Timestamp,
    ) -> Result<(PaymentView, Vec<Dispatch>), Refused> {
        let payment = self.payments.get_mut(id).ok_or_else(not_found)?;
        let left = if payment.captured {
            payment.amount.minor - payment.given_back
        } else {
            0
        };
        let asked = match amount {
            Some(text) => money(text, payment.amount.currency.code())?.minor,
            None => left,
        };
        if asked > left || asked == 0 {
            let detail = format!("only {} is left", Money::new(left, payment.amount.currency));
            return Err(Refused(422, "AMOUNT_TOO_LARGE", detail));
        }
        payment.given_back += asked;
        let amount = Money::new(asked, payment.amount.currency);
        let kind = match how {
            GiveBack::Refund => EventKind::DepositRefunded,
            GiveBack::Chargeback => EventKind::DepositChargedBack,
        };
        let dispatch = self.payment_event(id, kind, amount, now)?;
        Ok((self.payment_view(id)?, dispatch.into_iter().collect()))
    }

    fn payment_event(
        &mut self,
        id: &str,
        kind: EventKind,
        amount: Money,
        at: Timestamp,
    ) -> Result<Option<Dispatch>, Refused> {
        let event_id = self.next_event_id();
        let payment = self.payments.get_mut(id).ok_or_else(not_found)?;
        payment.event_ids.push(event_id.clone());
        let event = Event {
            id: event_id,
            kind,
            provider_ref: id.to_owned(),
            player: payment.player.clone(),
            tenant: payment.tenant.clone(),
            amount,
            withdrawal: None,
            at,
        };
        Ok(self.happen(event))
    }

    fn payment_view(&self, id: &str) -> Result<PaymentView, Refused> {
        let payment = self.payments.get(id).ok_or_else(not_found)?;
        Ok(PaymentView {
            payment_id: id.to_owned(),
            status: if payment.captured { "captured" } else { "failed" },
            given_back: Money::new(payment.given_back, payment.amount.currency).major(),
            event_ids: payment.event_ids.clone(),
        })
    }
}

fn not_found() -> Refused {
    Refused(404, "PAYMENT_NOT_FOUND", "there is no such payment".to_owned())
}
