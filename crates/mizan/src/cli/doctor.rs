//! `mizan doctor`: what is configured, reachable and missing. Masked; touches nothing.

use std::time::Duration;

use clap::Args;
use mizan_config::{Database, Settings};
use mizan_http::health::{Detail, Probe, ProbeResult};

use super::exit::{self, Exit};
use crate::wire::probes::RedisProbe;
use crate::wire::{self, server};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[arg(long)]
    json: bool,
}

/// One line of the report.
#[derive(Debug, serde::Serialize)]
struct Line {
    what: &'static str,
    ok: bool,
    says: String,
}

/// How long each look may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let masker = wire::masker();
    let loaded = wire::settings()?;
    let settings = loaded.settings;
    let mut lines = vec![Line {
        what: "environment",
        ok: true,
        says: format!(
            "{}{}",
            settings.mode.env.as_str(),
            if settings.mode.strict { ", strict" } else { "" }
        ),
    }];
    lines.extend(loaded.warnings.iter().map(|it| Line {
        what: "warning",
        ok: false,
        says: it.to_string(),
    }));
    look_at_database(&settings, &mut lines).await;
    look_at_redis(&settings, &mut lines).await;
    lines.extend(settings.webhooks.variables().map(|name| Line {
        what: "webhook secret",
        ok: true,
        says: format!("{name} is set"),
    }));
    for (name, flag) in settings.flags.iter() {
        let says = format!("{name} = {} ({})", flag.value, flag.source);
        lines.push(Line {
            what: "flag",
            ok: true,
            says,
        });
    }
    if args.json {
        say!("{}", masker.mask(&serde_json::to_string(&lines)?));
    } else {
        for line in &lines {
            let text = format!(
                "{:8} {:16} {}",
                if line.ok { "ok" } else { "LOOK" },
                line.what,
                line.says
            );
            say!("{}", masker.mask(&text));
        }
    }
    Ok(if lines.iter().all(|it| it.ok) {
        exit::DONE
    } else {
        exit::NO
    })
}

async fn look_at_database(settings: &Settings, lines: &mut Vec<Line>) {
    let target = settings.database.masked();
    if let Database::Sqlite { path } = &settings.database
        && !path.exists()
    {
        let says = format!("{target} is not there yet; `mizan serve` makes it");
        lines.push(Line {
            what: "database",
            ok: true,
            says,
        });
        return;
    }
    let store = match wire::stores::open(settings) {
        Ok(store) => store,
        Err(error) => {
            lines.push(Line {
                what: "database",
                ok: false,
                says: format!("{target}: {error:#}"),
            });
            return;
        }
    };
    let probes = server::database_probes(settings, &store);
    let detail = look(&*probes.0).await.detail;
    let ok = detail == Detail::Connected;
    lines.push(Line {
        what: "database",
        ok,
        says: format!("{target} {}", detail.as_str()),
    });
    if !ok {
        return;
    }
    let found = look(&*probes.1).await;
    let at = found.revisions.unwrap_or_default();
    let says = format!(
        "{} (at {}, head {})",
        found.detail.as_str(),
        at.current.join(","),
        at.head.join(",")
    );
    lines.push(Line {
        what: "migrations",
        ok: found.detail == Detail::Head,
        says,
    });
    let protected = store.journal_is_append_only().await.unwrap_or(false);
    let embedded = matches!(settings.database, Database::Sqlite { .. });
    let says = match (protected, embedded) {
        (true, _) => "append-only for the service's role",
        (false, true) => "protected by the file's permissions only (SQLite has no roles)",
        (false, false) => "no role protects it: let the migrating user create the role mizan_app",
    };
    lines.push(Line {
        what: "journal",
        ok: protected || embedded,
        says: says.into(),
    });
}

async fn look_at_redis(settings: &Settings, lines: &mut Vec<Line>) {
    let Some(redis) = &settings.redis else {
        lines.push(Line {
            what: "redis",
            ok: true,
            says: "not configured: jobs run in the process".into(),
        });
        return;
    };
    let detail = match RedisProbe::new(redis) {
        Ok(probe) => look(&probe).await.detail,
        Err(_) => Detail::Unreachable,
    };
    let says = format!("{} {}", redis.masked(), detail.as_str());
    lines.push(Line {
        what: "redis",
        ok: detail == Detail::Connected,
        says,
    });
}

async fn look(probe: &dyn Probe) -> ProbeResult {
    tokio::time::timeout(PATIENCE, probe.check())
        .await
        .unwrap_or(Detail::Timeout.into())
}
