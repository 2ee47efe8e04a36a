//! `run`: a script or a program, its outputs and its end.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout};

use super::{Context, Failure, Seen};
use crate::expect::Facts;
use crate::pack::{Command, Step};
use crate::process::{Plan, ending};
use crate::run::CouldNot;
use crate::sink::{Kept, Sink};

/// How long outputs may stay open after the end of the process that was started.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What the process of a step is given.
pub fn plan(context: &Context<'_>, command: &Command) -> Result<Plan, String> {
    let what = match command {
        Command::Script(script) => Command::Script(script.clone()),
        Command::Program(words) => Command::Program(
            words
                .iter()
                .map(|it| context.fill(it))
                .collect::<Result<_, _>>()?,
        ),
    };
    let Step { cwd, .. } = context.step;
    Ok(Plan {
        what,
        cwd: cwd.as_ref().map(|it| context.fill(it)).transpose()?,
        env: environment(context)?,
    })
}

/// The environment of the step's processes.
pub fn environment(context: &Context<'_>) -> Result<std::collections::BTreeMap<String, String>, String> {
    let mut env = context.session.environment(context.packet, &context.step.id.0);
    let mut own = Vec::new();
    for (name, text) in &context.step.env {
        own.push((name.clone(), context.fill(&text.0)?));
    }
    context.session.masking.learn_variables(&own);
    env.extend(own);
    for name in &context.step.unset {
        env.remove(name);
    }
    Ok(env)
}

pub async fn run(context: &Context<'_>, command: &Command) -> Result<Seen, Failure> {
    let plan = plan(context, command)?;
    context.command(plan.shown());
    let mut stdout = context.sink("stdout")?;
    let mut stderr = context.sink("stderr")?;
    let began = Instant::now();
    let (mut child, group) = plan.start().map_err(|error| cannot_start(&plan, &error))?;
    let (mut out, mut err) = (Kept::default(), Kept::default());
    let pipes = (child.stdout.take(), child.stderr.take());
    let (Some(out_pipe), Some(err_pipe)) = pipes else {
        return Err(Failure::Error("the process has no outputs".into()));
    };
    let mut note = None;
    let status = {
        let drains = async {
            tokio::try_join!(
                drain(out_pipe, &mut stdout, &mut out),
                drain(err_pipe, &mut stderr, &mut err)
            )
        };
        let mut drains = std::pin::pin!(drains);
        tokio::select! {
            drained = &mut drains => {
                drained.map_err(|error| disk(context, &error))?;
                child.wait().await
            }
            status = child.wait() => {
                // A process that it left behind may keep its outputs open; that is no reason to wait.
                match timeout(AFTERMATH, &mut drains).await {
                    Ok(drained) => drop(drained.map_err(|error| disk(context, &error))?),
                    Err(_) => note = Some("processes that it left behind were killed".to_owned()),
                }
                status
            }
        }
    };
    let took = began.elapsed();
    drop(group);
    let mut lost = stdout.finish().map_err(|error| disk(context, &error))?;
    lost += stderr.finish().map_err(|error| disk(context, &error))?;
    if lost > 0 {
        note = Some(format!("{lost} bytes of output were not kept"));
    }
    let exit = ending(status.map_err(|error| format!("its end cannot be told: {error}"))?);
    if let Some(error) = not_found(context.step, &exit) {
        return Err(Failure::Error(error));
    }
    let facts = Facts {
        exit: Some(exit),
        text: Some(out.into_body()),
        stderr: Some(err.into_body()),
        took,
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        note,
        ..Seen::default()
    })
}

async fn drain(mut pipe: impl AsyncRead + Unpin, sink: &mut Sink, kept: &mut Kept) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        sink.take(&buffer[..read])?;
        kept.take(&buffer[..read]);
    }
}

fn disk(context: &Context<'_>, error: &io::Error) -> Failure {
    Failure::Abort(CouldNot::disk(&context.session.workdir.path, error))
}

fn cannot_start(plan: &Plan, error: &io::Error) -> Failure {
    let what = match (&plan.what, error.kind()) {
        (Command::Script(_), io::ErrorKind::NotFound) => {
            "bash, or the directory cwd, was not found".to_owned()
        }
        (Command::Program(words), io::ErrorKind::NotFound) => {
            format!(
                "{}, or the directory cwd, was not found",
                words.first().map_or("", String::as_str)
            )
        }
        _ => format!("cannot be started: {error}"),
    };
    Failure::Error(what)
}

/// The shell's codes for a command that is not there or cannot be run say nothing about what was to be checked.
fn not_found(step: &Step, exit: &Result<i32, String>) -> Option<String> {
    let wanted = step.expect.as_ref().and_then(|it| it.exit_code);
    match exit {
        Ok(code) if wanted == Some(*code) => None,
        Ok(127) => Some("exit code 127: a command was not found; its stderr says which".into()),
        Ok(126) => Some("exit code 126: a command cannot be executed; its stderr says which".into()),
        _ => None,
    }
}
