//! What each revision leaves behind: generated into `schemas/database-*.json`, embedded in the binary.
//!
//! With it a live schema can be judged without a second database to compare with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Object, Snapshot};

/// The schema after each revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    revisions: Vec<Change>,
}

/// What one revision changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    revision: String,
    /// Of the whole schema after this revision.
    fingerprint: String,
    /// Objects that are new or different, as they are now.
    objects: BTreeMap<String, Object>,
    /// Objects that are gone.
    dropped: Vec<String>,
}

/// The generated file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the embedded description of the schema cannot be read")]
pub struct ExpectedError(#[from] serde_json::Error);

impl Expected {
    /// Reads the generated file.
    pub fn parse(json: &str) -> Result<Self, ExpectedError> {
        Ok(serde_json::from_str(json)?)
    }

    /// Describes a series of snapshots, one after each revision.
    pub fn from_series(series: impl IntoIterator<Item = (String, Snapshot)>) -> Self {
        let mut before = Snapshot::default();
        let mut revisions = Vec::new();
        for (revision, after) in series {
            let is_new = |name: &String, it: &Object| before.objects.get(name) != Some(it);
            let objects = after.objects.iter().filter(|(name, it)| is_new(name, it));
            revisions.push(Change {
                revision,
                fingerprint: after.fingerprint(),
                objects: objects.map(|(name, it)| (name.clone(), it.clone())).collect(),
                dropped: after.foreign_in(&before).into_iter().map(str::to_owned).collect(),
            });
            before = after;
        }
        Self { revisions }
    }

    /// The generated file: stable, one part a line.
    pub fn to_json(&self) -> Result<String, ExpectedError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The schema after `revision`; empty before the first one, and for one that is not described.
    pub fn at(&self, revision: Option<&str>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let Some(last) = revision.and_then(|id| self.revisions.iter().position(|it| it.revision == id))
        else {
            return snapshot;
        };
        for change in &self.revisions[..=last] {
            for name in &change.dropped {
                snapshot.objects.remove(name);
            }
            snapshot
                .objects
                .extend(change.objects.iter().map(|(name, it)| (name.clone(), it.clone())));
        }
        snapshot
    }

    /// What is there after `revision` and was not there before it.
    pub fn created_by(&self, revision: &str, previous: Option<&str>) -> Snapshot {
        let (before, after) = (self.at(previous), self.at(Some(revision)));
        after.only(before.foreign_in(&after))
    }

    /// The ids that are described, oldest first.
    pub fn revisions(&self) -> impl Iterator<Item = &str> {
        self.revisions.iter().map(|it| it.revision.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;
    use crate::migrate::snapshot::tests::snapshot;

    #[test]
    fn a_series_is_read_back_revision_by_revision() {
        let series = [
            ("0001", snapshot("")),
            ("0002", snapshot("a: x=1\nb: x=1")),
            ("0003", snapshot("a: x=2\nview c: x=1")),
        ];
        let expected = Expected::from_series(series.clone().map(|(id, it)| (id.to_owned(), it)));
        let json = expected.to_json().expect("json");
        let read = Expected::parse(&json).expect("its own output");
        assert_eq!(read, expected);
        for (id, snapshot) in series {
            assert_eq!(read.at(Some(id)), snapshot, "{id}");
        }
        assert!(read.at(None).objects.is_empty());
        assert_eq!(read.created_by("0003", Some("0002")), snapshot("view c: x=1"));
        assert_eq!(
            json.matches("\"b\"").count(),
            2,
            "once made, once dropped: {json}"
        );
    }
}
