//! Values that somebody meant to replace: `***`, `changeme`, `...`, `${NAME}`, `<password>`.

const FILLERS: [&str; 6] = ["***", "...", "changeme", "change-me", "change_me", "placeholder"];

/// Whether a value still holds a filler from a document or template.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    FILLERS.iter().any(|it| value.contains(it)) || encloses(&value, "${", '}') || encloses(&value, "<", '>')
}

/// Whether the text holds `open`, then letters and such, then `close`: `${db_password}`, `<password>`.
fn encloses(text: &str, open: &str, close: char) -> bool {
    text.match_indices(open).any(|(at, _)| {
        let inner = &text[at + open.len()..];
        inner.find(close).is_some_and(|end| {
            end > 2
                && inner[..end]
                    .chars()
                    .all(|it| it.is_ascii_alphabetic() || matches!(it, '_' | '-' | ' '))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn fillers_are_known_and_real_values_are_not() {
        for filler in [
            "postgresql://app:***@db/mizan",
            "redis://...",
            "ChangeMe",
            "change-me-please-change-me-please",
            "postgres://u:${DB_PASSWORD}@db/x",
            "postgres://u:<password>@db/x",
        ] {
            assert!(is_placeholder(filler), "{filler}");
        }
        for real in ["postgresql://app:S3cr*t..x@db/mizan", "a<b>c", "k7<9>x${1}", ""] {
            assert!(!is_placeholder(real), "{real}");
        }
    }
}
