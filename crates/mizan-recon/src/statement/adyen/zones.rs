//! Time zones as the report abbreviates them. An abbreviation that means one offset is known; one that means
//! several (IST, CST, BST) has to be declared by the map.

use std::collections::BTreeMap;

use chrono::{FixedOffset, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use mizan_core::Timestamp;

use crate::statement::declared::moment;
use crate::statement::map_file::Word;

/// A place with its own calendar of clock changes, or hours from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Place(Tz),
    Hours(i32),
}

pub(super) fn find(text: &str, declared: &BTreeMap<String, Word<Tz>>) -> Result<Zone, String> {
    if let Some(place) = declared.get(text) {
        return Ok(Zone::Place(place.0));
    }
    Ok(Zone::Hours(match text {
        "UTC" | "GMT" | "WET" => 0,
        "CET" | "WEST" => 1,
        "CEST" | "EET" => 2,
        "TRT" | "MSK" | "EEST" => 3,
        "SGT" | "HKT" => 8,
        "JST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "NZST" => 12,
        "NZDT" => 13,
        "BRT" => -3,
        "EDT" => -4,
        "EST" => -5,
        "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ if text.contains('/') => {
            return text
                .parse()
                .map(Zone::Place)
                .map_err(|_| format!("'{text}' is no time zone"));
        }
        _ => {
            let seen: String = text.chars().take(20).collect();
            return Err(format!(
                "the time zone '{seen}' is not known or means several; declare it in the map file under [zones]"
            ));
        }
    }))
}

/// A local time of the zone.
pub(super) fn at(zone: Zone, text: &str) -> Result<Timestamp, String> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map_err(|_| {
        let seen: String = text.chars().take(40).collect();
        format!("a time is written like 2026-11-01 09:30:00; seen '{seen}'")
    })?;
    match zone {
        Zone::Place(place) => moment(local, place),
        Zone::Hours(hours) => FixedOffset::east_opt(hours * 3600)
            .and_then(|it| it.from_local_datetime(&local).single())
            .map(|it| it.to_utc())
            .ok_or_else(|| format!("{local} is out of range")),
    }
}
