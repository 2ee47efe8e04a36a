//! Which column of a delimited file holds what, and how the file writes numbers and times.

use chrono_tz::Tz;

use super::StatementError;
use super::records;
use crate::line::{LineKind, LineStatus};

/// How the file writes the direction of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignConvention {
    /// The kind of the row gives the direction: a refund of 10.00 is written `10.00`.
    #[default]
    ByKind,
    /// The sign does: what takes from the balance is written `-10.00`.
    Signed,
}

/// A declared map of a delimited file. The default is the generic format: comma or whatever else separates
/// the header, decimal points, UTC where a time names no zone, amounts without a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    /// None: taken from the header line, out of `,` `;` `|` and the tabulator.
    pub separator: Option<u8>,
    /// Amounts are written `10,50`. Grouping is refused either way.
    pub decimal_comma: bool,
    /// Zone of times that name none. A time that occurs twice when clocks go back is the earlier one; one
    /// that never occurs is quarantined.
    pub time_zone: Tz,
    pub signs: SignConvention,
    /// Words of the file for kinds and states, besides our own.
    pub kind_words: Vec<(String, LineKind)>,
    pub status_words: Vec<(String, LineStatus)>,
    pub event_id: String,
    pub reference: String,
    pub kind: String,
    pub amount: String,
    pub fee: String,
    pub currency: String,
    pub status: String,
    pub occurred_at: String,
    pub payout_id: String,
    pub transaction_id: String,
}

impl Default for ColumnMap {
    fn default() -> Self {
        Self {
            separator: None,
            decimal_comma: false,
            time_zone: Tz::UTC,
            signs: SignConvention::ByKind,
            kind_words: Vec::new(),
            status_words: Vec::new(),
            event_id: "provider_event_id".to_owned(),
            reference: "provider_ref".to_owned(),
            kind: "type".to_owned(),
            amount: "amount".to_owned(),
            fee: "fee".to_owned(),
            currency: "currency".to_owned(),
            status: "status".to_owned(),
            occurred_at: "occurred_at".to_owned(),
            payout_id: "payout_id".to_owned(),
            transaction_id: "transaction_id".to_owned(),
        }
    }
}

impl ColumnMap {
    fn required(&self) -> [&str; 5] {
        [
            &self.kind,
            &self.amount,
            &self.currency,
            &self.status,
            &self.occurred_at,
        ]
    }

    fn keys(&self) -> [&str; 2] {
        [&self.event_id, &self.reference]
    }

    fn optional(&self) -> [&str; 3] {
        [&self.fee, &self.payout_id, &self.transaction_id]
    }

    pub(super) fn expected(&self) -> String {
        let [event_id, reference] = self.keys();
        format!("{event_id} or {reference}, {}", self.required().join(", "))
    }

    fn knows(&self, name: &str) -> bool {
        let all = self
            .required()
            .into_iter()
            .chain(self.keys())
            .chain(self.optional());
        all.into_iter().any(|it| same(it, name))
    }
}

/// Where each column stands in the file at hand.
#[derive(Debug)]
pub(super) struct Columns {
    pub width: usize,
    pub event_id: Option<usize>,
    pub reference: Option<usize>,
    pub kind: usize,
    pub amount: usize,
    pub fee: Option<usize>,
    pub currency: usize,
    pub status: usize,
    pub occurred_at: usize,
    pub payout_id: Option<usize>,
    pub transaction_id: Option<usize>,
    /// Named in the file, read by nothing.
    pub ignored: Vec<String>,
}

impl Columns {
    /// Finds the columns by name, and with them the separator.
    pub(super) fn find(header: &[u8], map: &ColumnMap) -> Result<(Self, u8), StatementError> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        not_text(header).map_or(Ok(()), |reason| Err(StatementError::NotText { reason }))?;
        let separators = map
            .separator
            .map_or_else(|| vec![b',', b';', b'\t', b'|'], |it| vec![it]);
        let read = |separator: u8| {
            let names = names(header, separator);
            (names.iter().filter(|it| map.knows(it)).count(), separator, names)
        };
        // The first of the best: a comma wins a draw.
        let best = separators.into_iter().map(read).rev().max_by_key(|it| it.0);
        let (_, separator, names) = best.unwrap_or_else(|| (0, b',', Vec::new()));
        Ok((Self::of(&names, map)?, separator))
    }

    fn of(names: &[String], map: &ColumnMap) -> Result<Self, StatementError> {
        let find = |wanted: &str| {
            let mut places = (0..names.len()).filter(|it| same(&names[*it], wanted));
            match (places.next(), places.next()) {
                (_, Some(_)) => Err(StatementError::RepeatedColumn {
                    column: wanted.to_owned(),
                }),
                (place, None) => Ok(place),
            }
        };
        let refused = |missing: &str| StatementError::MissingColumns {
            format: "generic",
            missing: missing.to_owned(),
            expected: map.expected(),
            seen: shown(names),
        };
        let need = |wanted: &str| find(wanted)?.ok_or_else(|| refused(wanted));
        let columns = Self {
            width: names.len(),
            event_id: find(&map.event_id)?,
            reference: find(&map.reference)?,
            kind: need(&map.kind)?,
            amount: need(&map.amount)?,
            fee: find(&map.fee)?,
            currency: need(&map.currency)?,
            status: need(&map.status)?,
            occurred_at: need(&map.occurred_at)?,
            payout_id: find(&map.payout_id)?,
            transaction_id: find(&map.transaction_id)?,
            ignored: names.iter().filter(|it| !map.knows(it)).cloned().collect(),
        };
        if columns.event_id.is_none() && columns.reference.is_none() {
            return Err(refused(&map.keys().join(" or ")));
        }
        Ok(columns)
    }
}

fn names(header: &[u8], separator: u8) -> Vec<String> {
    let Some(record) = records::split(header, separator) else {
        return Vec::new();
    };
    let name = |it: &[u8]| String::from_utf8_lossy(it).trim().to_owned();
    record.iter().map(name).collect()
}

/// The first columns of a file, short enough for a message.
fn shown(names: &[String]) -> String {
    let short = |it: &String| it.chars().take(40).collect::<String>();
    let mut shown = names.iter().take(30).map(short).collect::<Vec<_>>().join(", ");
    if names.len() > 30 {
        shown.push_str(", …");
    }
    shown
}

fn not_text(header: &[u8]) -> Option<&'static str> {
    if header.starts_with(b"\xff\xfe") || header.starts_with(b"\xfe\xff") {
        Some("it is UTF-16; save it as UTF-8")
    } else if header.starts_with(b"PK\x03\x04") {
        Some("it is a ZIP archive or a spreadsheet; export it as CSV")
    } else if header.starts_with(b"\x1f\x8b") {
        Some("it is compressed with gzip")
    } else if memchr::memchr(0, header).is_some() {
        Some("its first line has NUL bytes")
    } else if std::str::from_utf8(header).is_err() {
        Some("its first line is not UTF-8")
    } else {
        None
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
