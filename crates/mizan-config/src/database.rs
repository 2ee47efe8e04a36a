//! Which database keeps the ledger: `DATABASE_URL`.

mod postgres;
mod sqlite;

use std::path::PathBuf;

use mizan_mask::Secret;

use crate::env::Mode;
use crate::locator::Unreadable;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    meaning: "`sqlite:…`, `postgres://` or `postgresql://`, also with a `+driver` part (`postgresql+asyncpg://`); \
              several hosts, `sslmode`, `ssl` and the options of libpq are understood.",
    default: "`sqlite://mizan.db`",
    strict: "required; SQLite, an unreadable URL or a placeholder (`***`, `changeme`, `...`) is an error",
    shape: Shape::Secret,
};
pub(crate) const SETTINGS: &[Setting] = &[DATABASE_URL];

/// How far a PostgreSQL server has to prove who it is, in the words of libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Disable,
    /// TLS when the server offers it. The default.
    Prefer,
    Require,
    /// The certificate must come from a trusted authority.
    VerifyCa,
    /// And it must name the host.
    VerifyFull,
}

/// The database that keeps the ledger.
#[derive(Debug, Clone)]
pub enum Database {
    Sqlite {
        /// Absolute, or relative to the working directory.
        path: PathBuf,
    },
    Postgres {
        /// Readable for tokio-postgres: no `+driver`, every host with its port, `sslmode` at most `require`.
        url: Secret<String>,
        /// What `sslmode` asked for; the driver itself knows nothing above `require`.
        tls: Tls,
        /// `sslrootcert`: a PEM file of authorities to trust instead of the system's.
        root_certificate: Option<PathBuf>,
        /// The target without its password.
        masked: String,
    },
}

impl Database {
    /// The target as it may be shown: `postgresql://app:***@db:5432/mizan`.
    pub fn masked(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite:{}", path.display()),
            Self::Postgres { masked, .. } => masked.clone(),
        }
    }

    /// `sqlite` or `postgresql`, as in metric labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgresql",
        }
    }
}

/// Why `DATABASE_URL` names no database. The words describe the value and never repeat it.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("is neither a SQLite nor a PostgreSQL URL")]
    Scheme,
    #[error("names no file")]
    NoFile,
    #[error("names SQLite in memory, where each connection would see a database of its own: name a file")]
    InMemory,
    #[error("names no host")]
    NoHost,
    #[error("names more ports than hosts, or fewer")]
    Ports,
    #[error("has an option that is not understood")]
    UnknownOption,
    #[error("has the option {0}, which is not supported")]
    Unsupported(&'static str),
    #[error("has a value for {0} that is not understood")]
    OptionValue(&'static str),
}

/// `None` when it is missing in strict mode (a rule of its own), or wrong and reported.
pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Option<Database> {
    let Some(text) = vars.text(&DATABASE_URL) else {
        return (!mode.strict).then(|| Database::Sqlite {
            path: PathBuf::from("mizan.db"),
        });
    };
    let database = parse(text, report);
    database
        .map_err(|it| report.problem(DATABASE_URL.name, it.to_string()))
        .ok()
}

fn parse(text: &str, report: &mut Report) -> Result<Database, Refused> {
    let (scheme, rest) = text.split_once(':').ok_or(Unreadable::NotAUrl)?;
    let scheme = scheme.to_ascii_lowercase();
    let (kind, driver) = match scheme.split_once('+') {
        Some((kind, driver)) => (kind, Some(driver)),
        None => (scheme.as_str(), None),
    };
    if driver.is_some_and(|it| it.is_empty() || !it.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Err(Refused::Scheme);
    }
    match kind {
        "sqlite" => sqlite::parse(rest, driver.is_some()),
        "postgres" | "postgresql" => {
            let rest = rest.strip_prefix("//").ok_or(Unreadable::NotAUrl)?;
            postgres::parse(rest, |option| {
                report.warning(
                    DATABASE_URL.name,
                    format!("has the option {option}, which means nothing here and is left out"),
                );
            })
        }
        _ => Err(Refused::Scheme),
    }
}

/// Whether the value names SQLite, readable or not.
pub(crate) fn names_sqlite(text: &str) -> bool {
    let scheme = text
        .split_once(':')
        .map_or(text, |(scheme, _)| scheme)
        .to_ascii_lowercase();
    scheme == "sqlite" || scheme.starts_with("sqlite+")
}
