//! Adyen's settlement details report: gross and net, debit and credit in columns of their own, the fees of a row
//! in up to four, a time zone per row, and the payout of each batch as a row of type `MerchantPayout`.
//!
//! Columns and types as Adyen's reference of the report lists them.

mod batches;
mod zones;

use std::io::BufRead;

use mizan_core::{Currency, Timestamp};

use self::batches::Batches;
use super::check::Check;
use super::fault::Fault;
use super::map_file::FileMap;
use super::table::{Cells, Expected, Table, TableRow};
use super::{LineSource, Row, StatementError, cell};
use crate::line::{Line, LineFields, LineKind, LineStatus};

const PSP_REFERENCE: &str = "Psp Reference";
const MERCHANT: &str = "Merchant Account";
const BATCH: &str = "Batch Number";
const TYPE: &str = "Type";
const CREATED: &str = "Creation Date";
const ZONE: &str = "TimeZone";
const GROSS: [&str; 3] = ["Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)"];
const NET: [&str; 3] = ["Net Currency", "Net Debit (NC)", "Net Credit (NC)"];
const FEES: [&str; 4] = [
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
];
const COLUMNS: [&[&str]; 12] = [
    &[PSP_REFERENCE],
    &["Merchant Reference"],
    &[TYPE],
    &[CREATED],
    &[ZONE],
    &[GROSS[0]],
    &[GROSS[1]],
    &[GROSS[2]],
    &[NET[0]],
    &[NET[1]],
    &[NET[2]],
    &[FEES[0]],
];

/// Which of the two amounts of a row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Amounts {
    /// What the shopper paid, in the currency of the payment: what the ledger knows.
    #[default]
    Gross,
    /// What it adds to the payout, in the currency of the payout: what the bank will see.
    Settled,
}

/// Reads the report.
#[derive(Debug)]
pub struct AdyenReader<R> {
    name: String,
    table: Table<R>,
    map: FileMap,
    amounts: Amounts,
    batches: Batches,
    ignored: Vec<String>,
}

impl<R: BufRead> AdyenReader<R> {
    pub fn open(
        name: impl Into<String>,
        input: R,
        map: FileMap,
        amounts: Amounts,
    ) -> Result<Self, StatementError> {
        let expected = Expected {
            format: "adyen",
            columns: &COLUMNS,
            separator: map.file.separator.map(super::map_file::Separator::byte),
        };
        let table = Table::open(input, &expected)?;
        let mut read: Vec<&str> = COLUMNS.iter().copied().flatten().copied().collect();
        read.extend([
            MERCHANT,
            BATCH,
            "Modification Reference",
            FEES[1],
            FEES[2],
            FEES[3],
        ]);
        let ignored = table.ignored(&read);
        Ok(Self {
            name: name.into(),
            table,
            map,
            amounts,
            batches: Batches::default(),
            ignored,
        })
    }
}

impl<R: BufRead + Send> LineSource for AdyenReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        let Self {
            table,
            map,
            amounts,
            batches,
            ..
        } = self;
        table.next_row(|row_no, row| read(map, *amounts, batches, row_no, row))
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    /// Each batch that names its payout, against the sum of its rows.
    fn checks(&self) -> Vec<Check> {
        self.batches.checks()
    }
}

fn read(
    map: &FileMap,
    amounts: Amounts,
    batches: &mut Batches,
    row_no: u64,
    row: &TableRow<'_>,
) -> Result<Option<Line>, Fault> {
    let payout_id = payout_id(row)?;
    let written = row.need(TYPE)?;
    let net = side(map, row, NET)?;
    if written == "MerchantPayout" {
        let (currency, moved) = net.ok_or_else(|| Fault::at(NET[1], "a payout without an amount"))?;
        batches.paid(&payout_id, currency, -i128::from(moved));
        return Ok(None);
    }
    let kind = kind_of(written)?;
    let gross = side(map, row, GROSS)?;
    let Some((currency, moved)) = gross.or(net) else {
        return Err(Fault::at(GROSS[0], "neither a gross nor a net amount"));
    };
    let mut fee_minor = None;
    let mut settled = (currency, moved, 0);
    if let (Some((gross_currency, gross)), Some((net_currency, net))) = (gross, net) {
        let fees = fees(map, row, net_currency)?;
        settled = (net_currency, add(net, fees)?, fees);
        if gross_currency == net_currency {
            if i128::from(gross) - i128::from(fees) != i128::from(net) {
                return Err(Fault::at(NET[2], "gross less fees is not net"));
            }
            fee_minor = Some(fees);
        }
    }
    let occurred_at = created(map, row)?;
    let modification = row.id("Modification Reference")?.filter(|_| written != "Settled");
    let event_id = modification.or(row.id(PSP_REFERENCE)?);
    let reference = row.id("Merchant Reference")?;
    if event_id.is_none() && reference.is_none() {
        return Err(Fault::at(
            PSP_REFERENCE,
            "no reference: nothing to match the row by",
        ));
    }
    batches.row(
        &payout_id,
        settled.0,
        i128::from(settled.1) - i128::from(settled.2),
    );
    let (currency, moved, fee_minor) = match amounts {
        Amounts::Gross => (currency, moved, fee_minor),
        Amounts::Settled => (settled.0, settled.1, Some(settled.2)),
    };
    Ok(Some(Line::new(LineFields {
        row_no,
        event_id,
        reference,
        kind,
        amount_minor: moved
            .checked_mul(kind.direction())
            .ok_or_else(|| Fault::at(GROSS[1], "the amount is larger than can be kept"))?,
        fee_minor,
        currency,
        status: LineStatus::Settled,
        occurred_at,
        payout_id: (!payout_id.is_empty()).then_some(&payout_id),
        transaction_id: None,
    })))
}

/// Batches count from 1 in every merchant account.
fn payout_id(row: &TableRow<'_>) -> Result<String, Fault> {
    Ok(match (row.id(MERCHANT)?, row.id(BATCH)?) {
        (_, None) => String::new(),
        (None, Some(batch)) => batch.to_owned(),
        (Some(merchant), Some(batch)) => format!("{merchant}/{batch}"),
    })
}

/// Credit less debit; None where both are empty.
fn side(
    map: &FileMap,
    row: &TableRow<'_>,
    [currency, debit, credit]: [&str; 3],
) -> Result<Option<(Currency, i64)>, Fault> {
    let (debited, credited) = (row.need(debit)?, row.need(credit)?);
    if debited.is_empty() && credited.is_empty() {
        return Ok(None);
    }
    let code = row.need(currency)?;
    let of: Currency = code
        .parse()
        .map_err(|error: mizan_core::currency::UnknownCurrency| Fault::at(currency, error.to_string()))?;
    let minor = |name: &str, text: &str| match text {
        "" => Ok(0),
        text => cell::amount(text, of, map.file.decimal_comma).map_err(|reason| Fault::at(name, reason)),
    };
    let moved = minor(credit, credited)?.checked_sub(minor(debit, debited)?);
    let moved = moved.ok_or_else(|| Fault::at(debit, "the amount is larger than can be kept"))?;
    Ok(Some((of, moved)))
}

fn fees(map: &FileMap, row: &TableRow<'_>, currency: Currency) -> Result<i64, Fault> {
    let mut sum = 0_i64;
    for name in FEES {
        let text = row.get(name)?.unwrap_or_default();
        if !text.is_empty() {
            let fee = cell::amount(text, currency, map.file.decimal_comma)
                .map_err(|reason| Fault::at(name, reason))?;
            sum = add(sum, fee)?;
        }
    }
    Ok(sum)
}

fn add(one: i64, other: i64) -> Result<i64, Fault> {
    one.checked_add(other)
        .ok_or_else(|| Fault::at(FEES[0], "the fees are larger than can be kept"))
}

fn created(map: &FileMap, row: &TableRow<'_>) -> Result<Timestamp, Fault> {
    let zone = zones::find(row.need(ZONE)?, &map.zones).map_err(|reason| Fault::at(ZONE, reason))?;
    zones::at(zone, row.need(CREATED)?).map_err(|reason| Fault::at(CREATED, reason))
}

/// The kind of a type of row; what is not known is `other`, and nothing is known of it but its sign.
fn kind_of(written: &str) -> Result<LineKind, Fault> {
    Ok(match written {
        "" => return Err(Fault::at(TYPE, "empty")),
        "Settled" | "SettledReversed" | "SettledInInstallments" | "SettledBulk" => LineKind::Deposit,
        "Refunded" | "RefundedReversed" | "RefundedInInstallments" | "RefundedBulk" => LineKind::Refund,
        "Chargeback"
        | "ChargebackReversed"
        | "SecondChargeback"
        | "ChargebackExternallyWithInfo"
        | "ChargebackReversedExternallyWithInfo" => LineKind::Chargeback,
        "PaidOut" | "PaidOutReversed" => LineKind::Withdraw,
        "Fee" | "MiscCosts" | "InvoiceDeduction" | "DisputeDefenseFee" | "NetworkCosts" => LineKind::Fee,
        "BalanceTransfer"
        | "Balancetransfer"
        | "DepositCorrection"
        | "ManualCorrected"
        | "ReserveAdjustment"
        | "AdvancementCommissioned" => LineKind::Adjustment,
        _ => LineKind::Other,
    })
}

#[cfg(test)]
mod tests;
