//! Facts and expectations to criteria. Nothing that was not seen can pass.

use regex::Regex;

use super::json::shown;
use super::{Body, Expect, Facts, Rows};
use crate::pick::pick;
use crate::record::Criterion;

/// As much of a value as a record shows of it.
const SHOWN: usize = 300;

/// One criterion for each thing that is asked for, in a fixed order.
pub fn judge(expect: &Expect, facts: &Facts) -> Vec<Criterion> {
    let mut all = Vec::new();
    exit(expect, facts, &mut all);
    status(expect, facts, &mut all);
    for (path, want) in &expect.json {
        let document = facts.document();
        let seen = document.as_ref().and_then(|it| pick(it, path));
        let shown = match (&document, seen) {
            (None, _) => "the answer is not JSON".to_owned(),
            (Some(_), None) => "nothing".to_owned(),
            (Some(_), Some(value)) => shown(value),
        };
        let passed = document.is_some() && want.fits(seen);
        all.push(criterion(path, want.to_string(), &shown, passed));
    }
    let what = "text";
    texts(
        what,
        &expect.contains,
        expect.matches.as_deref(),
        facts.text.as_ref(),
        &mut all,
    );
    texts(
        "stderr",
        &expect.stderr_contains,
        expect.stderr_matches.as_deref(),
        facts.stderr.as_ref(),
        &mut all,
    );
    lacks(expect, facts, &mut all);
    rows(expect, facts, &mut all);
    metric(expect, facts, &mut all);
    if let Some(within) = expect.within {
        let took = format!("{} ms", facts.took.as_millis());
        all.push(criterion(
            "duration",
            format!("at most {within}"),
            &took,
            facts.took <= within.0,
        ));
    }
    all
}

pub fn criterion(
    name: impl Into<String>,
    expected: impl Into<String>,
    seen: &str,
    passed: bool,
) -> Criterion {
    Criterion {
        name: name.into(),
        expected: expected.into(),
        seen: shorten(seen),
        passed,
    }
}

/// One line, not too long.
fn shorten(text: &str) -> String {
    let line = text.trim().replace(['\n', '\r'], " ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn exit(expect: &Expect, facts: &Facts, all: &mut Vec<Criterion>) {
    let Some(exit) = &facts.exit else { return };
    let wanted = expect.exit_code.unwrap_or(0);
    let (seen, passed) = match exit {
        Ok(code) => (code.to_string(), *code == wanted),
        Err(signal) => (format!("ended by {signal}"), false),
    };
    all.push(criterion("exit code", wanted.to_string(), &seen, passed));
}

fn status(expect: &Expect, facts: &Facts, all: &mut Vec<Criterion>) {
    if let Some(wanted) = expect.status {
        let seen = facts.status.map_or("no answer".to_owned(), |it| it.to_string());
        all.push(criterion(
            "status",
            wanted.to_string(),
            &seen,
            facts.status == Some(wanted),
        ));
    }
    for (name, pattern) in &expect.headers {
        let seen: Vec<&str> = facts
            .headers
            .iter()
            .filter(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        let passed = seen.iter().any(|it| is_match(pattern.as_str(), it));
        let shown = if seen.is_empty() {
            "no such header".to_owned()
        } else {
            seen.join(", ")
        };
        all.push(criterion(
            format!("header {name}"),
            format!("matches {pattern}"),
            &shown,
            passed,
        ));
    }
}

fn texts(
    what: &str,
    contains: &[crate::pack::Text],
    matches: Option<&str>,
    body: Option<&Body>,
    all: &mut Vec<Criterion>,
) {
    let text = body.map_or("", |it| it.text.as_str());
    let absent = || match body {
        None => "nothing".to_owned(),
        Some(body) if body.cut => "not in the beginning and the end, which is what is kept of it".to_owned(),
        Some(_) => format!("not in {} lines", text.lines().count()),
    };
    for want in contains {
        let line = text.lines().find(|it| it.contains(&want.0));
        let found = line.is_some() || (!want.0.is_empty() && text.contains(&want.0));
        let seen = line.map_or_else(|| if found { "yes".to_owned() } else { absent() }, str::to_owned);
        all.push(criterion(
            format!("{what} contains"),
            want.0.clone(),
            &seen,
            found && !want.0.is_empty(),
        ));
    }
    if let Some(pattern) = matches {
        let found = Regex::new(pattern)
            .ok()
            .and_then(|it| it.find(text).map(|it| it.as_str().to_owned()));
        let passed = found.is_some();
        all.push(criterion(
            format!("{what} matches"),
            pattern,
            &found.unwrap_or_else(absent),
            passed,
        ));
    }
}

/// Something is absent only from a text that was seen as a whole.
fn lacks(expect: &Expect, facts: &Facts, all: &mut Vec<Criterion>) {
    for unwanted in &expect.lacks {
        let name = "text lacks";
        let Some(body) = &facts.text else {
            all.push(criterion(name, unwanted.0.clone(), "there is no text", false));
            continue;
        };
        let line = body.text.lines().find(|it| it.contains(&unwanted.0));
        let (seen, passed) = match line {
            Some(line) => (line.to_owned(), false),
            None if body.cut => ("cannot be told: too long to be kept as a whole".to_owned(), false),
            None => (format!("not in {} lines", body.text.lines().count()), true),
        };
        all.push(criterion(name, unwanted.0.clone(), &seen, passed));
    }
}

fn rows(expect: &Expect, facts: &Facts, all: &mut Vec<Criterion>) {
    let Some(rows) = &facts.rows else { return };
    let count = rows.count();
    let seen = if rows.cut {
        format!("more than {count}")
    } else {
        count.to_string()
    };
    if let Some(exact) = expect.rows {
        all.push(criterion(
            "rows",
            exact.to_string(),
            &seen,
            count == exact && !rows.cut,
        ));
    }
    // Nothing found is no proof, unless how much was said.
    let least = expect
        .rows_min
        .or((expect.rows.is_none() && expect.rows_max.is_none()).then_some(1));
    if let Some(min) = least {
        all.push(criterion("rows", format!("at least {min}"), &seen, count >= min));
    }
    if let Some(max) = expect.rows_max {
        all.push(criterion(
            "rows",
            format!("at most {max}"),
            &seen,
            count <= max && !rows.cut,
        ));
    }
    let lines: Vec<String> = rows.rows.iter().map(|it| Rows::line(it)).collect();
    if let Some(pattern) = &expect.any_row_matches {
        let found = lines.iter().find(|it| is_match(pattern, it));
        let shown = found.cloned().unwrap_or_else(|| format!("none of {seen} rows"));
        all.push(criterion("a row matches", pattern, &shown, found.is_some()));
    }
    if let Some(pattern) = &expect.all_rows_match {
        let other = lines.iter().find(|it| !is_match(pattern, it));
        let shown = other.cloned().unwrap_or_else(|| format!("{seen} rows"));
        let passed = other.is_none() && !lines.is_empty() && !rows.cut;
        all.push(criterion("every row matches", pattern, &shown, passed));
    }
    if let Some(pattern) = &expect.no_row_matches {
        let found = lines.iter().find(|it| is_match(pattern, it));
        let shown = found.cloned().unwrap_or_else(|| format!("none of {seen} rows"));
        all.push(criterion(
            "no row matches",
            pattern,
            &shown,
            found.is_none() && !rows.cut,
        ));
    }
}

fn metric(expect: &Expect, facts: &Facts, all: &mut Vec<Criterion>) {
    let seen = facts.value.map_or("no sample".to_owned(), |it| it.to_string());
    let number = |text: &crate::pack::Text| text.0.trim().parse::<f64>().ok().filter(|it| it.is_finite());
    let mut bound = |name: &str, limit: Option<f64>, expected: String, below: bool| {
        let passed = match (facts.value, limit) {
            (Some(value), Some(limit)) if below => value <= limit,
            (Some(value), Some(limit)) => value >= limit,
            _ => false,
        };
        all.push(criterion(name, expected, &seen, passed));
    };
    if let Some(min) = &expect.min {
        bound("value", number(min), format!("at least {min}"), false);
    }
    if let Some(max) = &expect.max {
        bound("value", number(max), format!("at most {max}"), true);
    }
    if expect.times_baseline.is_some() || expect.plus.is_some() {
        let times = expect.times_baseline.as_ref().map_or(Some(1.0), number);
        let plus = expect.plus.as_ref().map_or(Some(0.0), number);
        let limit = match (facts.baseline, times, plus) {
            (Some(baseline), Some(times), Some(plus)) => Some(baseline * times + plus),
            _ => None,
        };
        let expected = match (limit, facts.baseline) {
            (Some(limit), Some(baseline)) => format!("at most {limit} (baseline {baseline})"),
            _ => "at most a multiple of the baseline, which is not known".to_owned(),
        };
        bound("against the baseline", limit, expected, true);
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|it| it.is_match(text))
}
