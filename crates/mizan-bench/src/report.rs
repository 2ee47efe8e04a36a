//! `docs/performance.md`: every figure with what it was held against, and how to measure it again.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::bench;
use crate::case::{Case, Outcome, Series, Spread, shown};
use crate::{machine, runs, screen};

const FILE: &str = "docs/performance.md";

fn place(name: &str) -> anyhow::Result<PathBuf> {
    Ok(machine::workshop()?.join(format!("{name}.json")))
}

/// Keeps an outcome for `report`.
pub fn keep(outcome: &Outcome) -> anyhow::Result<()> {
    fs::write(place(&outcome.name)?, serde_json::to_string_pretty(outcome)?)
        .context("the outcome cannot be kept")
}

/// Keeps the line of a load run for `report`.
pub fn keep_run(line: &Value) -> anyhow::Result<()> {
    let name = line["name"].as_str().context("a load run has a name")?;
    fs::write(place(name)?, serde_json::to_string_pretty(line)?).context("the outcome cannot be kept")
}

/// The last lines of the load runs.
fn kept_runs() -> anyhow::Result<Vec<Value>> {
    let mut lines = Vec::new();
    for (name, _) in runs::ALL {
        if let Ok(text) = fs::read_to_string(place(name)?) {
            lines.push(serde_json::from_str(&text).with_context(|| format!("the kept outcome of {name}"))?);
        }
    }
    Ok(lines)
}

/// The last outcomes, in the order of the table.
pub fn kept() -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for it in bench::ALL {
        if let Ok(text) = fs::read_to_string(place(it.name)?) {
            outcomes.push(
                serde_json::from_str(&text).with_context(|| format!("the kept outcome of {}", it.name))?,
            );
        }
    }
    Ok(outcomes)
}

pub fn write(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut text = render(outcomes, &machine::description())?;
    load_runs(&mut text, &kept_runs()?)?;
    fs::write(machine::repository().join(FILE), text).with_context(|| format!("{FILE} cannot be written"))?;
    screen::note(&format!("wrote {FILE}"));
    Ok(())
}

fn render(outcomes: &[Outcome], machine: &[(&str, String)]) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "# Performance\n\n\
         Written by `make bench` (`cargo run --release -p mizan-bench -- all`); change the benches, not this page. One bench\n\
         alone: `cargo run --release -p mizan-bench -- post-bulk`; `-- list` names them. They need PostgreSQL with `pgbench`,\n\
         Redis, Python 3 (for DuckDB from PyPI) and the release binary: `cargo build --release -p mizan`.\n\n\
         **Read the ratios.** Subject and yardstick ran in turns on the same machine in the same run; an absolute figure says\n\
         as much about the machine as about Mizan. A ratio is the median over the rounds, with least and greatest. Commits are\n\
         durable throughout (see below for what the server said); loaders, servers and Mizan share the processors.\n\n",
    );
    if outcomes.iter().any(|it| it.quick) {
        text.push_str("> Some of these figures are of short runs (`--quick`): they show that a bench works, not what it measures.\n\n");
    }
    text.push_str("## The machine\n\n| | |\n| --- | --- |\n");
    for (name, value) in machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    if let Some(settings) = durability(outcomes) {
        writeln!(text, "| what PostgreSQL said | {settings} |")?;
    }
    text.push_str("| SQLite files | journal_mode WAL, synchronous FULL |\n\n## Goals\n\n");
    text.push_str("| bench | case | figure | goal | |\n| --- | --- | --- | --- | --- |\n");
    for outcome in outcomes {
        for case in outcome.cases.iter().filter(|it| it.goal.is_some()) {
            let goal = case.goal.map(|it| case.goal_text(it)).unwrap_or_default();
            let said = if case.reached == Some(true) {
                "reached"
            } else {
                "**not reached**"
            };
            writeln!(
                text,
                "| [{0}](#{0}) | {1} | {2} | {goal} | {said} |",
                outcome.name,
                case.name,
                figure(case)
            )?;
        }
        if let Some(why) = &outcome.failed {
            writeln!(
                text,
                "| [{0}](#{0}) | | | | **not measured**: {1} |",
                outcome.name,
                one_line(why)
            )?;
        }
    }
    for outcome in outcomes {
        section(&mut text, outcome)?;
    }
    Ok(text)
}

/// What the goal is held against.
fn figure(case: &Case) -> String {
    let subject = || {
        Spread::of(&case.subject.rounds).map_or_else(String::new, |it| {
            format!("{} {}", shown(it.median), case.subject.unit)
        })
    };
    case.ratio
        .map_or_else(subject, |it| format!("{} ×", shown(it.median)))
}

fn section(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let method = bench::ALL
        .iter()
        .find(|it| it.name == outcome.name)
        .map_or("", |it| it.method);
    write!(text, "\n## {}\n\n{method}\n\n", outcome.name)?;
    let kind = if outcome.quick { " (short run)" } else { "" };
    writeln!(
        text,
        "Measured {} at commit {}{kind}.",
        outcome.at, outcome.commit
    )?;
    if outcome.cases.is_empty() {
        return Ok(());
    }
    text.push_str("\n| case | Mizan | yardstick | ratio |\n| --- | --- | --- | --- |\n");
    for case in &outcome.cases {
        let ratio = case.ratio.map_or_else(String::new, |it| {
            format!("{} ({} to {})", shown(it.median), shown(it.min), shown(it.max))
        });
        let yardstick = case
            .yardstick
            .as_ref()
            .map_or_else(String::new, |it| format!("{} ({})", spread(it), it.what));
        writeln!(
            text,
            "| {} | {} | {yardstick} | {ratio} |",
            case.name,
            spread(&case.subject)
        )?;
    }
    let seen: Vec<&Case> = outcome.cases.iter().filter(|it| !it.seen.is_empty()).collect();
    if !seen.is_empty() {
        text.push_str("\nWhat was seen while it ran:\n\n");
        for case in seen {
            writeln!(text, "- {}: {}", case.name, case.seen)?;
        }
    }
    let limits = bench::ALL.iter().find(|it| it.name == outcome.name);
    if let Some(limits) = limits.map(|it| it.limits).filter(|it| !it.is_empty()) {
        writeln!(text, "\nWhat limits it: {limits}")?;
    }
    text.push_str("\n<details><summary>Raw figures</summary>\n\n```json\n");
    for case in &outcome.cases {
        let line = serde_json::json!({ "case": case.name, "subject": case.subject, "yardstick": case.yardstick, "raw": case.raw });
        writeln!(text, "{line}")?;
    }
    text.push_str("```\n\n</details>\n");
    Ok(())
}

/// Yes or no, and the figures that decided.
fn load_runs(text: &mut String, lines: &[Value]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    text.push_str(
        "\n## Load runs\n\nLonger than a bench, and with an answer of yes or no: `make bench-load`.\n",
    );
    for line in lines {
        let name = line["name"].as_str().unwrap_or_default();
        let about = runs::ALL
            .iter()
            .find(|it| it.0 == name)
            .map_or("", |(_, about)| about);
        let held = if line["held"] == true {
            "it held"
        } else {
            "**it did not hold**"
        };
        writeln!(text, "\n### {name}\n\n{about}: {held}.\n\n| | |\n| --- | --- |")?;
        for (name, value) in line.as_object().into_iter().flatten() {
            match value {
                Value::Number(it) => writeln!(
                    text,
                    "| {} | {} |",
                    name.replace('_', " "),
                    shown(it.as_f64().unwrap_or_default())
                )?,
                Value::Bool(it) => writeln!(text, "| {} | {it} |", name.replace('_', " "))?,
                _ => {}
            }
        }
        writeln!(
            text,
            "\n<details><summary>Raw figures</summary>\n\n```json\n{line}\n```\n\n</details>"
        )?;
    }
    Ok(())
}

fn spread(series: &Series) -> String {
    let Some(it) = Spread::of(&series.rounds) else {
        return String::new();
    };
    if series.rounds.len() == 1 {
        return format!("{} {}", shown(it.median), series.unit);
    }
    format!(
        "{} {} ({} to {})",
        shown(it.median),
        series.unit,
        shown(it.min),
        shown(it.max)
    )
}

fn durability(outcomes: &[Outcome]) -> Option<String> {
    let mut all = outcomes.iter().flat_map(|it| &it.cases);
    let found = all.find_map(|it| it.raw["durability"].as_object())?;
    let words: Vec<String> = found
        .iter()
        .map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or_default()))
        .collect();
    Some(words.join(", "))
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_missed_and_a_bench_that_failed_are_said_so() {
        let series = |rounds: &[f64]| Series::new("x", "transfers/s", rounds.to_vec());
        let outcome = |name: &str, cases, failed| Outcome {
            name: name.into(),
            at: String::new(),
            commit: String::new(),
            quick: false,
            reached: false,
            cases,
            failed,
        };
        let slow = Case::against("rate", series(&[10.0]), series(&[10.0])).at_least(2.0);
        let outcomes = [
            outcome("post-http", vec![slow], None),
            outcome("recon", vec![], Some("python3 is missing".into())),
        ];
        let text = render(&outcomes, &[("processor", "one".into())]).unwrap();
        assert!(
            text.contains("| [post-http](#post-http) | rate | 1 × | ≥ 2 × | **not reached** |"),
            "{text}"
        );
        assert!(text.contains("**not measured**: python3 is missing"), "{text}");
        assert!(!text.contains("short runs"), "{text}");
    }
}
