//! How the journal is cut into partitions: `MIZAN_JOURNAL_PARTITION_ROWS`.

use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const PARTITION_ROWS: Setting = Setting {
    name: "MIZAN_JOURNAL_PARTITION_ROWS",
    meaning: "How many rows a partition of the journal may have, on PostgreSQL. Counts for partitions that are made \
              from then on.",
    default: "`5000000`",
    strict: "same",
    shape: Shape::Number {
        min: 1_000,
        max: 100_000_000,
    },
};
pub(crate) const SETTINGS: &[Setting] = &[PARTITION_ROWS];

pub(crate) fn read(vars: &Vars, report: &mut Report) -> u32 {
    let rows = vars.number(&PARTITION_ROWS, report);
    rows.and_then(|it| u32::try_from(it).ok()).unwrap_or(5_000_000)
}
