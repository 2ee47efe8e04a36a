//! Players.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{PlayerId, Timestamp};
use mizan_payments::kyc::KycStatus;
use mizan_store::players::{NewPlayer, Player, PlayerFilter, Players};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp};
use crate::paging::by_id;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_PLAYER = "
        INSERT INTO players (id, tenant_id, email, username, password_hash, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (tenant_id, email) DO NOTHING";

    PLAYER = "
        SELECT id, email, username, kyc_status, kyc_reviewed_at, created_at
        FROM players
        WHERE id = ?1 AND tenant_id = ?2";

    PLAYER_EXISTS = "SELECT id FROM players WHERE id = ?1 AND tenant_id = ?2";

    LIST_PLAYERS = "
        SELECT id, email, username, kyc_status, kyc_reviewed_at, created_at
        FROM players
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR email = ?3)
          AND (?4 IS NULL OR kyc_status = ?4)
        ORDER BY id DESC LIMIT ?5 OFFSET ?6";

    COUNT_PLAYERS = "
        SELECT count(*)
        FROM players
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR email = ?2)
          AND (?3 IS NULL OR kyc_status = ?3)";

    SET_KYC = "UPDATE players SET kyc_status = ?3, kyc_reviewed_at = ?4 WHERE id = ?1 AND tenant_id = ?2";
}

#[async_trait]
impl Players for SqliteTx {
    async fn insert_player(&mut self, player: &NewPlayer) -> Result<bool> {
        let player = player.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(player.id.0),
                tenant,
                player.email,
                player.username,
                player.password_hash,
                stamp(player.created_at)
            ];
            Ok(execute(db, &INSERT_PLAYER, params)? == 1)
        })
        .await
    }

    async fn player(&mut self, id: PlayerId) -> Result<Option<Player>> {
        self.within(move |db, tenant| {
            first(db, &PLAYER, params![id_text(id.0), tenant], "players", player_row)
        })
        .await
    }

    async fn known_players(&mut self, ids: &[PlayerId]) -> Result<HashSet<PlayerId>> {
        let ids = ids.to_vec();
        self.within(move |db, tenant| {
            let mut known = HashSet::new();
            for id in ids {
                let params = params![id_text(id.0), tenant];
                known.extend(first(db, &PLAYER_EXISTS, params, "players", |row| {
                    row.id::<PlayerId>("id")
                })?);
            }
            Ok(known)
        })
        .await
    }

    async fn players(
        &mut self,
        filter: &PlayerFilter,
        page: &Page<PlayerId>,
    ) -> Result<Paged<Player, PlayerId>> {
        let (filter, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let kyc = filter.kyc.map(KycStatus::as_str);
            let params = params![tenant, at.before, filter.email, kyc, at.limit, at.offset];
            let rows = all(db, &LIST_PLAYERS, params, "players", player_row)?;
            let counted = || count(db, &COUNT_PLAYERS, params![tenant, filter.email, kyc]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }

    async fn set_kyc(&mut self, id: PlayerId, status: KycStatus, at: Timestamp) -> Result<Option<KycStatus>> {
        self.within(move |db, tenant| {
            let id = id_text(id.0);
            let Some(player) = first(db, &PLAYER, params![id, tenant], "players", player_row)? else {
                return Ok(None);
            };
            execute_one(db, &SET_KYC, params![id, tenant, status.as_str(), stamp(at)])?;
            Ok(Some(player.kyc))
        })
        .await
    }
}

/// Reads `id, email, username, kyc_status, kyc_reviewed_at, created_at`.
pub(crate) fn player_row(row: &mut Cells<'_>) -> Result<Player> {
    Ok(Player {
        id: row.id("id")?,
        email: row.get("email")?,
        username: row.get("username")?,
        kyc: row.parsed("kyc_status")?,
        kyc_reviewed_at: row.time_opt("kyc_reviewed_at")?,
        created_at: row.time("created_at")?,
    })
}
