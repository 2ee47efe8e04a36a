//! Times on the wire: RFC 3339 with an offset or `Z`; without either it is UTC.

use chrono::{DateTime, NaiveDateTime, Utc};
use mizan_core::Timestamp;
use mizan_core::clock::to_micros;

use crate::error::ApiError;

pub(crate) fn read(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    let invalid = || ApiError::invalid(field, "use RFC 3339, such as 2026-01-31T12:00:00Z");
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(to_micros(at.with_timezone(&Utc)));
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .map(|it| to_micros(it.and_utc()))
        .map_err(|_| invalid())
}

pub(crate) fn maybe(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    text.map(|it| read(field, it)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_z_and_none_are_read() {
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T15:00:00+03:00",
            "2026-01-31T12:00:00.000000Z",
        ] {
            assert_eq!(
                read("at", text).unwrap().to_rfc3339(),
                "2026-01-31T12:00:00+00:00",
                "{text}"
            );
        }
        for text in [
            "",
            "2026-01-31",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "1767225600",
        ] {
            assert!(read("at", text).is_err(), "{text}");
        }
    }
}
