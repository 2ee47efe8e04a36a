//! Which Redis wakes the workers: `REDIS_URL`.
//!
//! | form | meaning |
//! | --- | --- |
//! | `redis://[user][:password@]host[:6379][/db]`, `rediss://…` | one server, without or with TLS |
//! | `unix:///run/redis.sock?db=0`, `redis+unix://…` | one server on a socket |
//! | `redis+sentinel://[login@]h1:26379,h2/master[/db]`, `rediss+sentinel://…` | the master that the sentinels name |
//! | `redis+cluster://[login@]h1,h2`, or several hosts in `redis://` | a cluster |

use std::fmt::Write as _;

use mizan_mask::Secret;

use crate::locator::{Locator, Unreadable, decode, encode, pairs, written_hosts, written_login};
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const REDIS_URL: Setting = Setting {
    name: "REDIS_URL",
    meaning: "`redis://`, `rediss://`, `unix://`, `redis+unix://`, `redis+sentinel://h1,h2/master/0`, \
              `redis+cluster://h1,h2`.",
    default: "none: jobs run in the process",
    strict: "required; an unreadable URL or a placeholder (`changeme`, `...`) is an error",
    shape: Shape::Secret,
};
pub(crate) const SETTINGS: &[Setting] = &[REDIS_URL];

/// Who to be on a server, apart from the URL: for sentinel masters.
#[derive(Debug, Clone)]
pub struct RedisLogin {
    pub user: Option<String>,
    pub password: Option<Secret<String>>,
}

/// Where Redis is. Every URL is readable for redis-rs.
#[derive(Debug, Clone)]
pub enum Redis {
    /// One server, over TCP, TLS or a socket.
    Single { url: Secret<String>, masked: String },
    /// Sentinels, and the master they are asked for.
    Sentinel {
        sentinels: Vec<Secret<String>>,
        master: String,
        /// For the master; sentinels carry their own in their URL.
        login: RedisLogin,
        database: u32,
        tls: bool,
        masked: String,
    },
    /// Some nodes of a cluster.
    Cluster {
        nodes: Vec<Secret<String>>,
        masked: String,
    },
}

impl Redis {
    /// The target as it may be shown: `redis://:***@cache:6379/0`.
    pub fn masked(&self) -> &str {
        match self {
            Self::Single { masked, .. } | Self::Sentinel { masked, .. } | Self::Cluster { masked, .. } => {
                masked
            }
        }
    }
}

/// Why `REDIS_URL` names no Redis. The words describe the value and never repeat it.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("is not a Redis URL")]
    Scheme,
    #[error("names no host")]
    NoHost,
    #[error("names no socket")]
    NoSocket,
    #[error("has a database that is not a number")]
    Database,
    #[error("names no sentinel master (redis+sentinel://host:26379/master)")]
    NoMaster,
    #[error("names a database, but a cluster has only database 0")]
    ClusterDatabase,
}

/// `None` when it is not set, or wrong and reported.
pub(crate) fn read(vars: &Vars, report: &mut Report) -> Option<Redis> {
    let redis = parse(vars.text(&REDIS_URL)?);
    redis
        .map_err(|it| report.problem(REDIS_URL.name, it.to_string()))
        .ok()
}

fn parse(text: &str) -> Result<Redis, Refused> {
    let (scheme, rest) = text.split_once("://").ok_or(Unreadable::NotAUrl)?;
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "unix" | "redis+unix" => unix(rest),
        "redis" | "rediss" => {
            let tls = scheme == "rediss";
            let locator = Locator::parse(rest)?;
            if locator.hosts.len() > 1 {
                cluster(&locator, tls)
            } else {
                single(&locator, tls)
            }
        }
        "redis+sentinel" | "redis-sentinel" | "rediss+sentinel" | "rediss-sentinel" => {
            sentinel(Locator::parse(rest)?, scheme.starts_with("rediss"))
        }
        "redis+cluster" | "redis-cluster" | "rediss+cluster" | "rediss-cluster" => {
            cluster(&Locator::parse(rest)?, scheme.starts_with("rediss"))
        }
        _ => Err(Refused::Scheme),
    }
}

fn scheme_of(tls: bool) -> &'static str {
    if tls { "rediss" } else { "redis" }
}

fn database(text: &str) -> Result<u32, Refused> {
    match text.trim_matches('/') {
        "" => Ok(0),
        digits => digits.parse().map_err(|_| Refused::Database),
    }
}

fn option<'a>(query: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    let found = query.iter().find(|(key, _)| names.contains(&key.as_str()));
    found.map(|(_, value)| value.as_str())
}

fn single(locator: &Locator, tls: bool) -> Result<Redis, Refused> {
    if locator.hosts.is_empty() {
        return Err(Refused::NoHost);
    }
    let database = match option(&locator.query, &["db"]) {
        Some(text) => database(text)?,
        None => database(&locator.path)?,
    };
    let host = format!("{}/{database}", written_hosts(&locator.hosts, 6379));
    let scheme = scheme_of(tls);
    Ok(Redis::Single {
        url: Secret::new(format!("{scheme}://{}{host}", locator.written_login())),
        masked: format!("{scheme}://{}{host}", locator.masked_login()),
    })
}

/// `unix://[user:password@]/path/to.sock?db=0`.
fn unix(rest: &str) -> Result<Redis, Refused> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = pairs(query)?;
    let (login, path) = match path.rsplit_once('@') {
        Some((login, path)) => (login, path),
        None => ("", path),
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let user = option(&query, &["user", "username"]).map_or_else(|| decode(user), |it| Ok(it.to_owned()))?;
    let password =
        option(&query, &["pass", "password"]).map_or_else(|| decode(password), |it| Ok(it.to_owned()))?;
    let database = database(option(&query, &["db"]).unwrap_or_default())?;
    let path = decode(path)?;
    if !path.starts_with('/') || path.len() < 2 {
        return Err(Refused::NoSocket);
    }
    let mut url = format!("unix://{path}?db={database}");
    let mut masked = url.clone();
    if !user.is_empty() {
        let _ = write!(url, "&user={}", encode(&user));
        let _ = write!(masked, "&user={user}");
    }
    if !password.is_empty() {
        let _ = write!(url, "&pass={}", encode(&password));
        masked.push_str("&pass=***");
    }
    Ok(Redis::Single {
        url: Secret::new(url),
        masked,
    })
}

/// The master is the first part of the path, an option, or (Lettuce) the fragment.
fn sentinel(locator: Locator, tls: bool) -> Result<Redis, Refused> {
    if locator.hosts.is_empty() {
        return Err(Refused::NoHost);
    }
    let names = ["master", "master_name", "service_name", "sentinelMasterId"];
    let (first, rest) = locator.path.split_once('/').unwrap_or((&locator.path, ""));
    let named = option(&locator.query, &names).or(locator.fragment.as_deref());
    let (master, number) = match named {
        Some(master) => (master, locator.path.as_str()),
        None => (first, rest),
    };
    if master.is_empty() {
        return Err(Refused::NoMaster);
    }
    let database = match option(&locator.query, &["db"]) {
        Some(text) => database(text)?,
        None => database(number)?,
    };
    let own = written_login(
        option(&locator.query, &["sentinel_username"]),
        option(&locator.query, &["sentinel_password"]),
    );
    let scheme = scheme_of(tls);
    let hosts = written_hosts(&locator.hosts, 26_379);
    Ok(Redis::Sentinel {
        sentinels: hosts
            .split(',')
            .map(|it| Secret::new(format!("{scheme}://{own}{it}/")))
            .collect(),
        master: master.to_owned(),
        database,
        tls,
        masked: format!(
            "{scheme}+sentinel://{}{hosts}/{master}/{database}",
            locator.masked_login()
        ),
        login: RedisLogin {
            user: locator.user,
            password: locator.password.map(Secret::new),
        },
    })
}

fn cluster(locator: &Locator, tls: bool) -> Result<Redis, Refused> {
    if locator.hosts.is_empty() {
        return Err(Refused::NoHost);
    }
    if database(&locator.path)? != 0 {
        return Err(Refused::ClusterDatabase);
    }
    let scheme = scheme_of(tls);
    let (login, hosts) = (locator.written_login(), written_hosts(&locator.hosts, 6379));
    Ok(Redis::Cluster {
        nodes: hosts
            .split(',')
            .map(|it| Secret::new(format!("{scheme}://{login}{it}/")))
            .collect(),
        masked: format!("{scheme}+cluster://{}{hosts}", locator.masked_login()),
    })
}
