//! Deposits. Whatever the order in which a provider's events arrive, the end is the same.
//!
//! The state only moves up a ladder (`initiated < authorized < failed < captured`): a late event of a lower
//! rung changes nothing, and money that arrived after a "failed" is still money that arrived. What is given
//! back after capture is kept in two sums, so refund and chargeback commute.

use mizan_core::{DepositId, Minor, Money, PlayerId, ProviderKey, Timestamp};

use crate::event::EventKind;

mizan_core::words! {
    pub enum DepositState {
        Initiated = "initiated",
        Authorized = "authorized",
        Failed = "failed",
        Captured = "captured",
        Refunded = "refunded",
        ChargedBack = "charged_back",
    }
}

impl DepositState {
    /// Whether the player's money has been credited at some time.
    pub fn has_captured(self) -> bool {
        self >= Self::Captured
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    pub id: DepositId,
    pub player: PlayerId,
    pub amount: Money,
    /// `test`, or the method that the provider's event implies (`psp`).
    pub method: String,
    pub provider: Option<ProviderKey>,
    /// The provider's reference; with the provider it names one deposit.
    pub provider_ref: Option<String>,
    pub state: DepositState,
    pub refunded: Minor,
    pub charged_back: Minor,
    pub created_at: Timestamp,
    pub captured_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// What an event does to a deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The deposit moves; no money does.
    Move(DepositState),
    /// Credit the wallet: `psp_clearing → available`.
    Capture,
    /// Take the amount back: `available → psp_clearing`.
    GiveBack { state: DepositState, amount: Money },
    /// Nothing is left to do.
    Nothing,
    /// The event is ahead of the one it depends on; keep it until that one came.
    Wait,
}

/// Why an event cannot be applied at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    #[error("the event's amount is {event}, the deposit's is {deposit}")]
    Amount { event: Money, deposit: Money },
    #[error("the event's currency is not the deposit's")]
    Currency,
    #[error("more would be given back than was captured")]
    TooMuchBack,
    #[error("the event names another player than the deposit")]
    Player,
    #[error("the event is not about a deposit")]
    NotADeposit,
}

/// Decides what `kind` with `amount` does. The caller has made sure that the event was not applied before.
pub fn decide(deposit: &Deposit, kind: EventKind, amount: Money) -> Result<Step, Conflict> {
    if amount.currency != deposit.amount.currency {
        return Err(Conflict::Currency);
    }
    match kind {
        EventKind::DepositAuthorized => Ok(raise(deposit, DepositState::Authorized)),
        EventKind::DepositFailed => Ok(raise(deposit, DepositState::Failed)),
        EventKind::DepositCaptured if amount != deposit.amount => Err(Conflict::Amount {
            event: amount,
            deposit: deposit.amount,
        }),
        EventKind::DepositCaptured if deposit.state.has_captured() => Ok(Step::Nothing),
        EventKind::DepositCaptured => Ok(Step::Capture),
        EventKind::DepositRefunded => give_back(deposit, amount, DepositState::Refunded),
        EventKind::DepositChargedBack => give_back(deposit, amount, DepositState::ChargedBack),
        _ => Err(Conflict::NotADeposit),
    }
}

fn raise(deposit: &Deposit, to: DepositState) -> Step {
    if deposit.state < to {
        Step::Move(to)
    } else {
        Step::Nothing
    }
}

fn give_back(deposit: &Deposit, amount: Money, to: DepositState) -> Result<Step, Conflict> {
    if !deposit.state.has_captured() {
        return Ok(Step::Wait);
    }
    let back = deposit
        .refunded
        .checked_add(deposit.charged_back)
        .and_then(|it| it.checked_add(amount.minor));
    if back.is_none_or(|it| it > deposit.amount.minor) {
        return Err(Conflict::TooMuchBack);
    }
    Ok(Step::GiveBack {
        state: deposit.state.max(to),
        amount,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mizan_core::Currency;
    use proptest::prelude::*;

    use super::*;

    fn deposit(state: DepositState) -> Deposit {
        Deposit {
            id: DepositId::new(),
            player: PlayerId::new(),
            amount: Money::new(1000, Currency::TRY),
            method: "psp".into(),
            provider: None,
            provider_ref: None,
            state,
            refunded: 0,
            charged_back: 0,
            created_at: DateTime::UNIX_EPOCH,
            captured_at: None,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn apply(deposit: &mut Deposit, kind: EventKind, minor: i64) -> bool {
        match decide(deposit, kind, Money::new(minor, Currency::TRY)) {
            Ok(Step::Move(state)) => deposit.state = state,
            Ok(Step::Capture) => deposit.state = DepositState::Captured,
            Ok(Step::GiveBack { state, amount }) => {
                deposit.state = state;
                match kind {
                    EventKind::DepositRefunded => deposit.refunded += amount.minor,
                    _ => deposit.charged_back += amount.minor,
                }
            }
            Ok(Step::Wait) => return false,
            Ok(Step::Nothing) | Err(_) => {}
        }
        true
    }

    #[test]
    fn wrong_events_are_conflicts() {
        let money = |minor, currency| Money::new(minor, currency);
        let it = deposit(DepositState::Captured);
        assert_eq!(
            decide(&it, EventKind::DepositRefunded, money(1001, Currency::TRY)),
            Err(Conflict::TooMuchBack)
        );
        assert_eq!(
            decide(&it, EventKind::DepositRefunded, money(1, Currency::EUR)),
            Err(Conflict::Currency)
        );
        assert_eq!(
            decide(&it, EventKind::WithdrawPaid, money(1, Currency::TRY)),
            Err(Conflict::NotADeposit)
        );
        let it = deposit(DepositState::Authorized);
        assert!(matches!(
            decide(&it, EventKind::DepositCaptured, money(999, Currency::TRY)),
            Err(Conflict::Amount { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_order_of_related_events_ends_in_the_same_state(order in Just(vec![
            (EventKind::DepositAuthorized, 1000), (EventKind::DepositFailed, 1000),
            (EventKind::DepositCaptured, 1000), (EventKind::DepositRefunded, 300),
            (EventKind::DepositChargedBack, 200), (EventKind::DepositCaptured, 1000),
        ]).prop_shuffle()) {
            let mut it = deposit(DepositState::Initiated);
            let mut waiting = order;
            for _ in 0..3 {
                waiting.retain(|(kind, minor)| !apply(&mut it, *kind, *minor));
            }
            prop_assert!(waiting.is_empty());
            prop_assert_eq!((it.state, it.refunded, it.charged_back), (DepositState::ChargedBack, 300, 200));
        }
    }
}
