//! What a command prints. Every line passes the masker, which knows the secrets of the environment; clippy refuses
//! `println!` and its like elsewhere in this crate.

use std::fmt;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::LazyLock;

use mizan_mask::Masker;

static MASKER: LazyLock<Masker> = LazyLock::new(crate::wire::masker);

/// A line for stdout: what was asked for.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::say::out(format_args!($($words)*)) };
}

/// A line for stderr: what went wrong, and what happens meanwhile.
macro_rules! complain {
    ($($words:tt)*) => { $crate::cli::say::err(format_args!($($words)*)) };
}

pub fn out(words: fmt::Arguments<'_>) {
    line(&mut io::stdout().lock(), words);
}

pub fn err(words: fmt::Arguments<'_>) {
    line(&mut io::stderr().lock(), words);
}

fn line(to: &mut impl Write, words: fmt::Arguments<'_>) {
    let text = masked(words);
    // Whoever reads may have stopped reading; there is nobody else to tell.
    drop(writeln!(to, "{text}").and_then(|()| to.flush()));
}

fn masked(words: fmt::Arguments<'_>) -> String {
    MASKER.mask(&words.to_string()).into_string()
}

/// Says what is wrong with the command line. Plain, as colours would stand between what belongs together.
pub fn usage(error: &clap::Error) {
    err(format_args!("{}", error.render().to_string().trim_end()));
}

/// From now on a panic is an event of the log where there is one, and a masked line elsewhere.
pub fn mask_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = of_panic(info);
        if tracing::dispatcher::has_been_set() {
            tracing::error!(event = "panic", "{text}");
        } else {
            err(format_args!("{text}"));
        }
    }));
}

fn of_panic(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let trace = std::backtrace::Backtrace::capture();
    let trace = match trace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    masked(format_args!(
        "thread {} {info}{trace}",
        thread.name().unwrap_or("without a name")
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::of_panic;

    #[test]
    fn a_panic_does_not_say_what_is_secret() {
        let seen = Arc::new(Mutex::new(String::new()));
        let to = Arc::clone(&seen);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| *to.lock().expect("a text") = of_panic(info)));
        let url = "postgres://app:hunter2-Secret@db/x";
        let ended = std::panic::catch_unwind(|| panic!("no connection to {url}"));
        std::panic::set_hook(before);
        assert!(ended.is_err());
        let seen = seen.lock().expect("a text");
        assert!(
            seen.contains("no connection to postgres://app:***@db/x"),
            "{seen}"
        );
        assert!(!seen.contains("hunter2"), "{seen}");
    }
}
