//! Why a pack is not accepted.

use crate::attest::dsse::NotSealed;

/// One reason, told as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the directory is no finished pack: the run that wrote it ended before it was complete")]
    Unfinished,
    #[error("the manifest cannot be relied on: {0}")]
    Manifest(String),
    #[error("{file} is missing: the manifest lists it and the pack does not hold it")]
    Missing { file: String },
    #[error("{file} was changed: its sha256 is not the one in the manifest")]
    Changed { file: String },
    #[error("{file} is extra: the pack holds it and the manifest does not list it")]
    Extra { file: String },
    #[error("{file} is neither a file nor a directory, and a pack holds nothing else")]
    Strange { file: String },
    #[error("{file} is missing from the manifest")]
    NotListed { file: String },
    #[error("{file} {says}")]
    Form { file: String, says: String },
    #[error("{file} does not tell what summary.json tells")]
    Disagrees { file: String },
    #[error("{0}")]
    Verdict(String),
    #[error("the pack is unsigned, and a signature of the given key is asked for")]
    Unsigned,
    #[error("{file} cannot be believed: {why}")]
    Seal { file: &'static str, why: NotSealed },
    #[error("{file} is not the attestation of this pack: {says}")]
    Statement { file: &'static str, says: String },
}

impl Refusal {
    /// A word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Manifest(_) => "manifest",
            Self::Missing { .. } => "missing_file",
            Self::Changed { .. } => "changed_file",
            Self::Extra { .. } => "extra_file",
            Self::Strange { .. } => "not_a_file",
            Self::NotListed { .. } => "not_listed",
            Self::Form { .. } => "form",
            Self::Disagrees { .. } => "disagrees",
            Self::Verdict(_) => "verdict",
            Self::Unsigned => "unsigned",
            Self::Seal { .. } => "signature",
            Self::Statement { .. } => "attestation",
        }
    }
}
