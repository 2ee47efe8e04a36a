//! The smaller sections: their words, their bounds and what they refuse.

use mizan_config::{FirstOwner, ReconRunner};

use crate::{STAGING, check, check_warnings, over, settings};

#[test]
fn numbers_have_bounds() {
    for (name, good, bad, sentence) in [
        (
            "READY_TIMEOUT_MS",
            ["100", "2000"],
            ["99", "2001"],
            "must be a whole number from 100 to 2000",
        ),
        (
            "PORT",
            ["0", "65535"],
            ["-1", "65536"],
            "must be a whole number from 0 to 65535",
        ),
        (
            "METRICS_PORT",
            ["1", "65535"],
            ["0", "x"],
            "must be a whole number from 1 to 65535",
        ),
        (
            "MIZAN_STAFF_TOKEN_SECONDS",
            ["60", "86400"],
            ["59", "1e3"],
            "must be a whole number from 60 to 86400",
        ),
    ] {
        for value in good {
            check(&[(name, value)], &[]);
        }
        for value in bad {
            check(&[(name, value)], &[&format!("config error: {name} {sentence}")]);
        }
    }
    check(
        &[("METRICS_PORT", "8001")],
        &["config error: METRICS_PORT is the same as PORT"],
    );
}

#[test]
fn hosts_are_addresses_or_names() {
    for (given, host) in [
        ("0.0.0.0", "0.0.0.0"),
        ("[::]", "::"),
        ("::1", "::1"),
        ("mizan.internal", "mizan.internal"),
    ] {
        assert_eq!(settings(&[("HOST", given)]).listen.host, host);
    }
    for bad in ["127.0.0.1:80", "1.2.3.400", "a b", "http://x", "a..b"] {
        check(
            &[("HOST", bad)],
            &["config error: HOST is neither an address nor a host name"],
        );
    }
}

#[test]
fn runs_are_queued_when_there_is_a_queue() {
    let redis = ("REDIS_URL", "redis://cache");
    assert_eq!(settings(&[redis]).recon.runner, ReconRunner::Queue);
    let limit = |text| settings(&[("RECON_MEMORY_LIMIT", text)]).recon.memory_limit;
    assert_eq!((limit("2GiB"), limit("65536 KiB")), (2 << 30, 64 << 20));
    assert_eq!(limit("134217728"), 128 << 20);
    assert_eq!(
        settings(&[redis, ("RECON_RUNNER", "inline")]).recon.runner,
        ReconRunner::Inline
    );
    check(
        &[("RECON_RUNNER", "queue")],
        &["config error: RECON_RUNNER is queue, which needs REDIS_URL"],
    );
}

#[test]
fn origins_come_as_commas_or_json_and_as_browsers_write_them() {
    for (given, origins) in [
        (
            "https://a.test, HTTP://B.test:8080/,,https://a.test:443",
            vec!["https://a.test", "http://b.test:8080"],
        ),
        (
            r#"["https://a.test","http://[::1]:3000"]"#,
            vec!["https://a.test", "http://[::1]:3000"],
        ),
        ("[]", vec![]),
    ] {
        assert_eq!(
            settings(&[("CORS_ORIGINS", given)]).cors.origins,
            origins,
            "{given}"
        );
    }
    for bad in [
        "*",
        "null",
        "https://a.test/path",
        "ftp://a.test",
        "https://",
        "https://a.test:x",
        "https://*.a.test",
    ] {
        check(
            &[("CORS_ORIGINS", bad)],
            &["config error: CORS_ORIGINS has an item (number 1) that is not http(s)://host[:port]"],
        );
    }
    check(
        &[("CORS_ORIGINS", "[1]")],
        &["config error: CORS_ORIGINS is not a JSON list of strings"],
    );
}

#[test]
fn webhook_secrets_are_found_by_connection_and_rotate() {
    let it = settings(&[
        ("WEBHOOK_SECRET_STRIPE_TR", "whsec_new, whsec_old"),
        ("WEBHOOK_SECRET_MOCKPSP", "own"),
    ]);
    let found: Vec<_> = it
        .webhooks
        .secrets("stripe-tr")
        .iter()
        .map(mizan_mask::Secret::<String>::reveal)
        .collect();
    assert_eq!(found, ["whsec_new", "whsec_old"]);
    assert_eq!(it.webhooks.secrets("mockpsp")[0].reveal(), "own");
    assert!(it.webhooks.secrets("stripe").is_empty());
    check(
        &[("WEBHOOK_SECRET_STRIPE", " , ")],
        &["config error: WEBHOOK_SECRET_STRIPE holds no secret"],
    );
}

#[test]
fn the_first_owner_is_made_from_what_is_given() {
    let (email, password) = (
        ("MIZAN_ADMIN_EMAIL", "o@acme.test"),
        ("MIZAN_ADMIN_PASSWORD", " keeps blanks "),
    );
    let owner = |vars: &[_]| settings(vars).admin.first_owner;
    assert!(matches!(owner(&[email]), FirstOwner::Generate { email } if email == "o@acme.test"));
    assert!(matches!(
        owner(&[email, password]),
        FirstOwner::Given { email, password } if email == "o@acme.test" && password.reveal() == " keeps blanks "
    ));
    assert!(matches!(owner(&[password]), FirstOwner::Given { email, .. } if email == "admin@example.com"));
    assert!(matches!(
        owner(&over(STAGING, &[email, password])),
        FirstOwner::Given { .. }
    ));
    assert!(matches!(owner(&over(STAGING, &[email])), FirstOwner::None));
    assert!(matches!(owner(&over(STAGING, &[password])), FirstOwner::None));
    for bad in ["nobody", "@x", "a@b@c", "a b@c"] {
        check(
            &[("MIZAN_ADMIN_EMAIL", bad)],
            &["config error: MIZAN_ADMIN_EMAIL is not an email address"],
        );
    }
    check(
        &[("MIZAN_DEFAULT_TENANT", "Acme TR")],
        &[
            "config error: MIZAN_DEFAULT_TENANT must be 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or digit",
        ],
    );
}

#[test]
fn names_that_look_like_ours_and_are_not_get_a_warning() {
    check_warnings(
        &[
            ("LEDGER_ENFORCE_BALANCES", "1"),
            ("RECON_RUNER", "queue"),
            ("WEBHOOK_SECRET_stripe", "x"),
            ("WEBHOOK_SECRET_", "x"),
            ("UNRELATED", "x"),
        ],
        &[
            "config warning: LEDGER_ENFORCE_BALANCES is not a setting of Mizan",
            "config warning: RECON_RUNER is not a setting of Mizan",
            "config warning: WEBHOOK_SECRET_ is not a setting of Mizan",
            "config warning: WEBHOOK_SECRET_stripe is not a setting of Mizan",
        ],
    );
    check_warnings(
        &[("JWT_SECRET", "short")],
        &["config warning: JWT_SECRET is shorter than 32 bytes, which strict mode refuses"],
    );
}
