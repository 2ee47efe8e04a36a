//! The plans that are in force, the choice of what happens next, and the list of what was planted.

use mizan_payments::EventKind;
use rand::RngExt;

use super::{Fault, Group, Plan, Planted};
use crate::mockpsp::simulator::event::draw;

/// Plans and what came of them.
#[derive(Debug)]
pub(in crate::mockpsp::simulator) struct Faults {
    seed: u64,
    plans: Vec<Plan>,
    planted: Vec<Planted>,
}

impl Faults {
    pub(in crate::mockpsp::simulator) fn new(seed: u64, plans: Vec<Plan>) -> Self {
        let mut faults = Self {
            seed,
            plans: Vec::new(),
            planted: Vec::new(),
        };
        faults.configure(plans);
        faults
    }

    /// Replaces the plan of each fault that is named; the others stay.
    pub(in crate::mockpsp::simulator) fn configure(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            self.plans.retain(|it| it.fault != plan.fault);
            self.plans.push(plan);
        }
        self.plans.sort_by_key(|it| it.fault);
    }

    pub(in crate::mockpsp::simulator) fn plans(&self) -> &[Plan] {
        &self.plans
    }

    pub(in crate::mockpsp::simulator) fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// What happens to event (or call) number `number`. Every number draws for itself, so that a fault more or
    /// less does not move all that come after it.
    pub(in crate::mockpsp::simulator) fn choose(
        &mut self,
        group: Group,
        kind: Option<EventKind>,
        number: u64,
    ) -> Option<Plan> {
        let mut rng = draw(self.seed, &format!("{group:?}"), number);
        for plan in self.plans.iter_mut().filter(|it| it.fault.group() == group) {
            if !acts_on(plan, kind) {
                continue;
            }
            if plan.next > 0 {
                plan.next -= 1;
                return Some(plan.clone());
            }
            if rng.random_ratio(plan.per_10_000.min(10_000), 10_000) {
                return Some(plan.clone());
            }
        }
        None
    }

    /// Writes down what was planted. `in_statement`: whether anybody can ever see that something is missing.
    pub(in crate::mockpsp::simulator) fn plant(&mut self, fault: Fault, event_id: &str, in_statement: bool) {
        self.planted.push(Planted {
            fault,
            event_id: event_id.to_owned(),
            expected_finding: fault.expected_finding().filter(|_| in_statement),
        });
    }
}

fn acts_on(plan: &Plan, kind: Option<EventKind>) -> bool {
    let Some(kind) = kind else { return true };
    if plan.event_types.is_empty() {
        let paid_out = matches!(kind, EventKind::WithdrawPaid | EventKind::WithdrawFailed);
        let in_statement = !matches!(
            kind,
            EventKind::DepositAuthorized | EventKind::DepositFailed | EventKind::WithdrawFailed
        );
        return match plan.fault {
            Fault::WebhookDrop => in_statement && !paid_out,
            _ => true,
        };
    }
    plan.event_types.iter().any(|it| it == kind.as_str())
}
