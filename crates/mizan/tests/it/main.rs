//! Journeys over HTTP and the command line, against the real binary, on every store.

mod harness;
mod verbs;

mod money_path;
