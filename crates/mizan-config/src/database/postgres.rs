//! A PostgreSQL URL of any driver, turned into one that tokio-postgres reads.
//!
//! Sources: "Connection URIs" and "Parameter Key Words" of the libpq manual; the arguments of asyncpg's `connect`.

use std::path::PathBuf;

use mizan_mask::Secret;

use super::{Database, Refused, Tls};
use crate::locator::{Host, Locator, encode, written_hosts};

const DEFAULT_PORT: u16 = 5432;

/// Options that the driver understands as they are; their values are numbers.
const NUMBERS: [&str; 6] = [
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
];

/// Options that the driver understands, with the words they take; no words: any text.
const WORDS: [(&str, &[&str]); 5] = [
    ("application_name", &[]),
    ("options", &[]),
    ("channel_binding", &["disable", "prefer", "require"]),
    ("load_balance_hosts", &["disable", "random"]),
    ("sslnegotiation", &["postgres", "direct"]),
];

/// Options of other drivers that change nothing about whom we talk to.
const LEFT_OUT: [&str; 19] = [
    "async_fallback",
    "client_encoding",
    "command_timeout",
    "connection_limit",
    "fallback_application_name",
    "gssencmode",
    "krbsrvname",
    "max_cacheable_statement_size",
    "max_cached_statement_lifetime",
    "max_overflow",
    "pgbouncer",
    "pool_recycle",
    "pool_size",
    "pool_timeout",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "sslcompression",
    "statement_cache_size",
    "timeout",
];

/// Options that say who we are or whom we trust: leaving one out in silence would be wrong.
const UNSUPPORTED: [&str; 8] = [
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "passfile",
    "service",
    "requirepeer",
    "server_settings",
];

/// What the query of the URL says, apart from hosts and login.
struct Options {
    tls: Tls,
    root_certificate: Option<PathBuf>,
    /// Ready for the driver, not yet encoded.
    kept: Vec<(&'static str, String)>,
}

/// `rest` follows `postgresql://`; `left_out` hears of options that mean nothing here.
pub(super) fn parse(rest: &str, left_out: impl FnMut(&'static str)) -> Result<Database, Refused> {
    let mut locator = Locator::parse(rest)?;
    if locator.fragment.is_some() {
        return Err(crate::locator::Unreadable::Reserved.into());
    }
    let query = take_target(&mut locator)?;
    let options = read_options(query, left_out)?;
    let hosts = written_hosts(&locator.hosts, DEFAULT_PORT);
    let mut tail = String::new();
    let mut separator = '?';
    let sslmode = match options.tls {
        Tls::Disable => "disable",
        Tls::Prefer => "prefer",
        Tls::Require | Tls::VerifyCa | Tls::VerifyFull => "require",
    };
    for (key, value) in options
        .kept
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .chain([("sslmode", sslmode)])
    {
        tail.push(separator);
        tail.push_str(key);
        tail.push('=');
        tail.push_str(&encode(value));
        separator = '&';
    }
    let name = encode(&locator.path);
    Ok(Database::Postgres {
        masked: format!("postgresql://{}{hosts}/{}", locator.masked_login(), locator.path),
        url: Secret::new(format!(
            "postgresql://{}{hosts}/{name}{tail}",
            locator.written_login()
        )),
        tls: options.tls,
        root_certificate: options.root_certificate,
    })
}

/// Moves what the query says about host, port, login and database into the locator; answers with the rest.
fn take_target(locator: &mut Locator) -> Result<Vec<(String, String)>, Refused> {
    let mut rest = Vec::new();
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for (key, value) in std::mem::take(&mut locator.query) {
        match key.as_str() {
            "user" => locator.user = Some(value),
            "password" => locator.password = Some(value),
            "dbname" | "database" => locator.path = value,
            "host" => {
                for host in value.split(',') {
                    let is_path = host.starts_with('/');
                    hosts.push(if is_path {
                        Host {
                            name: host.to_owned(),
                            port: None,
                        }
                    } else {
                        Host::parse(host)?
                    });
                }
            }
            "port" => ports.extend(value.split(',').map(str::to_owned)),
            _ => rest.push((key, value)),
        }
    }
    if !hosts.is_empty() {
        locator.hosts = hosts;
    }
    if locator.hosts.is_empty() {
        return Err(Refused::NoHost);
    }
    apply_ports(&mut locator.hosts, &ports)?;
    Ok(rest)
}

/// One port for all hosts, or one for each.
fn apply_ports(hosts: &mut [Host], ports: &[String]) -> Result<(), Refused> {
    if ports.is_empty() {
        return Ok(());
    }
    if ports.len() != 1 && ports.len() != hosts.len() {
        return Err(Refused::Ports);
    }
    for (host, port) in hosts.iter_mut().zip(ports.iter().cycle()) {
        let port = port.parse().ok().filter(|it: &u16| *it != 0);
        host.port = Some(port.ok_or(crate::locator::Unreadable::Port)?);
    }
    Ok(())
}

fn read_options(
    query: Vec<(String, String)>,
    mut left_out: impl FnMut(&'static str),
) -> Result<Options, Refused> {
    let mut options = Options {
        tls: Tls::Prefer,
        root_certificate: None,
        kept: Vec::new(),
    };
    for (key, value) in query {
        let known = |names: &[&'static str]| names.iter().copied().find(|it| *it == key);
        match key.as_str() {
            "sslmode" | "ssl" => options.tls = tls(&value)?,
            "direct_tls" => options.tls = tls(&value)?.max_with(options.tls),
            "sslrootcert" if value == "system" => options.tls = Tls::VerifyFull,
            "sslrootcert" => options.root_certificate = Some(PathBuf::from(value)),
            "target_session_attrs" => options.kept.push(("target_session_attrs", session(&value)?)),
            "keepalives_count" => options
                .kept
                .push(("keepalives_retries", number("keepalives_count", value)?)),
            _ => {
                if let Some(name) = known(&NUMBERS) {
                    options.kept.push((name, number(name, value)?));
                } else if let Some((name, words)) = WORDS.iter().find(|(name, _)| *name == key) {
                    if !words.is_empty() && !words.contains(&value.as_str()) {
                        return Err(Refused::OptionValue(name));
                    }
                    options.kept.push((*name, value));
                } else if let Some(name) = known(&LEFT_OUT) {
                    left_out(name);
                } else if let Some(name) = known(&UNSUPPORTED) {
                    return Err(Refused::Unsupported(name));
                } else {
                    return Err(Refused::UnknownOption);
                }
            }
        }
    }
    // libpq: with a root certificate at hand, `require` means `verify-ca`.
    if options.root_certificate.is_some() && options.tls == Tls::Require {
        options.tls = Tls::VerifyCa;
    }
    Ok(options)
}

impl Tls {
    fn max_with(self, other: Self) -> Self {
        if (other as u8) > (self as u8) { other } else { self }
    }
}

/// The words of libpq's `sslmode`, and the booleans that asyncpg's `ssl` takes.
fn tls(value: &str) -> Result<Tls, Refused> {
    Ok(match value.to_ascii_lowercase().as_str() {
        "disable" | "false" | "0" => Tls::Disable,
        "allow" | "prefer" => Tls::Prefer,
        "require" | "true" | "1" => Tls::Require,
        "verify-ca" | "verify_ca" => Tls::VerifyCa,
        "verify-full" | "verify_full" => Tls::VerifyFull,
        _ => return Err(Refused::OptionValue("sslmode")),
    })
}

/// The driver has no words for standbys apart from whether they can be written to.
fn session(value: &str) -> Result<String, Refused> {
    let word = match value {
        "any" => "any",
        "read-write" | "primary" => "read-write",
        "read-only" | "standby" => "read-only",
        _ => return Err(Refused::OptionValue("target_session_attrs")),
    };
    Ok(word.to_owned())
}

fn number(name: &'static str, value: String) -> Result<String, Refused> {
    value.parse::<u32>().map_err(|_| Refused::OptionValue(name))?;
    Ok(value)
}
