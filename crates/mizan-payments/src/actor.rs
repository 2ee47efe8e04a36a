//! Who does something, and in which role.

use std::fmt;

use mizan_core::{PlayerId, StaffId, ids::ApiKeyId};

mizan_core::words! {
    /// What a user may be. See `permissions` in the HTTP edge for what each may do.
    pub enum Role {
        Owner = "owner",
        Finance = "finance",
        Ops = "ops",
        Auditor = "auditor",
        Player = "player",
        Service = "service",
    }
}

impl Role {
    pub const STAFF: [Self; 4] = [Self::Owner, Self::Finance, Self::Ops, Self::Auditor];
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
