//! The manual and the schema of the environment, generated from the same declarations that the sections read.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    admin, anchor, auth, cors, database, env, flags, journal, listen, log, mockpsp, objects, queue, ready,
    recon, redis, webhooks,
};

/// What kind of text a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// Never shown.
    Secret,
    /// `true`, `1`, `yes`, `on` and their opposites, in any case.
    Flag,
    /// One of these, exactly.
    Word(&'static [&'static str]),
    /// A whole number from `min` to `max`.
    Number {
        min: u64,
        max: u64,
    },
}

/// One variable of the environment, as the manual describes it. The texts are Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    pub meaning: &'static str,
    /// What holds outside strict mode when it is not set.
    pub default: &'static str,
    /// What strict mode demands or takes instead.
    pub strict: &'static str,
    pub shape: Shape,
}

const SECTIONS: [(&str, &[Setting]); 17] = [
    ("Mode", env::SETTINGS),
    ("Database", database::SETTINGS),
    ("Redis", redis::SETTINGS),
    ("Queue", queue::SETTINGS),
    ("Reconciliation", recon::SETTINGS),
    ("Statements", objects::SETTINGS),
    ("Readiness", ready::SETTINGS),
    ("Listening", listen::SETTINGS),
    ("First start", admin::SETTINGS),
    ("Tokens", auth::SETTINGS),
    ("Browsers", cors::SETTINGS),
    ("Webhooks", webhooks::SETTINGS),
    ("Rollout", flags::SETTINGS),
    ("Ledger", anchor::SETTINGS),
    ("Journal", journal::SETTINGS),
    ("Simulator", mockpsp::SETTINGS),
    ("Logs", log::SETTINGS),
];

/// Spelt out: the regular expressions of JSON Schema have no switch for case.
const FLAG_PATTERN: &str =
    "^(1|0|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff])$";

const INTRODUCTION: &str = "\
<!-- Generated from crates/mizan-config; do not edit. -->
# Configuration

Mizan reads its settings from environment variables, once, at start. A blank variable counts as not set. Everything
that is wrong is reported together, one line each, without repeating a value, before anything is opened:

```
config error: DATABASE_URL is not set (required because ENV=staging)
```

The exit status is then 78. A line that begins with `config warning:` does not keep Mizan from starting; a name that
begins with `LEDGER_`, `WEBHOOK_` or `RECON_` and is not listed here gets one.

*Strict* is the mode of `ENV=staging`, `ENV=prod`, and of any `ENV` with `CI_STRICT=1`: nothing falls back to a default
that stands in for a real service. With `ENV`, `DATABASE_URL` and `REDIS_URL` set, everything else may be left out.
";

/// Every variable, in the order of the manual.
pub fn settings_reference() -> Vec<Setting> {
    SECTIONS
        .iter()
        .flat_map(|(_, settings)| settings.iter().copied())
        .collect()
}

pub(crate) fn is_setting(name: &str) -> bool {
    SECTIONS
        .iter()
        .flat_map(|(_, settings)| settings.iter())
        .any(|it| it.name == name)
}

/// The text of `docs/configuration.md`.
pub fn manual() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (title, settings) in SECTIONS {
        let _ = write!(
            text,
            "\n## {title}\n\n| variable | meaning | default (not strict) | strict |\n| --- | --- | --- | --- |\n"
        );
        for it in settings {
            let takes = match it.shape {
                Shape::Word(words) => format!(" One of `{}`.", words.join("`, `")),
                Shape::Number { min, max } => format!(" A whole number from {min} to {max}."),
                Shape::Flag => " `true` or `false`.".to_owned(),
                Shape::Secret => " Never shown.".to_owned(),
                Shape::Text => String::new(),
            };
            let _ = writeln!(
                text,
                "| `{}` | {}{takes} | {} | {} |",
                it.name, it.meaning, it.default, it.strict
            );
        }
    }
    text
}

/// The text of `schemas/config.json`: a JSON Schema of the environment as an object of strings.
pub fn schema() -> String {
    let (mut properties, mut patterns) = (Map::new(), Map::new());
    for it in settings_reference() {
        match it.name.strip_suffix("<PROVIDER>") {
            Some(prefix) => patterns.insert(format!("^{prefix}[A-Z0-9_]+$"), property(&it)),
            None => properties.insert(it.name.to_owned(), property(&it)),
        };
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The environment of mizan",
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
    });
    format!("{schema:#}\n")
}

fn property(setting: &Setting) -> Value {
    let mut property = json!({
        "type": "string",
        "description": setting.meaning,
        "x-default": setting.default,
        "x-strict": setting.strict,
    });
    match setting.shape {
        Shape::Text => {}
        Shape::Secret => property["writeOnly"] = json!(true),
        Shape::Flag => property["pattern"] = json!(FLAG_PATTERN),
        Shape::Word(words) => property["enum"] = json!(words),
        Shape::Number { min, max } => {
            property["pattern"] = json!("^[0-9]+$");
            property["x-minimum"] = json!(min);
            property["x-maximum"] = json!(max);
        }
    }
    property
}
