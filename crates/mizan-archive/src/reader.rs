//! Reading: one row group at a time, back into journal rows.

use std::fs::File;

use chrono::DateTime;
use mizan_core::{AccountId, TenantId, TransactionId};
use mizan_ledger::chain::JournalRow;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::parser::parse_message_type;
use uuid::Uuid;

use crate::{Error, SCHEMA};

/// A file of journal rows.
pub struct Reader {
    file: SerializedFileReader<File>,
    next: usize,
}

impl Reader {
    /// Reads the end of the file; another program's columns are refused.
    pub fn new(file: File) -> Result<Self, Error> {
        let file = SerializedFileReader::new(file)?;
        let wanted = parse_message_type(SCHEMA)?;
        let found = file.metadata().file_metadata().schema();
        let same = wanted.get_fields() == found.get_fields();
        if same {
            Ok(Self { file, next: 0 })
        } else {
            Err(Error::Schema)
        }
    }

    /// The next row group, in the order of writing. `None` at the end.
    pub fn next_rows(&mut self) -> Result<Option<Vec<JournalRow>>, Error> {
        if self.next == self.file.num_row_groups() {
            return Ok(None);
        }
        let group = self.file.get_row_group(self.next)?;
        self.next += 1;
        rows(&*group).map(Some)
    }
}

fn rows(group: &dyn RowGroupReader) -> Result<Vec<JournalRow>, Error> {
    let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let columns = Columns { group, count };
    let mut seqs = columns.required::<Int64Type>(0)?;
    let mut tenants = columns.required::<Int32Type>(1)?;
    let mut ids = columns.required::<FixedLenByteArrayType>(2)?;
    let mut legs = columns.required::<Int32Type>(3)?;
    let mut kinds = columns.required::<ByteArrayType>(4)?;
    let mut debits = columns.required::<Int64Type>(5)?;
    let mut credits = columns.required::<Int64Type>(6)?;
    let mut amounts = columns.required::<Int64Type>(7)?;
    let mut currencies = columns.required::<ByteArrayType>(8)?;
    let mut debits_after = columns.optional::<Int64Type>(9)?;
    let mut credits_after = columns.optional::<Int64Type>(10)?;
    let mut reversed = columns.optional::<FixedLenByteArrayType>(11)?;
    let mut references = columns.optional::<ByteArrayType>(12)?;
    let mut metadata = columns.optional::<ByteArrayType>(13)?;
    let mut fingerprints = columns.required::<ByteArrayType>(14)?;
    let mut times = columns.required::<Int64Type>(15)?;
    let id = |bytes: &[u8], column, row| Uuid::from_slice(bytes).map_err(|it| bad(column, row, it));
    (0..count)
        .map(|row| {
            let reverses = reversed.at(row)?;
            Ok(JournalRow {
                seq: seqs.at(row)?,
                tenant: TenantId(tenants.at(row)?),
                transaction: TransactionId(id(ids.at(row)?.data(), "transaction_id", row)?),
                leg: i16::try_from(legs.at(row)?).map_err(|it| bad("leg", row, it))?,
                kind: text(&kinds.at(row)?, "kind", row)?,
                debit: AccountId(debits.at(row)?),
                credit: AccountId(credits.at(row)?),
                amount: amounts.at(row)?,
                currency: text(&currencies.at(row)?, "currency", row)?,
                debit_after: debits_after.at(row)?,
                credit_after: credits_after.at(row)?,
                reverses: reverses
                    .map(|it| id(it.data(), "reverses", row).map(TransactionId))
                    .transpose()?,
                reference: references
                    .at(row)?
                    .map(|it| text(&it, "reference", row))
                    .transpose()?,
                metadata: metadata
                    .at(row)?
                    .map(|it| text(&it, "metadata", row))
                    .transpose()?,
                fingerprint: fingerprints.at(row)?.data().to_vec(),
                posted_at: DateTime::from_timestamp_micros(times.at(row)?)
                    .ok_or_else(|| bad("posted_at", row, "out of range"))?,
            })
        })
        .collect()
}

fn bad(column: &'static str, row: usize, problem: impl ToString) -> Error {
    Error::Column {
        column,
        row,
        problem: problem.to_string(),
    }
}

fn text(bytes: &ByteArray, column: &'static str, row: usize) -> Result<String, Error> {
    let text = bytes.as_utf8().map_err(|it| bad(column, row, it))?;
    Ok(text.to_owned())
}

struct Columns<'a> {
    group: &'a dyn RowGroupReader,
    count: usize,
}

/// The values of one column, each taken once.
struct Values<T>(Vec<Option<T>>);

impl<T> Values<T> {
    fn at(&mut self, row: usize) -> Result<T, Error> {
        self.0
            .get_mut(row)
            .and_then(Option::take)
            .ok_or_else(|| bad("(required)", row, "it is missing"))
    }
}

impl Columns<'_> {
    fn required<T: DataType>(&self, column: usize) -> Result<Values<T::T>, Error> {
        let (values, _) = self.read::<T>(column)?;
        Ok(Values(values.into_iter().map(Some).collect()))
    }

    fn optional<T: DataType>(&self, column: usize) -> Result<Values<Option<T::T>>, Error> {
        let (values, there) = self.read::<T>(column)?;
        let mut values = values.into_iter();
        let spread = there.into_iter().map(|it| {
            let value = if it == 1 { values.next() } else { None };
            Some(value)
        });
        Ok(Values(spread.collect()))
    }

    /// The values that are there, and for optional columns which rows have one.
    fn read<T: DataType>(&self, column: usize) -> Result<(Vec<T::T>, Vec<i16>), Error> {
        let optional = self
            .group
            .metadata()
            .column(column)
            .column_descr()
            .max_def_level()
            > 0;
        let mut reader = get_typed_column_reader::<T>(self.group.get_column_reader(column)?);
        let (mut values, mut there) = (Vec::with_capacity(self.count), Vec::new());
        let mut read = 0;
        while read < self.count {
            let levels = optional.then_some(&mut there);
            let (records, ..) = reader.read_records(self.count - read, levels, None, &mut values)?;
            if records == 0 {
                break;
            }
            read += records;
        }
        Ok((values, there))
    }
}
