//! What is wrong with the environment: one sentence a problem, never a value.

use std::fmt;

/// One thing that must be put right before Mizan starts.
///
/// Shown as `config error: DATABASE_URL is not set (required because ENV=staging)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the environment variable.
    pub variable: String,
    /// The rest of the sentence. It describes the value and never repeats it.
    pub sentence: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config error: {} {}", self.variable, self.sentence)
    }
}

/// Something worth a line at boot that does not keep Mizan from starting.
///
/// Shown as `config warning: LEDGER_SHADOW is not a setting of Mizan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub variable: String,
    pub sentence: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config warning: {} {}", self.variable, self.sentence)
    }
}

/// All the problems of one environment, in the order of the sections. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// What the process exits with: `EX_CONFIG` of `sysexits.h`.
    pub const EXIT_STATUS: u8 = 78;

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// Collects what the sections find while they read.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Report {
    pub(crate) fn problem(&mut self, variable: impl Into<String>, sentence: impl Into<String>) {
        self.add(Problem {
            variable: variable.into(),
            sentence: sentence.into(),
        });
    }

    /// A variable may break several rules in the same words; it is reported once.
    pub(crate) fn add(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    pub(crate) fn warning(&mut self, variable: impl Into<String>, sentence: impl Into<String>) {
        self.warnings.push(Warning {
            variable: variable.into(),
            sentence: sentence.into(),
        });
    }

    /// The warnings, or all the problems.
    pub(crate) fn close(self) -> Result<Vec<Warning>, Problems> {
        if self.problems.is_empty() {
            Ok(self.warnings)
        } else {
            Err(Problems(self.problems))
        }
    }
}
