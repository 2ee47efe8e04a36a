//! Logs: to stderr, one event a line, masked, all fields kept.

use std::io::IsTerminal;

use mizan_config::Log;
use mizan_mask::{Masker, MaskingWriter};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Sets logging up for the process.
pub fn start(log: &Log, masker: &Masker) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let masker = masker.clone();
    let writer = move || MaskingWriter::new(masker.clone(), std::io::stderr());
    let to_a_terminal = std::io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    let started = if log.is_json(to_a_terminal) {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false);
        registry.with(layer.with_writer(writer)).try_init()
    } else {
        let layer = fmt::layer()
            .with_ansi(to_a_terminal && !no_color())
            .with_target(false);
        registry.with(layer.with_writer(writer)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was set up before");
    }
}

/// Logs for a command that prints its result: warnings only, unless `RUST_LOG` says otherwise.
pub fn start_quiet(log: &Log, masker: &Masker) {
    let filter = if log.filter == "info" {
        "warn".to_owned()
    } else {
        log.filter.clone()
    };
    start(
        &Log {
            format: log.format,
            filter,
        },
        masker,
    );
}

/// Whether the user asked for no colours.
#[expect(
    clippy::disallowed_methods,
    reason = "NO_COLOR is a convention of terminals, not a setting"
)]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty())
}
