//! When a service is ready.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::running::Running;
use super::{Context, READY};
use crate::pack::{Ready, Wait};
use crate::step::http;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// One look may take this long.
const LOOK: Duration = Duration::from_secs(3);

pub struct Probe {
    what: What,
    limit: Duration,
}

enum What {
    Http { url: String, status: u16 },
    Log(String),
    Tcp(String),
}

impl Probe {
    pub fn fill(context: &Context<'_>, ready: &Ready) -> Result<Self, String> {
        let what = match (&ready.http, &ready.log, &ready.tcp) {
            (Some(url), ..) => What::Http {
                url: context.fill(url)?,
                status: ready.status.unwrap_or(200),
            },
            (_, Some(text), _) => What::Log(context.fill(text)?),
            (_, _, Some(place)) => What::Tcp(context.fill(place)?),
            _ => return Err("service.ready says nothing".into()),
        };
        Ok(Self {
            what,
            limit: ready.timeout.map_or(READY, |it| it.0),
        })
    }

    pub fn expected(&self) -> String {
        let what = match &self.what {
            What::Http { url, status } => format!("{url} says {status}"),
            What::Log(text) => format!("prints {text}"),
            What::Tcp(place) => format!("accepts connections at {place}"),
        };
        format!("{what} within {}", Wait(self.limit))
    }

    /// Waits until it is ready, its process ends or the time is up. What was seen last.
    pub async fn wait(&self, context: &Context<'_>, running: &Running, log: &Path) -> (String, bool) {
        let began = Instant::now();
        loop {
            if let Some(ended) = running.ended() {
                let how = ended.map_or_else(|it| format!("ended by {it}"), |it| format!("exit code {it}"));
                return (format!("the process ended: {how}"), false);
            }
            let (seen, passed) = match timeout(LOOK, self.look(context, log)).await {
                Ok(Ok(seen)) => (seen, true),
                Ok(Err(seen)) => (seen, false),
                Err(_) => ("no answer".to_owned(), false),
            };
            if passed {
                return (format!("{seen} after {} ms", began.elapsed().as_millis()), true);
            }
            if began.elapsed() + BETWEEN_LOOKS > self.limit {
                return (seen, false);
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn look(&self, context: &Context<'_>, log: &Path) -> Result<String, String> {
        match &self.what {
            What::Http { url, status } => {
                let (seen, ..) = http::get(context, url, None, LOOK).await?;
                if seen == *status {
                    Ok(seen.to_string())
                } else {
                    Err(format!("it says {seen}"))
                }
            }
            What::Log(text) => {
                let printed = std::fs::read(log).map_err(|error| error.to_string())?;
                let printed = String::from_utf8_lossy(&printed);
                let line = printed.lines().find(|it| it.contains(text.as_str()));
                line.map(str::to_owned)
                    .ok_or_else(|| format!("not in {} lines", printed.lines().count()))
            }
            What::Tcp(place) => {
                TcpStream::connect(place.as_str())
                    .await
                    .map_err(|error| error.to_string())?;
                Ok("accepted".to_owned())
            }
        }
    }
}
