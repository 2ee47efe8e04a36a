//! Exit codes, and how an error is said.

use std::process::ExitCode;

use mizan_config::Problems;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

/// Done.
pub const DONE: Exit = Exit(0);
/// The answer is no.
pub const NO: Exit = Exit(1);
/// Wrong use of the command line.
pub const WRONG_USE: Exit = Exit(2);
/// It could not be done.
pub const COULD_NOT: Exit = Exit(3);
/// What would have been written held a secret; it is not there.
pub const LEAK: Exit = Exit(4);
/// The configuration is wrong.
pub const CONFIGURATION: Exit = Exit(Problems::EXIT_STATUS);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Says an error with its causes, masked, and picks the exit code.
pub fn explain(error: &anyhow::Error) -> Exit {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        for problem in problems.iter() {
            complain!("{problem}");
        }
        return CONFIGURATION;
    }
    complain!("error: {error:#}");
    COULD_NOT
}
