//! One entry (`Ntry`) with its transactions (`TxDtls`).
//!
//! A batch booking whose transactions carry amounts that sum to the entry becomes one line per transaction; any
//! other entry is one line with the references of all its transactions.

use std::collections::VecDeque;

use mizan_core::Money;
use mizan_core::money::major;

use super::values::{Text, amount, day, direction, present};
use crate::bank::{BankLine, BankRow};
use crate::statement::check::Check;
use crate::statement::fault::Fault;

/// The most transactions of one entry.
const MOST_TRANSACTIONS: usize = 100_000;
/// The most references, and the longest text, that one line keeps.
const MOST_REFERENCES: usize = 1_000;
const LONGEST_TEXT: usize = 8 * 1024;
/// Elements of `TxDtls` that name the transaction.
const REFERENCES: [&str; 9] = [
    "Refs/EndToEndId",
    "Refs/TxId",
    "Refs/InstrId",
    "Refs/MsgId",
    "Refs/PmtInfId",
    "Refs/AcctSvcrRef",
    "Refs/UETR",
    "Refs/Prtry/Ref",
    "RmtInf/Strd/CdtrRefInf/Ref",
];

/// An amount as it stands in the file.
type Written = (Text, Option<String>);

/// An entry while it is read.
#[derive(Debug, Default)]
pub(super) struct Entry {
    line_no: u64,
    amount: Written,
    direction: Text,
    reversal: Text,
    status: Text,
    booked_on: Text,
    value_on: Text,
    references: Vec<String>,
    text: String,
    batch_count: Text,
    batch_amount: Written,
    transactions: Vec<Transaction>,
    too_many: bool,
    fault: Option<Fault>,
}

/// One transaction of it.
#[derive(Debug, Default)]
struct Transaction {
    amount: Written,
    direction: Text,
    references: Vec<String>,
    text: String,
}

/// What an entry came to.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Signed; None where the entry is quarantined.
    pub money: Option<Money>,
    pub booked: bool,
    pub check: Option<Check>,
}

impl Entry {
    pub(super) fn new(line_no: u64) -> Self {
        Self {
            line_no,
            ..Self::default()
        }
    }

    pub(super) fn start(&mut self, path: &str) {
        if path == "NtryDtls/TxDtls" {
            if self.transactions.len() >= MOST_TRANSACTIONS {
                self.too_many = true;
            } else {
                self.transactions.push(Transaction::default());
            }
        }
    }

    pub(super) fn end(&mut self, path: &str, text: Result<String, String>, currency: Option<&str>) {
        let currency = currency.map(str::to_owned);
        if let Some(inside) = path.strip_prefix("NtryDtls/TxDtls/") {
            if let (false, Some(transaction)) = (self.too_many, self.transactions.last_mut())
                && let Err(reason) = transaction.end(inside, text, currency)
            {
                self.fault.get_or_insert(Fault::at(path, reason));
            }
            return;
        }
        match path {
            "Amt" => self.amount = (Some(text), currency),
            "CdtDbtInd" => self.direction = Some(text),
            "RvslInd" => self.reversal = Some(text),
            // A word in version 2 and 3, a code inside later.
            "Sts/Cd" | "Sts/Prtry" => self.status = Some(text),
            "Sts" if self.status.is_none() => self.status = Some(text),
            "BookgDt/Dt" | "BookgDt/DtTm" => self.booked_on = Some(text),
            "ValDt/Dt" | "ValDt/DtTm" => self.value_on = Some(text),
            "NtryDtls/Btch/NbOfTxs" => self.batch_count = Some(text),
            "NtryDtls/Btch/TtlAmt" => self.batch_amount = (Some(text), currency),
            "NtryRef" | "AcctSvcrRef" | "NtryDtls/Btch/MsgId" | "NtryDtls/Btch/PmtInfId" => match text {
                Ok(text) => refer(&mut self.references, &text),
                Err(reason) => {
                    self.fault.get_or_insert(Fault::at(path, reason));
                }
            },
            "AddtlNtryInf" => add_text(&mut self.text, &text.unwrap_or_default()),
            _ => {}
        }
    }

    /// Turns the entry into its lines, or a quarantined row.
    pub(super) fn rows(self, account: Option<&str>, ready: &mut VecDeque<BankRow>) -> Made {
        let line_no = self.line_no;
        let raw = self.excerpt();
        match self.lines(account) {
            Ok((lines, made)) => {
                ready.extend(lines.into_iter().map(BankRow::Line));
                made
            }
            Err(fault) => {
                let row = fault.quarantined(line_no, raw.as_bytes());
                ready.push_back(BankRow::Quarantined(row));
                Made::default()
            }
        }
    }

    fn lines(self, account: Option<&str>) -> Result<(Vec<BankLine>, Made), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.too_many {
            let reason = format!("more than {MOST_TRANSACTIONS} transactions in one entry");
            return Err(Fault::at("NtryDtls", reason));
        }
        let entry = amount(&self.amount.0, self.amount.1.as_deref())
            .map_err(|reason| Fault::at("Ntry/Amt", reason))?;
        let sign = direction(&self.direction).map_err(|reason| Fault::at("Ntry/CdtDbtInd", reason))?;
        let reversal = match self.reversal.as_ref().map(|it| it.as_deref()) {
            None | Some(Ok("false" | "0")) => false,
            Some(Ok("true" | "1")) => true,
            Some(_) => return Err(Fault::at("Ntry/RvslInd", "true or false is expected")),
        };
        let booked = match present(&self.status).map_err(|reason| Fault::at("Ntry/Sts", reason))? {
            "BOOK" => true,
            "PDNG" | "INFO" | "FUTR" => false,
            other => {
                let seen: String = other.chars().take(20).collect();
                return Err(Fault::at(
                    "Ntry/Sts",
                    format!("BOOK, PDNG or INFO is expected; seen '{seen}'"),
                ));
            }
        };
        let value_on = match &self.value_on {
            None => None,
            Some(_) => Some(
                present(&self.value_on)
                    .and_then(day)
                    .map_err(|reason| Fault::at("Ntry/ValDt", reason))?,
            ),
        };
        let booked_on = match (&self.booked_on, value_on) {
            (None, Some(value_on)) => value_on,
            (written, _) => present(written)
                .and_then(day)
                .map_err(|reason| Fault::at("Ntry/BookgDt", reason))?,
        };
        let whole = BankLine {
            line_no: self.line_no,
            account: account.map(str::to_owned),
            amount_minor: sign * entry.minor,
            currency: entry.currency,
            booked_on,
            value_on,
            booked,
            reversal,
            references: self.references,
            text: self.text,
        };
        let made = Made {
            money: Some(Money::new(whole.amount_minor, entry.currency)),
            booked,
            check: batch_check(&whole, &self.batch_count, &self.batch_amount, &self.transactions),
        };
        Ok((apart(whole, self.transactions), made))
    }

    fn excerpt(&self) -> String {
        let said = |text: &Text| text.clone().and_then(Result::ok).unwrap_or_default();
        format!(
            "Ntry Amt={} {} CdtDbtInd={} Sts={} {}",
            said(&self.amount.0),
            self.amount.1.as_deref().unwrap_or_default(),
            said(&self.direction),
            said(&self.status),
            self.references.first().map_or("", String::as_str),
        )
    }
}

impl Transaction {
    fn end(
        &mut self,
        path: &str,
        text: Result<String, String>,
        currency: Option<String>,
    ) -> Result<(), String> {
        match path {
            "Amt" => self.amount = (Some(text), currency),
            "AmtDtls/TxAmt/Amt" if self.amount.0.is_none() => self.amount = (Some(text), currency),
            "CdtDbtInd" => self.direction = Some(text),
            "RmtInf/Ustrd" | "AddtlTxInf" => add_text(&mut self.text, &text?),
            _ if REFERENCES.contains(&path) => refer(&mut self.references, &text?),
            _ => {}
        }
        Ok(())
    }

    /// Signed, where it can be read; without a direction of its own it has that of the entry.
    fn minor(&self, whole: &BankLine) -> Option<i64> {
        let money = amount(&self.amount.0, self.amount.1.as_deref()).ok()?;
        let sign = match &self.direction {
            None => whole.amount_minor.signum(),
            Some(_) => direction(&self.direction).ok()?,
        };
        (money.currency == whole.currency).then_some(sign * money.minor)
    }
}

/// One line per transaction where their amounts sum to the entry, else one line for all.
fn apart(mut whole: BankLine, transactions: Vec<Transaction>) -> Vec<BankLine> {
    let amounts: Option<Vec<i64>> = transactions.iter().map(|it| it.minor(&whole)).collect();
    let sums = amounts.as_ref().is_some_and(|it| {
        it.iter().map(|it| i128::from(*it)).sum::<i128>() == i128::from(whole.amount_minor)
    });
    if let (Some(amounts), true, 2..) = (amounts, sums, transactions.len()) {
        let each = amounts.into_iter().zip(transactions);
        return each
            .map(|(amount_minor, transaction)| {
                let mut line = whole.clone();
                line.amount_minor = amount_minor;
                for reference in &transaction.references {
                    refer(&mut line.references, reference);
                }
                add_text(&mut line.text, &transaction.text);
                line
            })
            .collect();
    }
    for transaction in transactions {
        for reference in &transaction.references {
            refer(&mut whole.references, reference);
        }
        add_text(&mut whole.text, &transaction.text);
    }
    vec![whole]
}

/// What a batch booking says of itself, against its transactions.
fn batch_check(
    whole: &BankLine,
    count: &Text,
    total: &Written,
    transactions: &[Transaction],
) -> Option<Check> {
    let what = format!("batch booking of line {}", whole.line_no);
    let counted = count.as_ref().and_then(|it| it.as_ref().ok())?;
    if transactions.is_empty() {
        return None;
    }
    let count_holds = counted.parse::<usize>() == Ok(transactions.len());
    let mut detail = format!("says {counted} transactions, {} read", transactions.len());
    let mut held = count_holds;
    if total.0.is_some() {
        let sum: Option<i128> = transactions
            .iter()
            .map(|it| it.minor(whole).map(|it| i128::from(it).abs()))
            .sum();
        match (amount(&total.0, total.1.as_deref()), sum) {
            (Ok(total), Some(sum)) => {
                held &= total.currency == whole.currency && i128::from(total.minor) == sum;
                let said = major(i128::from(total.minor), total.currency);
                let read = major(sum, whole.currency);
                detail = format!("{detail}; says {said}, read {read} {}", whole.currency);
            }
            (Ok(_), None) => detail.push_str("; amounts of single transactions are not given"),
            (Err(reason), _) => {
                held = false;
                detail = format!("{detail}; its total cannot be read: {reason}");
            }
        }
    }
    Some(Check::new(what, held, detail))
}

fn refer(references: &mut Vec<String>, text: &str) {
    let text = text.trim();
    let named = !text.is_empty() && text != "NOTPROVIDED" && text.len() <= 255;
    if named && references.len() < MOST_REFERENCES && !references.iter().any(|it| it == text) {
        references.push(text.to_owned());
    }
}

fn add_text(kept: &mut String, text: &str) {
    if text.is_empty() || kept.len() + text.len() >= LONGEST_TEXT {
        return;
    }
    if !kept.is_empty() {
        kept.push(' ');
    }
    kept.push_str(text);
}
