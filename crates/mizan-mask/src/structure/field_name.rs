//! Which field, option and variable names say that a secret follows.
//!
//! The last word decides: `jwt_secret`, `dbPassword` and `X-Api-Key` name secrets; `token_type`,
//! `password_reset_required` and `idempotency_key` do not.

/// Last words that always name a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "pass",
    "secret",
    "secrets",
    "passwords",
    "token",
    "credential",
    "credentials",
    "cvv",
    "cvc",
    "pin",
    "jwt",
    "apikey",
];
/// The same, written together with the word before: `dbpassword`, `accesstoken`.
const SECRET_ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "authkey",
    "credentials",
    "jwt",
];
/// `<word>_key` is a secret after one of these.
const KEY_WORDS: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "app",
    "auth",
    "client",
    "encryption",
    "hmac",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "session",
    "shared",
    "signing",
    "storage",
    "webhook",
];
/// `SOMETHING_KEY` in a variable is a secret, except after one of these.
const HARMLESS_KEYS: &[&str] = &[
    "cache",
    "composite",
    "foreign",
    "host",
    "idempotency",
    "natural",
    "partition",
    "primary",
    "public",
    "routing",
    "sort",
    "unique",
    "index",
    "object",
    "message",
    "dedup",
    "dedupe",
    "map",
    "lookup",
    "ordering",
];
/// Tokens that only turn pages.
const PAGE_TOKENS: &[&str] = &["next", "page", "continuation", "previous", "cursor"];

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    Nothing,
    /// The value is a secret.
    Secret,
    /// The value, or what an object under this name holds, is secret.
    Credentials,
    /// `pass` alone: a secret only where it cannot be the result of a test.
    Pass,
}

/// Judges a name: ASCII letters, digits, `_`, `-` and `.`.
pub(crate) fn promise(name: &[u8]) -> Promise {
    let (rest, word) = last_word(name);
    let any = |list: &[&str], word: &[u8]| list.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(word));
    let (_, before) = last_word(rest);
    if word.eq_ignore_ascii_case(b"key") {
        let variable = !before.is_empty() && name.iter().all(|it| !it.is_ascii_lowercase());
        let secret = any(KEY_WORDS, before) || (variable && !any(HARMLESS_KEYS, before));
        return if secret { Promise::Secret } else { Promise::Nothing };
    }
    if any(&["token", "nexttoken", "pagetoken"], word) && (any(PAGE_TOKENS, before) || word.len() > 5) {
        return Promise::Nothing;
    }
    if any(&["credentials", "credential", "secrets"], word) {
        return Promise::Credentials;
    }
    if word.eq_ignore_ascii_case(b"pass") && before.is_empty() && !name.starts_with(b"-") {
        return Promise::Pass;
    }
    let ends = |ending: &&str| {
        word.len() > ending.len() && word[word.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    };
    if any(SECRET_WORDS, word) || SECRET_ENDINGS.iter().any(ends) {
        Promise::Secret
    } else {
        Promise::Nothing
    }
}

/// Splits the last word off, at a separator or a change of case; trailing digits and separators do not count.
fn last_word(name: &[u8]) -> (&[u8], &[u8]) {
    let end = name
        .iter()
        .rposition(u8::is_ascii_alphabetic)
        .map_or(0, |it| it + 1);
    let mut start = end;
    while start > 0 && name[start - 1].is_ascii_alphanumeric() {
        start -= 1;
        let begins = name[start].is_ascii_uppercase()
            && start > 0
            && (!name[start - 1].is_ascii_uppercase()
                || name.get(start + 1).is_some_and(u8::is_ascii_lowercase));
        if begins {
            break;
        }
    }
    (&name[..start], &name[start..end])
}

#[cfg(test)]
mod tests {
    use super::{Promise, promise};

    #[test]
    fn the_last_word_of_a_name_decides() {
        let check = |names: &[&str], expected| {
            for name in names {
                assert_eq!(promise(name.as_bytes()), expected, "{name}");
            }
        };
        check(
            &[
                "password",
                "PGPASSWORD",
                "jwt_secret",
                "clientSecret",
                "dbPassword",
                "apiKey",
                "X-API-Key",
                "--db-password",
                "refreshToken",
                "access_token",
                "password2",
                "spring.datasource.password",
                "AWS_SECRET_ACCESS_KEY",
                "STRIPE_KEY",
                "db_pass",
                "X-Auth-Token",
                "APIKey",
                "accesstoken",
                "cvv2",
                "--pass",
            ],
            Promise::Secret,
        );
        check(
            &[
                "token_type",
                "password_reset_required",
                "tokens_used",
                "secret_rotation_days",
                "idempotency_key",
                "Idempotency-Key",
                "IDEMPOTENCY_KEY",
                "primary_key",
                "key",
                "key_id",
                "KEY",
                "monkey",
                "compass",
                "public_key",
                "nextToken",
                "next_token",
                "max_tokens",
                "author",
            ],
            Promise::Nothing,
        );
        check(
            &["credentials", "aws_credentials", "secrets"],
            Promise::Credentials,
        );
        check(&["pass", "PASS"], Promise::Pass);
    }
}
