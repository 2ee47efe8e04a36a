//! What all steps of a run share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mizan_core::Clock;

use super::{CouldNot, Event, Options, Stop};
use crate::masking::Masking;
use crate::process::{MARK_RUN, MARK_STEP};
use crate::record::{GateRecord, StepRecord};
use crate::step::background::Services;
use crate::values::Values;
use crate::workdir::Workdir;

/// What every process may need and no secret is in; everything else a pack has to ask for.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "TZ",
    "TERM",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

pub struct Session {
    pub options: Options,
    pub values: Values,
    pub masking: Masking,
    pub workdir: Workdir,
    pub services: Services,
    pub http: reqwest::Client,
    pub started_at: chrono::DateTime<chrono::Utc>,
    record: Mutex<GateRecord>,
    base_env: BTreeMap<String, String>,
}

impl Session {
    pub(super) fn new(
        options: Options,
        values: Values,
        masking: Masking,
        workdir: Workdir,
        record: GateRecord,
    ) -> Result<Self, CouldNot> {
        let mut base_env: BTreeMap<String, String> = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), options.env.get(*name)?.clone())))
            .collect();
        if let Some(first) = &options.path_first {
            let rest = base_env.get("PATH").map_or("/usr/bin:/bin", String::as_str);
            base_env.insert("PATH".to_owned(), format!("{}:{rest}", first.display()));
        }
        base_env.insert(MARK_RUN.to_owned(), record.run_id.clone());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("mizan-gate")
            .build()
            .map_err(|error| CouldNot::Start(format!("the HTTP client cannot be made: {error}")))?;
        Ok(Self {
            options,
            values,
            masking,
            workdir,
            services: Services::default(),
            http,
            started_at: record.started_at,
            record: Mutex::new(record),
            base_env,
        })
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.options.clock
    }

    pub fn stop(&self) -> &Stop {
        &self.options.stop
    }

    /// The environment of a process: what is inherited, the variables of the pack, and its step's mark.
    pub fn environment(&self, packet: &str, step: &str) -> BTreeMap<String, String> {
        let mut env = self.base_env.clone();
        env.extend(self.values.for_shell());
        env.insert(MARK_STEP.to_owned(), format!("{packet}/{step}"));
        env
    }

    /// Changes the record, and keeps it on disk.
    pub fn change(&self, change: impl FnOnce(&mut GateRecord)) -> Result<(), CouldNot> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut record);
        let masked = super::masked(&*record, &self.masking)?;
        self.workdir.save(&masked)
    }

    /// Adds a step to the record of its packet.
    pub fn add(&self, packet: &str, step: StepRecord) -> Result<(), CouldNot> {
        let shown = super::masked(&step, &self.masking)?;
        (self.options.progress)(Event::Step { packet, step: &shown });
        self.change(|record| {
            if let Some(it) = record.packets.iter_mut().find(|it| it.id == packet) {
                it.steps.push(step);
            }
        })
    }

    /// Three names of variables say what was gated, and where.
    pub(super) fn fill_about(&self) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let value = |name: &str| {
            let filled = self.values.fill(&format!("${{{name}}}")).ok();
            filled.filter(|it| !matches!(it.as_str(), "" | "unknown"))
        };
        let about = &mut record.about;
        about.service_version = value("service_version").or(about.service_version.take());
        about.git_sha = value("git_sha").or(about.git_sha.take());
        about.environment = value("ENV").or(about.environment.take());
    }

    pub(super) fn take_apart(self) -> (GateRecord, Masking, Workdir, Arc<dyn Clock>, Stop) {
        let record = self.record.into_inner().unwrap_or_else(PoisonError::into_inner);
        (
            record,
            self.masking,
            self.workdir,
            self.options.clock,
            self.options.stop,
        )
    }
}
