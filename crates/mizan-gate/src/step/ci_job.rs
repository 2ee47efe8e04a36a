//! `ci_job`: the newest run of a GitHub Actions workflow. GREEN passes; for RED the first error block is kept.
//!
//! Source: GitHub REST API, <https://docs.github.com/en/rest/actions>.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Context, Failure, Seen, http};
use crate::expect::{Facts, criterion};
use crate::pack::CiJobStep;

const LIMIT: Duration = Duration::from_secs(20);
/// Lines of an error block.
const BLOCK: usize = 30;

struct Api<'a> {
    context: &'a Context<'a>,
    base: String,
    token: Option<String>,
}

pub async fn run(context: &Context<'_>, step: &CiJobStep) -> Result<Seen, Failure> {
    let filled = |text: &Option<String>| -> Result<Option<String>, String> {
        let text = text.as_ref().map(|it| context.fill(it)).transpose()?;
        Ok(text.filter(|it| !it.trim().is_empty()))
    };
    let (repo, workflow) = (context.fill(&step.repo)?, context.fill(&step.workflow)?);
    let base = filled(&step.base_url)?.unwrap_or_else(|| "https://api.github.com".to_owned());
    let base = format!("{}/repos/{repo}/actions", base.trim_end_matches('/'));
    let api = Api {
        context,
        base,
        token: filled(&step.token)?,
    };
    context.command(format!(
        "curl -sS {}/workflows/{{{workflow}}}/runs?per_page=1",
        api.base
    ));
    if repo.split('/').filter(|it| !it.is_empty()).count() != 2 {
        return Err(Failure::Error(format!(
            "ci_job.repo is {repo:?}; it must be owner/name"
        )));
    }
    let id = api.workflow(&workflow).await?;
    let mut query = format!("/workflows/{id}/runs?per_page=1");
    for (name, value) in [
        ("branch", filled(&step.branch)?),
        ("head_sha", filled(&step.sha)?),
    ] {
        if let Some(value) = value {
            let plain = |it: char| it.is_ascii_alphanumeric() || "-._/".contains(it);
            if !value.chars().all(plain) {
                return Err(Failure::Error(format!("ci_job: {value:?} is no {name}")));
            }
            write!(query, "&{name}={value}").ok();
        }
    }
    let runs = api.json(&query).await?;
    let Some(run) = runs["workflow_runs"].get(0) else {
        return Err(Failure::Error(format!("{workflow} has no run that fits")));
    };
    api.report(&workflow, run).await
}

impl Api<'_> {
    /// What a run shows, and whether it is GREEN.
    async fn report(&self, workflow: &str, run: &Value) -> Result<Seen, Failure> {
        let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
        let (status, conclusion, link) = (text("status"), text("conclusion"), text("html_url"));
        let green = status == "completed" && conclusion == "success";
        let light = match status.as_str() {
            "completed" if green => "GREEN",
            "completed" => "RED",
            _ => "not finished",
        };
        let mut shown = format!(
            "{workflow}: {light}\n{link}\nrun {} attempt {}\n",
            run["id"], run["run_attempt"]
        );
        write!(
            shown,
            "commit {}\nstatus {status}, conclusion {conclusion}\n",
            text("head_sha")
        )
        .ok();
        if light == "RED" {
            let block = self.error_block(&run["id"]).await;
            write!(
                shown,
                "\n{}\n",
                block.unwrap_or_else(|error| format!("its log cannot be read: {error}"))
            )
            .ok();
        }
        self.context.write("ci", &shown)?;
        let seen = format!(
            "{light} ({status}{}{conclusion})",
            if conclusion.is_empty() { "" } else { ", " }
        );
        let criteria = vec![criterion("job", "GREEN", &seen, green)];
        let facts = Facts {
            json: Some(
                json!({ "light": light, "status": status, "conclusion": conclusion, "link": link,
                "sha": text("head_sha"), "run_id": run["id"] }),
            ),
            ..Facts::default()
        };
        Ok(Seen {
            facts,
            criteria,
            note: Some(format!("{light}: {link}")),
        })
    }

    async fn get(&self, url: &str) -> Result<String, String> {
        let (status, headers, body) = http::get(self.context, url, self.token.as_deref(), LIMIT).await?;
        match status {
            200 => Ok(body),
            // A log lies elsewhere, under an address that is signed: the token must not go there.
            302 | 307 => {
                let place = headers
                    .get("location")
                    .and_then(|it| it.to_str().ok())
                    .unwrap_or_default();
                self.context.session.masking.learn(place, "location");
                match http::get(self.context, place, None, LIMIT).await? {
                    (200, _, body) => Ok(body),
                    (status, ..) => Err(format!("the place of the log says {status}")),
                }
            }
            401 | 403 => Err(format!(
                "the API says {status}; set ci_job.token to one that may read actions"
            )),
            404 => Err(
                "the API says 404: no such repository or workflow, or the token may not see it".to_owned(),
            ),
            status => Err(format!("the API says {status}")),
        }
    }

    async fn json(&self, path: &str) -> Result<Value, String> {
        let body = self.get(&format!("{}{path}", self.base)).await?;
        serde_json::from_str(&body).map_err(|error| format!("the API's answer is not JSON: {error}"))
    }

    /// The id of a workflow by the name that people see, or by its file's.
    async fn workflow(&self, wanted: &str) -> Result<String, String> {
        let all = self.json("/workflows?per_page=100").await?;
        let all = all["workflows"].as_array().cloned().unwrap_or_default();
        let fits = |it: &&Value| {
            let path = it["path"].as_str().unwrap_or_default();
            it["name"] == wanted || path == wanted || path.rsplit('/').next() == Some(wanted)
        };
        if let Some(it) = all.iter().find(fits) {
            return Ok(it["id"].to_string());
        }
        let names: Vec<&str> = all.iter().filter_map(|it| it["name"].as_str()).collect();
        Err(format!(
            "there is no workflow {wanted:?}; there are {}",
            names.join(", ")
        ))
    }

    /// The first error of the first job that failed.
    async fn error_block(&self, run: &Value) -> Result<String, String> {
        let jobs = self.json(&format!("/runs/{run}/jobs?per_page=100")).await?;
        let jobs = jobs["jobs"].as_array().cloned().unwrap_or_default();
        let bad = |it: &&Value| {
            !matches!(
                it["conclusion"].as_str(),
                Some("success" | "skipped" | "neutral") | None
            )
        };
        let job = jobs.iter().find(bad).ok_or("no job of it failed")?;
        let log = self
            .get(&format!("{}/jobs/{}/logs", self.base, job["id"]))
            .await?;
        Ok(format!(
            "job {}\n{}",
            job["name"].as_str().unwrap_or_default(),
            first_error(&log)
        ))
    }
}

/// From a little before the first line that is an error. Without such a line, the end.
fn first_error(log: &str) -> String {
    const SIGNS: [&str; 6] = [
        "##[error]",
        "error:",
        "error[",
        "panicked at",
        "FAILED",
        "Traceback",
    ];
    let lines: Vec<&str> = log.lines().collect();
    let sign = lines
        .iter()
        .position(|line| SIGNS.iter().any(|it| line.contains(it)));
    let from = sign.map_or(lines.len().saturating_sub(BLOCK), |it| it.saturating_sub(3));
    lines[from..]
        .iter()
        .take(BLOCK)
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::first_error;

    #[test]
    fn the_first_error_comes_with_what_led_to_it() {
        let log: String = (0..100)
            .map(|it| {
                if it == 50 {
                    "error[E1]: no\n".into()
                } else {
                    format!("{it}\n")
                }
            })
            .collect();
        let block = first_error(&log);
        assert!(block.starts_with("47\n48\n49\nerror[E1]: no\n51\n"), "{block}");
        assert_eq!(block.lines().count(), 30);
        assert_eq!(first_error("a\nb").lines().count(), 2);
        assert_eq!(first_error(""), "");
    }
}
