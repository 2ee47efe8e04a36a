//! The text of a definition without what means nothing: comments and white space.

/// One space between words, none beside brackets and commas; strings and quoted names stay as they are.
pub(super) fn normalized(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => {
                space(&mut out);
                rest.find('\n').unwrap_or(rest.len())
            }
            '/' if rest.starts_with("/*") => {
                space(&mut out);
                rest.find("*/").map_or(rest.len(), |it| it + 2)
            }
            '\'' | '"' | '`' => {
                let end = rest[1..].find(first).map_or(rest.len(), |it| it + 2);
                out.push_str(&rest[..end]);
                end
            }
            _ if first.is_whitespace() => {
                space(&mut out);
                first.len_utf8()
            }
            '(' | ')' | ',' => {
                if out.ends_with(' ') {
                    out.pop();
                }
                out.push(first);
                1
            }
            _ => {
                out.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out.trim_end().to_owned()
}

/// The normalized text without `CREATE TABLE name`, whose spelling changes when a table is renamed.
pub(super) fn after_name(sql: &str, name: &str) -> String {
    let text = normalized(sql);
    match text.find(name) {
        Some(at) => text[at + name.len()..]
            .trim_start_matches(['"', '`', ']', ' '])
            .to_owned(),
        None => text,
    }
}

fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with([' ', '(', ')', ',']) {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::{after_name, normalized};

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(normalized(sql), expected);
    }

    #[test]
    fn layout_and_comments_make_no_difference_and_everything_else_does() {
        check(
            "CREATE TABLE a (\n  id  TEXT, -- its id\n  b INT\n) STRICT",
            "CREATE TABLE a(id TEXT,b INT)STRICT",
        );
        check(
            "create table a(id TEXT,b INT)STRICT",
            "create table a(id TEXT,b INT)STRICT",
        );
        check(
            "CHECK (x IN ('a  b', 'it''s -- no'))",
            "CHECK(x IN('a  b','it''s -- no'))",
        );
        check("a /* b */ c", "a c");
        check("a /* open", "a");
        check("\"od d\"  x", "\"od d\" x");
        check("'ş' 'open", "'ş' 'open");
    }

    #[test]
    fn a_name_may_be_quoted() {
        for sql in ["CREATE TABLE t (a)", "CREATE TABLE \"t2\" (a)"] {
            let name = if sql.contains("t2") { "t2" } else { "t" };
            assert_eq!(after_name(sql, name), "(a)");
        }
    }
}
