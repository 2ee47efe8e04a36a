//! Which environment variables hold secrets, and what in them is secret.

use crate::structure::dsn;

const SECRET_NAMES: &[&str] = &[
    "SECRET",
    "TOKEN",
    "KEY",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "CREDENTIALS",
];
/// Ends that say "an address"; only what is secret in the address is learned.
const ADDRESS_NAMES: &[&str] = &["URL", "URI", "DSN"];

/// After these a name goes on with whose it is: `WEBHOOK_SECRET_MOCKPSP`.
const OWNED_NAMES: &[&str] = &["SECRET", "PASSWORD"];
/// Unless it goes on with what about it.
const ABOUT: &[&str] = &[
    "NAME", "ID", "ARN", "FILE", "PATH", "TTL", "AGE", "LENGTH", "MIN", "MAX", "VERSION", "ENABLED",
    "REQUIRED", "SOURCE",
];

/// What a value is, going by the name it came under.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Secret,
    Address,
    Harmless,
}

/// `JWT_SECRET` and `PGPASSWORD` are secrets, `DATABASE_URL` is an address; so is every value that reads as one.
pub(crate) fn kind(name: &str, value: &str) -> Kind {
    if dsn::whole(value.trim()).is_some() {
        return Kind::Address;
    }
    let name = name.to_ascii_uppercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    let owned = name.split('_').any(|it| OWNED_NAMES.contains(&it)) && !ABOUT.contains(&last);
    if owned || SECRET_NAMES.contains(&last) || last.ends_with("PASSWORD") {
        return Kind::Secret;
    }
    if ADDRESS_NAMES.contains(&last) {
        Kind::Address
    } else {
        Kind::Harmless
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn names_and_addresses_decide_what_is_learned() {
        let check = |name, value, expected| assert_eq!(kind(name, value), expected, "{name}");
        for name in [
            "JWT_SECRET",
            "ADMIN_TOKEN",
            "STRIPE_API_KEY",
            "DB_PASSWORD",
            "PGPASSWORD",
            "redis_password",
            "WEBHOOK_SECRET_MOCKPSP",
            "DB_PASSWORD_2",
        ] {
            check(name, "x", Kind::Secret);
        }
        check("DATABASE_URL", "postgres://u:p@h/db", Kind::Address);
        check("BROKER", "amqp://u:p@h/v", Kind::Address);
        check("BASE_URL", "not an address", Kind::Address);
        check("ENV", "staging", Kind::Harmless);
        check("TOKEN_TTL", "3600", Kind::Harmless);
        check("PASSWORD_MIN_LENGTH", "12", Kind::Harmless);
        check("JWT_SECRET_FILE", "/run/secrets/jwt", Kind::Harmless);
        check("SECRETS_DIR", "/run/secrets", Kind::Harmless);
    }
}
