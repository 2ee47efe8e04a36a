//! Stripe's itemized payout reconciliation report: one balance transaction a row, amounts with a sign in major
//! units, `gross` − `fee` = `net`.
//!
//! Columns as documented for `payout_reconciliation.itemized` and `balance_change_from_activity.itemized`.

use std::io::BufRead;

use mizan_core::Currency;

use super::fault::Fault;
use super::map_file::FileMap;
use super::table::{Cells, Expected, Table};
use super::{LineSource, Row, StatementError, cell, declared};
use crate::line::{Line, LineFields, LineKind, LineStatus};

const ID: &str = "balance_transaction_id";
const CATEGORY: &str = "reporting_category";
const COLUMNS: [&[&str]; 7] = [
    &[ID],
    &["currency"],
    &["gross"],
    &["fee"],
    &["net"],
    &[CATEGORY],
    &["created_utc", "created"],
];
const PAYOUT: [&str; 2] = ["automatic_payout_id", "payout_id"];

/// Reads the report. Times of `created` are of the report's zone (UTC unless the map says otherwise).
#[derive(Debug)]
pub struct StripeReader<R> {
    name: String,
    table: Table<R>,
    map: FileMap,
    /// The columns that ids are taken from.
    event_id: String,
    reference: String,
    payout_id: &'static str,
    created: &'static str,
    ignored: Vec<String>,
}

impl<R: BufRead> StripeReader<R> {
    /// A map may name other columns for the event id and the reference, such as `payment_intent_id`.
    pub fn open(name: impl Into<String>, input: R, map: FileMap) -> Result<Self, StatementError> {
        let expected = Expected {
            format: "stripe",
            columns: &COLUMNS,
            separator: map.file.separator.map(super::map_file::Separator::byte),
        };
        let table = Table::open(input, &expected)?;
        let defaults = FileMap::default().columns;
        let or = |mapped: &str, default: &str, own: &str| {
            (if mapped == default { own } else { mapped }).to_owned()
        };
        let event_id = or(&map.columns.event_id, &defaults.event_id, ID);
        let reference = or(&map.columns.reference, &defaults.reference, "source_id");
        for column in [&event_id, &reference] {
            if !table.has(column) && column != "source_id" {
                return Err(StatementError::MissingColumns {
                    format: "stripe",
                    missing: column.clone(),
                    expected: "the columns that the map names".to_owned(),
                    seen: table.ignored(&[]).join(", "),
                });
            }
        }
        let payout_id = if table.has(PAYOUT[0]) {
            PAYOUT[0]
        } else {
            PAYOUT[1]
        };
        let created = if table.has("created_utc") {
            "created_utc"
        } else {
            "created"
        };
        let mut read = vec![event_id.as_str(), &reference, payout_id, created, CATEGORY];
        read.extend(["currency", "gross", "fee", "net"]);
        let ignored = table.ignored(&read);
        Ok(Self {
            name: name.into(),
            table,
            map,
            event_id,
            reference,
            payout_id,
            created,
            ignored,
        })
    }
}

impl<R: BufRead + Send> LineSource for StripeReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        let Self {
            table,
            map,
            event_id,
            reference,
            payout_id,
            created,
            ..
        } = self;
        table.next_row(|row_no, row| {
            let text = row.need("currency")?;
            let currency: Currency = text.to_ascii_uppercase().parse().map_err(
                |error: mizan_core::currency::UnknownCurrency| Fault::at("currency", error.to_string()),
            )?;
            let amount = |name: &str| {
                cell::amount(row.need(name)?, currency, false).map_err(|reason| Fault::at(name, reason))
            };
            let (gross, fee, net) = (amount("gross")?, amount("fee")?, amount("net")?);
            if i128::from(gross) - i128::from(fee) != i128::from(net) {
                return Err(Fault::at("net", "gross less fee is not net"));
            }
            let (kind, status) = category(row.need(CATEGORY)?, gross)?;
            let zone = if *created == "created" {
                map.file.zone()
            } else {
                chrono_tz::Tz::UTC
            };
            let style = super::map_file::FileStyle {
                time_zone: Some(super::map_file::Word(zone)),
                ..map.file.clone()
            };
            let occurred_at =
                declared::time(&style, row.need(created)?).map_err(|reason| Fault::at(*created, reason))?;
            let event_id = row.id(event_id)?;
            let reference = row.id(reference)?;
            if event_id.is_none() && reference.is_none() {
                return Err(Fault::at(ID, "no id: nothing to match the row by"));
            }
            Ok(Some(Line::new(LineFields {
                row_no,
                event_id,
                reference,
                kind,
                amount_minor: in_direction(gross, kind)?,
                fee_minor: Some(fee),
                currency,
                status,
                occurred_at,
                payout_id: row.id(payout_id)?,
                transaction_id: None,
            })))
        })
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }
}

fn in_direction(gross: i64, kind: LineKind) -> Result<i64, Fault> {
    gross
        .checked_mul(kind.direction())
        .ok_or_else(|| Fault::at("gross", "the amount is larger than can be kept"))
}

/// The kind and state of a reporting category.
///
/// `…_reversal` and `…_failure` belong to what they undo. A failure with the sign of the original did not move
/// money; one with the opposite sign gives back what had moved, so it is settled and counts.
fn category(text: &str, gross: i64) -> Result<(LineKind, LineStatus), Fault> {
    if text.is_empty() || !text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_') {
        return Err(Fault::at(
            CATEGORY,
            "a category is a word such as charge or refund",
        ));
    }
    let (base, failed) = match text.strip_suffix("_failure") {
        Some(base) => (base, true),
        None => (text.strip_suffix("_reversal").unwrap_or(text), false),
    };
    let kind = match base {
        "charge" | "partial_capture" => LineKind::Deposit,
        "refund" => LineKind::Refund,
        "dispute" => LineKind::Chargeback,
        "payout" | "transfer" => LineKind::Withdraw,
        "fee" | "network_cost" | "tax" => LineKind::Fee,
        "topup"
        | "other_adjustment"
        | "connect_reserved_funds"
        | "risk_reserved_funds"
        | "payout_minimum_balance_hold"
        | "payout_minimum_balance_release" => LineKind::Adjustment,
        _ => LineKind::Other,
    };
    let undoes = gross.signum() * kind.direction() < 0;
    let status = if failed && !undoes {
        LineStatus::Failed
    } else {
        LineStatus::Settled
    };
    Ok((kind, status))
}

#[cfg(test)]
mod tests;
