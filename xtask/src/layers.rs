//! Who may depend on whom: `layers.toml` against what cargo says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::Violation;

const RULES: &str = "xtask/layers.toml";

/// `layers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    edges: BTreeMap<String, BTreeSet<String>>,
    pure: Pure,
    drivers: Drivers,
    testing: Testing,
    never: Vec<Never>,
}

#[derive(Debug, Deserialize)]
struct Pure {
    crates: BTreeSet<String>,
    never: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Drivers {
    names: BTreeSet<String>,
    crates: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Testing {
    crates: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Never {
    from: String,
    to: String,
    reason: String,
}

impl Layers {
    /// The rules of this repository.
    pub fn own() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../layers.toml")).context("xtask/layers.toml cannot be read")
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `None` for a normal dependency.
    kind: Option<String>,
}

/// The normal dependencies of a workspace, by name.
pub struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Asks cargo about the workspace at `root`, without the network.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let host = host()?;
        // Without the filter cargo would want the sources of crates for systems that nobody here builds for.
        let arguments = [
            "metadata",
            "--offline",
            "--format-version",
            "1",
            "--filter-platform",
            &host,
        ];
        let output = run(Command::new("cargo").args(arguments).current_dir(root))?;
        let metadata: Metadata = serde_json::from_slice(&output)?;
        let names: BTreeMap<_, _> = metadata.packages.iter().map(|it| (&it.id, &it.name)).collect();
        let name = |id: &String| names.get(id).map_or_else(|| id.clone(), |it| (*it).clone());
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let normal = node
                .deps
                .iter()
                .filter(|it| it.dep_kinds.iter().any(|it| it.kind.is_none()));
            edges
                .entry(name(&node.id))
                .or_default()
                .extend(normal.map(|it| name(&it.pkg)));
        }
        Ok(Self {
            members: metadata.workspace_members.iter().map(name).collect(),
            edges,
        })
    }

    fn direct(&self, from: &str) -> impl Iterator<Item = &String> {
        self.edges.get(from).into_iter().flatten()
    }

    /// The way from one crate to another, both included.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways = vec![vec![from.to_owned()]];
        while let Some(way) = ways.pop() {
            for next in self.direct(way.last()?) {
                if next == to {
                    return Some(way.iter().chain([next]).cloned().collect());
                }
                if seen.insert(next) {
                    ways.push(way.iter().chain([next]).cloned().collect());
                }
            }
        }
        None
    }
}

/// The platform that this machine builds for: `x86_64-unknown-linux-gnu`.
fn host() -> anyhow::Result<String> {
    let version = run(Command::new("rustc").arg("-vV"))?;
    let version = String::from_utf8_lossy(&version);
    let host = version.lines().find_map(|it| it.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn run(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

/// Every edge that is not allowed.
pub fn check(graph: &Graph, layers: &Layers) -> Vec<Violation> {
    let mut found = Vec::new();
    for member in &graph.members {
        found.extend(unlisted(graph, layers, member));
        found.extend(drivers(graph, layers, member));
    }
    found.extend(pure(graph, layers));
    found.extend(never(graph, layers));
    found
}

fn unlisted(graph: &Graph, layers: &Layers, member: &str) -> Vec<Violation> {
    let Some(allowed) = layers.edges.get(member) else {
        let message = format!("{member} is not in {RULES}");
        return vec![violation(
            member,
            message,
            "a crate exists to forbid a dependency: say which it may have",
        )];
    };
    let ours = graph.direct(member).filter(|it| graph.members.contains(*it));
    let refused = ours.filter(|it| !allowed.contains(*it));
    let mut found: Vec<_> = refused
        .map(|it| {
            let message = format!("{member} depends on {it}");
            violation(
                member,
                message,
                "data goes one way: edge, flow, decision, store; no lower layer calls back up",
            )
        })
        .collect();
    if !layers.testing.crates.contains(member) {
        let testing = graph
            .direct(member)
            .filter(|it| layers.testing.crates.contains(*it));
        found.extend(testing.map(|it| {
            let message = format!("{member} ships {it}");
            violation(
                member,
                message,
                "what is only for tests is never part of the binary",
            )
        }));
    }
    found
}

fn drivers(graph: &Graph, layers: &Layers, member: &str) -> Vec<Violation> {
    if layers.drivers.crates.contains(member) {
        return Vec::new();
    }
    let named = graph
        .direct(member)
        .filter(|it| layers.drivers.names.contains(*it));
    named
        .map(|it| {
            let message = format!("{member} names the database driver {it}");
            violation(
                member,
                message,
                "only the two store crates contain SQL and name a driver",
            )
        })
        .collect()
}

fn pure(graph: &Graph, layers: &Layers) -> Vec<Violation> {
    let pairs = layers
        .pure
        .crates
        .iter()
        .flat_map(|from| layers.pure.never.iter().map(move |to| (from, to)));
    pairs
        .filter_map(|(from, to)| {
            let way = graph.path(from, to)?.join(" -> ");
            Some(violation(
                from,
                way,
                "what decides about money does no I/O, so that it can be proved by itself",
            ))
        })
        .collect()
}

fn never(graph: &Graph, layers: &Layers) -> Vec<Violation> {
    let ways = layers.never.iter().filter_map(|it| {
        let way = graph.path(&it.from, &it.to)?.join(" -> ");
        Some(violation(&it.from, way, &it.reason))
    });
    ways.collect()
}

fn violation(member: &str, message: String, reason: &str) -> Violation {
    let file = if member == "xtask" {
        "xtask/Cargo.toml".to_owned()
    } else {
        format!("crates/{member}/Cargo.toml")
    };
    Violation {
        file,
        line: 0,
        rule: "layers",
        message,
        reason: reason.to_owned(),
    }
}
