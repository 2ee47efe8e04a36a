//! `service`: a process behind the steps that follow, started, stopped and restarted.

mod ready;
mod running;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Context, Failure, Seen, run as run_step};
use crate::expect::{Facts, criterion};
use crate::pack::{Ready, ServiceStep};
use crate::process::Plan;
use running::Running;

/// How long a service may take to be ready.
pub const READY: Duration = Duration::from_secs(30);
/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The services of a run, by name.
#[derive(Default)]
pub struct Services {
    all: Mutex<BTreeMap<String, Service>>,
}

struct Service {
    plan: Plan,
    ready: Ready,
    running: Option<Running>,
    /// The output since it was last started.
    log: PathBuf,
}

impl Services {
    pub async fn log_of(&self, name: &str) -> Result<PathBuf, String> {
        let all = self.all.lock().await;
        all.get(name)
            .map(|it| it.log.clone())
            .ok_or_else(|| format!("service {name} was not started"))
    }

    /// Ends all of them in order, the last one first.
    pub async fn end_all(&self) {
        let mut all = self.all.lock().await;
        for service in all.values_mut().rev() {
            if let Some(running) = service.running.take() {
                running.end(GRACE).await;
            }
        }
    }
}

pub async fn run(context: &Context<'_>, step: &ServiceStep) -> Result<Seen, Failure> {
    if let Some(name) = &step.start {
        start(context, step, name).await
    } else if let Some(name) = &step.restart {
        restart(context, step, name).await
    } else if let Some(name) = &step.stop {
        stop(context, name).await
    } else {
        Err(Failure::Error(
            "the service is neither started, restarted nor stopped".into(),
        ))
    }
}

async fn start(context: &Context<'_>, step: &ServiceStep, name: &str) -> Result<Seen, Failure> {
    let Some(command) = &step.run else {
        return Err(Failure::Error("service.start needs run".into()));
    };
    let plan = run_step::plan(context, command)?;
    let ready = step.ready.clone().unwrap_or_default();
    let mut all = context.session.services.all.lock().await;
    if let Some(old) = all.get_mut(name).and_then(|it| it.running.take()) {
        old.end(GRACE).await;
    }
    context.command(format!("{} &", plan.shown()));
    let log = context.place("service.log")?;
    let service = Service {
        plan: plan.clone(),
        ready: ready.clone(),
        running: None,
        log,
    };
    let service = all.entry(name.to_owned()).insert_entry(service).into_mut();
    launch(context, service, &plan, &ready).await
}

async fn restart(context: &Context<'_>, step: &ServiceStep, name: &str) -> Result<Seen, Failure> {
    let mut all = context.session.services.all.lock().await;
    let Some(service) = all.get_mut(name) else {
        return Err(Failure::Error(format!("service {name} was not started")));
    };
    if let Some(old) = service.running.take() {
        old.end(GRACE).await;
    }
    let mut plan = service.plan.clone();
    let mut changed = Vec::new();
    for (variable, text) in &context.step.env {
        let value = context.fill(&text.0)?;
        context
            .session
            .masking
            .learn_variables(&[(variable.clone(), value.clone())]);
        changed.push(format!("export {variable}={}", crate::process::quote(&value)));
        plan.env.insert(variable.clone(), value);
    }
    for variable in &context.step.unset {
        changed.push(format!("unset {variable}"));
        plan.env.remove(variable);
    }
    changed.push(format!("{} &", plan.shown()));
    context.command(changed.join("\n"));
    let ready = step.ready.clone().unwrap_or_else(|| service.ready.clone());
    service.log = context.place("service.log")?;
    launch(context, service, &plan, &ready).await
}

async fn launch(
    context: &Context<'_>,
    service: &mut Service,
    plan: &Plan,
    ready: &Ready,
) -> Result<Seen, Failure> {
    let sink = context.sink("service.log")?;
    let running = Running::start(plan, sink).map_err(|error| format!("cannot be started: {error}"))?;
    let running = service.running.insert(running);
    let ready = ready::Probe::fill(context, ready)?;
    let (seen, passed) = ready.wait(context, running, &service.log).await;
    let criteria = vec![criterion("ready", ready.expected(), &seen, passed)];
    Ok(Seen {
        criteria,
        facts: Facts::default(),
        ..Seen::default()
    })
}

async fn stop(context: &Context<'_>, name: &str) -> Result<Seen, Failure> {
    context.command(format!("kill -TERM $(pidof {name})"));
    let mut all = context.session.services.all.lock().await;
    let running = all.get_mut(name).and_then(|it| it.running.take());
    let Some(running) = running.filter(|it| it.ended().is_none()) else {
        let criteria = vec![criterion("running before", "yes", "no", false)];
        return Ok(Seen {
            criteria,
            ..Seen::default()
        });
    };
    let ended = running.end(GRACE).await;
    let seen = match &ended {
        Some(Ok(code)) => format!("exit code {code}"),
        Some(Err(signal)) => format!("ended by {signal}"),
        None => format!("killed after {} s", GRACE.as_secs()),
    };
    let criteria = vec![criterion(
        "ends when it is asked to",
        "yes",
        &seen,
        ended.is_some(),
    )];
    let asks = context
        .step
        .expect
        .as_ref()
        .is_some_and(|it| it.exit_code.is_some());
    let facts = Facts {
        exit: ended.filter(|_| asks),
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        criteria,
        ..Seen::default()
    })
}
