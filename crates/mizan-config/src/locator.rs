//! The parts of a connection URL, also with several hosts (`scheme://user:password@h1:1,h2:2/path?key=value#end`).
//!
//! URL libraries stop at the second host, and drivers disagree about a raw `@` in a password; both are read here.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Why a URL cannot be read. The words describe the value and never repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("is not a URL")]
    NotAUrl,
    #[error(
        "holds a character that must be percent-encoded (in a password: '/' as %2F, '?' as %3F, '#' as %23)"
    )]
    Reserved,
    #[error("holds a percent-encoding that is not UTF-8 text")]
    Encoding,
    #[error("names a host that is not one")]
    Host,
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
}

/// One host of a URL. `name` is decoded; it begins with `/` when it is the directory of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub name: String,
    pub port: Option<u16>,
}

impl Host {
    /// As it stands in a URL, with the port given or implied.
    pub(crate) fn written(&self, default_port: u16) -> String {
        let port = self.port.unwrap_or(default_port);
        if self.name.contains(':') {
            format!("[{}]:{port}", self.name)
        } else if self.name.starts_with('/') {
            format!("{}:{port}", encode(&self.name))
        } else {
            format!("{}:{port}", self.name)
        }
    }

    /// `name`, `name:port`, `[v6]`, `[v6]:port`, or an encoded or plain path.
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (name, port) = rest.split_once(']').ok_or(Unreadable::Host)?;
            name.parse::<std::net::Ipv6Addr>().map_err(|_| Unreadable::Host)?;
            let port = port.strip_prefix(':').or(port.is_empty().then_some(""));
            (name.to_owned(), port.ok_or(Unreadable::Host)?)
        } else {
            let (name, port) = text.split_once(':').unwrap_or((text, ""));
            (decode(name)?, port)
        };
        let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_' | ':');
        let is_readable = name.starts_with('/') || (!name.is_empty() && name.chars().all(is_name));
        if !is_readable || name.chars().any(char::is_control) {
            return Err(Unreadable::Host);
        }
        let port = match port {
            "" => None,
            digits => Some(
                digits
                    .parse()
                    .ok()
                    .filter(|it| *it != 0)
                    .ok_or(Unreadable::Port)?,
            ),
        };
        Ok(Self { name, port })
    }
}

/// A URL, taken apart and decoded. No `Debug`: it holds the password.
pub(crate) struct Locator {
    pub user: Option<String>,
    pub password: Option<String>,
    pub hosts: Vec<Host>,
    /// Decoded, without the slash that opens it.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub fragment: Option<String>,
}

impl Locator {
    /// Reads what follows `scheme://`.
    pub(crate) fn parse(rest: &str) -> Result<Self, Unreadable> {
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(authority_end);
        let (tail, fragment) = match tail.split_once('#') {
            Some((tail, fragment)) => (tail, Some(fragment)),
            None => (tail, None),
        };
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        if path.contains('@') || fragment.is_some_and(|it| it.contains('@')) {
            return Err(Unreadable::Reserved);
        }
        // The last '@' ends the login, so that a password may hold one.
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) = match login.map(|it| it.split_once(':').unwrap_or((it, ""))) {
            Some((user, password)) => (some_text(user)?, some_text(password)?),
            None => (None, None),
        };
        Ok(Self {
            user,
            password,
            hosts: hosts
                .split(',')
                .filter(|it| !it.is_empty())
                .map(Host::parse)
                .collect::<Result<_, _>>()?,
            path: decode(path.strip_prefix('/').unwrap_or(path))?,
            query: pairs(query)?,
            fragment: fragment.map(decode).transpose()?,
        })
    }

    /// `user:***@`, `:***@`, `user@` or nothing.
    pub(crate) fn masked_login(&self) -> String {
        match (&self.user, &self.password) {
            (None, None) => String::new(),
            (Some(user), None) => format!("{user}@"),
            (user, Some(_)) => format!("{}:***@", user.as_deref().unwrap_or_default()),
        }
    }

    /// The login as it stands in a URL, with its `@`.
    pub(crate) fn written_login(&self) -> String {
        written_login(self.user.as_deref(), self.password.as_deref())
    }
}

pub(crate) fn written_login(user: Option<&str>, password: Option<&str>) -> String {
    let user = encode(user.unwrap_or_default());
    match password {
        Some(password) => format!("{user}:{}@", encode(password)),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    }
}

/// Every host with its port, separated by commas.
pub(crate) fn written_hosts(hosts: &[Host], default_port: u16) -> String {
    let hosts: Vec<_> = hosts.iter().map(|it| it.written(default_port)).collect();
    hosts.join(",")
}

pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Unreadable> {
    query
        .split('&')
        .filter(|it| !it.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

pub(crate) fn decode(text: &str) -> Result<String, Unreadable> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| Unreadable::Encoding)?;
    Ok(text.into_owned())
}

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn some_text(text: &str) -> Result<Option<String>, Unreadable> {
    let text = decode(text)?;
    Ok((!text.is_empty()).then_some(text))
}
