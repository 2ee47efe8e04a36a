//! What a schema looks like, in a form that two databases can be compared by.
//!
//! A snapshot names tables and views; each has parts (columns, constraints, indexes, triggers, a view's
//! definition), and each part says what it is in one line. The store writes the lines, the same way for each
//! version of its server.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::revision::sha256_hex;

/// What kind of thing has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Table,
    View,
    /// Anything else that takes a name which a table might want: a sequence, a type, a foreign table.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Other => "object",
        })
    }
}

/// One table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub kind: Kind,
    /// `column amount` to `bigint not null`, `constraint uq_x` to `UNIQUE (a, b)`.
    pub parts: BTreeMap<String, String>,
}

/// The tables and views of a schema, by name. Mizan's own list of migrations is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    pub objects: BTreeMap<String, Object>,
}

/// One way in which a live schema is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub object: String,
    /// `None`: the object as a whole.
    pub part: Option<String>,
    pub expected: Option<String>,
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if let Some(part) = &self.part {
            write!(f, ": {part}")?;
        }
        match (&self.expected, &self.found) {
            (Some(expected), None) => write!(f, " is missing ({expected})"),
            (None, Some(found)) => write!(f, " is not part of this revision ({found})"),
            (Some(expected), Some(found)) => write!(f, " is {found}, expected {expected}"),
            (None, None) => Ok(()),
        }
    }
}

impl Snapshot {
    /// SHA-256 over all names, parts and lines, in hex.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (name, object) in &self.objects {
            text.push_str(&object.canonical(name));
        }
        sha256_hex(text.as_bytes())
    }

    /// This snapshot's objects with one of these names.
    #[must_use]
    pub fn only<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let objects = names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.objects.get(name)?.clone())))
            .collect();
        Self { objects }
    }

    /// In what `live` is not what this snapshot says, by object and part. Objects that only `live` has are
    /// somebody else's and no difference.
    pub fn differences(&self, live: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        for (name, expected) in &self.objects {
            match live.objects.get(name) {
                None => all.push(Difference {
                    object: name.clone(),
                    part: None,
                    expected: Some(expected.kind.to_string()),
                    found: None,
                }),
                Some(found) => expected.differences(name, found, &mut all),
            }
        }
        all
    }

    /// Names that only `live` has.
    pub fn foreign_in<'l>(&self, live: &'l Self) -> Vec<&'l str> {
        live.objects
            .keys()
            .filter(|it| !self.objects.contains_key(*it))
            .map(String::as_str)
            .collect()
    }
}

impl Object {
    fn canonical(&self, name: &str) -> String {
        let parts = self
            .parts
            .iter()
            .map(|(part, line)| format!("  {part}: {line}\n"));
        format!("{} {name}\n{}", self.kind, parts.collect::<String>())
    }

    fn differences(&self, name: &str, found: &Self, all: &mut Vec<Difference>) {
        let mut add = |part: Option<&String>, expected: Option<String>, found: Option<String>| {
            all.push(Difference {
                object: name.to_owned(),
                part: part.cloned(),
                expected,
                found,
            });
        };
        if self.kind != found.kind {
            add(None, Some(self.kind.to_string()), Some(found.kind.to_string()));
            return;
        }
        for (part, expected) in &self.parts {
            let line = found.parts.get(part);
            if line != Some(expected) {
                add(Some(part), Some(expected.clone()), line.cloned());
            }
        }
        for (part, line) in &found.parts {
            if !self.parts.contains_key(part) {
                add(Some(part), None, Some(line.clone()));
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Kind, Object, Snapshot};

    /// `accounts: column id=bigint, index ix=(id)`, one line an object; a view begins with `view `.
    pub(in super::super) fn snapshot(text: &str) -> Snapshot {
        let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
        let objects = lines.map(|line| {
            let (kind, line) = match line.strip_prefix("view ") {
                Some(rest) => (Kind::View, rest),
                None => (Kind::Table, line),
            };
            let (name, parts) = line.split_once(':').expect("a colon");
            let parts = parts
                .split(',')
                .filter_map(|it| it.trim().split_once('='))
                .map(|(part, line)| (part.to_owned(), line.to_owned()))
                .collect();
            (name.to_owned(), Object { kind, parts })
        });
        Snapshot {
            objects: objects.collect(),
        }
    }

    #[track_caller]
    fn check(expected: &str, live: &str, differences: &[&str]) {
        let (expected, live) = (snapshot(expected), snapshot(live));
        let found: Vec<_> = expected
            .differences(&live)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, differences);
        let same = expected.fingerprint()
            == live
                .only(expected.objects.keys().map(String::as_str))
                .fingerprint();
        assert_eq!(
            same,
            differences.is_empty(),
            "the fingerprint tells the same story"
        );
    }

    #[test]
    fn each_difference_is_named_with_both_sides() {
        let accounts = "accounts: column id=bigint, index ix=(id)";
        check(accounts, accounts, &[]);
        check(accounts, &format!("{accounts}\nforeign: column a=text"), &[]);
        check(accounts, "", &["accounts is missing (table)"]);
        check(
            accounts,
            "accounts: column id=text, index ix=(id)",
            &["accounts: column id is text, expected bigint"],
        );
        check(
            accounts,
            "accounts: column id=bigint, column note=text",
            &[
                "accounts: index ix is missing ((id))",
                "accounts: column note is not part of this revision (text)",
            ],
        );
        check(
            accounts,
            "view accounts: column id=bigint, index ix=(id)",
            &["accounts is view, expected table"],
        );
    }

    #[test]
    fn what_is_only_in_the_database_is_known_as_foreign() {
        let live = snapshot("a: x=1\nb: x=1\nc: x=1");
        assert_eq!(snapshot("b: x=2").foreign_in(&live), ["a", "c"]);
    }
}
