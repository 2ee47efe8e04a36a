//! The statement: one row per movement of money, with what was planted on it, as CSV of the generic format.

use mizan_core::{Currency, Money, TimeWindow, Timestamp};

use super::event::Event;
use super::fault::{Fault, Plan};

const COLUMNS: [&str; 9] = [
    "provider_event_id",
    "provider_ref",
    "type",
    "amount",
    "fee",
    "currency",
    "status",
    "occurred_at",
    "payout_id",
];

/// One row, as it will be written.
#[derive(Debug)]
pub(super) struct Row {
    event_id: String,
    provider_ref: String,
    kind: &'static str,
    amount: Money,
    fee: i64,
    status: &'static str,
    at: Timestamp,
    /// 0, 1 or 2: a row may be left out or be there twice.
    copies: usize,
}

impl Row {
    /// The row of an event; `None` where no money moved.
    pub(super) fn of(event: &Event, fee_basis_points: u32) -> Option<Self> {
        let kind = event.statement_type()?;
        let fee = if kind == "deposit" {
            let exact = i128::from(event.amount.minor) * i128::from(fee_basis_points) / 10_000;
            i64::try_from(exact).unwrap_or(i64::MAX)
        } else {
            0
        };
        Some(Self {
            event_id: event.id.clone(),
            provider_ref: event.provider_ref.clone(),
            kind,
            amount: event.amount,
            fee,
            status: "settled",
            at: event.at,
            copies: 1,
        })
    }

    /// Plants a fault; `false` if that is not possible here.
    pub(super) fn spoil(&mut self, plan: &Plan) -> bool {
        match plan.fault {
            Fault::StatementAlter => match altered(self.amount.minor, plan.minor) {
                Some(altered) => self.amount.minor = altered,
                None => return false,
            },
            Fault::StatementDrop => self.copies = 0,
            Fault::StatementDuplicate => self.copies = 2,
            Fault::StatementCurrency => self.amount.currency = another(self.amount.currency),
            Fault::StatementStatus => self.status = "failed",
            _ => return false,
        }
        true
    }

    fn cells(&self) -> [String; 9] {
        let currency = self.amount.currency;
        [
            self.event_id.clone(),
            self.provider_ref.clone(),
            self.kind.to_owned(),
            self.amount.major(),
            Money::new(self.fee, currency).major(),
            currency.code().to_owned(),
            self.status.to_owned(),
            self.at.to_rfc3339(),
            format!("po_{}_{currency}", self.at.format("%Y%m%d")),
        ]
    }
}

/// The amount with the difference, upwards where it would not stay positive; `None` if it would not change.
fn altered(minor: i64, by: i64) -> Option<i64> {
    let down = minor.checked_add(by).filter(|it| *it > 0);
    let up = || minor.checked_add(by.checked_abs()?);
    down.or_else(up).filter(|it| *it != minor)
}

/// Another currency with as many decimals where there is one, so that the amount reads the same.
fn another(currency: Currency) -> Currency {
    match currency {
        Currency::EUR => Currency::TRY,
        _ => Currency::EUR,
    }
}

/// Writes the rows whose event happened in the half-open window.
pub(super) fn csv(rows: &[Row], window: TimeWindow) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    for row in rows.iter().filter(|it| window.contains(it.at)) {
        let cells = row.cells();
        for _ in 0..row.copies {
            out.write_record(&cells)?;
        }
    }
    out.into_inner().map_err(|error| error.into_error().into())
}
