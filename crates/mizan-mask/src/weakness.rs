//! Which known values are too weak to look for: masking them would shred the text and prove nothing.

use std::fmt;

/// Shorter values are refused. From here to [`WHOLE_TOKEN_BELOW`] a value is masked only as a whole token.
pub(crate) const SHORTEST: usize = 4;
pub(crate) const WHOLE_TOKEN_BELOW: usize = 8;

/// A known value that the masker does not look for, by the name it was given; never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub name: String,
    pub reason: Weakness,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// Why a value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("shorter than {SHORTEST} characters, so it cannot be masked without shredding the text")]
    TooShort,
    #[error("a common word, so it cannot be masked without shredding the text")]
    CommonWord,
    #[error("one character repeated")]
    OneCharacter,
    #[error("a placeholder, not a secret")]
    Placeholder,
}

/// What everyone's text contains: environments, products, defaults and well-known ports.
const COMMON: &[&str] = &[
    "admin",
    "alembic",
    "backend",
    "basic",
    "bearer",
    "client",
    "console",
    "database",
    "debug",
    "default",
    "demo",
    "dev",
    "development",
    "disabled",
    "enabled",
    "error",
    "example",
    "false",
    "finance",
    "guest",
    "hmac",
    "info",
    "internal",
    "local",
    "localhost",
    "mizan",
    "mockpsp",
    "mysql",
    "none",
    "null",
    "password",
    "player",
    "postgres",
    "postgresql",
    "prod",
    "production",
    "public",
    "queue",
    "rabbitmq",
    "recon",
    "redis",
    "root",
    "secret",
    "server",
    "service",
    "sqlite",
    "stage",
    "staging",
    "stripe",
    "system",
    "tenant",
    "test",
    "testing",
    "token",
    "true",
    "undefined",
    "user",
    "username",
    "warning",
    "worker",
    "1433",
    "1521",
    "3000",
    "3306",
    "5000",
    "5432",
    "5433",
    "5672",
    "6379",
    "6380",
    "8000",
    "8001",
    "8080",
    "8443",
    "9090",
    "9092",
    "27017",
];

const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "redacted",
    "todo",
    "xxxx",
    "placeholder",
];

/// Judges a trimmed, non-empty value.
pub(crate) fn judge(value: &str) -> Result<(), Weakness> {
    let lower = value.to_lowercase();
    let inner = lower.trim_matches(|c: char| matches!(c, '<' | '>' | '[' | ']' | '{' | '}' | '$'));
    if value.chars().all(|it| it == '*') || PLACEHOLDERS.contains(&inner) {
        return Err(Weakness::Placeholder);
    }
    if value.chars().count() < SHORTEST {
        return Err(Weakness::TooShort);
    }
    let mut chars = value.chars();
    let first = chars.next();
    if chars.all(|c| Some(c) == first) {
        return Err(Weakness::OneCharacter);
    }
    if COMMON.contains(&lower.as_str()) {
        return Err(Weakness::CommonWord);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Weakness, judge};

    #[test]
    fn weak_values_are_refused_with_their_reason_and_strong_ones_pass() {
        let check = |value: &str, expected| assert_eq!(judge(value), expected, "{value}");
        check("abc", Err(Weakness::TooShort));
        check("Staging", Err(Weakness::CommonWord));
        check("5432", Err(Weakness::CommonWord));
        check("aaaaaaaaaa", Err(Weakness::OneCharacter));
        check("********", Err(Weakness::Placeholder));
        check("<changeme>", Err(Weakness::Placeholder));
        check("1234", Ok(()));
        check("staging-Tr0ub4dor", Ok(()));
    }
}
