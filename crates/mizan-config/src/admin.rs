//! Who owns a new installation: `MIZAN_ADMIN_EMAIL`, `MIZAN_ADMIN_PASSWORD` and `MIZAN_DEFAULT_TENANT`.

use mizan_core::TenantKey;
use mizan_mask::Secret;

use crate::env::Mode;
use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const ADMIN_EMAIL: Setting = Setting {
    name: "MIZAN_ADMIN_EMAIL",
    meaning: "The first owner, made at start if there is none.",
    default: "`admin@example.com`",
    strict: "none made unless both are set; `mizan admin create` otherwise",
    shape: Shape::Text,
};
pub(crate) const ADMIN_PASSWORD: Setting = Setting {
    name: "MIZAN_ADMIN_PASSWORD",
    meaning: "The password of the first owner.",
    default: "made and printed once",
    strict: "as above; no placeholder",
    shape: Shape::Secret,
};
pub(crate) const DEFAULT_TENANT: Setting = Setting {
    name: "MIZAN_DEFAULT_TENANT",
    meaning: "Key of the tenant made at first start, to which the `mockpsp` connection belongs.",
    default: "`default`",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[ADMIN_EMAIL, ADMIN_PASSWORD, DEFAULT_TENANT];

const DEFAULT_EMAIL: &str = "admin@example.com";

/// What to do at start when the installation has no owner yet.
#[derive(Debug, Clone)]
pub enum FirstOwner {
    /// Make none: `mizan admin create` does it.
    None,
    /// Make this one.
    Given { email: String, password: Secret<String> },
    /// Make this one with a new password, and print that password once.
    Generate { email: String },
}

#[derive(Debug, Clone)]
pub struct Admin {
    pub first_owner: FirstOwner,
    pub default_tenant: TenantKey,
}

/// `None` when something is wrong and reported.
pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Option<Admin> {
    let email = vars.text(&ADMIN_EMAIL).map(str::to_owned);
    if email.as_deref().is_some_and(|it| !is_email(it)) {
        report.problem(ADMIN_EMAIL.name, "is not an email address");
    }
    let password = vars.exact(&ADMIN_PASSWORD).map(|it| Secret::new(it.to_owned()));
    let default_tenant = vars.text(&DEFAULT_TENANT).unwrap_or("default").parse().ok();
    if default_tenant.is_none() {
        report.problem(
            DEFAULT_TENANT.name,
            "must be 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or digit",
        );
    }
    Some(Admin {
        first_owner: first_owner(email, password, mode, report),
        default_tenant: default_tenant?,
    })
}

fn first_owner(
    email: Option<String>,
    password: Option<Secret<String>>,
    mode: Mode,
    report: &mut Report,
) -> FirstOwner {
    match (email, password) {
        (Some(email), Some(password)) => FirstOwner::Given { email, password },
        (None, None) if mode.strict => FirstOwner::None,
        (Some(_), None) if mode.strict => {
            report.warning(ADMIN_EMAIL.name, "is ignored: MIZAN_ADMIN_PASSWORD is not set");
            FirstOwner::None
        }
        (None, Some(_)) if mode.strict => {
            report.warning(ADMIN_PASSWORD.name, "is ignored: MIZAN_ADMIN_EMAIL is not set");
            FirstOwner::None
        }
        (email, Some(password)) => FirstOwner::Given {
            email: email.unwrap_or_else(|| DEFAULT_EMAIL.to_owned()),
            password,
        },
        (email, None) => FirstOwner::Generate {
            email: email.unwrap_or_else(|| DEFAULT_EMAIL.to_owned()),
        },
    }
}

/// Good enough to catch a slip: something, one `@`, something without blanks.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}
