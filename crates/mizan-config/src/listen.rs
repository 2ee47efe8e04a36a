//! Where to listen: `HOST`, `PORT` and, for scrapers on a port of their own, `METRICS_PORT`.

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const HOST: Setting = Setting {
    name: "HOST",
    meaning: "The address or host name to listen on.",
    default: "`127.0.0.1`",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const PORT: Setting = Setting {
    name: "PORT",
    meaning: "The port to listen on; `0` takes a free one.",
    default: "`8001`",
    strict: "same; `0` is an error",
    shape: Shape::Number { min: 0, max: 65_535 },
};
pub(crate) const METRICS_PORT: Setting = Setting {
    name: "METRICS_PORT",
    meaning: "Serves `/metrics` on a port of its own instead of on `PORT`.",
    default: "none: `/metrics` is on `PORT`",
    strict: "same",
    shape: Shape::Number { min: 1, max: 65_535 },
};
pub(crate) const SETTINGS: &[Setting] = &[HOST, PORT, METRICS_PORT];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// An IPv4 or IPv6 address (without brackets) or a host name.
    pub host: String,
    /// 0 takes a free port; never 0 in strict mode.
    pub port: u16,
    pub metrics_port: Option<u16>,
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Listen {
    let host = vars.text(&HOST).unwrap_or("127.0.0.1");
    let host = host
        .strip_prefix('[')
        .and_then(|it| it.strip_suffix(']'))
        .unwrap_or(host);
    if host.parse::<std::net::IpAddr>().is_err() && !is_host_name(host) {
        report.problem(HOST.name, "is neither an address nor a host name");
    }
    let port = port(vars, &PORT, report).unwrap_or(8001);
    let metrics_port = self::port(vars, &METRICS_PORT, report);
    if metrics_port == Some(port) {
        report.problem(METRICS_PORT.name, "is the same as PORT");
    }
    if mode.strict && port == 0 {
        report.problem(
            PORT.name,
            format!("must be from 1 to 65535 (required because {})", mode.because()),
        );
    }
    Listen {
        host: host.to_owned(),
        port,
        metrics_port,
    }
}

fn port(vars: &Vars, setting: &Setting, report: &mut Report) -> Option<u16> {
    vars.number(setting, report).and_then(|it| u16::try_from(it).ok())
}

fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_')
        })
        // A name whose last label is a number is a broken address, not a name (WHATWG URL, "ends in a number").
        && !text.rsplit('.').next().is_some_and(|it| it.chars().all(|digit| digit.is_ascii_digit()))
}
