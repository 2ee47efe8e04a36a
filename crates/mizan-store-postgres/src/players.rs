//! Players.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{PlayerId, TenantId, Timestamp};
use mizan_payments::kyc::KycStatus;
use mizan_store::players::{NewPlayer, Player, PlayerFilter, Players};
use mizan_store::{Page, Paged, Result};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::record::Record;
use crate::session::{Param, Session};
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! player_filter {
    () => {
        "FROM players
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR email = $2)
           AND ($3::text IS NULL OR kyc_status = $3)"
    };
}

statements! {
    INSERT = "INSERT INTO players (tenant_id, id, email, username, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT uq_players_email DO NOTHING";
    BY_ID = "SELECT id, email, username, kyc_status, kyc_reviewed_at, created_at FROM players
         WHERE tenant_id = $1 AND id = $2";
    KNOWN = "SELECT id FROM players WHERE tenant_id = $1 AND id = ANY($2)";
    LIST = concat!("SELECT id, email, username, kyc_status, kyc_reviewed_at, created_at ", player_filter!(), "
           AND ($4::uuid IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5 OFFSET $6");
    COUNT = concat!("SELECT count(*) ", player_filter!());
    SET_KYC = "UPDATE players p SET kyc_status = $3, kyc_reviewed_at = $4
         FROM (SELECT id, kyc_status FROM players WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE) AS before
         WHERE p.id = before.id
         RETURNING p.id, before.kyc_status";
    /// In every tenant: one email may have an account with several operators.
    BY_EMAIL = "SELECT tenant_id, id, email, username, kyc_status, kyc_reviewed_at, created_at, password_hash
         FROM players WHERE email = $1 ORDER BY id";
}

fn player(row: &Row) -> Result<Player> {
    let record = Record::new(row, "players", "id");
    Ok(Player {
        id: record.id("id")?,
        email: record.get("email")?,
        username: record.get("username")?,
        kyc: record.word("kyc_status")?,
        kyc_reviewed_at: record.get("kyc_reviewed_at")?,
        created_at: record.get("created_at")?,
    })
}

pub(crate) async fn by_email(session: &Session, email: &str) -> Result<Vec<(TenantId, Player, String)>> {
    let rows = session.rows(BY_EMAIL, &[&email]).await?;
    rows.iter()
        .map(|row| {
            let record = Record::new(row, "players", "id");
            Ok((
                TenantId(record.get("tenant_id")?),
                player(row)?,
                record.get("password_hash")?,
            ))
        })
        .collect()
}

#[async_trait]
impl Players for PgTx {
    async fn insert_player(&mut self, new: &NewPlayer) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &new.email,
                    &new.username,
                    &new.password_hash,
                    &new.created_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn player(&mut self, id: PlayerId) -> Result<Option<Player>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(player).transpose()
    }

    async fn known_players(&mut self, ids: &[PlayerId]) -> Result<HashSet<PlayerId>> {
        let ids: Vec<Uuid> = ids.iter().map(|it| it.0).collect();
        let rows = self.session.rows(KNOWN, &[&self.tenant, &ids]).await?;
        rows.iter()
            .map(|row| Record::new(row, "players", "id").id("id"))
            .collect()
    }

    async fn players(
        &mut self,
        filter: &PlayerFilter,
        page: &Page<PlayerId>,
    ) -> Result<Paged<Player, PlayerId>> {
        let kyc = filter.kyc.map(KycStatus::as_str);
        let filters: [(Param<'_>, Type); 3] = [
            (&self.tenant, Type::INT4),
            (&filter.email, Type::TEXT),
            (&kyc, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, player, |it| it.id)
            .await
    }

    async fn set_kyc(&mut self, id: PlayerId, status: KycStatus, at: Timestamp) -> Result<Option<KycStatus>> {
        let row = self
            .session
            .row(SET_KYC, &[&self.tenant, &id.0, &status.as_str(), &at])
            .await?;
        row.map(|row| Record::new(&row, "players", "id").word("kyc_status"))
            .transpose()
    }
}
