//! Text fields: decoded, capped, and free of what no table or log should hold.

use mizan_payments::provider::Untranslatable;
use serde_json::value::RawValue;

/// The longest id or reference, in bytes.
pub(crate) const MAX_ID: usize = 255;
/// The longest event type, in bytes.
pub(crate) const MAX_TYPE: usize = 64;
/// The longest amount, currency or time, in bytes.
pub(crate) const MAX_WORD: usize = 64;

pub(crate) fn wrong(field: &'static str, reason: impl Into<String>) -> Untranslatable {
    Untranslatable {
        field,
        reason: reason.into(),
    }
}

/// The text of a field; `None` where it is not there or `null`.
pub(crate) fn text(
    field: &'static str,
    raw: Option<&RawValue>,
    longest: usize,
) -> Result<Option<String>, Untranslatable> {
    let Some(raw) = raw.map(RawValue::get).filter(|it| *it != "null") else {
        return Ok(None);
    };
    // The JSON text of a string of n bytes has at most 6n + 2 (each byte as an escape).
    if raw.len() > longest * 6 + 2 {
        return Err(wrong(field, format!("is longer than {longest} bytes")));
    }
    let value: String = serde_json::from_str(raw).map_err(|_| wrong(field, "is not a string"))?;
    check_id(field, &value, longest)?;
    Ok(Some(value))
}

/// Checks a text that becomes part of a row: not empty, not longer than `longest` bytes, no control characters.
pub(crate) fn check_id(field: &'static str, value: &str, longest: usize) -> Result<(), Untranslatable> {
    if value.is_empty() {
        Err(wrong(field, "is empty"))
    } else if value.len() > longest {
        Err(wrong(field, format!("is longer than {longest} bytes")))
    } else if value.chars().any(char::is_control) {
        Err(wrong(field, "has control characters"))
    } else {
        Ok(())
    }
}
