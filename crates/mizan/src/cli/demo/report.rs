//! What the demo prints.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use mizan_mask::Secret;
use std::sync::Mutex;

use super::Story;
use crate::cli::recon::table;

/// The steps of the demo: a progress bar on a terminal, lines elsewhere.
pub struct Steps {
    bar: Mutex<ProgressBar>,
    quiet: bool,
}

impl Steps {
    pub fn new(quiet: bool) -> Self {
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
            quiet,
        }
    }

    pub fn say(&self, what: &str) {
        self.finish();
        if !self.quiet {
            println!("· {what}");
        }
    }

    pub fn start(&self, what: &'static str, length: u64) {
        self.say(what);
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template("  {bar:40} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        self.replace(bar);
    }

    pub fn tick(&self) {
        if let Ok(bar) = self.bar.lock() {
            bar.inc(1);
        }
    }

    pub fn finish(&self) {
        self.replace(ProgressBar::hidden());
    }

    fn replace(&self, new: ProgressBar) {
        if let Ok(mut bar) = self.bar.lock() {
            bar.finish_and_clear();
            *bar = new;
        }
    }
}

/// Where to look afterwards.
pub struct Look<'a> {
    pub address: SocketAddr,
    pub dir: &'a Path,
    pub made_up: Option<&'a (String, Secret)>,
}

pub fn print(story: &Story, look: &Look<'_>, json: bool) -> anyhow::Result<()> {
    if json {
        let body = serde_json::json!({
            "deposits": story.deposits, "withdrawals": story.withdrawals, "matched": story.matched,
            "planted": story.planted, "found": story.found, "planted_harmless": story.planted_harmless,
            "ledger_holds": story.ledger_holds, "journal_rows": story.journal_rows,
        });
        println!("{}", serde_json::to_string(&body)?);
        return Ok(());
    }
    let withdrawals: u64 = story.withdrawals.values().sum();
    let states: Vec<_> = story
        .withdrawals
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    println!(
        "\n{} deposits, {} webhooks taken",
        story.deposits, story.webhooks_delivered
    );
    println!("{withdrawals} withdrawals: {}", states.join(", "));
    let harmless: Vec<_> = story
        .planted_harmless
        .iter()
        .map(|(fault, count)| format!("{count} {fault}"))
        .collect();
    println!(
        "planted, and without any effect on the money: {}\n",
        harmless.join(", ")
    );

    let mut rows = table(&["difference", "planted", "found"]);
    let types: BTreeSet<_> = story.planted.keys().chain(story.found.keys()).collect();
    for name in types {
        let count = |of: &std::collections::BTreeMap<String, u64>| of.get(name).copied().unwrap_or_default();
        rows.add_row([
            name.clone(),
            count(&story.planted).to_string(),
            count(&story.found).to_string(),
        ]);
    }
    println!("{rows}");
    println!(
        "{} pairs matched; planted and found are {}",
        story.matched,
        if story.planted == story.found {
            "equal"
        } else {
            "NOT equal"
        }
    );
    println!(
        "the ledger {}: {} journal rows\n",
        if story.ledger_holds {
            "holds"
        } else {
            "DOES NOT HOLD"
        },
        story.journal_rows
    );
    let db = look.dir.join("mizan.db");
    println!("Where to look:");
    println!("  DATABASE_URL=sqlite://{} mizan ledger verify", db.display());
    println!(
        "  DATABASE_URL=sqlite://{} mizan serve    # then http://127.0.0.1:8001/api/openapi.json",
        db.display()
    );
    println!(
        "  this demo's API: http://{}/api/v1 (while it runs)",
        look.address
    );
    if let Some((email, password)) = look.made_up {
        println!(
            "  sign in as {email} with {} (made for this demo)",
            password.reveal()
        );
    }
    Ok(())
}
