//! Load runs: longer than a bench, without a yardstick, and with an answer of yes or no.

mod cast;
pub mod crash;
pub mod soak;
