//! What is wrong with one step.

use regex::Regex;

use super::super::{Capture, Command, Generate, Ready, ServiceStep, Step};
use crate::expect::{Expect, JsonWant};
use crate::pick::is_path;

pub(super) fn check(step: &Step, at: &mut impl FnMut(String)) {
    let kinds = step.kinds();
    match kinds.as_slice() {
        [] => at(
            "is of no kind; give it one of run, http, sql, redis, log, metric, junit, ci_job, file, service"
                .into(),
        ),
        [_] => {}
        several => at(format!(
            "is {} at once; make it several steps",
            several.join(" and ")
        )),
    }
    if !step.has_process() {
        for (name, given) in [
            ("cwd", step.cwd.is_some()),
            ("env", !step.env.is_empty()),
            ("unset", !step.unset.is_empty()),
        ] {
            if given {
                at(format!(
                    "{name} is for run and service, and this is {}",
                    step.kind()
                ));
            }
        }
    }
    let until = step.until.as_ref().map(crate::expect::Until::expect);
    for (name, expect) in [("expect", step.expect.as_ref()), ("until", until.as_ref())] {
        if let Some(expect) = expect {
            expectation(step, name, expect, at);
        }
    }
    if until.as_ref().is_some_and(|it| it.asked().is_empty()) {
        at("until waits for nothing; say what has to be seen".into());
    }
    let asks = |expect: Option<&Expect>| expect.is_some_and(|it| !it.asked().is_empty());
    let needs = matches!(step.kind(), "http" | "metric");
    if needs && !asks(step.expect.as_ref()) && !asks(until.as_ref()) {
        at(format!(
            "expects nothing: a step of kind {} passes only for a reason; add expect",
            step.kind()
        ));
    }
    if step
        .until
        .as_ref()
        .and_then(|it| it.observe.as_ref())
        .is_some_and(|it| !is_path(it))
    {
        at("until.observe is no path into JSON; write $.status".into());
    }
    for (name, capture) in &step.capture {
        captures(name, capture, at);
    }
    if step.retry.is_some_and(|it| !(1..=100).contains(&it.times)) {
        at("retry.times is how often it is tried in all: 1 to 100".into());
    }
    kind(step, at);
}

fn expectation(step: &Step, name: &str, expect: &Expect, at: &mut impl FnMut(String)) {
    for (asked, kinds) in expect.asked() {
        if kinds.is_some_and(|it| !it.contains(&step.kind())) {
            at(format!(
                "{name}.{asked} is for {}, and this is {}",
                kinds.unwrap_or(&[]).join(", "),
                step.kind()
            ));
        }
    }
    for pattern in expect.patterns().into_iter().filter(|it| !it.contains("${")) {
        if let Err(error) = Regex::new(pattern) {
            at(format!(
                "{name}: {pattern} is no regular expression: {}",
                last_line(&error.to_string())
            ));
        }
    }
    for (path, want) in &expect.json {
        if !is_path(path) {
            at(format!(
                "{name}.json: {path} is no path; write status or $.items[0].id"
            ));
        }
        if matches!(want, JsonWant::Fits(matcher) if matcher.is_empty()) {
            at(format!("{name}.json: {path} is compared with nothing"));
        }
    }
    let metric = [
        ("min", &expect.min),
        ("max", &expect.max),
        ("times_baseline", &expect.times_baseline),
        ("plus", &expect.plus),
    ];
    for (asked, text) in metric {
        if text
            .as_ref()
            .is_some_and(|it| !it.0.contains("${") && it.0.trim().parse::<f64>().is_err())
        {
            at(format!("{name}.{asked} is no number"));
        }
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim()
}

fn captures(name: &str, capture: &Capture, at: &mut impl FnMut(String)) {
    if !crate::values::is_name(name) {
        at(format!("capture {name}: a name has letters, digits and _"));
    }
    let full = match capture {
        Capture::Path(path) => {
            if !is_path(path) {
                at(format!("capture {name}: {path} is no path into JSON; write $.id"));
            }
            return;
        }
        Capture::Full(full) => full,
    };
    let ways = [full.json.is_some(), full.regex.is_some(), full.header.is_some()];
    if ways.into_iter().filter(|it| *it).count() != 1 {
        at(format!(
            "capture {name} needs exactly one of json, regex and header"
        ));
    }
    if full.json.as_ref().is_some_and(|it| !is_path(it)) {
        at(format!("capture {name}: json is no path; write $.id"));
    }
    if let Some(Err(error)) = full.regex.as_ref().map(|it| Regex::new(it)) {
        at(format!(
            "capture {name}: regex: {}",
            last_line(&error.to_string())
        ));
    }
}

fn kind(step: &Step, at: &mut impl FnMut(String)) {
    if let Some(command) = &step.run {
        commands("run", command, at);
    }
    if let Some(service) = &step.service {
        services(service, at);
    }
    if let Some(log) = &step.log {
        if log.service.is_some() == log.file.is_some() {
            at("log needs exactly one of service and file".into());
        }
        let asks = !log.contains.is_empty() || log.matches.is_some() || log.first.is_some();
        if !asks {
            at("log looks for nothing; add contains, matches or first".into());
        }
        if !log.then.is_empty() && log.contains.is_empty() {
            at("log.then is what comes after contains, and that is missing".into());
        }
        if let Some(Err(error)) = log
            .matches
            .as_ref()
            .filter(|it| !it.contains("${"))
            .map(|it| Regex::new(it))
        {
            at(format!("log.matches: {}", last_line(&error.to_string())));
        }
    }
    let empty = [
        ("http.url", step.http.as_ref().map(|it| &it.url)),
        ("sql.url", step.sql.as_ref().map(|it| &it.url)),
        ("sql.query", step.sql.as_ref().map(|it| &it.query)),
        ("redis.url", step.redis.as_ref().map(|it| &it.url)),
        ("metric.url", step.metric.as_ref().map(|it| &it.url)),
        ("metric.name", step.metric.as_ref().map(|it| &it.name)),
        ("junit.file", step.junit.as_ref().map(|it| &it.file)),
        ("ci_job.repo", step.ci_job.as_ref().map(|it| &it.repo)),
        ("ci_job.workflow", step.ci_job.as_ref().map(|it| &it.workflow)),
        ("file.path", step.file.as_ref().map(|it| &it.path)),
    ];
    for (name, text) in empty {
        if text.is_some_and(|it| it.trim().is_empty()) {
            at(format!("{name} is missing"));
        }
    }
    if step
        .http
        .as_ref()
        .is_some_and(|it| it.json.is_some() && it.body.is_some())
    {
        at("http has json and body; a request has one body".into());
    }
}

fn commands(name: &str, command: &Command, at: &mut impl FnMut(String)) {
    let empty = match command {
        Command::Script(script) => script.trim().is_empty(),
        Command::Program(words) => words.first().is_none_or(|it| it.trim().is_empty()),
    };
    if empty {
        at(format!("{name} runs nothing"));
    }
}

fn services(service: &ServiceStep, at: &mut impl FnMut(String)) {
    let acts = [&service.start, &service.restart, &service.stop];
    if acts.into_iter().flatten().count() != 1 {
        at("service needs exactly one of start, restart and stop, each with the name of the service".into());
    }
    if service.start.is_some() {
        match &service.run {
            Some(command) => commands("service.run", command, at),
            None => at("service.start needs run".into()),
        }
        if service.ready.is_none() {
            at("service.start needs ready: a process that was started is no proof".into());
        }
    } else if service.run.is_some() {
        at("service.run is for start; restart runs the same again".into());
    }
    if service.stop.is_some() && service.ready.is_some() {
        at("service.ready is for start and restart".into());
    }
    if let Some(Ready {
        http,
        log,
        tcp,
        status,
        ..
    }) = &service.ready
    {
        if [http, log, tcp].into_iter().flatten().count() != 1 {
            at("service.ready needs exactly one of http, log and tcp".into());
        }
        if status.is_some() && http.is_none() {
            at("service.ready.status is for http".into());
        }
    }
}

/// What is wrong with a generated value.
pub(super) fn generated(name: &str, how: Generate) -> Option<String> {
    let Generate {
        token,
        uuid,
        port,
        time,
        unix_time,
    } = how;
    let ways = [
        token.is_some(),
        uuid.is_some(),
        port.is_some(),
        time.is_some(),
        unix_time.is_some(),
    ];
    if ways.into_iter().filter(|it| *it).count() != 1 {
        return Some(format!(
            "generate: {name} needs exactly one of token, uuid, port, time and unix_time"
        ));
    }
    if uuid == Some(false) || port == Some(false) {
        return Some(format!("generate: {name}: write true"));
    }
    let length = token.filter(|it| !(16..=256).contains(it))?;
    Some(format!(
        "generate: {name}: a token has 16 to 256 characters, not {length}"
    ))
}
