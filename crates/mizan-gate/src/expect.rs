//! What a step must show, and the comparison with what was seen. Pure: facts in, criteria out.

mod facts;
mod json;
mod judge;

pub use facts::{Body, Facts, Rows};
pub use json::{JsonWant, Matcher, shown};
pub use judge::{criterion, judge};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::pack::scalar::{Text, Wait};

/// `expect` and `until` hold the same expectations; `until` has its rhythm besides.
macro_rules! expectations {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)+) => {
        /// What must be seen, all of it.
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Expect {
            $($(#[$doc])* pub $name: $kind,)+
        }

        /// Asks again until all of this is seen.
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Until {
            /// How long to ask; 60 seconds unless it is said.
            pub timeout: Option<Wait>,
            /// Pause between two questions; 500 ms unless it is said.
            pub every: Option<Wait>,
            /// A path into the JSON of the answer: each value that is seen goes to the record once, in order.
            pub observe: Option<String>,
            $($(#[$doc])* pub $name: $kind,)+
        }

        impl Until {
            pub fn expect(&self) -> Expect {
                Expect { $($name: self.$name.clone(),)+ }
            }
        }
    };
}

expectations! {
    /// `run`, and `service: {stop: …}`: 0 unless it is said.
    exit_code: Option<i32>,
    /// Output (`run`), body (`http`) or content (`file`) holds all of these texts.
    contains: Vec<Text>,
    /// It matches this regular expression.
    matches: Option<String>,
    /// It holds none of these texts.
    lacks: Vec<Text>,
    /// `run`: stderr holds all of these texts.
    stderr_contains: Vec<Text>,
    /// `run`: stderr matches this regular expression.
    stderr_matches: Option<String>,
    /// `http`: the status.
    status: Option<u16>,
    /// `http`: headers, each with a regular expression.
    headers: BTreeMap<String, Text>,
    /// Values in the JSON of the answer: path (`status`, `$.checks.db.ok`) to value or matcher. Rows of `sql` are a
    /// list of objects; `redis`, `junit`, `metric` and `ci_job` have an object each.
    json: BTreeMap<String, JsonWant>,
    /// The answer took no longer.
    within: Option<Wait>,
    /// `sql`: this many rows.
    rows: Option<u64>,
    /// `sql`: at least this many rows; 1 unless anything is said about their number.
    rows_min: Option<u64>,
    /// `sql`: at most this many rows.
    rows_max: Option<u64>,
    /// `sql`: a regular expression that fits a row, its columns joined by ` | `.
    any_row_matches: Option<String>,
    /// `sql`: one that fits every row, and there is one.
    all_rows_match: Option<String>,
    /// `sql`: one that fits no row.
    no_row_matches: Option<String>,
    /// `metric`: at least.
    min: Option<Text>,
    /// `metric`: at most.
    max: Option<Text>,
    /// `metric`: at most so many times the baseline.
    times_baseline: Option<Text>,
    /// `metric`: and this much more, so that a baseline of zero is no trap.
    plus: Option<Text>,
    /// `junit`: at least so many tests ran; 1 unless it is said.
    tests_min: Option<u64>,
    /// `file`: whether it is there; true unless it is said.
    exists: Option<bool>,
    /// `file`: at least so many bytes.
    bytes_min: Option<u64>,
    /// `file`: its digest.
    sha256: Option<String>,
}

/// The names of what an expectation asks for, and the kinds of steps that can show it. `None`: every kind.
type Asked = (&'static str, bool, Option<&'static [&'static str]>);

impl Expect {
    /// What is asked for.
    pub fn asked(&self) -> Vec<(&'static str, Option<&'static [&'static str]>)> {
        const TEXT: &[&str] = &["run", "http", "file"];
        const SQL: &[&str] = &["sql"];
        const METRIC: &[&str] = &["metric"];
        const FILE: &[&str] = &["file"];
        let all: [Asked; 24] = [
            ("exit_code", self.exit_code.is_some(), Some(&["run", "service"])),
            ("contains", !self.contains.is_empty(), Some(TEXT)),
            ("matches", self.matches.is_some(), Some(TEXT)),
            ("lacks", !self.lacks.is_empty(), Some(TEXT)),
            (
                "stderr_contains",
                !self.stderr_contains.is_empty(),
                Some(&["run"]),
            ),
            ("stderr_matches", self.stderr_matches.is_some(), Some(&["run"])),
            ("status", self.status.is_some(), Some(&["http"])),
            ("headers", !self.headers.is_empty(), Some(&["http"])),
            (
                "json",
                !self.json.is_empty(),
                Some(&["run", "http", "sql", "redis", "metric", "junit", "ci_job", "file"]),
            ),
            ("within", self.within.is_some(), None),
            ("rows", self.rows.is_some(), Some(SQL)),
            ("rows_min", self.rows_min.is_some(), Some(SQL)),
            ("rows_max", self.rows_max.is_some(), Some(SQL)),
            ("any_row_matches", self.any_row_matches.is_some(), Some(SQL)),
            ("all_rows_match", self.all_rows_match.is_some(), Some(SQL)),
            ("no_row_matches", self.no_row_matches.is_some(), Some(SQL)),
            ("min", self.min.is_some(), Some(METRIC)),
            ("max", self.max.is_some(), Some(METRIC)),
            ("times_baseline", self.times_baseline.is_some(), Some(METRIC)),
            ("plus", self.plus.is_some(), Some(METRIC)),
            ("tests_min", self.tests_min.is_some(), Some(&["junit"])),
            ("exists", self.exists.is_some(), Some(FILE)),
            ("bytes_min", self.bytes_min.is_some(), Some(FILE)),
            ("sha256", self.sha256.is_some(), Some(FILE)),
        ];
        all.into_iter().filter(|it| it.1).map(|it| (it.0, it.2)).collect()
    }

    /// Every text in it that may hold variables.
    pub fn texts_mut(&mut self) -> Vec<&mut String> {
        let mut all: Vec<&mut String> = Vec::new();
        for list in [&mut self.contains, &mut self.lacks, &mut self.stderr_contains] {
            all.extend(list.iter_mut().map(|it| &mut it.0));
        }
        all.extend(self.headers.values_mut().map(|it| &mut it.0));
        for text in [
            &mut self.min,
            &mut self.max,
            &mut self.times_baseline,
            &mut self.plus,
        ] {
            all.extend(text.as_mut().map(|it| &mut it.0));
        }
        for text in [
            &mut self.matches,
            &mut self.stderr_matches,
            &mut self.any_row_matches,
            &mut self.all_rows_match,
            &mut self.no_row_matches,
            &mut self.sha256,
        ] {
            all.extend(text.as_mut());
        }
        for want in self.json.values_mut() {
            all.extend(want.texts_mut());
        }
        all
    }

    /// The regular expressions in it.
    pub fn patterns(&self) -> Vec<&str> {
        let single = [
            &self.matches,
            &self.stderr_matches,
            &self.any_row_matches,
            &self.all_rows_match,
            &self.no_row_matches,
        ];
        let mut all: Vec<&str> = single.into_iter().flatten().map(String::as_str).collect();
        all.extend(self.headers.values().map(Text::as_str));
        all.extend(self.json.values().filter_map(JsonWant::pattern));
        all
    }
}
