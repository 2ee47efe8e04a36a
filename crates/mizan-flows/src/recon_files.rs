//! The rule and map files of providers: read once at start, from one directory.
//!
//! `<provider>.toml` says what counts as the same, `<provider>.map.toml` how the provider's files name their columns.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use mizan_core::ProviderKey;
use mizan_recon::statement::FileMap;
use mizan_recon::{RuleFile, RuleSet};

/// What is set up for providers; the defaults for all others.
#[derive(Debug, Clone, Default)]
pub struct ReconFiles {
    rules: HashMap<ProviderKey, RuleSet>,
    maps: HashMap<ProviderKey, FileMap>,
}

/// Why the directory cannot be used: which file, and what is wrong in it.
#[derive(Debug, thiserror::Error)]
pub enum ReconFilesError {
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
}

impl ReconFiles {
    /// Reads every `.toml` file of a directory; a name that is no provider's key is an error, not ignored.
    pub fn load(dir: &Path) -> Result<Self, ReconFilesError> {
        let unreadable = |path: &Path, source| ReconFilesError::Read {
            path: path.to_owned(),
            source,
        };
        let mut files = Self::default();
        for entry in fs::read_dir(dir).map_err(|it| unreadable(dir, it))? {
            let path = entry.map_err(|it| unreadable(dir, it))?.path();
            let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            let Some(stem) = name.strip_suffix(".toml") else {
                continue;
            };
            let text = fs::read_to_string(&path).map_err(|it| unreadable(&path, it))?;
            files.add(stem, &text).map_err(|reason| ReconFilesError::File {
                path: path.clone(),
                reason,
            })?;
        }
        Ok(files)
    }

    fn add(&mut self, stem: &str, text: &str) -> Result<(), String> {
        let key = |it: &str| {
            it.parse::<ProviderKey>()
                .map_err(|it| format!("the file is named after a provider: {it}"))
        };
        if let Some(provider) = stem.strip_suffix(".map") {
            let map = FileMap::parse(text).map_err(|it| it.to_string())?;
            self.maps.insert(key(provider)?, map);
        } else {
            let rules = RuleFile::parse(text).map_err(|it| it.to_string())?;
            self.rules.insert(key(stem)?, rules);
        }
        Ok(())
    }

    /// The rules of a provider; without a file, everything has to agree exactly.
    pub fn rules(&self, provider: &ProviderKey) -> RuleSet {
        self.rules.get(provider).cloned().unwrap_or_default()
    }

    /// How much later than the ledger the provider may have a row.
    pub fn settlement_lag(&self, provider: &ProviderKey) -> TimeDelta {
        self.rules
            .get(provider)
            .map_or_else(TimeDelta::zero, |it| it.settlement_lag)
    }

    pub fn map(&self, provider: &ProviderKey) -> Option<FileMap> {
        self.maps.get(provider).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_whole_or_refused_by_file() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("notes.txt", "not read");
        assert!(ReconFiles::load(dir.path()).is_ok());
        write("stripe-tr.toml", "nonsense = true");
        let refused = ReconFiles::load(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("stripe-tr.toml"), "{refused}");
        write("stripe-tr.toml", "");
        write("Not A Key.toml", "");
        let refused = ReconFiles::load(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("Not A Key"), "{refused}");
        assert!(ReconFiles::load(&dir.path().join("missing")).is_err());
    }
}
