//! Packs are run for real: processes, a little HTTP server, files.

mod background;
mod bad_packs;
mod ci_job;
mod hard;
mod harness;
mod http;
mod masking;
mod packs;
mod verdicts;
