//! Which format a file is of, by its beginning; and whether that is the one it was said to be.

use std::fmt;
use std::str::FromStr;

use super::StatementError;
use crate::finding::UnknownWord;

/// How much of a file is looked at, in bytes.
pub const HEAD: usize = 16 * 1024;

/// A format of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// A delimited file with our own columns, or with those of a map file.
    Generic,
    /// Stripe's itemized payout reconciliation report.
    Stripe,
    /// Adyen's settlement details report.
    Adyen,
    /// ISO 20022 bank statement.
    Camt053,
    /// SWIFT bank statement.
    Mt940,
    /// One JSON object a line.
    Ndjson,
    /// Columns of a Parquet file, with the names of a map file.
    Parquet,
}

impl Format {
    pub const ALL: [Self; 7] = [
        Self::Generic,
        Self::Stripe,
        Self::Adyen,
        Self::Camt053,
        Self::Mt940,
        Self::Ndjson,
        Self::Parquet,
    ];

    /// The word of `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Stripe => "stripe",
            Self::Adyen => "adyen",
            Self::Camt053 => "camt053",
            Self::Mt940 => "mt940",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// What people call such a file.
    pub fn title(self) -> &'static str {
        match self {
            Self::Generic => "CSV file",
            Self::Stripe => "Stripe payout reconciliation report",
            Self::Adyen => "Adyen settlement details report",
            Self::Camt053 => "camt.053 file",
            Self::Mt940 => "MT940 file",
            Self::Ndjson => "NDJSON file",
            Self::Parquet => "Parquet file",
        }
    }

    /// Statements of a bank account, not of a provider.
    pub fn is_bank(self) -> bool {
        matches!(self, Self::Camt053 | Self::Mt940)
    }

    /// Finds the format out. `declared_map`: a map file says which columns there are, so their names prove nothing.
    pub fn detect(head: &[u8]) -> Result<Self, StatementError> {
        if head.starts_with(b"PAR1") {
            return Ok(Self::Parquet);
        }
        not_text(head).map_or(Ok(()), |reason| Err(StatementError::NotText { reason }))?;
        let text = String::from_utf8_lossy(&head[..head.len().min(HEAD)]);
        let text = text.trim_start_matches(['\u{feff}', '\u{1}', ' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(StatementError::Empty {
                expected: "rows of a statement".to_owned(),
            });
        }
        if text.starts_with('<') {
            return xml(text);
        }
        if mt940(text) {
            return Ok(Self::Mt940);
        }
        match text.as_bytes()[0] {
            b'{' => return Ok(Self::Ndjson),
            b'[' => {
                return Err(StatementError::NotText {
                    reason: "it is a JSON array; write one object a line, without brackets and commas around them",
                });
            }
            _ => {}
        }
        let header = text.lines().next().unwrap_or_default().to_lowercase();
        let has = |all: &[&str]| all.iter().all(|it| header.contains(it));
        Ok(if has(&["balance_transaction_id", "reporting_category"]) {
            Self::Stripe
        } else if has(&["psp reference", "gross credit (gc)"]) {
            Self::Adyen
        } else {
            Self::Generic
        })
    }

    /// Refuses a file that is plainly of another format, and names that format.
    pub fn confirm(self, head: &[u8]) -> Result<(), StatementError> {
        let seen = Self::detect(head)?;
        // Columns of a provider may be read by a map file, and a CSV file with other columns is told by its reader.
        let csv = |it: Self| matches!(it, Self::Generic | Self::Stripe | Self::Adyen);
        if seen == self || (self == Self::Generic && csv(seen)) || (seen == Self::Generic && csv(self)) {
            return Ok(());
        }
        // Text that is of no format that is known: the reader says what it misses.
        if seen == Self::Generic && self == Self::Ndjson {
            return Ok(());
        }
        Err(StatementError::AnotherFormat { seen, declared: self })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| UnknownWord::new("format", text, Self::ALL.map(Self::as_str)))
    }
}

fn xml(text: &str) -> Result<Format, StatementError> {
    if text.contains("camt.053") {
        return Ok(Format::Camt053);
    }
    for (other, reason) in [
        (
            "camt.052",
            "it is a camt.052 report of the day; the statement is camt.053",
        ),
        (
            "camt.054",
            "it is a camt.054 notification; the statement is camt.053",
        ),
        ("pain.", "it is a payment order (pain), not a statement"),
        ("<html", "it is a web page, perhaps an error of the download"),
        (
            "<!DOCTYPE html",
            "it is a web page, perhaps an error of the download",
        ),
    ] {
        if text.contains(other) {
            return Err(StatementError::NotText { reason });
        }
    }
    if text.contains("BkToCstmrStmt") || text.contains("<!DOCTYPE") || text.contains("Document") {
        return Ok(Format::Camt053);
    }
    Err(StatementError::NotText {
        reason: "it is XML, but no camt.053 statement",
    })
}

/// The envelope of SWIFT, or a field at the beginning of one of the first lines.
fn mt940(text: &str) -> bool {
    let field = |line: &str| {
        [":20:", ":25:", ":60F:", ":60M:", ":61:"]
            .iter()
            .any(|it| line.starts_with(it))
    };
    text.starts_with("{1:") || text.lines().take(8).any(|it| field(it.trim()))
}

fn not_text(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        Some("it is UTF-16; save it as UTF-8, or declare the encoding in a map file")
    } else if head.starts_with(b"PK\x03\x04") {
        Some("it is a ZIP archive or a spreadsheet; export it as CSV")
    } else if head.starts_with(b"\x1f\x8b") {
        Some("it is compressed with gzip")
    } else if head.starts_with(b"%PDF") {
        Some("it is a PDF")
    } else if memchr::memchr(0, &head[..head.len().min(HEAD)]).is_some() {
        Some("it has NUL bytes near its beginning")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
