//! Parquet statements: columns by the names of the generic format or of a map file, one row group after the other.
//!
//! Text, whole numbers, decimals, timestamps and dates are read exactly. Floating point is refused: it is no amount.

use std::borrow::Cow;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use parquet::basic::{LogicalType, Type as Physical};
use parquet::data_type::Decimal;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as Record};

use super::declared;
use super::fault::Fault;
use super::map_file::FileMap;
use super::table::Cells;
use super::{LineSource, Row, StatementError};

/// The largest row group that is unpacked, by what the file says it unpacks to: one is in memory at a time.
const MOST_UNPACKED: i64 = 1 << 30;

/// Reads rows of a Parquet file.
pub struct ParquetReader {
    name: String,
    rows: RowIter<'static>,
    map: FileMap,
    ignored: Vec<String>,
    row_no: u64,
    broken: bool,
}

impl ParquetReader {
    /// Reads the schema. `name` tells this file from others.
    pub fn open(name: impl Into<String>, file: File, map: FileMap) -> Result<Self, StatementError> {
        let reader = guarded(|| SerializedFileReader::new(file))?;
        let metadata = reader.metadata();
        for (number, group) in metadata.row_groups().iter().enumerate() {
            if group.total_byte_size() > MOST_UNPACKED {
                return Err(refused(format!(
                    "row group {number} unpacks to {} bytes; at most {MOST_UNPACKED} are read: write smaller ones",
                    group.total_byte_size()
                )));
            }
        }
        let mut map = map;
        // Numbers and times of a typed column are not written in anybody's manner.
        map.file.decimal_comma = false;
        let fields = metadata.file_metadata().schema().get_fields();
        let timed = fields.iter().any(|it| {
            let typed = it.is_primitive() && it.get_physical_type() != Physical::BYTE_ARRAY;
            it.name() == map.columns.occurred_at && typed
        });
        if timed {
            map.file.time_format = None;
        }
        let names: Vec<&str> = fields.iter().map(|it| it.name()).collect();
        let seen = names.join(", ");
        for wanted in needed(&map) {
            if !wanted.iter().any(|it| names.contains(it)) {
                return Err(StatementError::MissingColumns {
                    format: "parquet",
                    missing: wanted.join(" or "),
                    expected: "the names of the generic format, or those of a map file".to_owned(),
                    seen: seen.chars().take(400).collect(),
                });
            }
        }
        for it in fields {
            let json =
                it.is_primitive() && it.get_basic_info().logical_type_ref() == Some(&LogicalType::Json);
            if json && map.names().contains(&it.name()) {
                return Err(refused(format!(
                    "the column '{}' holds JSON, no value",
                    it.name()
                )));
            }
        }
        let known = map.names();
        let ignored = names.iter().filter(|it| !known.contains(it));
        let ignored = ignored.take(100).map(|it| (*it).to_owned()).collect();
        Ok(Self {
            name: name.into(),
            rows: RowIter::from_file_into(Box::new(reader)),
            map,
            ignored,
            row_no: 0,
            broken: false,
        })
    }
}

/// Of each of these one column has to be there.
fn needed(map: &FileMap) -> Vec<Vec<&str>> {
    let columns = &map.columns;
    let mut all = vec![vec![columns.event_id.as_str(), columns.reference.as_str()]];
    match (&columns.debit, &columns.credit) {
        (Some(debit), Some(credit)) => all.extend([vec![debit.as_str()], vec![credit.as_str()]]),
        _ => all.push(vec![columns.amount.as_str()]),
    }
    for (name, constant) in [
        (&columns.kind, map.constant.kind.is_some()),
        (&columns.currency, map.constant.currency.is_some()),
        (&columns.status, map.constant.status.is_some()),
        (&columns.occurred_at, false),
    ] {
        if !constant {
            all.push(vec![name.as_str()]);
        }
    }
    all
}

impl LineSource for ParquetReader {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        if self.broken {
            return Ok(None);
        }
        let rows = &mut self.rows;
        let next = guarded(|| rows.next().transpose());
        self.broken = next.is_err();
        let Some(record) = next.map_err(|it| broken_off(self.row_no + 1, &it))? else {
            return Ok(None);
        };
        self.row_no += 1;
        Ok(Some(
            match declared::line(&self.map, self.row_no, &Typed::of(&record)) {
                Ok(line) => Row::Line(line),
                Err(fault) => {
                    let shown = record.to_string();
                    Row::Quarantined(fault.quarantined(self.row_no, shown.as_bytes()))
                }
            },
        ))
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }
}

/// Runs the library on bytes that came from outside: where it panics instead of refusing them, that is a refusal too.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, StatementError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(_) => Err(refused("it is damaged".to_owned())),
    }
}

fn refused(reason: String) -> StatementError {
    StatementError::NotOfFormat {
        format: "parquet",
        reason,
    }
}

fn broken_off(row: u64, error: &StatementError) -> StatementError {
    refused(format!("row {row} cannot be read: {error}"))
}

/// A cell as text, or what stands there instead of one.
type CellText<'a> = Result<Cow<'a, str>, &'static str>;

/// The cells of one row; None where there is no value.
struct Typed<'a>(Vec<(&'a str, Option<CellText<'a>>)>);

impl<'a> Typed<'a> {
    fn of(record: &'a Record) -> Self {
        let cells = record.get_column_iter();
        Self(cells.map(|(name, field)| (name.as_str(), text(field))).collect())
    }
}

impl Cells for Typed<'_> {
    fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.iter().find(|it| it.0 == name) {
            None | Some((_, None)) => Ok(None),
            Some((_, Some(Ok(text)))) => Ok(Some(text)),
            Some((_, Some(Err(seen)))) => Err(Fault::at(
                name,
                format!("text, a whole number, a decimal or a time is expected; seen {seen}"),
            )),
        }
    }
}

/// None: no value.
fn text(field: &Field) -> Option<CellText<'_>> {
    let whole = |it: i128| Ok(Cow::Owned(it.to_string()));
    Some(match field {
        Field::Null => return None,
        Field::Str(it) => Ok(Cow::Borrowed(it)),
        Field::Byte(it) => whole(i128::from(*it)),
        Field::Short(it) => whole(i128::from(*it)),
        Field::Int(it) => whole(i128::from(*it)),
        Field::Long(it) => whole(i128::from(*it)),
        Field::UByte(it) => whole(i128::from(*it)),
        Field::UShort(it) => whole(i128::from(*it)),
        Field::UInt(it) => whole(i128::from(*it)),
        Field::ULong(it) => whole(i128::from(*it)),
        Field::Decimal(it) => decimal(it).map(Cow::Owned),
        Field::TimestampMillis(it) => time(DateTime::from_timestamp_millis(*it)),
        Field::TimestampMicros(it) => time(DateTime::from_timestamp_micros(*it)),
        Field::Date(it) => {
            let day = u64::try_from(*it)
                .ok()
                .and_then(|it| NaiveDate::default().checked_add_days(Days::new(it)));
            day.map(|it| Cow::Owned(it.to_string()))
                .ok_or("a date out of range")
        }
        Field::Bytes(it) => std::str::from_utf8(it.data())
            .map(Cow::Borrowed)
            .map_err(|_| "bytes that are no UTF-8"),
        Field::Float16(_) | Field::Float(_) | Field::Double(_) => Err("a floating-point number"),
        Field::Bool(_) => Err("true or false"),
        Field::TimeMillis(_) | Field::TimeMicros(_) => Err("a time of day"),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => Err("several values"),
    })
}

fn time(at: Option<DateTime<chrono::Utc>>) -> CellText<'static> {
    at.map(|it| Cow::Owned(it.to_rfc3339_opts(SecondsFormat::Micros, true)))
        .ok_or("a time out of range")
}

/// The decimal text of a decimal, digit by digit.
fn decimal(it: &Decimal) -> Result<String, &'static str> {
    let bytes = it.data();
    if bytes.is_empty() || bytes.len() > 16 {
        return Err("a decimal of more than 38 digits");
    }
    // Big-endian two's complement of any length.
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [sign; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    let unscaled = i128::from_be_bytes(wide);
    let scale = usize::try_from(it.scale()).map_err(|_| "a decimal with a negative scale")?;
    if scale > 38 {
        return Err("a decimal of more than 38 digits");
    }
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (major, minor) = digits.split_at(digits.len() - scale);
    let minus = if unscaled < 0 { "-" } else { "" };
    // Zeros at the end say nothing about the currency's decimals.
    let minor = minor.trim_end_matches('0');
    Ok(if minor.is_empty() {
        format!("{minus}{major}")
    } else {
        format!("{minus}{major}.{minor}")
    })
}

#[cfg(test)]
mod tests;
