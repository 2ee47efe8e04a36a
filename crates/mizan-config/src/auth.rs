//! How access tokens are signed and how long they live: `JWT_SECRET` and the token lifetimes.

use std::time::Duration;

use mizan_mask::Secret;

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

/// HMAC-SHA256 asks for a key of at least its output (RFC 7518, section 3.2).
pub(crate) const MIN_SECRET_BYTES: usize = 32;

pub(crate) const JWT_SECRET: Setting = Setting {
    name: "JWT_SECRET",
    meaning: "Overrides the token-signing keys, which otherwise are made at first start, kept in the database, \
              shared by all replicas and rotated by `mizan admin rotate-keys`.",
    default: "none: the keys in the database",
    strict: "optional; at least 32 bytes, no placeholder",
    shape: Shape::Secret,
};
pub(crate) const STAFF_TOKEN_SECONDS: Setting = Setting {
    name: "MIZAN_STAFF_TOKEN_SECONDS",
    meaning: "How long an access token of staff is good, in seconds.",
    default: "`3600`",
    strict: "same",
    shape: Shape::Number { min: 60, max: 86_400 },
};
pub(crate) const PLAYER_TOKEN_SECONDS: Setting = Setting {
    name: "MIZAN_PLAYER_TOKEN_SECONDS",
    meaning: "How long an access token of a player is good, in seconds.",
    default: "`3600`",
    strict: "same",
    shape: Shape::Number { min: 60, max: 86_400 },
};
pub(crate) const SETTINGS: &[Setting] = &[JWT_SECRET, STAFF_TOKEN_SECONDS, PLAYER_TOKEN_SECONDS];

#[derive(Debug, Clone)]
pub struct Auth {
    /// Signs tokens instead of the keys in the database.
    pub jwt_secret: Option<Secret<String>>,
    pub staff_token: Duration,
    pub player_token: Duration,
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Auth {
    let secret = vars.text(&JWT_SECRET);
    if !mode.strict && secret.is_some_and(|it| it.len() < MIN_SECRET_BYTES) {
        report.warning(
            JWT_SECRET.name,
            "is shorter than 32 bytes, which strict mode refuses",
        );
    }
    let mut seconds = |setting| Duration::from_secs(vars.number(setting, report).unwrap_or(3600));
    Auth {
        staff_token: seconds(&STAFF_TOKEN_SECONDS),
        player_token: seconds(&PLAYER_TOKEN_SECONDS),
        jwt_secret: secret.map(|it| Secret::new(it.to_owned())),
    }
}
