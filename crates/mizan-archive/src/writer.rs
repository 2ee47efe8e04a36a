//! Writing: one row group for each slice of rows.

use std::fs::File;
use std::sync::Arc;

use mizan_ledger::chain::JournalRow;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::data_type::{Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::{Error, SCHEMA};

/// A file that rows are appended to. Without [`Writer::finish`] it cannot be read.
pub struct Writer(SerializedFileWriter<File>);

type Group<'a> = SerializedRowGroupWriter<'a, File>;

impl Writer {
    pub fn new(file: File) -> Result<Self, Error> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        Ok(Self(SerializedFileWriter::new(
            file,
            schema,
            Arc::new(properties.build()),
        )?))
    }

    /// Appends one row group; rows by the ten thousand make small files.
    pub fn append(&mut self, rows: &[JournalRow]) -> Result<(), Error> {
        let mut group = self.0.next_row_group()?;
        let it = &mut group;
        required::<Int64Type>(it, rows, |row| row.seq)?;
        required::<Int32Type>(it, rows, |row| row.tenant.0)?;
        required::<FixedLenByteArrayType>(it, rows, |row| fixed(row.transaction.0))?;
        required::<Int32Type>(it, rows, |row| row.leg.into())?;
        required::<ByteArrayType>(it, rows, |row| row.kind.as_str().into())?;
        required::<Int64Type>(it, rows, |row| row.debit.0)?;
        required::<Int64Type>(it, rows, |row| row.credit.0)?;
        required::<Int64Type>(it, rows, |row| row.amount)?;
        required::<ByteArrayType>(it, rows, |row| row.currency.as_str().into())?;
        optional::<Int64Type>(it, rows, |row| row.debit_after)?;
        optional::<Int64Type>(it, rows, |row| row.credit_after)?;
        optional::<FixedLenByteArrayType>(it, rows, |row| row.reverses.map(|it| fixed(it.0)))?;
        optional::<ByteArrayType>(it, rows, |row| row.reference.as_deref().map(ByteArray::from))?;
        optional::<ByteArrayType>(it, rows, |row| row.metadata.as_deref().map(ByteArray::from))?;
        required::<ByteArrayType>(it, rows, |row| row.fingerprint.clone().into())?;
        required::<Int64Type>(it, rows, |row| row.posted_at.timestamp_micros())?;
        group.close()?;
        Ok(())
    }

    /// Writes the end of the file and hands it back, so that it can be synced.
    pub fn finish(self) -> Result<File, Error> {
        Ok(self.0.into_inner()?)
    }
}

fn fixed(id: uuid::Uuid) -> FixedLenByteArray {
    FixedLenByteArray::from(id.as_bytes().to_vec())
}

fn required<T: DataType>(
    group: &mut Group<'_>,
    rows: &[JournalRow],
    value: impl Fn(&JournalRow) -> T::T,
) -> Result<(), Error> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    write::<T>(group, &values, None)
}

fn optional<T: DataType>(
    group: &mut Group<'_>,
    rows: &[JournalRow],
    value: impl Fn(&JournalRow) -> Option<T::T>,
) -> Result<(), Error> {
    let values: Vec<Option<T::T>> = rows.iter().map(value).collect();
    let there: Vec<i16> = values.iter().map(|it| it.is_some().into()).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    write::<T>(group, &values, Some(&there))
}

fn write<T: DataType>(group: &mut Group<'_>, values: &[T::T], there: Option<&[i16]>) -> Result<(), Error> {
    let mut column = group.next_column()?.ok_or(Error::Schema)?;
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()?;
    Ok(())
}
