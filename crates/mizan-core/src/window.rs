//! Half-open windows of time.

use std::fmt;

use crate::Timestamp;

/// `[start, end)`: the start belongs to the window, the end to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindow {
    start: Timestamp,
    end: Timestamp,
}

/// A window must end after it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("window_end must be after window_start")]
pub struct EmptyWindow;

impl TimeWindow {
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, EmptyWindow> {
        if end > start {
            Ok(Self { start, end })
        } else {
            Err(EmptyWindow)
        }
    }

    pub fn start(self) -> Timestamp {
        self.start
    }

    pub fn end(self) -> Timestamp {
        self.end
    }

    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start.to_rfc3339(), self.end.to_rfc3339())
    }
}
