//! The table of withdrawals: what each command does in each state, and what it costs.

use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::{TestApp, on_every_store};
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::psp::Psp;
use crate::verbs::Player;

const COMMANDS: [(&str, &str); 6] = [
    ("approve", "approved"),
    ("reject", "rejected"),
    ("cancel", "cancelled"),
    ("payout", "payout_pending"),
    ("mark-paid", "paid"),
    ("retry", "payout_pending"),
];

/// Columns as in [`COMMANDS`]. m = moves, . = holds already, x = refused.
const TABLE: [(&str, &str); 8] = [
    ("requested", "mmmxxx"),
    ("approved", ".xxmmm"),
    ("rejected", "x.xxxx"),
    ("cancelled", "xx.xxx"),
    ("payout_pending", "xxx.x."),
    ("payout_unknown", "xxxxxx"),
    ("payout_failed", "xmxmxm"),
    ("paid", "xxxx.x"),
];

/// The parties of a test, and a provider that does as it is told.
struct Scene {
    app: Mizan,
    psp: Psp,
    finance: TestApp,
    player: Player,
}

impl Scene {
    async fn set(mut app: Mizan) -> Self {
        let psp = Psp::beside(&mut app, Vec::new()).await;
        let finance = app.staff("finance").await;
        let player = app.player_with("1000.00").await;
        Self {
            app,
            psp,
            finance,
            player,
        }
    }

    /// Makes a withdrawal of 1.00 and brings it to a state by the ways that lead there.
    async fn withdrawal_that_is(&self, state: &str) -> String {
        let id = self.player.withdrawal("1.00").await;
        let (steps, fault): (&[&str], _) = match state {
            "requested" => (&[], None),
            "approved" => (&["approve"], None),
            "rejected" => (&["reject"], None),
            "cancelled" => (&["cancel"], None),
            "paid" => (&["approve", "mark-paid"], None),
            "payout_pending" => (&["approve", "payout"], Some(Fault::WebhookDelay)),
            "payout_unknown" => (&["approve", "payout"], Some(Fault::PayoutErrorBefore)),
            "payout_failed" => (&["approve", "payout"], Some(Fault::PayoutFailure)),
            other => panic!("there is no way to {other}"),
        };
        if let Some(fault) = fault {
            self.psp.always(fault);
        }
        for step in steps {
            self.app.tell(&self.finance, &id, step).await.expect(200);
        }
        self.app.wait_for_state(&id, state).await;
        if state == "payout_failed" {
            self.psp.never(Fault::PayoutFailure);
        }
        id
    }

    async fn everything_about(&self, id: &str) -> (Value, usize, usize) {
        let attempts = self.app.attempts(id).await.len();
        let audit = self.app.audit_of(id).await.len();
        (self.app.shown(id).await, attempts, audit)
    }

    /// A command that is refused or asks for what already holds changes nothing at all.
    async fn stays(&self, id: &str, state: &str, command: &str, refused: bool) {
        let before = self.everything_about(id).await;
        let reply = self.app.tell(&self.finance, id, command).await;
        if refused {
            let reply = reply.expect_error(409, "INVALID_STATE_TRANSITION");
            assert_eq!(reply.body["current_state"], state, "{command} of {state}");
        } else {
            assert_eq!(reply.expect(200).body["state"], state, "{command} of {state}");
        }
        assert_eq!(self.everything_about(id).await, before, "{command} of {state}");
    }
}

on_every_store! {
    async fn each_command_does_in_each_state_what_the_table_says(app: Mizan) {
        let scene = Scene::set(app).await;
        for (state, row) in TABLE {
            let stays = scene.withdrawal_that_is(state).await;
            let postings = scene.app.postings(&stays).await;
            for ((command, to), cell) in COMMANDS.into_iter().zip(row.chars()) {
                if cell != 'm' {
                    scene.stays(&stays, state, command, cell == 'x').await;
                    continue;
                }
                let moves = scene.withdrawal_that_is(state).await;
                let reply = scene.app.tell(&scene.finance, &moves, command).await.expect(200);
                assert_eq!(reply.body["state"], to, "{command} of {state}");
            }
            assert_eq!(scene.app.postings(&stays).await, postings, "{state}");
            for fault in [Fault::WebhookDelay, Fault::PayoutErrorBefore] {
                scene.psp.never(fault);
            }
            scene.psp.release();
        }
        scene.app.expect_sound_ledger().await;
    }

    async fn each_end_of_a_withdrawal_moves_the_hold_once(app: Mizan) {
        let scene = Scene::set(app).await;
        for (state, end, available) in [
            ("rejected", "withdrawal_release", "1000.00"),
            ("cancelled", "withdrawal_release", "1000.00"),
            ("paid", "withdrawal_paid", "999.00"),
        ] {
            let id = scene.withdrawal_that_is(state).await;
            assert_eq!(scene.app.kinds(&id).await, ["withdrawal_hold", end], "{state}");
            assert_eq!(scene.player.balance().await, (available.into(), "0.00".into()), "{state}");
        }
        scene.app.expect_sound_ledger().await;
    }

    async fn a_player_cancels_only_what_nobody_has_reviewed_and_only_the_own(app: Mizan) {
        let (ada, bob) = (app.player_with("10.00").await, app.player().await);
        let finance = app.staff("finance").await;
        let cancel = |by: TestApp, id: String| async move {
            by.post(&format!("/api/v1/player/withdrawals/{id}/cancel"), json!({})).await
        };
        let (early, late) = (ada.withdrawal("4.00").await, ada.withdrawal("5.00").await);
        cancel(bob.app, early.clone()).await.expect_error(404, "WITHDRAWAL_NOT_FOUND");
        assert_eq!(cancel(ada.app.clone(), early).await.expect(200).body["state"], "cancelled");
        app.tell(&finance, &late, "approve").await.expect(200);
        let refused = cancel(ada.app.clone(), late).await.expect_error(409, "INVALID_STATE_TRANSITION");
        assert_eq!(refused.body["current_state"], "approved");
        assert_eq!(ada.balance().await, ("5.00".into(), "5.00".into()));
    }

    async fn what_is_no_withdrawal_of_the_tenant_is_not_found(app: Mizan) {
        app.tenant("globex").await;
        let id = app.player_with("10.00").await.withdrawal("4.00").await;
        let stranger = app.staff_of("globex", "finance").await;
        for (command, _) in COMMANDS {
            app.tell(&stranger, &id, command).await.expect_error(404, "WITHDRAWAL_NOT_FOUND");
            let none = "0198a000-0000-7000-8000-000000000000";
            app.tell(&app, none, command).await.expect_error(404, "WITHDRAWAL_NOT_FOUND");
            app.tell(&app, "no-id", command).await.expect_error(404, "WITHDRAWAL_NOT_FOUND");
        }
        assert_eq!(app.shown(&id).await["state"], "requested");
    }
}
