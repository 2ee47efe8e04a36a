//! The rollout flags, each with where its value comes from, and the balances that are being adopted.
//!
//! These are the values of the installation; a tenant may override them in the database, except those that
//! [`Source::is_forced`].

use std::fmt;

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::{Vars, parse_flag};

pub(crate) const LEDGER_SHADOW_WRITE: Setting = Setting {
    name: "LEDGER_SHADOW_WRITE",
    meaning: "Every money movement is also written to the ledger.",
    default: "`true`",
    strict: "same",
    shape: Shape::Flag,
};
pub(crate) const LEDGER_BALANCE_MISMATCH_LOG: Setting = Setting {
    name: "LEDGER_BALANCE_MISMATCH_LOG",
    meaning: "Legacy and ledger balances are compared at every movement, and a difference is reported.",
    default: "`true`",
    strict: "same",
    shape: Shape::Flag,
};
pub(crate) const LEDGER_ENFORCE_BALANCE: Setting = Setting {
    name: "LEDGER_ENFORCE_BALANCE",
    meaning: "Funds are checked on the ledger's balances; no row means 0.",
    default: "`false` with a legacy wallet; without one always `true`",
    strict: "same",
    shape: Shape::Flag,
};
pub(crate) const WEBHOOK_SIGNATURE_ENFORCED: Setting = Setting {
    name: "WEBHOOK_SIGNATURE_ENFORCED",
    meaning: "An event without a valid signature is refused.",
    default: "`true`",
    strict: "same; forced `true` in `prod` unless an override is named",
    shape: Shape::Flag,
};
pub(crate) const WEBHOOK_SIGNATURE_OVERRIDE: Setting = Setting {
    name: "WEBHOOK_SIGNATURE_OVERRIDE",
    meaning: "Names who or what allows `WEBHOOK_SIGNATURE_ENFORCED=false` in `prod`, such as a ticket; logged at boot.",
    default: "none",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const LEGACY_WALLET: Setting = Setting {
    name: "LEGACY_WALLET",
    meaning: "The balances that are being adopted. `players` and `external` are not available in this version.",
    default: "`none`",
    strict: "same",
    shape: Shape::Word(&["none", "players", "external"]),
};
pub(crate) const SETTINGS: &[Setting] = &[
    LEDGER_SHADOW_WRITE,
    LEDGER_BALANCE_MISMATCH_LOG,
    LEDGER_ENFORCE_BALANCE,
    WEBHOOK_SIGNATURE_ENFORCED,
    WEBHOOK_SIGNATURE_OVERRIDE,
    LEGACY_WALLET,
];

/// Where the value of a flag comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    Environment,
    /// There are no legacy balances, so the ledger decides.
    NoLegacyWallet,
    /// Production refuses the other value.
    Prod,
    /// Production would refuse this value, but somebody took it upon themselves.
    Override(String),
}

impl Source {
    /// Whether neither the environment nor a tenant can change the value.
    pub fn is_forced(&self) -> bool {
        matches!(self, Self::NoLegacyWallet | Self::Prod)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment => f.write_str("environment"),
            Self::NoLegacyWallet => f.write_str("forced by LEGACY_WALLET=none"),
            Self::Prod => f.write_str("forced by ENV=prod"),
            Self::Override(name) => write!(f, "environment, override {name}"),
        }
    }
}

/// The effective value of one rollout flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    pub value: bool,
    pub source: Source,
}

/// What kind of balances the operator already keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyWallet {
    None,
}

impl LegacyWallet {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    pub ledger_shadow_write: Flag,
    pub ledger_balance_mismatch_log: Flag,
    pub ledger_enforce_balance: Flag,
    pub webhook_signature_enforced: Flag,
    pub legacy_wallet: LegacyWallet,
}

impl Flags {
    /// Names and flags in the order of the manual, for logs and for `GET /api/v1/flags`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Flag)> {
        [
            ("ledger_shadow_write", &self.ledger_shadow_write),
            ("ledger_balance_mismatch_log", &self.ledger_balance_mismatch_log),
            ("ledger_enforce_balance", &self.ledger_enforce_balance),
            ("webhook_signature_enforced", &self.webhook_signature_enforced),
        ]
        .into_iter()
    }
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Flags {
    if matches!(vars.word(&LEGACY_WALLET, report), Some("players" | "external")) {
        report.problem(
            LEGACY_WALLET.name,
            "names a legacy wallet, which is not available in this version",
        );
    }
    Flags {
        ledger_shadow_write: plain(vars, &LEDGER_SHADOW_WRITE, report),
        ledger_balance_mismatch_log: plain(vars, &LEDGER_BALANCE_MISMATCH_LOG, report),
        ledger_enforce_balance: enforce_balance(vars, report),
        webhook_signature_enforced: signature_enforced(vars, mode, report),
        legacy_wallet: LegacyWallet::None,
    }
}

/// A flag whose default is true and which nothing forces.
fn plain(vars: &Vars, setting: &Setting, report: &mut Report) -> Flag {
    match vars.flag(setting, report) {
        Some(value) => Flag {
            value,
            source: Source::Environment,
        },
        None => Flag {
            value: true,
            source: Source::Default,
        },
    }
}

fn enforce_balance(vars: &Vars, report: &mut Report) -> Flag {
    if vars.flag(&LEDGER_ENFORCE_BALANCE, report) == Some(false) {
        report.warning(
            LEDGER_ENFORCE_BALANCE.name,
            "is ignored: without a legacy wallet only the ledger can decide",
        );
    }
    Flag {
        value: true,
        source: Source::NoLegacyWallet,
    }
}

fn signature_enforced(vars: &Vars, mode: Mode, report: &mut Report) -> Flag {
    let asked = plain(vars, &WEBHOOK_SIGNATURE_ENFORCED, report);
    let name = override_name(vars, report);
    if !mode.is_prod() {
        return asked;
    }
    match (asked.value, name) {
        (true, Some(_)) => asked,
        (false, Some(name)) => {
            report.warning(
                WEBHOOK_SIGNATURE_ENFORCED.name,
                "is false in prod by a named override: unsigned events are stored",
            );
            Flag {
                value: false,
                source: Source::Override(name),
            }
        }
        (asked, None) => {
            if !asked {
                report.warning(
                    WEBHOOK_SIGNATURE_ENFORCED.name,
                    "is ignored in prod: WEBHOOK_SIGNATURE_OVERRIDE names nobody who allows it",
                );
            }
            Flag {
                value: true,
                source: Source::Prod,
            }
        }
    }
}

/// A name is needed because it is what an auditor will ask for; `true` or `1` is not one.
fn override_name(vars: &Vars, report: &mut Report) -> Option<String> {
    let name = vars.text(&WEBHOOK_SIGNATURE_OVERRIDE)?;
    let is_name = parse_flag(name).is_none()
        && name.chars().any(char::is_alphabetic)
        && name.chars().count() <= 80
        && !name.contains(char::is_control);
    if !is_name {
        report.problem(
            WEBHOOK_SIGNATURE_OVERRIDE.name,
            "must name who or what allows it, in at most 80 characters",
        );
        return None;
    }
    Some(name.to_owned())
}
