//! Tenants, players, staff, API keys, connections, flags, the audit log and idempotency keys: every method once,
//! through the trait objects that flows use.

use mizan_core::{ApiKeyId, PlayerId, StaffId, TenantId};
use mizan_payments::Role;
use mizan_payments::kyc::KycStatus;
use mizan_payments::rollout::Flag;
use mizan_store::Store;
use mizan_store::api_keys::ApiKey;
use mizan_store::audit::{AuditFilter, AuditRow};
use mizan_store::flags::FlagOverride;
use mizan_store::idempotency::{Claim, IdempotencyKey, KeptReply, StoredReply};
use mizan_store::players::PlayerFilter;
use mizan_store::staff::NewStaff;
use mizan_store::{Page, Start, StoreError};

use crate::harness::{at, bench, counted, player};

#[tokio::test]
async fn the_tenant_and_its_players() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    tx.set_kyc_required(true).await.unwrap();
    let own = tx.own_tenant().await.unwrap();
    assert_eq!(
        (own.key.as_str(), own.kyc_required, own.created_at),
        ("default", true, at(0))
    );
    assert_eq!(tx.tenant(), bench.tenant);

    let twin = player(PlayerId::new(), "ada@example.com");
    assert!(!tx.insert_player(&twin).await.unwrap());
    let before = tx
        .set_kyc(bench.player, KycStatus::Approved, at(5))
        .await
        .unwrap();
    assert_eq!(before, Some(KycStatus::None));
    assert_eq!(
        tx.set_kyc(PlayerId::new(), KycStatus::Approved, at(5))
            .await
            .unwrap(),
        None
    );
    let filter = PlayerFilter {
        email: Some("ada@example.com".into()),
        kyc: Some(KycStatus::Approved),
    };
    let page = tx.players(&filter, &counted(5)).await.unwrap();
    assert_eq!(
        (page.total, page.items[0].kyc_reviewed_at),
        (Some(1), Some(at(5)))
    );

    tx.commit().await.unwrap();
    let mut foreign = bench.store.read(TenantId(99)).await.unwrap();
    assert_eq!(foreign.player(bench.player).await.unwrap(), None);
    let nobody = foreign.players(&PlayerFilter::default(), &counted(5)).await;
    assert_eq!(nobody.unwrap().total, Some(0));
}

#[tokio::test]
async fn staff_is_kept_disabled_and_listed() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let staff = NewStaff {
        id: StaffId::new(),
        email: "boss@example.com".into(),
        password_hash: "h".into(),
        role: Role::Owner,
        platform: true,
        created_at: at(1),
    };
    assert!(tx.insert_staff(&staff).await.unwrap());
    let twin = NewStaff {
        id: StaffId::new(),
        ..staff.clone()
    };
    assert!(!tx.insert_staff(&twin).await.unwrap());
    assert!(tx.set_staff_disabled(staff.id, Some(at(6))).await.unwrap());
    assert!(!tx.set_staff_disabled(StaffId::new(), None).await.unwrap());
    let seen = tx.staff(staff.id).await.unwrap().unwrap();
    assert_eq!(
        (seen.role, seen.platform, seen.disabled_at),
        (Role::Owner, true, Some(at(6)))
    );
    assert_eq!(tx.staff_list(&counted(5)).await.unwrap().items, [seen]);
    tx.commit().await.unwrap();

    let mut foreign = bench.store.read(TenantId(99)).await.unwrap();
    assert_eq!(foreign.staff(staff.id).await.unwrap(), None);
}

#[tokio::test]
async fn api_keys_and_connections() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let key = ApiKey {
        id: ApiKeyId::new(),
        tenant: bench.tenant,
        name: "ci".into(),
        prefix: "mz_1".into(),
        hash: [7; 32],
        scopes: vec!["ledger:write".into(), "a\"b".into()],
        created_at: at(1),
        revoked_at: None,
    };
    assert!(tx.insert_api_key(&key).await.unwrap());
    let twin = ApiKey {
        id: ApiKeyId::new(),
        ..key.clone()
    };
    assert!(!tx.insert_api_key(&twin).await.unwrap());
    assert_eq!(
        tx.api_keys(&counted(5)).await.unwrap().items,
        std::slice::from_ref(&key)
    );
    assert!(tx.revoke_api_key(key.id, at(2)).await.unwrap());
    assert!(!tx.revoke_api_key(key.id, at(3)).await.unwrap());

    assert!(!tx.insert_connection(&bench.connection()).await.unwrap());
    assert_eq!(
        tx.connection(&bench.provider).await.unwrap(),
        Some(bench.connection())
    );
    assert_eq!(tx.connections().await.unwrap(), [bench.connection()]);
}

#[tokio::test]
async fn flags_and_the_audit_log() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let flag = FlagOverride {
        flag: Flag::LedgerEnforceBalance,
        value: true,
        reason: "r".into(),
        set_by: "staff:1".into(),
        set_at: at(1),
    };
    tx.set_flag_override(&flag).await.unwrap();
    let changed = FlagOverride { value: false, ..flag };
    tx.set_flag_override(&changed).await.unwrap();
    assert_eq!(tx.flag_overrides().await.unwrap(), [changed]);

    for (subject, action) in [("w1", "withdrawal.approve"), ("w2", "withdrawal.reject")] {
        let row = AuditRow {
            id: 0,
            at: at(1),
            actor: "staff:1".into(),
            actor_role: Some("finance".into()),
            action: action.into(),
            subject_type: "withdrawal".into(),
            subject_id: subject.into(),
            from_state: Some("requested".into()),
            to_state: None,
            reason: None,
            request_id: None,
            details: Some("{}".into()),
        };
        tx.append_audit(&row).await.unwrap();
    }
    let of_subject = AuditFilter {
        subject_type: Some("withdrawal".into()),
        subject_id: Some("w1".into()),
        ..AuditFilter::default()
    };
    let of_action = AuditFilter {
        action: Some("withdrawal.reject".into()),
        ..AuditFilter::default()
    };
    for (filter, id) in [(of_subject, 1), (of_action, 2)] {
        let page = tx.audit(&filter, &counted(5)).await.unwrap();
        assert_eq!((page.items[0].id, page.total), (id, Some(1)), "{filter:?}");
    }
    let after = Page {
        start: Start::After(2),
        ..Page::first(5)
    };
    assert_eq!(
        tx.audit(&AuditFilter::default(), &after)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test]
async fn a_key_is_claimed_and_replayed() {
    let bench = bench().await;
    let key = IdempotencyKey {
        route: "POST /x".into(),
        key: "k".into(),
    };
    let reply = StoredReply {
        status: 201,
        body: "{}".into(),
    };
    let mut tx = bench.begin().await;
    assert_eq!(tx.claim_key(&key, b"f", at(1)).await.unwrap(), Claim::New);
    drop(tx);
    let mut tx = bench.begin().await;
    assert_eq!(
        tx.claim_key(&key, b"f", at(1)).await.unwrap(),
        Claim::New,
        "what failed burns no key"
    );
    tx.keep_reply(&key, &reply).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = bench.begin().await;
    let used = Claim::Used {
        fingerprint: b"f".to_vec(),
        reply: reply.clone(),
    };
    assert_eq!(tx.claim_key(&key, b"other", at(2)).await.unwrap(), used);
    assert!(tx.keep_reply(&key, &reply).await.is_err(), "a reply is kept once");
    drop(tx);
    let mut foreign = bench.store.begin(TenantId(99)).await.unwrap();
    assert_eq!(foreign.claim_key(&key, b"f", at(1)).await.unwrap(), Claim::New);
}

#[tokio::test]
async fn a_reply_is_kept_with_a_new_key_once() {
    let bench = bench().await;
    let key = IdempotencyKey {
        route: "POST /x".into(),
        key: "k".into(),
    };
    let reply = KeptReply {
        key: &key,
        fingerprint: b"f",
        status: 200,
        body: "{}",
    };
    let mut tx = bench.begin().await;
    assert!(tx.used_keys(&[&key]).await.unwrap().is_empty());
    tx.insert_replies(&[reply], at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = bench.begin().await;
    let used = tx.used_keys(&[&key]).await.unwrap();
    assert_eq!(
        (used[&key].reply.body.as_str(), used[&key].fingerprint.as_slice()),
        ("{}", &b"f"[..])
    );
    let again = tx.insert_replies(&[reply], at(2)).await;
    assert!(matches!(again, Err(StoreError::Collision { .. })), "{again:?}");
}
