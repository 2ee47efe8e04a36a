//! The first start: the default tenant, its `mockpsp` connection, the signing key and the first owner.

use mizan_core::ProviderKey;
use mizan_mask::Secret;
use mizan_payments::Role;
use mizan_store::connections::Connection;
use mizan_store::tenants::Tenant;

use crate::{App, Caller, FlowError, Result, staff, tenants};

/// Who becomes the first owner, if there is none.
#[derive(Debug, Clone)]
pub enum FirstOwner {
    /// None is made; `mizan admin create` does it.
    Nobody,
    Given {
        email: String,
        password: Secret,
    },
    /// The password is made up and returned once.
    MadeUp {
        email: String,
    },
}

/// What the first start made.
#[derive(Debug)]
pub struct Bootstrapped {
    pub tenant: Tenant,
    /// The email and the password that was made up, to be shown once.
    pub made_up: Option<(String, Secret)>,
}

/// Makes what an installation needs and does not have. Replicas that start at once agree.
pub async fn run(app: &App, owner: &FirstOwner) -> Result<Bootstrapped> {
    app.sessions.ensure_key(app.now()).await?;
    let key = app.settings.default_tenant.clone();
    let (tenant, _) = tenants::ensure(app, &key, key.as_str()).await?;
    let caller = Caller::system(tenant.id, "start", None);

    let provider: ProviderKey = "mockpsp".parse().map_err(|_| FlowError::Interrupted)?;
    let mut tx = app.store.begin(tenant.id).await?;
    let connection = Connection {
        provider,
        tenant: tenant.id,
        kind: "mockpsp".into(),
        merchant_account: None,
        base_url: None,
        created_at: app.now(),
    };
    tx.insert_connection(&connection).await?;
    tx.commit().await?;

    let mut platform = app.store.platform().await?;
    let has_owner = platform.has_owner().await?;
    platform.rollback().await?;
    let mut made_up = None;
    if !has_owner {
        let given = match owner {
            FirstOwner::Nobody => None,
            FirstOwner::Given { email, password } => Some((email, password.clone())),
            FirstOwner::MadeUp { email } => {
                let password = Secret::new(random_password());
                made_up = Some((email.clone(), password.clone()));
                Some((email, password))
            }
        };
        if let Some((email, password)) = given {
            match staff::create(app, &caller, email, password.reveal(), Role::Owner, true).await {
                Ok(_) => {}
                // Another replica was quicker: its password is the one that holds.
                Err(FlowError::Taken(_)) => made_up = None,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Bootstrapped { tenant, made_up })
}

fn random_password() -> String {
    const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..20)
        .map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]))
        .collect()
}
