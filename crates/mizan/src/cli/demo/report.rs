//! What the demo prints.

#![expect(
    clippy::print_stdout,
    reason = "the accounts of the demo are there to be signed in with"
)]

use std::collections::{BTreeMap, BTreeSet};
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
    print_money(story);
    print_differences(story);
    print_look(look);
    Ok(())
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn print_money(story: &Story) {
    let withdrawals: u64 = story.withdrawals.values().sum();
    println!(
        "\n{} deposits, {} webhooks taken",
        story.deposits, story.webhooks_delivered
    );
    println!("{withdrawals} withdrawals: {}", listed(&story.withdrawals));
    println!(
        "planted, and without any effect on the money: {}\n",
        listed(&story.planted_harmless)
    );
}

fn print_differences(story: &Story) {
    let mut rows = table(&["difference", "planted", "found"]);
    let types: BTreeSet<_> = story.planted.keys().chain(story.found.keys()).collect();
    for name in types {
        let count = |of: &BTreeMap<String, u64>| of.get(name).copied().unwrap_or_default().to_string();
        rows.add_row([name.clone(), count(&story.planted), count(&story.found)]);
    }
    println!("{rows}");
    let same = if story.planted == story.found {
        "equal"
    } else {
        "NOT equal"
    };
    println!("{} pairs matched; planted and found are {same}", story.matched);
    let holds = if story.ledger_holds {
        "holds"
    } else {
        "DOES NOT HOLD"
    };
    println!("the ledger {holds}: {} journal rows\n", story.journal_rows);
}

fn print_look(look: &Look<'_>) {
    let program = program();
    let url = format!("DATABASE_URL=sqlite://{}", look.dir.join("mizan.db").display());
    println!("Where to look:");
    println!("  {url} {program} ledger verify");
    println!("  {url} {program} serve    # then http://127.0.0.1:8001/api/openapi.json");
    println!("  http://{}/api/openapi.json, while this demo runs", look.address);
    if let Some((email, password)) = look.made_up {
        println!(
            "  sign in as {email} with {} (made for this demo)",
            password.reveal()
        );
    }
}

/// How to call this program from here: by its path, unless it is on the search path.
fn program() -> String {
    let here = std::env::current_dir().unwrap_or_default();
    std::env::current_exe()
        .ok()
        .and_then(|it| {
            it.strip_prefix(&here)
                .ok()
                .map(|it| format!("./{}", it.display()))
        })
        .unwrap_or_else(|| "mizan".into())
}
