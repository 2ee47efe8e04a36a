//! Rows as bytes: one after the other in a buffer, so that millions of them need no allocation of their own
//! and can be written to disk and read back as they are.
//!
//! A row is a head of fixed size, its numbers in four or eight bytes each, and its texts.

use chrono::DateTime;
use mizan_core::Currency;

use crate::line::{Line, LineFields, LineKind, LineStatus};
use crate::statement::{Rows, StatementError};

const HAS_FEE: u8 = 1 << 5;
const WIDE_FEE: u8 = 1 << 6;
const WIDE_ROW: u8 = 1 << 7;
const WIDE_AMOUNT: u8 = 1;
const WIDE_TIME: u8 = 1 << 1;
const WIDE_TEXTS: u8 = 1 << 2;
const MICROS: i64 = 1_000_000;

/// Bytes that a row takes at most, besides its texts.
pub(crate) const HEAD: usize = 2 + 3 + 4 * 4 + 4 * 8;

/// Appends a row.
pub(crate) fn pack(fields: &LineFields<'_>, out: &mut Vec<u8>) {
    let texts = texts(fields).map(str::as_bytes);
    let micros = fields.occurred_at.timestamp_micros();
    let seconds = u32::try_from(micros / MICROS)
        .ok()
        .filter(|_| micros % MICROS == 0 && micros >= 0);
    let (row, amount) = (u32::try_from(fields.row_no), i32::try_from(fields.amount_minor));
    let fee = fields.fee_minor.map(|it| (it, i32::try_from(it)));
    let wide = texts.iter().any(|it| it.len() > usize::from(u8::MAX));
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    out.push(
        (fields.kind as u8)
            | (fields.status as u8) << 3
            | flag(fee.is_some(), HAS_FEE)
            | flag(fee.is_some_and(|it| it.1.is_err()), WIDE_FEE)
            | flag(row.is_err(), WIDE_ROW),
    );
    out.push(
        flag(amount.is_err(), WIDE_AMOUNT) | flag(seconds.is_none(), WIDE_TIME) | flag(wide, WIDE_TEXTS),
    );
    out.extend_from_slice(fields.currency.code().as_bytes());
    for text in texts {
        // A text of 4 GiB does not fit into a statement's line, nor into a column of a store.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
        out.extend_from_slice(if wide { &length } else { &length[..1] });
    }
    match row {
        Ok(it) => out.extend_from_slice(&it.to_le_bytes()),
        Err(_) => out.extend_from_slice(&fields.row_no.to_le_bytes()),
    }
    match amount {
        Ok(it) => out.extend_from_slice(&it.to_le_bytes()),
        Err(_) => out.extend_from_slice(&fields.amount_minor.to_le_bytes()),
    }
    match seconds {
        Some(it) => out.extend_from_slice(&it.to_le_bytes()),
        None => out.extend_from_slice(&micros.to_le_bytes()),
    }
    match fee {
        Some((_, Ok(it))) => out.extend_from_slice(&it.to_le_bytes()),
        Some((it, Err(_))) => out.extend_from_slice(&it.to_le_bytes()),
        None => {}
    }
    for text in texts {
        out.extend_from_slice(text);
    }
}

/// The texts of a row in the order they are kept in.
pub(crate) fn texts<'a>(fields: &LineFields<'a>) -> [&'a str; 4] {
    [
        fields.event_id,
        fields.reference,
        fields.payout_id,
        fields.transaction_id,
    ]
    .map(Option::unwrap_or_default)
}

/// A packed row, looked at in place. Texts are bytes until somebody asks for a [`Line`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub raw: &'a [u8],
    words: u8,
    currency: [u8; 3],
    pub row_no: u64,
    pub amount_minor: i64,
    pub fee_minor: Option<i64>,
    pub micros: i64,
    texts: [&'a [u8]; 4],
}

impl<'a> Packed<'a> {
    /// The first row of `bytes`, and what follows it. None: these are no packed rows.
    #[inline]
    pub(crate) fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut at = Cut { rest: bytes };
        let [words, more] = at.array()?;
        let currency = at.array()?;
        let mut lengths = [0; 4];
        for length in &mut lengths {
            *length = if more & WIDE_TEXTS == 0 {
                usize::from(at.array::<1>()?[0])
            } else {
                u32::from_le_bytes(at.array()?) as usize
            };
        }
        let row_no = if words & WIDE_ROW == 0 {
            u64::from(u32::from_le_bytes(at.array()?))
        } else {
            u64::from_le_bytes(at.array()?)
        };
        let amount_minor = at.number(more & WIDE_AMOUNT != 0)?;
        let micros = if more & WIDE_TIME == 0 {
            i64::from(u32::from_le_bytes(at.array()?)) * MICROS
        } else {
            i64::from_le_bytes(at.array()?)
        };
        let fee_minor = match words & HAS_FEE {
            0 => None,
            _ => Some(at.number(words & WIDE_FEE != 0)?),
        };
        let mut texts: [&[u8]; 4] = [&[]; 4];
        for (text, length) in texts.iter_mut().zip(lengths) {
            *text = at.bytes(length)?;
        }
        let raw = &bytes[..bytes.len() - at.rest.len()];
        let row = Self {
            raw,
            words: words & 0b1_1111,
            currency,
            row_no,
            amount_minor,
            fee_minor,
            micros,
            texts,
        };
        Some((row, at.rest))
    }

    /// As text is: empty is none.
    pub(crate) fn event_id(&self) -> &'a [u8] {
        self.texts[0]
    }

    pub(crate) fn reference(&self) -> &'a [u8] {
        self.texts[1]
    }

    pub(crate) fn kind_number(&self) -> u8 {
        self.words & 0b111
    }

    /// Whether kind, state, currency and amount are the same, and so are the fees where both sides have one.
    /// Then a pair agrees, whatever the rules allow.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let fees = match (self.fee_minor, other.fee_minor) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        fees && self.amount_minor == other.amount_minor
            && self.words == other.words
            && self.currency == other.currency
    }

    pub(crate) fn fields(&self) -> Option<LineFields<'a>> {
        let [event_id, reference, payout_id, transaction_id] =
            self.texts.map(|it| std::str::from_utf8(it).ok());
        let some = |it: Option<&'a str>| it.map(|it| (!it.is_empty()).then_some(it));
        Some(LineFields {
            row_no: self.row_no,
            event_id: some(event_id)?,
            reference: some(reference)?,
            kind: *LineKind::ALL.get(usize::from(self.kind_number()))?,
            amount_minor: self.amount_minor,
            fee_minor: self.fee_minor,
            currency: std::str::from_utf8(&self.currency)
                .ok()?
                .parse::<Currency>()
                .ok()?,
            status: *LineStatus::ALL.get(usize::from(self.words >> 3))?,
            occurred_at: DateTime::from_timestamp_micros(self.micros)?,
            payout_id: some(payout_id)?,
            transaction_id: some(transaction_id)?,
        })
    }

    pub(crate) fn line(&self) -> Option<Line> {
        Some(Line::new(self.fields()?))
    }
}

/// Takes values off the front.
struct Cut<'a> {
    rest: &'a [u8],
}

impl<'a> Cut<'a> {
    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    #[inline]
    fn number(&mut self, wide: bool) -> Option<i64> {
        if wide {
            self.array().map(i64::from_le_bytes)
        } else {
            self.array().map(|it| i64::from(i32::from_le_bytes(it)))
        }
    }

    #[inline]
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(head)
    }
}

/// Rows on their way from a reader or a store to an engine: one buffer for all of them.
#[derive(Debug, Clone, Default)]
pub struct LineBatch {
    bytes: Vec<u8>,
    rows: usize,
}

impl LineBatch {
    pub fn push(&mut self, fields: &LineFields<'_>) {
        pack(fields, &mut self.bytes);
        self.rows += 1;
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What the rows take in memory, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Hands the rows on, in order.
    pub fn replay(&self, rows: &mut dyn Rows) -> Result<(), StatementError> {
        let mut rest = self.bytes.as_slice();
        while !rest.is_empty() {
            let row = Packed::first(rest).and_then(|(row, after)| Some((row.fields()?, after)));
            let (fields, after) = row.ok_or(StatementError::Damaged)?;
            rows.line(&fields);
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(fields: &LineFields<'_>) {
        let mut bytes = Vec::new();
        pack(fields, &mut bytes);
        assert!(bytes.len() <= HEAD + texts(fields).concat().len());
        bytes.extend_from_slice(b"next");
        let (row, rest) = Packed::first(&bytes).unwrap();
        assert_eq!((row.line(), rest), (Some(Line::new(*fields)), &b"next"[..]));
        assert_eq!(row.raw.len() + 4, bytes.len());
        for end in 0..bytes.len() - 4 {
            assert!(Packed::first(&bytes[..end]).is_none(), "half a row is none");
        }
    }

    proptest! {
        #[test]
        fn a_row_comes_back_as_it_was(
            numbers: (u64, i64, Option<i64>, u32), small: bool, kind in 0..7_usize, status in 0..3_usize,
            at in -100_000_000_000_000_i64..10_000_000_000_000_000, whole: bool,
            texts in prop::collection::vec(prop::option::of(".{0,20}"), 4), long: bool,
        ) {
            let (mut row_no, mut amount_minor, mut fee_minor, _) = numbers;
            if small {
                (row_no, amount_minor, fee_minor) = (row_no % 9, amount_minor % 9, fee_minor.map(|it| it % 9));
            }
            let long = "ğ".repeat(if long { 300 } else { 3 });
            let micros = if whole { at / MICROS * MICROS } else { at };
            check(&LineFields {
                row_no,
                event_id: texts[0].as_deref(),
                reference: texts[1].as_deref(),
                kind: LineKind::ALL[kind],
                amount_minor,
                fee_minor,
                currency: [Currency::TRY, Currency::KWD][kind % 2],
                status: LineStatus::ALL[status],
                occurred_at: DateTime::from_timestamp_micros(micros).unwrap(),
                payout_id: texts[2].as_deref(),
                transaction_id: Some(&long),
            });
        }
    }
}
