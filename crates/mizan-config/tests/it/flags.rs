//! Rollout flags: the effective value and where it comes from.

use mizan_config::Flags;

use crate::{STAGING, check, check_warnings, over, settings};

fn shown(flags: &Flags) -> Vec<String> {
    flags
        .iter()
        .map(|(name, flag)| format!("{name}={} ({})", flag.value, flag.source))
        .collect()
}

#[track_caller]
fn check_flag(vars: &[(&str, &str)], expected: &str) {
    let shown = shown(&settings(vars).flags);
    assert!(
        shown.iter().any(|it| it == expected),
        "{expected} not in {shown:?}"
    );
}

#[test]
fn without_a_legacy_wallet_the_ledger_decides() {
    assert_eq!(
        shown(&settings(&[]).flags),
        [
            "ledger_shadow_write=true (default)",
            "ledger_balance_mismatch_log=true (default)",
            "ledger_enforce_balance=true (forced by LEGACY_WALLET=none)",
            "webhook_signature_enforced=true (default)",
        ]
    );
    let ignored = [("LEGACY_WALLET", "none"), ("LEDGER_ENFORCE_BALANCE", "false")];
    check_flag(
        &ignored,
        "ledger_enforce_balance=true (forced by LEGACY_WALLET=none)",
    );
    check_warnings(
        &ignored,
        &[
            "config warning: LEDGER_ENFORCE_BALANCE is ignored: without a legacy wallet only the ledger can decide",
        ],
    );
}

#[test]
fn a_flag_is_true_or_false_in_many_spellings() {
    for (word, value) in [
        ("True", true),
        ("1", true),
        ("true", true),
        ("False", false),
        ("0", false),
        ("FALSE", false),
    ] {
        check_flag(
            &[("LEDGER_SHADOW_WRITE", word)],
            &format!("ledger_shadow_write={value} (environment)"),
        );
    }
    check(
        &[("LEDGER_BALANCE_MISMATCH_LOG", "maybe")],
        &["config error: LEDGER_BALANCE_MISMATCH_LOG must be true or false"],
    );
}

#[test]
fn production_checks_signatures_unless_somebody_is_named() {
    let prod = over(STAGING, &[("ENV", "prod")]);
    let off = ("WEBHOOK_SIGNATURE_ENFORCED", "false");
    let named = ("WEBHOOK_SIGNATURE_OVERRIDE", "INC-4711 provider outage");
    check_flag(&[off], "webhook_signature_enforced=false (environment)");
    check_flag(
        &over(STAGING, &[off]),
        "webhook_signature_enforced=false (environment)",
    );
    check_flag(&prod, "webhook_signature_enforced=true (forced by ENV=prod)");
    check_flag(
        &over(&prod, &[off]),
        "webhook_signature_enforced=true (forced by ENV=prod)",
    );
    check_flag(
        &over(&prod, &[off, named]),
        "webhook_signature_enforced=false (environment, override INC-4711 provider outage)",
    );
    check_flag(
        &over(&prod, &[named]),
        "webhook_signature_enforced=true (default)",
    );
    assert!(
        settings(&prod)
            .flags
            .webhook_signature_enforced
            .source
            .is_forced()
    );
    for nobody in ["1", "true", "4711", "a\u{7}b"] {
        check(
            &[("WEBHOOK_SIGNATURE_OVERRIDE", nobody)],
            &[
                "config error: WEBHOOK_SIGNATURE_OVERRIDE must name who or what allows it, in at most 80 characters",
            ],
        );
    }
}

#[test]
fn legacy_wallets_are_known_but_not_available_yet() {
    for wallet in ["players", "external"] {
        check(
            &[("LEGACY_WALLET", wallet)],
            &["config error: LEGACY_WALLET names a legacy wallet, which is not available in this version"],
        );
    }
    check(
        &[("LEGACY_WALLET", "mongo")],
        &["config error: LEGACY_WALLET must be one of none, players, external"],
    );
}
