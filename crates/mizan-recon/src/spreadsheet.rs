//! Text that is safe to open in a spreadsheet.

use std::borrow::Cow;

/// Puts an apostrophe before what a spreadsheet would take for a formula. A plain negative number is none.
pub fn disarm(text: &str) -> Cow<'_, str> {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = text.strip_prefix('-').is_some_and(|it| {
        it.starts_with(|it: char| it.is_ascii_digit())
            && it.bytes().all(|it| it.is_ascii_digit() || it == b'.')
            && it.matches('.').count() <= 1
    });
    if risky && !number {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_formula_is_disarmed_and_negative_amounts_stay() {
        for (text, expected) in [
            ("=cmd()", "'=cmd()"),
            ("+1", "'+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("-10.50", "-10.50"),
            ("-1.2.3", "'-1.2.3"),
            ("evt_1", "evt_1"),
            ("", ""),
        ] {
            assert_eq!(disarm(text), expected, "{text}");
        }
    }
}
