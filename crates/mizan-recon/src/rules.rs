//! What counts as the same: tolerances, severities, and the window a run answers for.

pub mod file;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mizan_core::{Currency, TimeWindow, Timestamp};

use crate::finding::{FindingType, Severity};
use crate::line::{Line, LineStatus};

/// The rules of one run. The default compares everything, exactly.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    tolerance: BTreeMap<Currency, u64>,
    fee_tolerance: BTreeMap<Currency, u64>,
    severity: BTreeMap<FindingType, Severity>,
    span: Option<Span>,
}

/// The window of a run and how late a provider may be.
#[derive(Debug, Clone, Copy)]
struct Span {
    window: TimeWindow,
    settlement_lag: TimeDelta,
    margin: TimeDelta,
    /// How far rows of other windows may be that rule legs need.
    reach: TimeDelta,
}

impl Rules {
    /// How far amounts of a currency may differ, in minor units: exactly this much still matches.
    #[must_use]
    pub fn with_tolerance(mut self, currency: Currency, minor: u64) -> Self {
        self.tolerance.insert(currency, minor);
        self
    }

    /// The same for fees.
    #[must_use]
    pub fn with_fee_tolerance(mut self, currency: Currency, minor: u64) -> Self {
        self.fee_tolerance.insert(currency, minor);
        self
    }

    #[must_use]
    pub fn with_severity(mut self, finding_type: FindingType, severity: Severity) -> Self {
        self.severity.insert(finding_type, severity);
        self
    }

    /// Answers only for the half-open `window`; hand in the rows of [`Self::reading_window`].
    ///
    /// A pair, and a row that only the provider has, belong to the window of the provider's row. A row that
    /// only the ledger has is judged once the provider had `settlement_lag` to report it: it belongs to the
    /// window that its time plus the lag falls into. So windows that follow each other judge every row
    /// once, and a normal lag is no finding. `margin` is how much further apart the clocks of both sides may be.
    #[must_use]
    pub fn with_window(mut self, window: TimeWindow, settlement_lag: TimeDelta, margin: TimeDelta) -> Self {
        self.span = Some(Span {
            window,
            settlement_lag: settlement_lag.max(TimeDelta::zero()),
            margin: margin.max(TimeDelta::zero()),
            reach: TimeDelta::zero(),
        });
        self
    }

    /// Reads so much more on both ends of the window, for legs that bring rows together over its edge.
    #[must_use]
    pub fn with_reach(mut self, reach: TimeDelta) -> Self {
        if let Some(span) = &mut self.span {
            span.reach = reach.max(TimeDelta::zero());
        }
        self
    }

    pub fn window(&self) -> Option<TimeWindow> {
        self.span.map(|it| it.window)
    }

    /// What to read of both sides, so that a partner just outside the window is still found.
    pub fn reading_window(&self) -> Option<TimeWindow> {
        let span = self.span?;
        let more = span
            .settlement_lag
            .checked_add(&span.margin)?
            .checked_add(&span.reach)?;
        let start = span.window.start().checked_sub_signed(more)?;
        let end = span.window.end().checked_add_signed(more)?;
        TimeWindow::new(start, end).ok()
    }

    /// Whose rows that only the ledger has the run answers for: the window, the settlement lag earlier.
    pub fn lone_ledger_window(&self) -> Option<TimeWindow> {
        let span = self.span?;
        let start = span.window.start().checked_sub_signed(span.settlement_lag)?;
        let end = span.window.end().checked_sub_signed(span.settlement_lag)?;
        TimeWindow::new(start, end).ok()
    }

    /// Whether a row without a partner that another window answers for is of use to this one.
    pub(crate) fn wants_neighbour(&self, at: Timestamp) -> bool {
        self.span
            .is_some_and(|it| it.settlement_lag > TimeDelta::zero() || it.reach > TimeDelta::zero())
            && self.reading_window().is_some_and(|it| it.contains(at))
    }

    pub fn tolerance(&self, currency: Currency) -> u64 {
        self.tolerance.get(&currency).copied().unwrap_or_default()
    }

    pub fn fee_tolerance(&self, currency: Currency) -> u64 {
        self.fee_tolerance.get(&currency).copied().unwrap_or_default()
    }

    pub fn severity(&self, finding_type: FindingType) -> Severity {
        self.severity
            .get(&finding_type)
            .copied()
            .unwrap_or(match finding_type {
                FindingType::CurrencyMismatch | FindingType::DuplicateInLedger => Severity::Critical,
                FindingType::MissingInLedger
                | FindingType::MissingInPsp
                | FindingType::AmountMismatch
                | FindingType::StatusMismatch
                | FindingType::MissingInBank
                | FindingType::PayoutMismatch => Severity::Error,
                FindingType::DuplicateInPsp | FindingType::FeeMismatch | FindingType::AmbiguousMatch => {
                    Severity::Warn
                }
            })
    }

    /// A row that failed moved no money, so that the other side does not have it is only worth a note.
    pub(crate) fn severity_of_missing(&self, finding_type: FindingType, line: &Line) -> Severity {
        if line.status == LineStatus::Failed && !self.severity.contains_key(&finding_type) {
            Severity::Info
        } else {
            self.severity(finding_type)
        }
    }

    /// Whether the run answers for what the provider says at this time.
    pub(crate) fn owns_statement(&self, at: Timestamp) -> bool {
        self.span.is_none_or(|it| it.window.contains(at))
    }

    /// The same, for microseconds since 1970.
    pub(crate) fn owns_statement_at(&self, micros: i64) -> bool {
        self.span.is_none_or(|it| {
            let (start, end) = (it.window.start(), it.window.end());
            (start.timestamp_micros()..end.timestamp_micros()).contains(&micros)
        })
    }

    /// Whether the run answers for a ledger row that the provider does not have.
    pub(crate) fn owns_lone_ledger(&self, at: Timestamp) -> bool {
        self.span.is_none_or(|it| {
            at.checked_add_signed(it.settlement_lag)
                .is_some_and(|due| it.window.contains(due))
        })
    }
}
