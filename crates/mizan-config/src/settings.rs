//! All the sections together, and the one way to read them.

use std::path::PathBuf;

use crate::admin::{self, Admin};
use crate::auth::{self, Auth};
use crate::cors::{self, Cors};
use crate::database::{self, Database};
use crate::env::{self, Mode};
use crate::flags::{self, Flags};
use crate::listen::{self, Listen};
use crate::log::{self, Log};
use crate::objects::{self, ObjectStore};
use crate::problem::{Problems, Report, Warning};
use crate::queue::{self, Queue};
use crate::ready::{self, Ready};
use crate::recon::{self, Recon};
use crate::redis::{self, Redis};
use crate::vars::Vars;
use crate::webhooks::{self, Webhooks};
use crate::{anchor, journal, mockpsp, reference, strict};

/// Everything that the environment decides. Holds secrets only as `Secret`, so `Debug` shows none.
#[derive(Debug, Clone)]
pub struct Settings {
    pub mode: Mode,
    pub database: Database,
    /// `None`: jobs run in the process. Always there in strict mode.
    pub redis: Option<Redis>,
    pub queue: Queue,
    pub recon: Recon,
    /// Where uploaded statements are kept.
    pub objects: ObjectStore,
    /// Where rule and map files of providers are.
    pub recon_rules_dir: Option<PathBuf>,
    pub ready: Ready,
    pub listen: Listen,
    pub admin: Admin,
    pub auth: Auth,
    pub cors: Cors,
    pub webhooks: Webhooks,
    pub flags: Flags,
    pub log: Log,
    /// Where the end of the journal's chain is kept, if somewhere is named.
    pub anchor_file: Option<PathBuf>,
    /// How many rows a partition of the journal may have.
    pub journal_partition_rows: u32,
    /// Where connections of the kind `mockpsp` find their provider.
    pub mockpsp_url: Option<String>,
}

/// Settings that may be used, and what is worth a line at boot.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<Warning>,
}

impl Settings {
    /// Reads names and values, or says everything that is wrong with them at once.
    ///
    /// Pure: opens nothing and reads nothing else. A blank value counts as not set; of a name given twice the
    /// last value counts.
    pub fn from_env(vars: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Problems> {
        let vars = Vars::new(vars);
        let mut report = Report::default();
        let mode = env::read(&vars, &mut report);
        let database = database::read(&vars, mode, &mut report);
        let redis = redis::read(&vars, &mut report);
        let queue = queue::read(&vars, &mut report);
        let recon = recon::read(&vars, mode, &mut report);
        let objects = objects::read(&vars, mode, &mut report);
        let recon_rules_dir = objects::rules_dir(&vars);
        let ready = ready::read(&vars, &mut report);
        let listen = listen::read(&vars, mode, &mut report);
        let admin = admin::read(&vars, mode, &mut report);
        let auth = auth::read(&vars, mode, &mut report);
        let cors = cors::read(&vars, mode, &mut report);
        let webhooks = webhooks::read(&vars, mode, &mut report);
        let flags = flags::read(&vars, mode, &mut report);
        let log = log::read(&vars, mode, &mut report);
        let anchor_file = anchor::read(&vars);
        let journal_partition_rows = journal::read(&vars, &mut report);
        let mockpsp_url = mockpsp::read(&vars, mode, &mut report);
        strict::check(&vars, mode, &mut report);
        warn_of_unknown_names(&vars, &mut report);
        let warnings = report.close()?;
        let (Some(database), Some(admin)) = (database, admin) else {
            unreachable!("a section that could not be read has reported why")
        };
        let settings = Self {
            mode,
            database,
            redis,
            queue,
            recon,
            objects,
            recon_rules_dir,
            ready,
            listen,
            admin,
            auth,
            cors,
            webhooks,
            flags,
            log,
            anchor_file,
            journal_partition_rows,
            mockpsp_url,
        };
        Ok(Loaded { settings, warnings })
    }
}

/// A misspelt flag would otherwise leave its default in force without a word.
fn warn_of_unknown_names(vars: &Vars, report: &mut Report) {
    for (name, _) in vars.iter() {
        let is_ours = ["LEDGER_", "WEBHOOK_", "RECON_"]
            .iter()
            .any(|it| name.starts_with(it));
        if is_ours && !webhooks::is_secret_name(name) && !reference::is_setting(name) {
            report.warning(name, "is not a setting of Mizan");
        }
    }
}
