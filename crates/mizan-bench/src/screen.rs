//! The two streams: results go to stdout, one JSON line each; what a person wants to follow goes to stderr.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on nothing but results and errors of the command itself.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// One line of a result.
pub fn result(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// One line about what is going on. A closed stderr is nobody's loss.
pub fn note(line: &str) {
    if !QUIET.load(Ordering::Relaxed) || line.starts_with("error:") {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
