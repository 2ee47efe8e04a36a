//! One step: its attempts, what it saw, what it took along.

pub mod background;
pub mod ci_job;
pub mod file;
pub mod http;
pub mod junit;
pub mod log;
pub mod metric;
pub mod redis;
pub mod run;
pub mod sql;

mod attempts;
mod capture;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use attempts::{perform, skipped};

use crate::expect::{Expect, Facts};
use crate::pack::{Step, Wait};
use crate::record::Criterion;
use crate::run::{CouldNot, Session};
use crate::sink::Sink;

/// What one attempt saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub facts: Facts,
    /// Criteria that come with the kind of the step.
    pub criteria: Vec<Criterion>,
    pub note: Option<String>,
}

/// Why an attempt saw nothing.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be judged: the step is an ERROR.
    Error(String),
    /// The run cannot go on.
    Abort(CouldNot),
}

impl From<CouldNot> for Failure {
    fn from(error: CouldNot) -> Self {
        Self::Abort(error)
    }
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self::Error(error)
    }
}

/// A step on its way.
pub struct Context<'a> {
    pub session: &'a Session,
    pub packet: &'a str,
    pub step: &'a Step,
    command: Mutex<String>,
    files: Mutex<Vec<String>>,
}

impl<'a> Context<'a> {
    fn new(session: &'a Session, packet: &'a str, step: &'a Step) -> Self {
        Self {
            session,
            packet,
            step,
            command: Mutex::default(),
            files: Mutex::default(),
        }
    }

    pub fn fill(&self, text: &str) -> Result<String, String> {
        self.session.values.fill(text)
    }

    /// When the run began.
    pub fn started(&self) -> chrono::DateTime<chrono::Utc> {
        self.session.started_at
    }

    /// Says what is done, as a person would type it. It is masked like everything else.
    pub fn command(&self, shown: String) {
        *self.command.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// A new output of the step.
    pub fn sink(&self, kind: &str) -> Result<Sink, CouldNot> {
        let path = self.place(kind)?;
        Sink::create(&path, &self.session.masking, self.session.options.keep)
            .map_err(|error| CouldNot::disk(&path, &error))
    }

    /// Where an output of the step goes.
    pub fn place(&self, kind: &str) -> Result<PathBuf, CouldNot> {
        let name = format!("{}.{kind}", self.step.id);
        let path = self.session.workdir.packet(self.packet)?.join(&name);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if !files.contains(&name) {
            files.push(name);
        }
        Ok(path)
    }

    /// Writes a whole output.
    pub fn write(&self, kind: &str, text: &str) -> Result<(), CouldNot> {
        let path = self.place(kind)?;
        let mut sink = self.sink(kind)?;
        sink.take(text.as_bytes())
            .and_then(|()| sink.finish())
            .map_err(|error| CouldNot::disk(&path, &error))?;
        Ok(())
    }

    fn filled(&self, expect: &Expect) -> Result<Expect, String> {
        let mut expect = expect.clone();
        for text in expect.texts_mut() {
            *text = self.fill(text)?;
        }
        Ok(expect)
    }
}

/// How long one attempt may take.
fn limit(step: &Step) -> Duration {
    if let Some(Wait(limit)) = step.timeout {
        return limit;
    }
    let own = Duration::from_secs(30);
    match step.kind() {
        "run" => Duration::from_mins(10),
        "log" => {
            own + step
                .log
                .as_ref()
                .and_then(|it| it.within)
                .map_or(Duration::ZERO, |it| it.0)
        }
        "metric" => {
            own + step
                .metric
                .as_ref()
                .and_then(|it| it.rate_over)
                .map_or(Duration::ZERO, |it| it.0)
        }
        "service" => {
            let ready = step
                .service
                .as_ref()
                .and_then(|it| it.ready.as_ref())
                .and_then(|it| it.timeout);
            own + ready.map_or(background::READY, |it| it.0)
        }
        _ => own,
    }
}

/// Does the step once.
async fn once(context: &Context<'_>) -> Result<Seen, Failure> {
    let step = context.step;
    if let Some(command) = &step.run {
        run::run(context, command).await
    } else if let Some(http) = &step.http {
        http::run(context, http).await
    } else if let Some(sql) = &step.sql {
        sql::run(context, sql).await
    } else if let Some(redis) = &step.redis {
        redis::run(context, redis).await
    } else if let Some(log) = &step.log {
        log::run(context, log).await
    } else if let Some(metric) = &step.metric {
        metric::run(context, metric).await
    } else if let Some(junit) = &step.junit {
        junit::run(context, junit)
    } else if let Some(ci_job) = &step.ci_job {
        ci_job::run(context, ci_job).await
    } else if let Some(file) = &step.file {
        file::run(context, file)
    } else if let Some(service) = &step.service {
        background::run(context, service).await
    } else {
        Err(Failure::Error("the step is of no kind".into()))
    }
}
