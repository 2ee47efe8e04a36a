//! The attempts of a step: `retry` does all of it again, `until` asks until something is seen.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Context, Failure, Seen, capture, limit, once};
use crate::expect::{Expect, Until, judge, shown};
use crate::pack::Step;
use crate::pick::pick;
use crate::record::{Criterion, Output, Status, StepRecord};
use crate::run::{CouldNot, Session};
use crate::{sink, verdict};

/// What came of one try.
#[derive(Default)]
struct Outcome {
    seen: Option<Seen>,
    criteria: Vec<Criterion>,
    observed: Vec<String>,
    error: Option<String>,
}

impl Outcome {
    fn error(what: impl Into<String>) -> Self {
        Self {
            error: Some(what.into()),
            ..Self::default()
        }
    }
}

/// Does a step and says how it ended.
pub async fn perform(session: &Session, packet: &str, step: &Step) -> Result<StepRecord, CouldNot> {
    let context = Context::new(session, packet, step);
    let started_at = session.clock().now();
    let times = step.retry.map_or(1, |it| it.times.max(1));
    let mut attempts = 0;
    let outcome = loop {
        attempts += 1;
        let outcome = tokio::select! {
            biased;
            () = session.stop().requested() => {
                let why = session.stop().why().unwrap_or_default();
                break Outcome::error(format!("the run was {why}"));
            }
            outcome = try_once(&context) => outcome?,
        };
        let passed = verdict::step(outcome.error.as_deref(), &outcome.criteria) == Status::Pass;
        if passed || attempts >= times {
            break outcome;
        }
        set_aside(&context, attempts)?;
        tokio::select! {
            () = session.stop().requested() => {}
            () = sleep(step.retry.map_or(Duration::ZERO, |it| it.every.0)) => {}
        }
    };
    let facts = outcome.seen.as_ref().map(|it| &it.facts);
    let notes = [
        step.note.clone(),
        outcome.seen.as_ref().and_then(|it| it.note.clone()),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    Ok(StepRecord {
        id: step.id.0.clone(),
        kind: step.kind().to_owned(),
        optional: step.optional,
        status: verdict::step(outcome.error.as_deref(), &outcome.criteria),
        command: context
            .command
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        exit_code: facts.and_then(|it| it.exit.as_ref()?.as_ref().ok().copied()),
        started_at,
        finished_at: session.clock().now(),
        attempts,
        criteria: outcome.criteria,
        observed: outcome.observed,
        outputs: outputs(&context)?,
        error: outcome.error,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    })
}

/// A step that was not run, and why.
pub fn skipped(session: &Session, step: &Step, why: &str) -> StepRecord {
    let now = session.clock().now();
    StepRecord {
        id: step.id.0.clone(),
        kind: step.kind().to_owned(),
        optional: step.optional,
        status: Status::Skipped,
        command: String::new(),
        exit_code: None,
        started_at: now,
        finished_at: now,
        attempts: 0,
        criteria: Vec::new(),
        observed: Vec::new(),
        outputs: Vec::new(),
        error: None,
        note: Some(why.to_owned()),
    }
}

fn outputs(context: &Context<'_>) -> Result<Vec<Output>, CouldNot> {
    let directory = context.session.workdir.packet(context.packet)?;
    let files = context.files.lock().unwrap_or_else(PoisonError::into_inner);
    let describe = |file: &String| {
        sink::describe(&directory, file).map_err(|error| CouldNot::disk(&directory.join(file), &error))
    };
    files.iter().map(describe).collect()
}

/// Keeps the outputs of an attempt that another one follows.
fn set_aside(context: &Context<'_>, attempt: u32) -> Result<(), CouldNot> {
    let directory = context.session.workdir.packet(context.packet)?;
    let mut files = context.files.lock().unwrap_or_else(PoisonError::into_inner);
    for file in files
        .iter_mut()
        .filter(|it| !it.starts_with(&format!("{}.attempt-", context.step.id)))
    {
        let kind = file.rsplit('.').next().unwrap_or_default();
        let kept = format!("{}.attempt-{attempt}.{kind}", context.step.id);
        std::fs::rename(directory.join(&file), directory.join(&kept))
            .map_err(|error| CouldNot::disk(&directory.join(&kept), &error))?;
        *file = kept;
    }
    Ok(())
}

async fn try_once(context: &Context<'_>) -> Result<Outcome, CouldNot> {
    let filled = |expect: Option<&Expect>| expect.map(|it| context.filled(it)).transpose();
    let expect = match filled(context.step.expect.as_ref()) {
        Ok(expect) => expect,
        Err(error) => return Ok(Outcome::error(error)),
    };
    let mut outcome = match &context.step.until {
        Some(until) => asked_until(context, until).await?,
        None => match bounded(context).await {
            Err(Failure::Abort(error)) => return Err(error),
            Err(Failure::Error(error)) => return Ok(Outcome::error(error)),
            Ok(seen) => Outcome {
                seen: Some(seen),
                ..Outcome::default()
            },
        },
    };
    let Some(seen) = &mut outcome.seen else {
        return Ok(outcome);
    };
    let mut criteria = std::mem::take(&mut seen.criteria);
    if context.step.until.is_none() || expect.is_some() {
        criteria.extend(judge(&expect.unwrap_or_default(), &seen.facts));
    }
    criteria.append(&mut outcome.criteria);
    if outcome.error.is_none() {
        criteria.extend(capture::take(context, &seen.facts));
    }
    outcome.criteria = criteria;
    Ok(outcome)
}

/// One attempt with a limit; what is left of it is killed when it is dropped.
async fn bounded(context: &Context<'_>) -> Result<Seen, Failure> {
    let limit = limit(context.step);
    match timeout(limit, once(context)).await {
        Ok(seen) => seen,
        Err(_) => Err(Failure::Error(format!(
            "took longer than {}; what was left of it was killed",
            crate::pack::Wait(limit)
        ))),
    }
}

async fn asked_until(context: &Context<'_>, until: &Until) -> Result<Outcome, CouldNot> {
    let wanted = match context.filled(&until.expect()) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Outcome::error(error)),
    };
    let patience = until.timeout.map_or(Duration::from_mins(1), |it| it.0);
    let every = until.every.map_or(Duration::from_millis(500), |it| it.0);
    let deadline = Instant::now() + patience;
    let mut outcome = Outcome::default();
    loop {
        match bounded(context).await {
            Err(Failure::Abort(error)) => return Err(error),
            Err(Failure::Error(error)) => outcome.error = Some(error),
            Ok(seen) => {
                outcome.error = None;
                outcome.criteria = judge(&wanted, &seen.facts);
                observe(until, &seen, &mut outcome.observed);
                outcome.seen = Some(seen);
                if outcome.criteria.iter().all(|it| it.passed) && !outcome.criteria.is_empty() {
                    return Ok(outcome);
                }
            }
        }
        if Instant::now() + every > deadline {
            if let Some(error) = &mut outcome.error {
                *error = format!("not seen within {}: {error}", crate::pack::Wait(patience));
            }
            return Ok(outcome);
        }
        sleep(every).await;
    }
}

/// Each value once, in the order in which they were seen.
fn observe(until: &Until, seen: &Seen, observed: &mut Vec<String>) {
    let Some(path) = &until.observe else { return };
    let value = seen.facts.document().and_then(|it| pick(&it, path).map(shown));
    if let Some(value) = value.filter(|it| !observed.contains(it)) {
        observed.push(value);
    }
}
