//! Which browser origins may call the API: `CORS_ORIGINS`.

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const CORS_ORIGINS: Setting = Setting {
    name: "CORS_ORIGINS",
    meaning: "Browser origins that may call the API, comma-separated or as a JSON list. Nothing else is echoed.",
    default: "`http://localhost:3000`, `http://localhost:3001`",
    strict: "none",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[CORS_ORIGINS];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Origins as a browser sends them: scheme, host and port, in lower case, without a path.
    pub origins: Vec<String>,
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Cors {
    let Some(text) = vars.text(&CORS_ORIGINS) else {
        let origins = if mode.strict {
            Vec::new()
        } else {
            vec![
                "http://localhost:3000".to_owned(),
                "http://localhost:3001".to_owned(),
            ]
        };
        return Cors { origins };
    };
    let Some(items) = split(text) else {
        report.problem(CORS_ORIGINS.name, "is not a JSON list of strings");
        return Cors { origins: Vec::new() };
    };
    let mut origins: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match origin(item) {
            Some(origin) if origins.contains(&origin) => {}
            Some(origin) => origins.push(origin),
            None => report.problem(
                CORS_ORIGINS.name,
                format!(
                    "has an item (number {}) that is not http(s)://host[:port]",
                    index + 1
                ),
            ),
        }
    }
    Cors { origins }
}

fn split(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    Some(
        text.split(',')
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .collect(),
    )
}

/// The origin as browsers write it, or `None` for `*`, `null`, paths and anything else.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse::<u16>().ok()?)),
        _ => (authority, None),
    };
    let is_host = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_' | '[' | ']' | ':');
    if host.is_empty() || !host.chars().all(is_host) {
        return None;
    }
    // A browser leaves out the port that its scheme implies.
    match (scheme, port) {
        ("http", None | Some(80)) | ("https", None | Some(443)) => Some(format!("{scheme}://{host}")),
        ("http" | "https", Some(port)) => Some(format!("{scheme}://{host}:{port}")),
        _ => None,
    }
}
