//! Opens a statement of any format, declared or detected.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

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

/// Opens a file on disk, of any format.
pub fn open_file(name: &str, mut file: File, opening: &Opening) -> Result<Opened<'static>, StatementError> {
    let at_fault = |source| StatementError::Io { line_no: 1, source };
    let mut head = Vec::with_capacity(4);
    (&mut file).take(4).read_to_end(&mut head).map_err(at_fault)?;
    file.seek(SeekFrom::Start(0)).map_err(at_fault)?;
    if Format::detect(&head).ok() == Some(Format::Parquet) {
        if let Some(declared) = opening.format {
            declared.confirm(&head)?;
        }
        return columns_of(name, file, opening);
    }
    open(name, BufReader::with_capacity(1 << 20, file), opening)
}

#[cfg(feature = "parquet")]
fn columns_of(name: &str, file: File, opening: &Opening) -> Result<Opened<'static>, StatementError> {
    let map = opening.map.clone().unwrap_or_default();
    let reader = super::parquet::ParquetReader::open(name, file, map)?;
    Ok(Opened::Lines(Format::Parquet, Box::new(reader)))
}

#[cfg(not(feature = "parquet"))]
fn columns_of(_: &str, _: File, _: &Opening) -> Result<Opened<'static>, StatementError> {
    Err(StatementError::ParquetIsOff)
}

/// Opens a file as it comes, of any format but Parquet, which is not read from its beginning to its end. `name` tells it
/// from others; a file that is not of its format is refused in words.
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
        (Format::Parquet, _) => {
            return Err(StatementError::NotOfFormat {
                format: "parquet",
                reason: "it has to be a file on disk".to_owned(),
            });
        }
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
