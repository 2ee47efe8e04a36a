//! Passwords: argon2id, off the async threads, and only so many at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::{FlowError, Result};

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    argon: Argon2<'static>,
    seats: Arc<Semaphore>,
    /// The hash of no password: checked when the account does not exist, so that both answers take as long.
    decoy: Arc<str>,
}

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// OWASP's first choice: 19 MiB, two passes.
    Standard,
    /// For tests, which sign in hundreds of people.
    Light,
}

impl Passwords {
    /// The shortest password that is taken.
    pub const MIN_LENGTH: usize = 8;
    const MAX_LENGTH: usize = 256;

    /// `seats` hashes are made at a time at the most.
    pub fn new(cost: Cost, seats: usize) -> Self {
        let params = match cost {
            Cost::Standard => Params::new(19 * 1024, 2, 1, None),
            Cost::Light => Params::new(64, 1, 1, None),
        };
        let argon = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            params.expect("the parameters are in range"),
        );
        let decoy = hash_with(&argon, "a password that nobody has").into();
        Self {
            argon,
            seats: Arc::new(Semaphore::new(seats)),
            decoy,
        }
    }

    /// Checks that a new password may be used, then hashes it.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let length = password.chars().count();
        if length < Self::MIN_LENGTH || password.len() > Self::MAX_LENGTH {
            return Err(FlowError::invalid("password", "use 8 to 256 characters"));
        }
        let (argon, password) = (self.argon.clone(), password.to_owned());
        self.seated(move || hash_with(&argon, &password)).await
    }

    /// Whether a password fits a hash; without a hash, takes as long and says no.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        if password.len() > Self::MAX_LENGTH {
            return Ok(false);
        }
        let (argon, password, known) = (self.argon.clone(), password.to_owned(), hash.is_some());
        let hash = hash.map_or_else(|| self.decoy.to_string(), str::to_owned);
        self.seated(move || {
            let fits = PasswordHash::new(&hash)
                .is_ok_and(|it| argon.verify_password(password.as_bytes(), &it).is_ok());
            fits && known
        })
        .await
    }

    async fn seated<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _seat = self.seats.acquire().await.map_err(|_| FlowError::Interrupted)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| FlowError::Interrupted)
    }
}

fn hash_with(argon: &Argon2<'_>, password: &str) -> String {
    argon
        .hash_password(password.as_bytes())
        .expect("the parameters are in range")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::new(Cost::Light, 2);
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(&hash)).await.unwrap());
        assert!(
            !passwords
                .verify("a password that nobody has", None)
                .await
                .unwrap()
        );
        assert!(passwords.hash("short").await.is_err());
    }
}
