//! `log`: lines of a file or of a service's output.

use std::time::Duration;

use regex::Regex;
use tokio::time::{Instant, sleep};

use super::{Context, Failure, Seen};
use crate::expect::{Body, Facts, criterion};
use crate::pack::LogStep;
use crate::process::quote;
use crate::record::Criterion;

const WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What is looked for, with its variables filled in.
struct Wanted {
    contains: Vec<String>,
    then: Vec<String>,
    matches: Option<Regex>,
    lacks: Vec<String>,
    first: Option<usize>,
}

pub async fn run(context: &Context<'_>, log: &LogStep) -> Result<Seen, Failure> {
    let wanted = Wanted::fill(context, log)?;
    let (path, name) = match (&log.service, &log.file) {
        (Some(service), _) => (
            context.session.services.log_of(service).await?,
            format!("log of {service}"),
        ),
        (None, file) => {
            let path = context.fill(file.as_deref().unwrap_or_default())?;
            (path.clone().into(), path)
        }
    };
    context.command(wanted.as_grep(&name));
    let deadline = Instant::now() + log.within.map_or(WITHIN, |it| it.0);
    loop {
        let bytes = crate::step::file::read(&path.to_string_lossy());
        let text = bytes.map(|it| String::from_utf8_lossy(&it).into_owned());
        let (kept, criteria) = match &text {
            Ok(text) => wanted.look(text),
            Err(error) => (
                Vec::new(),
                vec![criterion("log", "can be read", &error.to_string(), false)],
            ),
        };
        let found = criteria.iter().all(|it| it.passed);
        if found || Instant::now() + BETWEEN_LOOKS > deadline {
            let text = kept.join("\n") + "\n";
            context.write("log", &text)?;
            let facts = Facts {
                text: Some(Body { text, cut: false }),
                ..Facts::default()
            };
            return Ok(Seen {
                facts,
                criteria,
                ..Seen::default()
            });
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

impl Wanted {
    fn fill(context: &Context<'_>, log: &LogStep) -> Result<Self, String> {
        let all = |texts: &[String]| {
            texts
                .iter()
                .map(|it| context.fill(it))
                .collect::<Result<Vec<_>, _>>()
        };
        let pattern = log.matches.as_ref().map(|it| context.fill(it)).transpose()?;
        let matches = pattern
            .map(|it| Regex::new(&it).map_err(|error| error.to_string()))
            .transpose()?;
        Ok(Self {
            contains: all(&log.contains)?,
            then: all(&log.then)?,
            lacks: all(&log.lacks)?,
            matches,
            first: log.first,
        })
    }

    fn as_grep(&self, name: &str) -> String {
        let first = self.first.map(|it| format!("head -n {it} {}", quote(name)));
        let grep = |words: &[String]| {
            let greps: Vec<String> = words.iter().map(|it| format!("grep -F {}", quote(it))).collect();
            (!greps.is_empty()).then(|| format!("< {} {}", quote(name), greps.join(" | ")))
        };
        let matches = self
            .matches
            .as_ref()
            .map(|it| format!("grep -P {} {}", quote(it.as_str()), quote(name)));
        let all = [first, grep(&self.contains), grep(&self.then), matches];
        all.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// The lines that were found, and what they prove.
    fn look(&self, text: &str) -> (Vec<String>, Vec<Criterion>) {
        let lines: Vec<&str> = text.lines().collect();
        let none = || format!("none of {} lines", lines.len());
        let mut kept: Vec<String> = Vec::new();
        let mut criteria = Vec::new();
        if let Some(first) = self.first {
            kept.extend(lines.iter().take(first).map(|it| (*it).to_owned()));
            let seen = kept.len();
            criteria.push(criterion(
                "first lines",
                format!("1 to {first}"),
                &seen.to_string(),
                seen > 0,
            ));
        }
        let mut found = |name: &str, what: String, line: Option<&&str>| {
            let seen = line.map_or_else(none, |it| (*it).to_owned());
            kept.extend(line.map(|it| (*it).to_owned()));
            criteria.push(criterion(name, what, &seen, line.is_some()));
        };
        let holds = |line: &&str, all: &[String]| all.iter().all(|it| line.contains(it.as_str()));
        let mut after = 0;
        if !self.contains.is_empty() {
            let at = lines.iter().position(|it| holds(it, &self.contains));
            after = at.map_or(lines.len(), |it| it + 1);
            found(
                "a line contains",
                self.contains.join(" and "),
                at.and_then(|it| lines.get(it)),
            );
        }
        if !self.then.is_empty() {
            let line = lines[after..].iter().find(|it| holds(it, &self.then));
            found("then a line contains", self.then.join(" and "), line);
        }
        if let Some(pattern) = &self.matches {
            found(
                "a line matches",
                pattern.to_string(),
                lines.iter().find(|it| pattern.is_match(it)),
            );
        }
        for unwanted in &self.lacks {
            let line = lines.iter().find(|it| it.contains(unwanted.as_str()));
            let seen = line.map_or_else(none, |it| (*it).to_owned());
            // An empty log lacks everything, and proves nothing.
            criteria.push(criterion(
                "no line contains",
                unwanted,
                &seen,
                line.is_none() && !lines.is_empty(),
            ));
        }
        (kept, criteria)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_must_be_there_and_in_its_order() {
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let check = |contains: &[&str], then: &[&str], lacks: &[&str], log: &str, expected: bool| {
            let (contains, then, lacks) = (texts(contains), texts(then), texts(lacks));
            let wanted = Wanted {
                contains,
                then,
                lacks,
                matches: None,
                first: None,
            };
            let (_, criteria) = wanted.look(log);
            assert_eq!(
                criteria.iter().all(|it| it.passed),
                expected,
                "{log}: {criteria:?}"
            );
        };
        let log = "boot\nrun 7 started\nrun 8 started\nrun 7 completed\n";
        check(&["7", "started"], &["7", "completed"], &[], log, true);
        check(&["8", "started"], &["8", "completed"], &[], log, false);
        check(&["7", "completed"], &["7", "started"], &[], log, false);
        check(&["7", "started"], &[], &["panic"], log, true);
        check(&["7", "started"], &[], &["boot"], log, false);
        check(&["7"], &[], &["panic"], "", false);
    }
}
