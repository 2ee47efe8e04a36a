//! Who does something, and in which role.

use std::fmt;
use std::str::FromStr;

use mizan_core::{PlayerId, StaffId, ids::ApiKeyId};

/// What a user may be. See `permissions` in the HTTP edge for what each may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Owner,
    Finance,
    Ops,
    Auditor,
    Player,
    Service,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::Owner,
        Self::Finance,
        Self::Ops,
        Self::Auditor,
        Self::Player,
        Self::Service,
    ];
    pub const STAFF: [Self; 4] = [Self::Owner, Self::Finance, Self::Ops, Self::Auditor];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Finance => "finance",
            Self::Ops => "ops",
            Self::Auditor => "auditor",
            Self::Player => "player",
            Self::Service => "service",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role: use owner, finance, ops or auditor")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// The one who acts, as audit rows name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Staff {
        id: StaffId,
        role: Role,
    },
    Player(PlayerId),
    Service(ApiKeyId),
    /// A provider's event, a job or the command line: `webhook`, `worker`, `cli`.
    System(&'static str),
}

impl Actor {
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Staff { role, .. } => Some(*role),
            Self::Player(_) => Some(Role::Player),
            Self::Service(_) => Some(Role::Service),
            Self::System(_) => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff { id, .. } => write!(f, "staff:{id}"),
            Self::Player(id) => write!(f, "player:{id}"),
            Self::Service(id) => write!(f, "service:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}
