//! `cargo run -p xtask -- tidy | layers | fresh | help`: the rules of the repository, from the command line.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use xtask::{Repo, Violation, fresh, layers, tidy};

/// Checks the rules of this repository. Exits with 1 when one is broken.
#[derive(Parser)]
#[command(disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// How code looks, and who depends on whom.
    Tidy,
    /// Who depends on whom, only.
    Layers,
    /// Whether generated files are up to date.
    Fresh,
    /// Every rule with its reason.
    Help,
}

fn main() -> anyhow::Result<ExitCode> {
    let violations = match Arguments::parse().task {
        Task::Tidy => {
            let repo = Repo::open(&Repo::own_root())?;
            println!(
                "xtask: {} files, {} rules and the layers",
                repo.files.len(),
                tidy::RULES.len()
            );
            tidy::check(&repo).into_iter().chain(check_layers()?).collect()
        }
        Task::Layers => check_layers()?,
        Task::Fresh => check_fresh()?,
        Task::Help => {
            for rule in &tidy::RULES {
                println!("{:20} {}", rule.name, rule.reason);
            }
            println!(
                "{:20} an edge that xtask/layers.toml does not list is refused",
                "layers"
            );
            println!(
                "{:20} generated files that are checked in say what the binary says",
                "fresh"
            );
            Vec::new()
        }
    };
    for it in &violations {
        eprintln!("{it}");
    }
    if violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("xtask: {} violations", violations.len());
    Ok(ExitCode::FAILURE)
}

fn check_layers() -> anyhow::Result<Vec<Violation>> {
    Ok(layers::check(
        &layers::Graph::read(&Repo::own_root())?,
        &layers::Layers::own()?,
    ))
}

/// Builds what prints the generated files first, so that nothing old is compared.
fn check_fresh() -> anyhow::Result<Vec<Violation>> {
    let root = Repo::own_root();
    run_cargo(&["build", "--quiet", "-p", "mizan"])?;
    run_cargo(&["test", "--quiet", "-p", "mizan-config", "generated"])?;
    let mizan = fresh::built_binary().context("cargo built no binary beside this one")?;
    Ok(fresh::check(&root, &mizan))
}

fn run_cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(Repo::own_root())
        .status()?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}
