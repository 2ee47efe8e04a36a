//! Players: the people whose money the operator holds.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{PlayerId, Timestamp};
use mizan_payments::kyc::KycStatus;

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    pub id: PlayerId,
    /// Lower case; unique per tenant.
    pub email: String,
    pub username: String,
    pub kyc: KycStatus,
    pub kyc_reviewed_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct NewPlayer {
    pub id: PlayerId,
    pub email: String,
    pub username: String,
    /// An argon2 hash in PHC form.
    pub password_hash: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Default)]
pub struct PlayerFilter {
    /// Exact, lower case.
    pub email: Option<String>,
    pub kyc: Option<KycStatus>,
}

#[async_trait]
pub trait Players {
    /// Inserts a player; `false` if the tenant has the email already.
    async fn insert_player(&mut self, player: &NewPlayer) -> Result<bool>;

    async fn player(&mut self, id: PlayerId) -> Result<Option<Player>>;

    /// Those of these players that there are.
    async fn known_players(&mut self, ids: &[PlayerId]) -> Result<HashSet<PlayerId>>;

    /// Newest first.
    async fn players(
        &mut self,
        filter: &PlayerFilter,
        page: &Page<PlayerId>,
    ) -> Result<Paged<Player, PlayerId>>;

    /// Sets the status and returns the one before; `None` if there is no such player.
    async fn set_kyc(&mut self, id: PlayerId, status: KycStatus, at: Timestamp) -> Result<Option<KycStatus>>;
}
