//! Splits a file into statements, for the files that must not run in a transaction.
//!
//! Knows strings, quoted names, dollar quotes and comments of PostgreSQL; not `BEGIN … END` bodies of
//! SQLite triggers, which run as one batch.

/// The statements of a file, without the semicolons; comments stay with the statement they precede.
pub fn split(sql: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut from, mut at, mut has_words) = (0, 0, false);
    while at < sql.len() {
        let rest = &sql[at..];
        let passed = token_length(rest);
        let first = rest.as_bytes()[0];
        if first == b';' {
            if has_words {
                statements.push(sql[from..at].trim());
            }
            (from, has_words) = (at + passed, false);
        } else if !first.is_ascii_whitespace() && !rest.starts_with("--") && !rest.starts_with("/*") {
            has_words = true;
        }
        at += passed;
    }
    if has_words {
        statements.push(sql[from..].trim());
    }
    statements
}

/// Length of the string, comment, quoted name or single character that `text` begins with.
fn token_length(text: &str) -> usize {
    let until = |end: &str, skip: usize| {
        text.get(skip..)
            .and_then(|it| it.find(end))
            .map_or(text.len(), |found| skip + found + end.len())
    };
    if text.starts_with("--") {
        return until("\n", 2);
    }
    if text.starts_with("/*") {
        return until("*/", 2);
    }
    match text.as_bytes()[0] {
        b'\'' => until("'", 1),
        b'"' => until("\"", 1),
        b'$' => dollar_tag(text).map_or(1, |tag| until(tag, tag.len())),
        _ => text.chars().next().map_or(1, char::len_utf8),
    }
}

/// `$$` or `$tag$`; `$1` is a parameter.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[1..end - 1];
    let is_name = tag.chars().all(|it| it.is_alphanumeric() || it == '_')
        && !tag.starts_with(|it: char| it.is_ascii_digit());
    is_name.then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        assert_eq!(split(sql), expected, "{sql:?}");
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_where_it_is_one() {
        check("A; B ;\nC", &["A", "B", "C"]);
        check("", &[]);
        check(" ;; -- nothing\n; /* at all; */", &[]);
        check("SELECT ';', \"a;b\"; B", &["SELECT ';', \"a;b\"", "B"]);
        check("SELECT 'it''s; fine'; B", &["SELECT 'it''s; fine'", "B"]);
        check("DO $$ BEGIN; END $$; B", &["DO $$ BEGIN; END $$", "B"]);
        check("DO $a$ $$; $b$; $a$; B", &["DO $a$ $$; $b$; $a$", "B"]);
        check("SELECT $1; B", &["SELECT $1", "B"]);
        check("-- why; not\nA; B", &["-- why; not\nA", "B"]);
        check("A /* ; */ x; B", &["A /* ; */ x", "B"]);
        check("SELECT 'ş;ğ'; ü", &["SELECT 'ş;ğ'", "ü"]);
        check("SELECT 'open; B", &["SELECT 'open; B"]);
    }
}
