//! The secrets that providers sign their events with: `WEBHOOK_SECRET_<PROVIDER>`.

use std::collections::BTreeMap;

use mizan_mask::Secret;

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const WEBHOOK_SECRET: Setting = Setting {
    name: "WEBHOOK_SECRET_<PROVIDER>",
    meaning: "Secret of a provider connection, several separated by commas during a rotation. \
              The key of the connection in upper case, `-` as `_`.",
    default: "a fixed test secret for `mockpsp`",
    strict: "no default: without one a connection refuses every event; no placeholder, not the test secret",
    shape: Shape::Secret,
};
pub(crate) const SETTINGS: &[Setting] = &[WEBHOOK_SECRET];

pub(crate) const PREFIX: &str = "WEBHOOK_SECRET_";

/// Signs the events of `mockpsp` outside strict mode. Public on purpose: it protects nothing.
pub const MOCKPSP_TEST_SECRET: &str = "mockpsp-test-secret-which-protects-nothing";

/// The secrets of the provider connections, by key.
#[derive(Debug, Clone)]
pub struct Webhooks {
    by_suffix: BTreeMap<String, Vec<Secret<String>>>,
}

impl Webhooks {
    /// The secrets of one connection, newest first as configured; empty means that every event is refused.
    ///
    /// `provider` is the key of the connection: `stripe-tr` finds `WEBHOOK_SECRET_STRIPE_TR`.
    pub fn secrets(&self, provider: &str) -> &[Secret<String>] {
        self.by_suffix.get(&suffix(provider)).map_or(&[], Vec::as_slice)
    }

    /// Names of the variables that are in force, for the boot log.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        self.by_suffix.keys().map(|it| format!("{PREFIX}{it}"))
    }
}

pub(crate) fn suffix(provider: &str) -> String {
    provider.to_ascii_uppercase().replace('-', "_")
}

/// Whether a variable names the secret of a connection.
pub(crate) fn is_secret_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|it| {
        !it.is_empty()
            && it
                .chars()
                .all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
    })
}

/// The single secrets of a value. An empty piece (`a,,b`) is no secret.
pub(crate) fn split(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|it| !it.is_empty())
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Webhooks {
    let mut by_suffix = BTreeMap::new();
    for (name, value) in vars.iter().filter(|(name, _)| is_secret_name(name)) {
        let secrets: Vec<_> = split(value).map(|it| Secret::new(it.to_owned())).collect();
        if secrets.is_empty() {
            report.problem(name, "holds no secret");
        }
        by_suffix.insert(name[PREFIX.len()..].to_owned(), secrets);
    }
    if !mode.strict {
        by_suffix
            .entry("MOCKPSP".to_owned())
            .or_insert_with(|| vec![Secret::new(MOCKPSP_TEST_SECRET.to_owned())]);
    } else if by_suffix.is_empty() {
        report.warning(
            WEBHOOK_SECRET.name,
            "is not set for any provider: every webhook event is refused",
        );
    }
    Webhooks { by_suffix }
}
