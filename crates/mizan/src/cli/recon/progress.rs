//! How far a match is, on a terminal; and what it took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use mizan_recon::Progress;

/// A bar that follows a run.
pub(super) struct Shown {
    bar: ProgressBar,
    began: Instant,
    last: AtomicU64,
}

impl Shown {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a command took is measured at the edge"
    )]
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar,
            began: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Called from all threads of a run, some hundred times a second.
    pub(super) fn tell(&self, progress: Progress) {
        match progress {
            Progress::Read { side, rows } => {
                // Threads may report out of order.
                if self.last.swap(rows, Ordering::Relaxed) != rows {
                    self.bar.set_message(format!("{side}: {} rows", HumanCount(rows)));
                }
            }
            Progress::Compared { done, all } => {
                self.bar.set_message("comparing");
                self.bar.set_length(all);
                self.bar.set_position(done);
            }
        }
    }

    /// Takes the bar away; answers how long the run took.
    pub(super) fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.began.elapsed()
    }
}

/// The most memory that this process has had, in bytes, where the system says.
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}
