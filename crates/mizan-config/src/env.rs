//! Where Mizan runs, and whether it starts strictly: `ENV` and `CI_STRICT`.

use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const ENV: Setting = Setting {
    name: "ENV",
    meaning: "Where Mizan runs. Any other word is an error.",
    default: "`dev`",
    strict: "strict when `staging` or `prod`",
    shape: Shape::Word(&["dev", "local", "test", "ci", "staging", "prod"]),
};
pub(crate) const CI_STRICT: Setting = Setting {
    name: "CI_STRICT",
    meaning: "`1` or `true` makes any `ENV` strict.",
    default: "off",
    strict: "–",
    shape: Shape::Flag,
};
pub(crate) const SETTINGS: &[Setting] = &[ENV, CI_STRICT];

/// The kind of installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    Dev,
    Local,
    Test,
    Ci,
    Staging,
    Prod,
}

impl Env {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Local => "local",
            Self::Test => "test",
            Self::Ci => "ci",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "local" => Self::Local,
            "test" => Self::Test,
            "ci" => Self::Ci,
            "staging" => Self::Staging,
            "prod" => Self::Prod,
            _ => Self::Dev,
        }
    }
}

/// Where Mizan runs, and whether defaults are allowed to stand in for what is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub env: Env,
    /// Nothing falls back: what is required must be set and real.
    pub strict: bool,
}

impl Mode {
    /// Why the mode is strict, in the words of a problem: `ENV=staging`, `CI_STRICT=1`.
    pub fn because(self) -> String {
        match self.env {
            Env::Staging | Env::Prod => format!("ENV={}", self.env.as_str()),
            _ => "CI_STRICT=1".to_owned(),
        }
    }

    /// Whether this is the installation that moves real money.
    pub fn is_prod(self) -> bool {
        self.env == Env::Prod
    }
}

/// An unknown word is reported; the rest is then read as in `dev`, unless `CI_STRICT` says otherwise.
pub(crate) fn read(vars: &Vars, report: &mut Report) -> Mode {
    let env = vars.word(&ENV, report).map_or(Env::Dev, Env::parse);
    let ci_strict = vars.flag(&CI_STRICT, report).unwrap_or(false);
    Mode {
        env,
        strict: ci_strict || matches!(env, Env::Staging | Env::Prod),
    }
}
