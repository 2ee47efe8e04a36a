//! Load runs: longer than a bench, without a yardstick, and with an answer of yes or no.

mod cast;
pub mod crash;
pub mod soak;
pub mod takeover;

/// Their names, and a line about each.
pub const ALL: &[(&str, &str)] = &[
    ("soak", soak::ABOUT),
    ("crash", crash::ABOUT),
    ("takeover", takeover::ABOUT),
];
