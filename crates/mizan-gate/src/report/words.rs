//! The words of the pages, in both languages. Identifiers (PASS, EXIT_CODE, packet ids) are the same in both.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language of the pages for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    Tr,
    #[default]
    En,
}

/// The words of one language, by key.
pub type Words = BTreeMap<String, String>;

static TR: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../catalogues/tr.json")));
static EN: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../catalogues/en.json")));

/// The catalogues are part of the program, and a test reads both; a broken one would show as missing words.
fn read(text: &str) -> Words {
    serde_json::from_str(text).unwrap_or_default()
}

impl Lang {
    /// By the locale of a terminal (`tr_TR.UTF-8`): Turkish for Turkish, English for everything else.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("tr") {
            Self::Tr
        } else {
            Self::En
        }
    }

    /// The tag of BCP 47, as HTML wants it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Tr => "tr",
            Self::En => "en",
        }
    }

    pub fn words(self) -> &'static Words {
        match self {
            Self::Tr => &TR,
            Self::En => &EN,
        }
    }
}

impl std::str::FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tr" => Ok(Self::Tr),
            "en" => Ok(Self::En),
            other => Err(format!(
                "`{other}` is no language of the reports; there are tr and en"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_have_every_key_with_the_same_places_to_fill_in() {
        let (tr, en) = (Lang::Tr.words(), Lang::En.words());
        assert!(en.len() > 20, "the catalogue is read");
        assert_eq!(tr.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
        for (key, text) in en {
            let places = |it: &str| {
                it.split('{')
                    .skip(1)
                    .map(|it| it.split('}').next().unwrap_or("").to_owned())
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(places(text), places(&tr[key]), "{key}");
            assert!(
                !text.trim().is_empty() && !tr[key].trim().is_empty(),
                "{key} is empty"
            );
        }
    }

    #[test]
    fn the_templates_use_no_word_that_is_not_there_and_no_word_is_unused() {
        let texts = [
            include_str!("../../templates/closure.md.j2"),
            include_str!("../../templates/closure.html.j2"),
            include_str!("../../templates/rca.md.j2"),
            include_str!("view.rs"),
        ];
        let joined = texts.concat();
        let ends = |it: char| !(it.is_ascii_lowercase() || it == '_');
        let used: BTreeSet<&str> = joined
            .match_indices("t.")
            .filter(|(at, _)| joined[..*at].ends_with([' ', '(', '~', '{']))
            .map(|(at, _)| joined[at + 2..].split(ends).next().unwrap_or(""))
            .chain(
                joined
                    .match_indices("word(\"")
                    .map(|(at, _)| joined[at + 6..].split('"').next().unwrap_or("")),
            )
            .collect();
        let known: BTreeSet<&str> = Lang::En.words().keys().map(String::as_str).collect();
        assert_eq!(used, known);
    }

    #[test]
    fn the_locale_decides_where_nobody_asks() {
        let check = |locale, expected| assert_eq!(Lang::of_locale(locale), expected, "{locale}");
        check("tr_TR.UTF-8", Lang::Tr);
        check("tr", Lang::Tr);
        check("TR-tr", Lang::Tr);
        check("trv_TW", Lang::En);
        check("en_US.UTF-8", Lang::En);
        check("C", Lang::En);
        check("", Lang::En);
    }
}
