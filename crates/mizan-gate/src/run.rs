//! A run: packets in order, steps in order, a record after each.

mod packets;
mod session;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use mizan_core::Clock;
use mizan_mask::{Masker, Refused, Secret};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

pub use session::Session;

use crate::masking::Masking;
use crate::pack::check::{Wishes, check};
use crate::pack::parse::parse;
use crate::pack::{Pack, Problems};
use crate::process::Leash;
use crate::record::{About, GateRecord, PackFile, PacketRecord, Status, StepRecord, Verdict, Waiver};
use crate::sink::Limit;
use crate::values::{Values, resolve};
use crate::verdict;
use crate::workdir::Workdir;

/// What a run is given. Nothing is read from the environment of this process.
pub struct Options {
    pub pack_path: PathBuf,
    /// Values of `--var`.
    pub given: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    /// Values that must not be written, with what they are called; beside those of the environment.
    pub known: Vec<(String, Secret)>,
    pub only: Vec<String>,
    pub waivers: Vec<Waiver>,
    /// Where the directory of the run is made.
    pub out: PathBuf,
    /// Comes first in the `PATH` of steps, so that a pack finds the program that runs it.
    pub path_first: Option<PathBuf>,
    pub about: About,
    pub shorten_hosts: bool,
    pub clock: Arc<dyn Clock>,
    pub stop: Stop,
    pub progress: Arc<dyn Fn(Event<'_>) + Send + Sync>,
    /// Bytes of one output that are kept.
    pub keep: Limit,
}

/// What happens, for those who watch.
pub enum Event<'a> {
    Started { dir: &'a Path, refused: Vec<Refused> },
    Packet { id: &'a str, title: &'a str },
    Step { packet: &'a str, step: &'a StepRecord },
    PacketDone(&'a PacketRecord),
}

/// Ends a run early, with a reason.
#[derive(Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    why: Arc<OnceLock<String>>,
}

impl Stop {
    /// The first reason is the one that is kept.
    pub fn now(&self, why: &str) {
        self.why.get_or_init(|| why.to_owned());
        self.token.cancel();
    }

    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    pub fn why(&self) -> Option<String> {
        self.why.get().cloned()
    }
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum CouldNot {
    #[error("{0}")]
    Pack(Problems),
    #[error("{what}")]
    Disk {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("{0}")]
    Start(String),
}

impl CouldNot {
    pub fn disk(path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "; free some space, or choose another --out"
            }
            io::ErrorKind::FileTooLarge => "; files may not grow that long here: see ulimit -f",
            io::ErrorKind::PermissionDenied => "; choose another --out",
            _ => "",
        };
        Self::Disk {
            what: format!("{} cannot be written{advice}", path.display()),
            source: io::Error::new(error.kind(), error.to_string()),
        }
    }
}

/// A run that came to its end, whatever the verdict.
pub struct Done {
    pub record: GateRecord,
    /// Where its outputs are, still called unfinished.
    pub workdir: Workdir,
    /// With all that the run has learned.
    pub masker: Masker,
}

/// Runs a pack.
pub async fn run(text: &str, options: Options) -> Result<Done, CouldNot> {
    let pack = parse(text).map_err(CouldNot::Pack)?;
    let wishes = Wishes {
        only: &options.only,
        waivers: &options.waivers,
    };
    let mut problems = check(&pack, text, &wishes);
    let now = options.clock.now();
    let run_id = new_run_id();
    let name = format!("{}-{}-{run_id}", pack.gate, now.format("%Y%m%dT%H%M%SZ"));
    let built_in = built_in(&options, &run_id, &name)?;
    let resolved = match resolve(&pack, &options.given, &options.env, &built_in, now) {
        Ok(resolved) if problems.is_empty() => resolved,
        Ok(_) => return Err(CouldNot::Pack(Problems(problems))),
        Err(more) => {
            problems.extend(more);
            return Err(CouldNot::Pack(Problems(problems)));
        }
    };
    let masker = Masker::builder()
        .learn_from_env(&options.env)
        .shorten_hosts(options.shorten_hosts)
        .build();
    let masking = Masking::new(masker);
    for (name, value) in &options.known {
        masking.learn(value.reveal(), name);
    }
    for (name, value) in &resolved.values {
        if resolved.secrets.contains(name) {
            masking.learn(value, name);
        }
    }
    let named: Vec<_> = resolved
        .values
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    masking.learn_variables(&named);
    let workdir = Workdir::create(&options.out, &name)?;
    (options.progress)(Event::Started {
        dir: &workdir.path,
        refused: masking.refused(),
    });
    let leash =
        Leash::on(&run_id).map_err(|error| CouldNot::Start(format!("/bin/sh cannot be run: {error}")))?;
    let record = blank(&pack, text, &options, run_id, now);
    let session = Session::new(options, Values::new(resolved.values), masking, workdir, record)?;
    packets::all(&session, &pack).await?;
    session.services.end_all().await;
    drop(leash);
    end(session)
}

/// Variables of the gate's own.
fn built_in(options: &Options, run_id: &str, name: &str) -> Result<BTreeMap<String, String>, CouldNot> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map(|it| it.display().to_string())
            .map_err(|error| CouldNot::Start(format!("the current directory cannot be told: {error}")))
    };
    let pack_dir = absolute(&options.pack_path)?;
    let pack_dir = Path::new(&pack_dir)
        .parent()
        .map(|it| it.display().to_string())
        .unwrap_or_default();
    let dir = options.out.join(format!("{name}{}", crate::workdir::SUFFIX));
    Ok(BTreeMap::from([
        ("gate_run_id".to_owned(), run_id.to_owned()),
        ("gate_dir".to_owned(), absolute(&dir)?),
        ("pack_dir".to_owned(), pack_dir),
    ]))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where ids of runs are made"
)]
fn new_run_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A record in which nothing has passed yet.
fn blank(
    pack: &Pack,
    text: &str,
    options: &Options,
    run_id: String,
    now: chrono::DateTime<chrono::Utc>,
) -> GateRecord {
    let packet = |it: &crate::pack::Packet| PacketRecord {
        id: it.id.0.clone(),
        title: it.title.clone(),
        required: pack.requires.contains(&it.id),
        status: Status::Skipped,
        note: "was not run".to_owned(),
        steps: Vec::new(),
    };
    GateRecord {
        gate: pack.gate.clone(),
        title: pack.title.clone(),
        run_id,
        started_at: now,
        finished_at: now,
        pack: PackFile {
            path: options.pack_path.display().to_string(),
            sha256: hex::encode(Sha256::digest(text.as_bytes())),
        },
        about: options.about.clone(),
        requires: pack.requires.iter().map(|it| it.0.clone()).collect(),
        only: options.only.clone(),
        packets: pack.packets.iter().map(packet).collect(),
        waivers: options.waivers.clone(),
        interrupted: None,
        verdict: Verdict::NoGo,
        reasons: vec!["the run did not come to its end".to_owned()],
    }
}

fn end(session: Session) -> Result<Done, CouldNot> {
    session.fill_about();
    let (mut record, masking, workdir, clock, stop) = session.take_apart();
    record.finished_at = clock.now();
    record.interrupted = stop.why();
    verdict::judge(&mut record);
    workdir.settle(&mut record, &masking)?;
    let record = masked(&record, &masking)?;
    workdir.save(&record)?;
    Ok(Done {
        record,
        workdir,
        masker: masking.current().0,
    })
}

/// A record, or a part of one, with every text masked by all that is known by now.
fn masked<T: Serialize + DeserializeOwned>(part: &T, masking: &Masking) -> Result<T, CouldNot> {
    let bad = |error: serde_json::Error| CouldNot::Start(format!("the record cannot be masked: {error}"));
    let mut value = serde_json::to_value(part).map_err(bad)?;
    masking.mask_json(&mut value);
    serde_json::from_value(value).map_err(bad)
}
