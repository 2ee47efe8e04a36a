//! `mizan recon schedule`: the runs that are made by the clock.

use clap::{Args, Subcommand};
use mizan_core::{ProviderKey, TenantKey};
use mizan_flows::recon_schedules::{self, NewSchedule};
use mizan_flows::{App, Caller, FlowError, tenants};
use mizan_store::recon_schedules::ReconSchedule;

use super::super::exit::{self, Exit};
use super::table;
use crate::wire;

#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
    /// The tenant's key; the default tenant without it.
    #[arg(long, global = true)]
    tenant: Option<TenantKey>,
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// Shows the schedules.
    List,
    /// Sets the schedule of a provider.
    Set(SetArgs),
    /// Ends the schedule of a provider; runs that were made stay.
    Delete {
        #[arg(long)]
        provider: ProviderKey,
    },
}

#[derive(Debug, Args)]
struct SetArgs {
    #[arg(long)]
    provider: ProviderKey,
    /// Five fields: the borders of the windows. `0 0 * * *` makes days.
    #[arg(long)]
    cron: String,
    /// A name of the IANA database.
    #[arg(long, default_value = "UTC", value_name = "NAME")]
    time_zone: String,
    /// How long after its end a window gets its run, in seconds.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    settlement_lag: i32,
    /// How many of the latest windows get a run after a time without workers.
    #[arg(long, default_value_t = 7, value_name = "N")]
    catch_up: i32,
}

pub(super) async fn run(args: ScheduleArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    wire::logging::start_quiet(&loaded.settings.log, &wire::masker());
    let store = wire::stores::open(&loaded.settings)?;
    let app = wire::app(&loaded.settings, store)?;
    let key = args.tenant.unwrap_or_else(|| app.settings.default_tenant.clone());
    let tenant = tenants::by_key(&app, &key).await?;
    let caller = Caller::system(tenant.id, "cli", None);
    match act(&app, &caller, args.command).await {
        Ok(all) => {
            print(&all, args.json);
            Ok(exit::DONE)
        }
        Err(
            error @ (FlowError::Invalid { .. } | FlowError::NotFound(_) | FlowError::UnsupportedProvider(_)),
        ) => {
            complain!("error: {error}");
            Ok(exit::NO)
        }
        Err(error) => Err(error.into()),
    }
}

/// Does what is asked for; answers the schedules there are then.
async fn act(
    app: &App,
    caller: &Caller,
    command: ScheduleCommand,
) -> mizan_flows::Result<Vec<ReconSchedule>> {
    match command {
        ScheduleCommand::List => {}
        ScheduleCommand::Set(args) => {
            let new = NewSchedule {
                provider: args.provider,
                cron: args.cron,
                time_zone: args.time_zone,
                settlement_lag_s: args.settlement_lag,
                catch_up: args.catch_up,
            };
            recon_schedules::put(app, caller, &new).await?;
        }
        ScheduleCommand::Delete { provider } => recon_schedules::delete(app, caller, &provider).await?,
    }
    recon_schedules::list(app, caller).await
}

fn print(all: &[ReconSchedule], json: bool) {
    if json {
        let items: Vec<_> = all
            .iter()
            .map(|it| {
                serde_json::json!({
                    "provider": it.provider, "cron": it.cron, "time_zone": it.time_zone,
                    "settlement_lag_s": it.settlement_lag_s, "catch_up": it.catch_up,
                    "done_until": it.done_until, "next_due_at": it.next_due_at,
                })
            })
            .collect();
        say!("{}", serde_json::json!({ "items": items }));
        return;
    }
    let mut rows = table(&[
        "provider",
        "cron",
        "time zone",
        "lag s",
        "catch up",
        "done until",
        "next run",
    ]);
    for it in all {
        rows.add_row([
            it.provider.to_string(),
            it.cron.clone(),
            it.time_zone.clone(),
            it.settlement_lag_s.to_string(),
            it.catch_up.to_string(),
            it.done_until.to_rfc3339(),
            it.next_due_at.to_rfc3339(),
        ]);
    }
    say!("{rows}");
}
