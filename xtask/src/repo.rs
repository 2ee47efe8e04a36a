//! The files of a repository, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::source::Source;

/// What git ignores, and what is not ours.
const SKIPPED: [&str; 9] = [
    "target",
    ".git",
    "node_modules",
    "evidence",
    ".demo",
    "dist",
    "corpus",
    "artifacts",
    "__pycache__",
];

/// What may be read as text; data files of others are left alone.
const TEXT: [&str; 15] = [
    "rs", "toml", "md", "yaml", "yml", "json", "sh", "sql", "ts", "tsx", "css", "html", "js", "mjs", "py",
];

/// One text file.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
    /// For Rust files only.
    pub source: Option<Source>,
}

impl File {
    /// `mizan-core` for `crates/mizan-core/src/money.rs`, `xtask` for its own files.
    pub fn crate_name(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            Some(first) => first,
            None => "",
        }
    }

    /// The name without directories.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the file is never part of the binary: tests, benches, examples.
    pub fn is_test(&self) -> bool {
        let in_test_directory = self
            .path
            .split('/')
            .any(|it| matches!(it, "tests" | "benches" | "examples"));
        in_test_directory || self.name() == "tests.rs" || is_for_tests(self.crate_name())
    }

    /// Whether a line is test code: of a test file, or in a `#[cfg(test)]` block.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.is_test() || self.source.as_ref().is_some_and(|it| it.is_in_tests(line))
    }
}

/// Crates that are never part of the binary.
pub fn is_for_tests(crate_name: &str) -> bool {
    matches!(crate_name, "mizan-testkit" | "mizan-bench" | "fuzz" | "e2e")
}

pub struct Repo {
    pub root: PathBuf,
    pub files: Vec<File>,
}

impl Repo {
    /// Reads every text file below `root`, sorted by path.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut found = BTreeMap::new();
        collect(root, root, &mut found)?;
        let files = found.into_iter().map(|(path, text)| {
            let is_rust = Path::new(&path).extension().is_some_and(|it| it == "rs");
            let source = is_rust.then(|| Source::parse(&text));
            File { path, text, source }
        });
        Ok(Self {
            root: root.to_owned(),
            files: files.collect(),
        })
    }

    /// The repository that this crate belongs to.
    pub fn own_root() -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_owned()
    }

    /// The Rust files, with their split source.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files
            .iter()
            .filter_map(|it| it.source.as_ref().map(|source| (it, source)))
    }
}

fn collect(root: &Path, directory: &Path, found: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_symlink() || SKIPPED.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found)?;
            continue;
        }
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if TEXT.contains(&extension) || matches!(name, "Makefile" | "Dockerfile" | "run") {
            let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let relative = path.strip_prefix(root).unwrap_or(&path);
            found.insert(
                relative.to_string_lossy().replace('\\', "/"),
                String::from_utf8_lossy(&text).into_owned(),
            );
        }
    }
    Ok(())
}
