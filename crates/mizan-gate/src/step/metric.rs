//! `metric`: a value that a Prometheus endpoint shows, or how fast it grows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Context, Failure, Seen, http};
use crate::expect::Facts;
use crate::pack::MetricStep;
use crate::process::quote;

const LIMIT: Duration = Duration::from_secs(10);

pub async fn run(context: &Context<'_>, metric: &MetricStep) -> Result<Seen, Failure> {
    let url = context.fill(&metric.url)?;
    let name = context.fill(&metric.name)?;
    let mut labels = BTreeMap::new();
    for (label, text) in &metric.labels {
        labels.insert(label.clone(), context.fill(&text.0)?);
    }
    let bearer = metric.bearer.as_ref().map(|it| context.fill(it)).transpose()?;
    context.command(format!("curl -sS {} | grep {}", quote(&url), quote(&name)));
    let baseline = metric
        .baseline
        .as_ref()
        .map(|it| context.fill(&it.0))
        .transpose()?;
    let baseline = baseline
        .map(|it| number(&it).ok_or(format!("the baseline {it:?} is no number")))
        .transpose()?;
    let mut shown = String::new();
    let mut look = async || -> Result<(f64, Instant), Failure> {
        let (status, _, text) = http::get(context, &url, bearer.as_deref(), LIMIT).await?;
        let at = Instant::now();
        if status != 200 {
            return Err(Failure::Error(format!("the endpoint says {status}")));
        }
        let samples = samples(&text, &name, &labels);
        shown.extend(samples.iter().map(|(line, _)| format!("{line}\n")));
        shown.push('\n');
        context.write("metric", &shown)?;
        if samples.is_empty() {
            return Err(Failure::Error(format!("no sample of {name} with these labels")));
        }
        Ok((samples.iter().map(|it| it.1).sum(), at))
    };
    let (first, began) = look().await?;
    let value = match metric.rate_over {
        None => first,
        Some(window) => {
            sleep(window.0).await;
            let (second, ended) = look().await?;
            if second < first {
                return Err(Failure::Error(format!(
                    "it fell from {first} to {second}: the counter was reset"
                )));
            }
            (second - first) / (ended - began).as_secs_f64()
        }
    };
    let facts = Facts {
        value: Some(value),
        baseline,
        json: Some(json!({ "value": value, "baseline": baseline })),
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        ..Seen::default()
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|it| it.is_finite())
}

/// The samples that fit, each with its line: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
fn samples(text: &str, name: &str, wanted: &BTreeMap<String, String>) -> Vec<(String, f64)> {
    let sample = |line: &str| -> Option<(String, f64)> {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(inside) => labels(inside)?,
            None if rest.starts_with([' ', '\t']) => (BTreeMap::new(), rest),
            None => return None,
        };
        let fits = wanted
            .iter()
            .all(|(label, value)| labels.get(label) == Some(value));
        let value = number(value.split_whitespace().next()?)?;
        fits.then(|| (line.to_owned(), value))
    };
    text.lines()
        .map(str::trim)
        .filter(|it| !it.starts_with('#'))
        .filter_map(sample)
        .collect()
}

/// `name="value",…}` and what follows.
fn labels(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut all = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((all, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        all.insert(name.trim().to_owned(), value);
        rest = &after[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_by_name_and_labels() {
        let text = "# TYPE hits counter\nhits{code=\"401\",way=\"a,b}\\\"c\"} 3 1700000000\nhits{code=\"200\"} 5\n\
                    hits_total 9\nhits 1\nbroken{code=\"401\" 7\nodd NaN\n";
        let check = |name: &str, labels: &[(&str, &str)], expected: &[f64]| {
            let labels = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let found: Vec<f64> = samples(text, name, &labels).into_iter().map(|it| it.1).collect();
            assert_eq!(found, expected, "{name} {labels:?}");
        };
        check("hits", &[], &[3.0, 5.0, 1.0]);
        check("hits", &[("code", "401")], &[3.0]);
        check("hits", &[("way", "a,b}\"c")], &[3.0]);
        check("hits", &[("code", "500")], &[]);
        check("broken", &[], &[]);
        check("odd", &[], &[]);
        check("nothing", &[], &[]);
    }
}
