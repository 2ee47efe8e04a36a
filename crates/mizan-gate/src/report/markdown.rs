//! `closure.md`, in the form of the operators' documents, and the template of a root-cause analysis.

use super::{Page, ReportError, render};

/// The closure report.
pub fn closure(page: &Page) -> Result<String, ReportError> {
    let template = include_str!("../../templates/closure.md.j2");
    render("closure.md", template, page)
}

/// What is left to fill in by those who look for the cause of a FAIL.
pub fn root_cause(page: &Page) -> Result<String, ReportError> {
    render("rca.md", include_str!("../../templates/rca.md.j2"), page)
}

/// A text inside a line or a cell of a table: one line, and nothing in it that Markdown or HTML would act upon.
pub(super) fn cell(text: String) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.trim();
    for (at, letter) in text.char_indices() {
        let inside_word = || {
            let before = text[..at].chars().next_back();
            let after = text[at + letter.len_utf8()..].chars().next();
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
        };
        match letter {
            '\n' | '\r' | '\t' => out.push(' '),
            '_' if inside_word() => out.push('_'),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '<' => out.push_str("&lt;"),
            _ => out.push(letter),
        }
    }
    out
}

/// A fence around a text that no line of the text can close.
pub(super) fn fence(text: String, language: Option<String>) -> String {
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{fence}{}\n{text}{end}{fence}", language.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{cell, fence};

    #[test]
    fn what_a_step_printed_cannot_leave_its_place_in_the_page() {
        assert_eq!(fence("a\n```\nb".into(), None), "````\na\n```\nb\n````");
        assert_eq!(fence("x".into(), Some("bash".into())), "```bash\nx\n```");
        assert_eq!(cell("exit_code _x_".into()), "exit_code \\_x\\_");
        assert_eq!(
            cell("a | b\n<script> `x` ***".into()),
            "a \\| b &lt;script> \\`x\\` \\*\\*\\*"
        );
    }
}
