//! Where the end of the tamper-evidence chain is kept outside the database: `MIZAN_ANCHOR_FILE`.

use std::path::PathBuf;

use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const ANCHOR_FILE: Setting = Setting {
    name: "MIZAN_ANCHOR_FILE",
    meaning: "The file that the end of the journal's chain is written to after every sealing. Keep it where the \
              database's owner cannot write.",
    default: "for SQLite, the database file with `.anchor` after it; for PostgreSQL none",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[ANCHOR_FILE];

pub(crate) fn read(vars: &Vars) -> Option<PathBuf> {
    vars.text(&ANCHOR_FILE).map(PathBuf::from)
}
