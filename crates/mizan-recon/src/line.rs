//! A row of either side: what the provider's statement or the ledger says about one movement of money.

use std::fmt;
use std::str::FromStr;

use mizan_core::{Currency, Timestamp};

use crate::finding::UnknownWord;

/// What kind of movement a row is. It also gives the amount its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineKind {
    Deposit,
    Withdraw,
    Refund,
    Chargeback,
    Fee,
    Adjustment,
    Other,
}

impl LineKind {
    pub const ALL: [Self; 7] = [
        Self::Deposit,
        Self::Withdraw,
        Self::Refund,
        Self::Chargeback,
        Self::Fee,
        Self::Adjustment,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdraw => "withdraw",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Fee => "fee",
            Self::Adjustment => "adjustment",
            Self::Other => "other",
        }
    }

    /// +1 where a positive amount adds to the operator's balance at the provider, -1 where it takes from it.
    pub fn direction(self) -> i64 {
        match self {
            Self::Deposit | Self::Adjustment | Self::Other => 1,
            Self::Withdraw | Self::Refund | Self::Chargeback | Self::Fee => -1,
        }
    }
}

impl FromStr for LineKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownWord::new("kind of row", text, Self::ALL.map(Self::as_str)))
    }
}

impl fmt::Display for LineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far the movement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineStatus {
    Settled,
    Pending,
    Failed,
}

impl LineStatus {
    pub const ALL: [Self; 3] = [Self::Settled, Self::Pending, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }

    /// Only a settled row has moved money and is part of a sum.
    pub fn moved_money(self) -> bool {
        self == Self::Settled
    }
}

impl FromStr for LineStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownWord::new("status", text, Self::ALL.map(Self::as_str)))
    }
}

impl fmt::Display for LineStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fields of a [`Line`], borrowed: what a reader or a store fills in. An empty text is no text.
#[derive(Debug, Clone, Copy)]
pub struct LineFields<'a> {
    /// The line of the file (the header is line 1), or the position in an export.
    pub row_no: u64,
    pub event_id: Option<&'a str>,
    pub reference: Option<&'a str>,
    pub kind: LineKind,
    /// Minor units in the direction of the kind: a deposit of 10.00 and a refund of 10.00 are both +1000.
    /// Negative undoes: a refund that was taken back is -1000. Adjustments carry their own sign.
    pub amount_minor: i64,
    /// What the provider keeps, in minor units; positive costs the operator. None: this side knows no fee.
    pub fee_minor: Option<i64>,
    pub currency: Currency,
    pub status: LineStatus,
    pub occurred_at: Timestamp,
    pub payout_id: Option<&'a str>,
    /// Ledger side only.
    pub transaction_id: Option<&'a str>,
}

/// A row of either side. Its texts share one allocation, because a run holds millions of these.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    pub row_no: u64,
    pub amount_minor: i64,
    pub fee_minor: Option<i64>,
    pub occurred_at: Timestamp,
    pub currency: Currency,
    pub kind: LineKind,
    pub status: LineStatus,
    /// Event id, reference, payout id and transaction id, one after the other.
    text: Box<str>,
    ends: [usize; 3],
}

impl Line {
    pub fn new(fields: LineFields<'_>) -> Self {
        let texts = [
            fields.event_id,
            fields.reference,
            fields.payout_id,
            fields.transaction_id,
        ]
        .map(Option::unwrap_or_default);
        let text = texts.concat().into_boxed_str();
        let first = texts[0].len();
        let second = first + texts[1].len();
        let ends = [first, second, second + texts[2].len()];
        Self {
            row_no: fields.row_no,
            amount_minor: fields.amount_minor,
            fee_minor: fields.fee_minor,
            occurred_at: fields.occurred_at,
            currency: fields.currency,
            kind: fields.kind,
            status: fields.status,
            text,
            ends,
        }
    }

    pub fn event_id(&self) -> Option<&str> {
        self.part(0, self.ends[0])
    }

    pub fn reference(&self) -> Option<&str> {
        self.part(self.ends[0], self.ends[1])
    }

    pub fn payout_id(&self) -> Option<&str> {
        self.part(self.ends[1], self.ends[2])
    }

    pub fn transaction_id(&self) -> Option<&str> {
        self.part(self.ends[2], self.text.len())
    }

    fn part(&self, from: usize, to: usize) -> Option<&str> {
        (from < to).then(|| &self.text[from..to])
    }

    pub(crate) fn fields(&self) -> LineFields<'_> {
        LineFields {
            row_no: self.row_no,
            event_id: self.event_id(),
            reference: self.reference(),
            kind: self.kind,
            amount_minor: self.amount_minor,
            fee_minor: self.fee_minor,
            currency: self.currency,
            status: self.status,
            occurred_at: self.occurred_at,
            payout_id: self.payout_id(),
            transaction_id: self.transaction_id(),
        }
    }

    /// What the row does to the operator's balance at the provider, in minor units, fees apart. Wider than an
    /// amount, because the opposite of the smallest amount is none.
    pub fn effect_minor(&self) -> i128 {
        i128::from(self.amount_minor) * i128::from(self.kind.direction())
    }

    /// Everything but the place of the row in its file, in a fixed order: sorting by it does not depend on
    /// the order in which rows came.
    pub(crate) fn content(&self) -> impl Ord + '_ {
        (
            (
                self.occurred_at,
                self.amount_minor,
                self.fee_minor,
                self.currency,
                self.kind,
                self.status,
            ),
            (
                self.event_id(),
                self.reference(),
                self.payout_id(),
                self.transaction_id(),
            ),
        )
    }

    /// The same but for the ledger's own id and the place: two such rows say the same thing twice.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        let said = |it: &Self| {
            (
                it.occurred_at,
                it.amount_minor,
                it.fee_minor,
                it.currency,
                it.kind,
                it.status,
            )
        };
        said(self) == said(other)
            && (self.event_id(), self.reference(), self.payout_id())
                == (other.event_id(), other.reference(), other.payout_id())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {:?} {:?} {} {} fee {:?} {} {} {}",
            self.row_no,
            self.event_id(),
            self.reference(),
            self.kind,
            self.amount_minor,
            self.fee_minor,
            self.currency,
            self.status,
            self.occurred_at.to_rfc3339(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_line_come_back_apart() {
        let fields = LineFields {
            row_no: 2,
            event_id: Some("evt_1"),
            reference: None,
            kind: LineKind::Refund,
            amount_minor: i64::MIN,
            fee_minor: None,
            currency: Currency::TRY,
            status: LineStatus::Settled,
            occurred_at: Timestamp::UNIX_EPOCH,
            payout_id: Some("po_ğ"),
            transaction_id: Some(""),
        };
        let line = Line::new(fields);
        assert_eq!(line.event_id(), Some("evt_1"));
        assert_eq!(line.reference(), None);
        assert_eq!(line.payout_id(), Some("po_ğ"));
        assert_eq!(line.transaction_id(), None);
        assert_eq!(
            line.effect_minor(),
            -i128::from(i64::MIN),
            "a refund takes from the balance"
        );
    }

    #[test]
    fn the_words_of_kinds_and_states_read_back() {
        for it in LineKind::ALL {
            assert_eq!(it.as_str().parse(), Ok(it));
        }
        for it in LineStatus::ALL {
            assert_eq!(it.as_str().to_uppercase().parse(), Ok(it));
        }
        assert!("done".parse::<LineStatus>().is_err());
    }
}
