//! Field 86: free text, or sub-fields `?20…` as German and Polish banks write them, with SEPA words such as
//! `EREF+` inside.

/// The longest purpose that is kept, in characters.
const LONGEST_TEXT: usize = 2_000;
/// The words that begin a part of a SEPA purpose.
const WORDS: [&str; 12] = [
    "EREF+", "KREF+", "MREF+", "CRED+", "DEBT+", "SVWZ+", "ABWA+", "ABWE+", "IBAN+", "BIC+", "BREF+", "PREF+",
];
/// Those of them that are references.
const REFERENCES: [&str; 4] = ["EREF+", "KREF+", "BREF+", "PREF+"];

/// What a field 86 says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub references: Vec<String>,
    pub text: String,
}

pub(super) fn read(lines: &[String]) -> Details {
    let first = lines.first().map_or("", |it| it.trim_start());
    let structured = first.len() > 3
        && first.is_char_boundary(3)
        && first[..3].bytes().all(|it| it.is_ascii_digit())
        && first[3..].starts_with('?');
    if !structured {
        let words = lines.iter().flat_map(|it| it.split_whitespace());
        let text = words.collect::<Vec<_>>().join(" ");
        return Details {
            references: sepa(&text),
            text: text.chars().take(LONGEST_TEXT).collect(),
        };
    }
    // A sub-field runs over the end of a line without a blank.
    let joined = lines.concat();
    let joined = joined.trim_start();
    let mut purpose = String::new();
    for part in joined[3..].split('?').skip(1) {
        let Some((code, text)) = part.split_at_checked(2) else {
            continue;
        };
        if matches!(code.parse::<u8>(), Ok(20..=29 | 60..=63)) {
            purpose.push_str(text);
        }
    }
    Details {
        references: sepa(&purpose),
        text: purpose.chars().take(LONGEST_TEXT).collect(),
    }
}

/// The values of `EREF+…` and its like: each ends where the next word begins.
fn sepa(text: &str) -> Vec<String> {
    let mut starts: Vec<(usize, &str)> = WORDS.iter().flat_map(|word| text.match_indices(word)).collect();
    starts.sort_unstable();
    let ends = starts.iter().skip(1).map(|it| it.0).chain([text.len()]);
    let mut found: Vec<String> = Vec::new();
    for ((start, word), end) in starts.iter().zip(ends) {
        if REFERENCES.contains(word) {
            let value = text[start + word.len()..end].trim();
            if !value.is_empty() && value != "NOTPROVIDED" && value.len() <= 255 {
                found.push(value.to_owned());
            }
        }
    }
    found
}
