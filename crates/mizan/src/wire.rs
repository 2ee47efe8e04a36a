//! The composition root: settings become a store, adapters, an engine and an app.

pub mod adapters;
pub mod anchor;
pub mod archive;
pub mod build;
pub mod logging;
pub mod objects;
pub mod probes;
pub mod queue;
pub mod redis;
pub mod server;
pub mod stores;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use mizan_config::{Loaded, Settings, Source as ConfigSource, load_process_env};
use mizan_core::{Clock, Currency, SystemClock};
use mizan_flows::App;
use mizan_flows::app::FlowSettings;
use mizan_flows::bootstrap::FirstOwner;
use mizan_flows::passwords::{Cost, Passwords};
use mizan_flows::recon_files::ReconFiles;
use mizan_flows::sessions::{Lifetimes, Sessions};
use mizan_flows::webhook_intake::desk::Desk;
use mizan_flows::writer::Writer;
use mizan_mask::Masker;
use mizan_payments::rollout::{Flag, Installed, Source};
use mizan_recon::{Limits, NativeEngine};
use mizan_store::Store;
use tokio::sync::Notify;

/// Reads the settings from the environment; all problems at once.
pub fn settings() -> anyhow::Result<Loaded> {
    Ok(load_process_env()?)
}

/// A masker that has learned the secrets of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the masker learns every secret of the environment, by name"
)]
pub fn masker() -> Masker {
    Masker::builder().learn_from_env(std::env::vars()).build()
}

/// Puts an app together on a store.
pub fn app(settings: &Settings, store: Arc<dyn Store>) -> anyhow::Result<Arc<App>> {
    app_with_timeout(settings, store, None)
}

/// The same, with another bound of one call to a provider.
pub fn app_with_timeout(
    settings: &Settings,
    store: Arc<dyn Store>,
    timeout: Option<Duration>,
) -> anyhow::Result<Arc<App>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let seconds = |it: Duration| i64::try_from(it.as_secs()).unwrap_or(3_600);
    let lifetimes = Lifetimes {
        staff_s: seconds(settings.auth.staff_token),
        player_s: seconds(settings.auth.player_token),
    };
    let job_bell = Arc::new(Notify::new());
    let recon = match &settings.recon_rules_dir {
        Some(dir) => ReconFiles::load(dir).context("RECON_RULES_DIR cannot be used")?,
        None => ReconFiles::default(),
    };
    Ok(Arc::new(App {
        objects: objects::open(&settings.objects)?,
        recon,
        sessions: Sessions::new(Arc::clone(&store), settings.auth.jwt_secret.clone(), lifetimes),
        passwords: Passwords::new(Cost::Standard, 2),
        writer: Writer::start(Arc::clone(&store), Arc::clone(&clock)),
        adapters: Arc::new(adapters::FromSettings::new(
            settings.webhooks.clone(),
            settings.mockpsp_url.clone(),
            timeout,
        )),
        engine: Arc::new(NativeEngine::new(recon_limits(settings))),
        settings: flow_settings(settings),
        connections: mizan_flows::connections::Known::default(),
        intake: Desk::start(Arc::clone(&store), Arc::clone(&job_bell)),
        job_bell,
        store,
        clock,
    }))
}

/// What a run may use of this machine.
fn recon_limits(settings: &Settings) -> Limits {
    let spill_dir = settings.recon.spill_dir.clone();
    Limits {
        memory: settings.recon.memory_limit,
        spill_dir: spill_dir.unwrap_or_else(std::env::temp_dir),
        threads: None,
    }
}

fn flow_settings(settings: &Settings) -> FlowSettings {
    FlowSettings {
        production: settings.mode.is_prod(),
        strict: settings.mode.strict,
        default_tenant: settings.admin.default_tenant.clone(),
        default_currency: Currency::TRY,
        flags: settings
            .flags
            .iter()
            .filter_map(|(name, flag)| installed(name, flag))
            .collect(),
    }
}

fn installed(name: &str, flag: &mizan_config::Flag) -> Option<Installed> {
    let source = match &flag.source {
        it if it.is_forced() => Source::Forced,
        ConfigSource::Default => Source::Default,
        _ => Source::Environment,
    };
    let flag_name = name.to_lowercase().parse::<Flag>().ok()?;
    Some(Installed {
        flag: flag_name,
        value: flag.value,
        source,
    })
}

/// Who becomes the first owner.
pub fn first_owner(settings: &Settings) -> FirstOwner {
    match &settings.admin.first_owner {
        mizan_config::FirstOwner::None => FirstOwner::Nobody,
        mizan_config::FirstOwner::Given { email, password } => FirstOwner::Given {
            email: email.clone(),
            password: password.clone(),
        },
        mizan_config::FirstOwner::Generate { email } => FirstOwner::MadeUp { email: email.clone() },
    }
}
