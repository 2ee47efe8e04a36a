//! The matching engine: statements and ledger lines in, findings out.
//!
//! [`statement`] reads files into [`Line`]s and quarantines what it cannot read, [`rules`] say what counts as
//! the same, an [`engine::MatchEngine`] joins both sides, and [`view`] shows the result in JSON. Nothing here
//! knows a database, a clock or a network, and nothing is async.

pub mod bank;
mod compare;
mod digest;
pub mod engine;
pub mod finding;
pub mod legs;
pub mod line;
pub mod native;
mod packed;
pub mod rules;
mod sets;
pub mod spreadsheet;
pub mod statement;
mod toml_file;
pub mod view;

pub use engine::{
    Job, MatchEngine, MatchError, Progress, Report, Side, Sum, Summary, Watch, match_files, match_lines,
};
pub use finding::{Finding, FindingType, Leg, Severity, UnknownWord, Why};
pub use line::{Line, LineFields, LineKind, LineStatus};
pub use native::{Limits, NativeEngine};
pub use packed::LineBatch;
pub use rules::Rules;
pub use rules::file::{RuleFile, RuleSet};
pub use statement::{
    Batches, ColumnMap, GenericReader, LineSource, Lines, Quarantined, Row, Rows, Share, SignConvention,
    StatementError, StatementRead,
};
pub use toml_file::FileError;
