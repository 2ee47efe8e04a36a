//! How log lines look and which are written: `LOG_FORMAT` and `RUST_LOG`.

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    meaning: "`json` (one object a line, for collectors) or `pretty` (for people).",
    default: "`pretty` on a terminal, else `json`",
    strict: "`json`",
    shape: Shape::Word(&["json", "pretty"]),
};
pub(crate) const RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    meaning: "Which lines are written, in the syntax of `tracing-subscriber`: `info`, `mizan_http=debug,info`.",
    default: "`info`",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[LOG_FORMAT, RUST_LOG];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Pretty,
    /// `pretty` when the log goes to a terminal, else `json`.
    ByTerminal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// A filter in the syntax of `tracing-subscriber`; checked where it is used.
    pub filter: String,
}

impl Log {
    /// Whether lines are JSON, given whether they go to a terminal.
    pub fn is_json(&self, to_a_terminal: bool) -> bool {
        match self.format {
            LogFormat::Json => true,
            LogFormat::Pretty => false,
            LogFormat::ByTerminal => !to_a_terminal,
        }
    }
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Log {
    let format = match vars.word(&LOG_FORMAT, report) {
        Some("json") => LogFormat::Json,
        Some(_) => LogFormat::Pretty,
        None if mode.strict => LogFormat::Json,
        None => LogFormat::ByTerminal,
    };
    Log {
        format,
        filter: vars.text(&RUST_LOG).unwrap_or("info").to_owned(),
    }
}
