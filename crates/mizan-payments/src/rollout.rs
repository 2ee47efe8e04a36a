//! The rollout flags and how an effective value comes about.
//!
//! There is no legacy wallet in this version, so the ledger decides from the first day; the flags are read,
//! shown and kept, and the ladder of adoption hangs itself in here.

mizan_core::words! {
    pub enum Flag {
        LedgerShadowWrite = "ledger_shadow_write",
        LedgerBalanceMismatchLog = "ledger_balance_mismatch_log",
        LedgerEnforceBalance = "ledger_enforce_balance",
        WebhookSignatureEnforced = "webhook_signature_enforced",
    }
}

/// Where an effective value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Default,
    Environment,
    /// Overridden for the tenant, in the database.
    Tenant,
    /// Nothing may turn it off here.
    Forced,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::Tenant => "tenant",
            Self::Forced => "forced",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    pub flag: Flag,
    pub value: bool,
    pub source: Source,
}

/// What the installation says of a flag, before any tenant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installed {
    pub flag: Flag,
    pub value: bool,
    pub source: Source,
}

/// The value that holds for a tenant.
pub fn effective(installed: Installed, tenant: Option<bool>) -> Effective {
    let (value, source) = match (installed.source, tenant) {
        (Source::Forced, _) | (_, None) => (installed.value, installed.source),
        (_, Some(value)) => (value, Source::Tenant),
    };
    Effective {
        flag: installed.flag,
        value,
        source,
    }
}

/// Why a flag cannot be set to a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the value of {0} is forced in this environment")]
    Forced(Flag),
    #[error("there is no legacy wallet, so the ledger decides: ledger_enforce_balance stays true")]
    NoLegacyWallet,
}

/// Whether an override may be stored.
pub fn check_override(installed: Installed, value: bool) -> Result<(), Refused> {
    if installed.source == Source::Forced && installed.value != value {
        return Err(Refused::Forced(installed.flag));
    }
    if installed.flag == Flag::LedgerEnforceBalance && !value {
        return Err(Refused::NoLegacyWallet);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_override_wins_unless_the_value_is_forced() {
        let check = |source, tenant, value, from| {
            let installed = Installed {
                flag: Flag::WebhookSignatureEnforced,
                value: true,
                source,
            };
            let seen = effective(installed, tenant);
            assert_eq!((seen.value, seen.source), (value, from));
        };
        check(Source::Default, None, true, Source::Default);
        check(Source::Environment, Some(false), false, Source::Tenant);
        check(Source::Forced, Some(false), true, Source::Forced);
    }
}
