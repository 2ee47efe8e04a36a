//! The ticket that a gate closes: the report becomes a comment of it, and it is closed only by a pack that stands.

mod comments;

use std::time::Duration;

use mizan_mask::{Masker, Secret};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

pub use comments::comments;

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
    /// How long one comment may be, in bytes.
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

    /// Puts the comments on the ticket, in order; a webhook gets all of them at once.
    pub async fn post(&self, about: &About, comments: &[String]) -> Result<(), TicketError> {
        if let System::Webhook { url } = &self.system {
            let body = json!({ "event": "gate.report", "about": about, "comments": comments });
            return self.send(Method::POST, url, &body, "the report").await;
        }
        for (posted, text) in comments.iter().enumerate() {
            let done = self.comment(text).await;
            done.map_err(|source| match posted {
                0 => source,
                _ => TicketError::Partly {
                    posted,
                    total: comments.len(),
                    source: Box::new(source),
                },
            })?;
        }
        Ok(())
    }

    async fn comment(&self, text: &str) -> Result<(), TicketError> {
        let (url, body) = match &self.system {
            System::GitHub { .. } => (format!("{}/comments", self.address()), json!({ "body": text })),
            System::GitLab { .. } => (format!("{}/notes", self.address()), json!({ "body": text })),
            System::Webhook { url } => (url.clone(), json!({ "event": "gate.report", "comments": [text] })),
        };
        self.send(Method::POST, &url, &body, "a comment").await
    }

    /// Closes the ticket. Whether it may be closed is for the caller to know.
    pub async fn close(&self, about: &About) -> Result<(), TicketError> {
        let (method, body) = match &self.system {
            System::GitHub { .. } => (Method::PATCH, json!({ "state": "closed" })),
            System::GitLab { .. } => (Method::PUT, json!({ "state_event": "close" })),
            System::Webhook { .. } => (Method::POST, json!({ "event": "gate.close", "about": about })),
        };
        self.send(method, &self.address(), &body, "the closing").await
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

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: &Value,
        what: &'static str,
    ) -> Result<(), TicketError> {
        let system = self.system.name();
        let unreachable = |source: reqwest::Error| TicketError::Unreachable {
            system,
            source: source.without_url(),
        };
        let request = self.authorized(self.client.request(method, url).json(body));
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
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
