//! The ticket that a gate closes: the report becomes a comment of it, and it is closed only by a pack that stands.

mod comments;
mod marks;

use std::time::Duration;

use mizan_mask::{Masker, Secret};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};

pub use comments::comments;

use marks::Mark;

/// Comments that are asked for at a time.
const PAGE: usize = 100;

/// Where a ticket is kept.
#[derive(Debug, Clone)]
pub enum System {
    /// `base` is `https://api.github.com`, or that of an own server; `repository` is `owner/name`.
    GitHub {
        base: String,
        repository: String,
        issue: u64,
    },
    /// `base` is `https://gitlab.com/api/v4`, or that of an own server; `project` is `group/name` or its number.
    GitLab {
        base: String,
        project: String,
        issue: u64,
    },
    /// Anything that takes JSON.
    Webhook { url: String },
}

impl System {
    /// How long one comment may be, in bytes, without its mark.
    pub fn longest_comment(&self) -> usize {
        match self {
            Self::GitHub { .. } => 65_000,
            Self::GitLab { .. } | Self::Webhook { .. } => 900_000,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::GitHub { .. } => "GitHub",
            Self::GitLab { .. } => "GitLab",
            Self::Webhook { .. } => "the webhook",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    #[error("{system} cannot be reached")]
    Unreachable {
        system: &'static str,
        source: reqwest::Error,
    },
    #[error("{system} answered {status} to {what}: {says}")]
    Refused {
        system: &'static str,
        status: u16,
        what: &'static str,
        says: String,
    },
    #[error("{posted} of {total} comments are on the ticket, then it failed")]
    Partly {
        posted: usize,
        total: usize,
        source: Box<TicketError>,
    },
    #[error(
        "{system} does not list the comments of the ticket as JSON, so nobody knows what is posted; --force posts all the same"
    )]
    NoList { system: &'static str },
}

/// What came of posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Comments that were written now.
    pub written: usize,
    /// Comments that were on the ticket before.
    pub there: usize,
}

/// A ticket and the right to write to it.
pub struct Ticket {
    pub system: System,
    pub token: Option<Secret>,
    client: Client,
}

/// What a webhook is told beside the texts.
#[derive(Debug, Clone, serde::Serialize)]
pub struct About {
    pub gate: String,
    pub title: String,
    pub verdict: crate::record::Verdict,
    pub run_id: String,
    pub pack: String,
    /// The sha256 of the pack's manifest: what a comment is told by when it is looked for.
    pub digest: String,
}

impl Ticket {
    pub fn new(system: System, token: Option<Secret>) -> Result<Self, TicketError> {
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            // A redirect would carry the token elsewhere.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("mizan/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| TicketError::Unreachable {
                system: system.name(),
                source: source.without_url(),
            })?;
        Ok(Self {
            system,
            token,
            client,
        })
    }

    /// Puts the comments on the ticket, in order, but those that are there already: each ends with a mark that names the
    /// pack's digest. `force` does not look. A webhook gets all of them at once, under an idempotency key, as it cannot
    /// be asked what it has.
    pub async fn post(&self, about: &About, comments: &[String], force: bool) -> Result<Posted, TicketError> {
        let mark = Mark::new(&about.digest, comments.len());
        if let System::Webhook { url } = &self.system {
            let body = json!({ "event": "gate.report", "about": about, "comments": comments });
            let request = self.client.request(Method::POST, url).json(&body);
            self.send(request.header("idempotency-key", &about.digest), "the report")
                .await?;
            return Ok(Posted {
                written: comments.len(),
                there: 0,
            });
        }
        let there = if force {
            Vec::new()
        } else {
            self.there(&mark).await?
        };
        let mut posted = Posted {
            written: 0,
            there: there.len(),
        };
        for (part, text) in comments.iter().enumerate().filter(|it| !there.contains(&it.0)) {
            let done = self.comment(&mark.on(text, part)).await;
            done.map_err(|source| match posted.written + posted.there {
                0 => source,
                on_it => TicketError::Partly {
                    posted: on_it,
                    total: comments.len(),
                    source: Box::new(source),
                },
            })?;
            posted.written += 1;
        }
        Ok(posted)
    }

    /// The parts of this pack that the ticket has.
    async fn there(&self, mark: &Mark) -> Result<Vec<usize>, TicketError> {
        let mut found = Vec::new();
        for page in 1.. {
            let url = format!("{}?per_page={PAGE}&page={page}", self.comments_address());
            let answer = self.send(self.client.get(url), "the list of comments").await?;
            let none = |_| TicketError::NoList {
                system: self.system.name(),
            };
            let comments: Vec<Value> = answer.json().await.map_err(none)?;
            found.extend(
                comments
                    .iter()
                    .filter_map(|it| mark.part_of(it["body"].as_str()?)),
            );
            if comments.len() < PAGE {
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    async fn comment(&self, text: &str) -> Result<(), TicketError> {
        let request = self
            .client
            .post(self.comments_address())
            .json(&json!({ "body": text }));
        self.send(request, "a comment").await.map(drop)
    }

    fn comments_address(&self) -> String {
        match &self.system {
            System::GitHub { .. } => format!("{}/comments", self.address()),
            System::GitLab { .. } => format!("{}/notes", self.address()),
            System::Webhook { url } => url.clone(),
        }
    }

    /// Closes the ticket. Whether it may be closed is for the caller to know.
    pub async fn close(&self, about: &About) -> Result<(), TicketError> {
        let (method, body) = match &self.system {
            System::GitHub { .. } => (Method::PATCH, json!({ "state": "closed" })),
            System::GitLab { .. } => (Method::PUT, json!({ "state_event": "close" })),
            System::Webhook { .. } => (Method::POST, json!({ "event": "gate.close", "about": about })),
        };
        let request = self.client.request(method, self.address()).json(&body);
        self.send(request, "the closing").await.map(drop)
    }

    fn address(&self) -> String {
        match &self.system {
            System::GitHub {
                base,
                repository,
                issue,
            } => format!("{}/repos/{repository}/issues/{issue}", base.trim_end_matches('/')),
            System::GitLab { base, project, issue } => {
                let project = project.replace('%', "%25").replace('/', "%2F");
                format!("{}/projects/{project}/issues/{issue}", base.trim_end_matches('/'))
            }
            System::Webhook { url } => url.clone(),
        }
    }

    async fn send(&self, request: RequestBuilder, what: &'static str) -> Result<Response, TicketError> {
        let system = self.system.name();
        let unreachable = |source: reqwest::Error| TicketError::Unreachable {
            system,
            source: source.without_url(),
        };
        let answer = self.authorized(request).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let says = answer.text().await.unwrap_or_default();
        let says: String = says.chars().take(300).collect();
        Err(TicketError::Refused {
            system,
            status: status.as_u16(),
            what,
            says: self.masker().mask(&says).into_string(),
        })
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        let Some(token) = &self.token else {
            return request;
        };
        match &self.system {
            System::GitLab { .. } => request.header("private-token", token.reveal()),
            System::GitHub { .. } | System::Webhook { .. } => request.bearer_auth(token.reveal()),
        }
    }

    /// An answer may say the token back.
    fn masker(&self) -> Masker {
        match &self.token {
            Some(token) => Masker::builder().known(token, "the token").build(),
            None => Masker::default(),
        }
    }
}
