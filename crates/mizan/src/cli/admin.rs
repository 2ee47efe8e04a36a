//! `mizan admin`: what is done before anybody can sign in, and the queue from the shell.

mod jobs;

use std::io::Read;

use anyhow::Context;
use clap::{Args, Subcommand};
use mizan_core::TenantKey;
use mizan_flows::{Caller, FlowError, staff, tenants};
use mizan_mask::Secret;
use mizan_payments::Role;

use super::exit::{self, Exit};
use crate::wire;

#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Makes a member of staff; the tenant too, if it is not there.
    Create(CreateArgs),
    /// Signs new tokens with a new key from now on; tokens that are out stay valid until they expire.
    RotateKeys(RotateArgs),
    /// What waits in the queue, what workers hold, and what was given up.
    Jobs(jobs::JobsArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    #[arg(long)]
    email: String,
    /// Reads the password from standard input, instead of making one up and printing it once.
    #[arg(long)]
    password_stdin: bool,
    /// owner, finance, ops or auditor.
    #[arg(long, default_value = "owner")]
    role: Role,
    /// The tenant's key; the default tenant without it.
    #[arg(long)]
    tenant: Option<TenantKey>,
    /// The platform owner may act for every tenant.
    #[arg(long)]
    platform: bool,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RotateArgs {
    #[arg(long)]
    json: bool,
}

pub async fn run(args: AdminArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    wire::logging::start_quiet(&loaded.settings.log, &wire::masker());
    let store = wire::stores::open(&loaded.settings)?;
    let app = wire::app(&loaded.settings, store)?;
    match args.command {
        AdminCommand::Create(args) => create(&app, args).await,
        AdminCommand::Jobs(args) => jobs::run(&app, args).await,
        AdminCommand::RotateKeys(args) => {
            let kid = app.sessions.rotate(app.now()).await?;
            if args.json {
                say!("{}", serde_json::json!({ "kid": kid }));
            } else {
                say!("new tokens are signed with key {kid}");
            }
            Ok(exit::DONE)
        }
    }
}

async fn create(app: &mizan_flows::App, args: CreateArgs) -> anyhow::Result<Exit> {
    let (password, made_up) = if args.password_stdin {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("the password cannot be read")?;
        (Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()), false)
    } else {
        let parts: Vec<String> = (0..5)
            .map(|_| format!("{:05}", rand::random_range(0..100_000)))
            .collect();
        (Secret::new(parts.join("-")), true)
    };
    let key = args.tenant.unwrap_or_else(|| app.settings.default_tenant.clone());
    let (tenant, _) = tenants::ensure(app, &key, key.as_str()).await?;
    let caller = Caller::system(tenant.id, "cli", None);
    let created = staff::create(
        app,
        &caller,
        &args.email,
        password.reveal(),
        args.role,
        args.platform,
    )
    .await;
    let id = match created {
        Ok(id) => id,
        Err(error @ (FlowError::Taken(_) | FlowError::Invalid { .. })) => {
            complain!("error: {error}");
            return Ok(exit::NO);
        }
        Err(error) => return Err(error.into()),
    };
    let shown = made_up.then(|| password.reveal().to_owned());
    if args.json {
        let body =
            serde_json::json!({ "id": id, "tenant": key, "role": args.role.as_str(), "password": shown });
        shown_once(&body.to_string());
    } else {
        say!("{} {} made for tenant {key}", args.role.as_str(), args.email);
        if let Some(password) = shown {
            shown_once(&format!("password (shown once): {password}"));
        }
    }
    Ok(exit::DONE)
}

/// The one moment at which somebody may read a password that was made up.
#[expect(clippy::print_stdout, reason = "a masked password would be lost")]
fn shown_once(text: &str) {
    println!("{text}");
}
