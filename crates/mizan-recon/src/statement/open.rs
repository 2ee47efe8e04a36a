//! Opens a statement of any format, declared or detected.

use std::io::{BufRead, Cursor, Read};

use super::adyen::{AdyenReader, Amounts};
use super::camt053::Camt053Reader;
use super::declared::DeclaredReader;
use super::detect::{Format, HEAD};
use super::encoding::Decoding;
use super::map_file::FileMap;
use super::mt940::Mt940Reader;
use super::ndjson::NdjsonReader;
use super::stripe::StripeReader;
use super::{ColumnMap, GenericReader, LineSource, StatementError};
use crate::bank::BankSource;

/// What is known of a file before it is read.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// None: found out from the beginning of the file.
    pub format: Option<Format>,
    /// None: the names and words of the format itself.
    pub map: Option<FileMap>,
    pub amounts: Amounts,
}

/// A file that is open, with what it turned out to be.
pub enum Opened<'a> {
    /// Rows of a provider, or of the ledger.
    Lines(Format, Box<dyn LineSource + 'a>),
    /// Entries of a bank account.
    Bank(Format, Box<dyn BankSource + 'a>),
}

impl Opened<'_> {
    pub fn format(&self) -> Format {
        match self {
            Self::Lines(format, _) | Self::Bank(format, _) => *format,
        }
    }
}

impl std::fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.format())
    }
}

/// Opens a file. `name` tells it from others; a file that is not of its format is refused in words.
pub fn open<'a, R: BufRead + Send + 'a>(
    name: &str,
    input: R,
    opening: &Opening,
) -> Result<Opened<'a>, StatementError> {
    let map = opening.map.clone();
    let encoding = map.as_ref().and_then(|it| it.file.encoding);
    match encoding {
        Some(encoding) => start(name, Decoding::new(input, encoding.0), map, opening),
        None => start(name, input, map, opening),
    }
}

fn start<'a, R: BufRead + Send + 'a>(
    name: &str,
    mut input: R,
    map: Option<FileMap>,
    opening: &Opening,
) -> Result<Opened<'a>, StatementError> {
    let mut head = Vec::with_capacity(HEAD);
    (&mut input)
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|source| StatementError::Io { line_no: 1, source })?;
    let format = match opening.format {
        Some(format) => {
            format.confirm(&head)?;
            format
        }
        // With a map of columns, a CSV file is what the map says, whoever else has such columns.
        None => Format::detect(&head)?,
    };
    let mut input = Cursor::new(head).chain(input);
    if format.is_bank() || format == Format::Ndjson {
        // These count lines themselves, and know the byte order mark.
        skip_bom(&mut input);
    }
    let lines = |source: Box<dyn LineSource + 'a>| Opened::Lines(format, source);
    Ok(match (format, map) {
        (Format::Generic, None) => lines(Box::new(GenericReader::open(name, input, ColumnMap::default())?)),
        (Format::Generic, Some(map)) => lines(Box::new(DeclaredReader::open(name, input, map)?)),
        (Format::Stripe, map) => lines(Box::new(StripeReader::open(
            name,
            input,
            map.unwrap_or_default(),
        )?)),
        (Format::Adyen, map) => {
            let reader = AdyenReader::open(name, input, map.unwrap_or_default(), opening.amounts)?;
            lines(Box::new(reader))
        }
        (Format::Ndjson, map) => lines(Box::new(NdjsonReader::open(name, input, map.unwrap_or_default()))),
        (Format::Camt053, _) => Opened::Bank(format, Box::new(Camt053Reader::open(name, input))),
        (Format::Mt940, _) => Opened::Bank(format, Box::new(Mt940Reader::open(name, input))),
    })
}

fn skip_bom<R: Read>(input: &mut std::io::Chain<Cursor<Vec<u8>>, R>) {
    let (head, _) = input.get_mut();
    if head.get_ref().starts_with(b"\xef\xbb\xbf") {
        head.set_position(3);
    }
}
