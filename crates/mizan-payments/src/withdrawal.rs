//! Withdrawals: one table of allowed moves, and the money that each move takes with it.
//!
//! Asking for the state that already holds does nothing; everything that is not in the table is refused.

use mizan_core::{Minor, Money, PlayerId, ProviderKey, Timestamp, WithdrawalId};

mizan_core::words! {
    pub enum WithdrawalState {
        Requested = "requested",
        Approved = "approved",
        Rejected = "rejected",
        Cancelled = "cancelled",
        PayoutPending = "payout_pending",
        PayoutUnknown = "payout_unknown",
        PayoutFailed = "payout_failed",
        Paid = "paid",
    }
}

impl WithdrawalState {
    /// An open withdrawal has its amount held.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Rejected | Self::Cancelled | Self::Paid)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    pub id: WithdrawalId,
    pub player: PlayerId,
    pub amount: Money,
    pub method: String,
    /// Where the money goes: an IBAN or a wallet address. Shown masked.
    pub address: String,
    pub state: WithdrawalState,
    /// Who executes the payout; set when one is started.
    pub provider: Option<ProviderKey>,
    /// What the wallet had available after the hold.
    pub balance_after: Minor,
    /// The one who asked, as audit rows name them.
    pub requested_by: String,
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<Timestamp>,
    pub reason: Option<String>,
    pub paid_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What someone wants of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Approve,
    Reject,
    Cancel,
    /// Start a payout through a provider: the first one, or a new attempt after a failure.
    StartPayout,
    /// Record a payout that was made by hand.
    MarkPaid,
    /// The provider confirmed it.
    ConfirmPaid,
    /// The provider refused it, for certain.
    ConfirmFailed,
    /// The provider's answer was lost or unreadable.
    LoseSight,
}

/// The money that a move takes with it. Each can happen once per withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// `available → held`
    Hold,
    /// `held → available`
    Release,
    /// `held → psp_clearing`
    PaidByProvider,
    /// `held → payouts_in_transit`
    PaidByHand,
}

impl Effect {
    /// The name that makes the effect's transaction id. Both ways of paying share one, as do rejecting and
    /// cancelling: a hold ends once.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release | Self::PaidByProvider | Self::PaidByHand => "end_of_hold",
        }
    }
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Move {
        to: WithdrawalState,
        effect: Option<Effect>,
    },
    /// The state that was asked for already holds.
    AlreadyThere,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a withdrawal that is {from} cannot be {wanted}")]
pub struct InvalidTransition {
    pub from: WithdrawalState,
    pub wanted: &'static str,
}

impl Command {
    fn wanted(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Cancel => "cancelled",
            Self::StartPayout => "paid out",
            Self::MarkPaid => "marked paid",
            Self::ConfirmPaid => "confirmed as paid",
            Self::ConfirmFailed => "confirmed as failed",
            Self::LoseSight => "unknown",
        }
    }
}

/// Decides a command. The table of `docs/withdrawals.md`, line for line.
pub fn decide(from: WithdrawalState, command: Command) -> Result<Step, InvalidTransition> {
    use Command as C;
    use WithdrawalState as S;
    let (to, effect) = match (from, command) {
        (S::Requested, C::Approve) => (S::Approved, None),
        (S::Requested | S::PayoutFailed, C::Reject) => (S::Rejected, Some(Effect::Release)),
        (S::Requested, C::Cancel) => (S::Cancelled, Some(Effect::Release)),
        (S::Approved | S::PayoutFailed, C::StartPayout) => (S::PayoutPending, None),
        (S::Approved, C::MarkPaid) => (S::Paid, Some(Effect::PaidByHand)),
        (S::PayoutPending | S::PayoutUnknown, C::ConfirmPaid) => (S::Paid, Some(Effect::PaidByProvider)),
        (S::PayoutPending | S::PayoutUnknown, C::ConfirmFailed) => (S::PayoutFailed, None),
        (S::PayoutPending, C::LoseSight) => (S::PayoutUnknown, None),
        (S::Approved, C::Approve)
        | (S::Rejected, C::Reject)
        | (S::Cancelled, C::Cancel)
        | (S::PayoutPending, C::StartPayout)
        | (S::Paid, C::MarkPaid | C::ConfirmPaid)
        | (S::PayoutFailed, C::ConfirmFailed)
        | (S::PayoutUnknown, C::LoseSight) => return Ok(Step::AlreadyThere),
        _ => {
            return Err(InvalidTransition {
                from,
                wanted: command.wanted(),
            });
        }
    };
    Ok(Step::Move { to, effect })
}

/// Whether an event that cannot be applied now may become applicable later: a payout is still possible.
pub fn may_still_be_paid_out(state: WithdrawalState) -> bool {
    matches!(
        state,
        WithdrawalState::Requested | WithdrawalState::Approved | WithdrawalState::PayoutFailed
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMANDS: [Command; 8] = [
        Command::Approve,
        Command::Reject,
        Command::Cancel,
        Command::StartPayout,
        Command::MarkPaid,
        Command::ConfirmPaid,
        Command::ConfirmFailed,
        Command::LoseSight,
    ];

    #[test]
    fn only_what_the_table_names_is_allowed() {
        // Columns: approve, reject, cancel, start, mark paid, confirm paid, confirm failed, lose sight.
        // m = moves, . = holds already, x = refused.
        let table = [
            (WithdrawalState::Requested, "mmmxxxxx"),
            (WithdrawalState::Approved, ".xxmmxxx"),
            (WithdrawalState::Rejected, "x.xxxxxx"),
            (WithdrawalState::Cancelled, "xx.xxxxx"),
            (WithdrawalState::PayoutPending, "xxx.xmmm"),
            (WithdrawalState::PayoutUnknown, "xxxxxmm."),
            (WithdrawalState::PayoutFailed, "xmxmxx.x"),
            (WithdrawalState::Paid, "xxxx..xx"),
        ];
        for (state, expected) in table {
            let seen: String = COMMANDS
                .iter()
                .map(|command| match decide(state, *command) {
                    Ok(Step::Move { .. }) => 'm',
                    Ok(Step::AlreadyThere) => '.',
                    Err(_) => 'x',
                })
                .collect();
            assert_eq!(seen, expected, "{state}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_tried_the_hold_ends_once_and_only_when_the_state_is_final(
            commands in prop::collection::vec(prop::sample::select(COMMANDS.to_vec()), 0..40),
        ) {
            let (mut state, mut held) = (WithdrawalState::Requested, 1);
            for command in commands {
                if let Ok(Step::Move { to, effect }) = decide(state, command) {
                    prop_assert!(state.is_open(), "a final state never moves");
                    state = to;
                    held -= i32::from(effect.is_some());
                }
            }
            prop_assert_eq!(held, i32::from(state.is_open()));
        }
    }
}
