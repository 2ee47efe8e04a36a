//! What the simulator knows: payments, payouts and the rows of its statement. No I/O; the caller holds the lock
//! from a decision until its webhooks are in their lanes, so that they leave in the order of the decisions.

mod payments;
mod payouts;

use std::collections::{HashMap, HashSet};

use mizan_core::{Currency, Money};

use self::payments::Payment;
pub(super) use self::payments::{GiveBack, PaymentBody, PaymentView};
use self::payouts::Payout;
use super::event::{Event, made_up_id};
use super::fault::{Fault, Faults, Group, Plan};
use super::statement::Row;
use crate::event_body::check_id;

/// Everything behind the lock.
#[derive(Debug)]
pub(super) struct Book {
    seed: u64,
    fee_basis_points: u32,
    events: u64,
    /// Calls that may be planted with a fault.
    calls: u64,
    payments: HashMap<String, Payment>,
    /// Idempotency key to what was asked and the payment that it made.
    payment_keys: HashMap<String, (PaymentBody, String)>,
    payouts: HashMap<String, Payout>,
    payout_keys: HashMap<String, String>,
    /// Payments whose capture was never told: nothing of them is.
    silenced: HashSet<String>,
    pub(super) rows: Vec<Row>,
    pub(super) faults: Faults,
}

/// A webhook to be delivered, and what is to go wrong with it. Those of one lane stay in order.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub lane: String,
    pub event_id: String,
    pub body: Vec<u8>,
    pub fault: Option<Plan>,
}

/// Why a call is refused: status, code and detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub u16, pub &'static str, pub String);

impl Book {
    pub(super) fn new(seed: u64, fee_basis_points: u32, plans: Vec<Plan>) -> Self {
        Self {
            seed,
            fee_basis_points,
            events: 0,
            calls: 0,
            payments: HashMap::new(),
            payment_keys: HashMap::new(),
            payouts: HashMap::new(),
            payout_keys: HashMap::new(),
            silenced: HashSet::new(),
            rows: Vec::new(),
            faults: Faults::new(seed, plans),
        }
    }

    /// Chooses the fault of one call.
    pub(super) fn fault_of_call(&mut self, group: Group) -> Option<Fault> {
        self.calls += 1;
        self.faults.choose(group, None, self.calls).map(|it| it.fault)
    }

    fn next_event_id(&mut self) -> String {
        self.events += 1;
        made_up_id(self.seed, "evt", self.events)
    }

    /// Lets an event happen: its row in the statement, its webhook, and what is planted on either.
    fn happen(&mut self, event: Event) -> Option<Dispatch> {
        let in_statement = event.statement_type().is_some();
        let delivery = self.delivery_fault(&event);
        let dropped = delivery.as_ref().is_some_and(|it| it.fault == Fault::WebhookDrop);
        if let Some(plan) = &delivery {
            self.faults.plant(plan.fault, &event.id, in_statement);
        }
        if let Some(mut row) = Row::of(&event, self.fee_basis_points) {
            // A second fault on a row that is missing on the other side would hide the first.
            let plan = if dropped {
                None
            } else {
                self.faults
                    .choose(Group::Statement, Some(event.kind), self.events)
            };
            if let Some(plan) = plan
                && row.spoil(&plan)
            {
                self.faults.plant(plan.fault, &event.id, true);
            }
            self.rows.push(row);
        }
        (!dropped).then(|| Dispatch {
            body: event.body(),
            lane: event.provider_ref,
            event_id: event.id,
            fault: delivery,
        })
    }

    fn delivery_fault(&mut self, event: &Event) -> Option<Plan> {
        if self.silenced.contains(&event.provider_ref) {
            return Some(Plan::next(Fault::WebhookDrop, 1));
        }
        let plan = self
            .faults
            .choose(Group::Delivery, Some(event.kind), self.events)?;
        let captured = event.kind == mizan_payments::EventKind::DepositCaptured;
        if plan.fault == Fault::WebhookDrop && captured {
            self.silenced.insert(event.provider_ref.clone());
        }
        Some(plan)
    }
}

/// Reads a positive amount.
fn money(amount: &str, currency: &str) -> Result<Money, Refused> {
    let unknown =
        |it: mizan_core::currency::UnknownCurrency| Refused(422, "CURRENCY_INVALID", it.to_string());
    let currency: Currency = currency.parse().map_err(unknown)?;
    let money =
        Money::parse(amount, currency).map_err(|error| Refused(422, "AMOUNT_INVALID", error.to_string()))?;
    if money.minor <= 0 {
        let detail = "an amount must be greater than zero".to_owned();
        return Err(Refused(422, "AMOUNT_INVALID", detail));
    }
    Ok(money)
}

/// Checks texts that come back in events.
fn texts<const N: usize>(fields: [(&'static str, &str); N]) -> Result<(), Refused> {
    fields.into_iter().try_for_each(|(name, value)| {
        check_id(name, value, 255).map_err(|error| Refused(422, "FIELD_INVALID", error.to_string()))
    })
}
