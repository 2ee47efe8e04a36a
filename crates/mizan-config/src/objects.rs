//! Where uploaded statements are kept, and how they are read: `MIZAN_OBJECT_STORE`, `RECON_RULES_DIR`.

use std::path::PathBuf;

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const MIZAN_OBJECT_STORE: Setting = Setting {
    name: "MIZAN_OBJECT_STORE",
    meaning: "Where uploaded statements are kept: a folder, or `s3://bucket/prefix` with the usual `AWS_*` variables (`AWS_ENDPOINT_URL` for other S3-compatible stores). Service and workers need the same one.",
    default: "the folder `mizan-objects`",
    strict: "the same",
    shape: Shape::Text,
};
pub(crate) const RECON_RULES_DIR: Setting = Setting {
    name: "RECON_RULES_DIR",
    meaning: "A directory with a rule file `<provider>.toml` and a map of columns `<provider>.map.toml` for each provider that needs one; read at start.",
    default: "none: everything has to agree exactly",
    strict: "the same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[MIZAN_OBJECT_STORE, RECON_RULES_DIR];

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectStore {
    Folder(PathBuf),
    S3 {
        bucket: String,
        /// Without slashes at its ends; may be empty.
        prefix: String,
    },
}

/// The directory of rule files, if there is one.
pub(crate) fn rules_dir(vars: &Vars) -> Option<PathBuf> {
    vars.text(&RECON_RULES_DIR).map(PathBuf::from)
}

pub(crate) fn read(vars: &Vars, _: Mode, report: &mut Report) -> ObjectStore {
    let Some(text) = vars.text(&MIZAN_OBJECT_STORE) else {
        return ObjectStore::Folder("mizan-objects".into());
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return ObjectStore::Folder(text.into());
    };
    match scheme {
        "file" => ObjectStore::Folder(rest.into()),
        "s3" => {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() || bucket.contains('@') {
                report.problem(MIZAN_OBJECT_STORE.name, "is no s3://bucket/prefix");
            }
            ObjectStore::S3 {
                bucket: bucket.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            }
        }
        _ => {
            report.problem(
                MIZAN_OBJECT_STORE.name,
                "is neither a folder nor s3://bucket/prefix",
            );
            ObjectStore::Folder("mizan-objects".into())
        }
    }
}
