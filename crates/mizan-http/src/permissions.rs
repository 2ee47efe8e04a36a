//! Who may do what. Denied by default: a route without a permission from this table is either public or refused.

use mizan_payments::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal: [$($role:ident),*] $(scope $scope:literal)?;)+) => {
        /// What a route needs. See the table for the roles and scopes that have it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The roles that have it. A service has it by its scope, and an owner always.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*]),+ }
            }

            /// The scope of an API key that has it.
            pub fn scope(self) -> Option<&'static str> {
                match self { $(Self::$name => permissions!(@scope $($scope)?)),+ }
            }
        }
    };
    (@scope $scope:literal) => { Some($scope) };
    (@scope) => { None };
}

permissions! {
    /// A player's own wallet and withdrawals.
    OwnWallet = "wallet.own": [Player];
    PlayersRead = "players.read": [Owner, Finance, Ops, Auditor];
    PlayersCreate = "players.create": [Owner, Finance, Ops];
    KycReview = "kyc.review": [Owner, Finance];
    WithdrawalsRead = "withdrawals.read": [Owner, Finance, Ops, Auditor];
    WithdrawalsDecide = "withdrawals.decide": [Owner, Finance];
    LedgerAdjust = "ledger.adjust": [Owner, Finance];
    LedgerRead = "ledger.read": [Owner, Finance, Ops, Auditor] scope "ledger:read";
    LedgerPost = "ledger.post": [Owner, Finance] scope "ledger:write";
    WebhooksRead = "webhooks.read": [Owner, Ops, Auditor];
    WebhooksReplay = "webhooks.replay": [Owner, Ops];
    ReconRead = "recon.read": [Owner, Finance, Ops, Auditor] scope "recon:read";
    ReconRun = "recon.run": [Owner, Ops] scope "recon:write";
    FindingsWork = "findings.work": [Owner, Finance];
    FlagsRead = "flags.read": [Owner, Finance, Ops, Auditor];
    FlagsSet = "flags.set": [Owner, Ops];
    AuditRead = "audit.read": [Owner, Finance, Ops, Auditor];
    ConnectionsRead = "connections.read": [Owner, Finance, Ops, Auditor];
    ConnectionsManage = "connections.manage": [Owner];
    StaffRead = "staff.read": [Owner, Auditor];
    StaffManage = "staff.manage": [Owner];
    TenantManage = "tenant.manage": [Owner];
    /// All tenants: the platform owner alone, see [`Permission::is_platform`].
    TenantsManage = "tenants.manage": [Owner];
}

impl Permission {
    /// Whether only the platform owner has it.
    pub fn is_platform(self) -> bool {
        self == Self::TenantsManage
    }

    /// Whether a caller has it.
    pub fn allows(self, role: Role, scopes: &[String], platform: bool) -> bool {
        if self.is_platform() && !platform {
            return false;
        }
        match role {
            Role::Service => self
                .scope()
                .is_some_and(|it| scopes.iter().any(|scope| scope == it)),
            role => self.roles().contains(&role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_what_its_scopes_name_and_nothing_else() {
        let scopes = ["ledger:read".to_owned()];
        for it in Permission::ALL {
            let expected = *it == Permission::LedgerRead;
            assert_eq!(
                it.allows(Role::Service, &scopes, false),
                expected,
                "{}",
                it.as_str()
            );
            assert!(!it.allows(Role::Service, &[], false), "{}", it.as_str());
        }
    }

    #[test]
    fn a_player_has_the_own_wallet_and_staff_has_no_players_wallet() {
        for it in Permission::ALL {
            let own = *it == Permission::OwnWallet;
            assert_eq!(it.allows(Role::Player, &[], false), own, "{}", it.as_str());
            for role in Role::STAFF {
                assert!(!(own && it.allows(role, &[], true)));
            }
        }
    }

    #[test]
    fn an_owner_has_everything_of_staff_and_tenants_only_on_the_platform() {
        for it in Permission::ALL.iter().filter(|it| **it != Permission::OwnWallet) {
            assert!(it.allows(Role::Owner, &[], true), "{}", it.as_str());
            assert_eq!(
                it.allows(Role::Owner, &[], false),
                !it.is_platform(),
                "{}",
                it.as_str()
            );
        }
    }
}
