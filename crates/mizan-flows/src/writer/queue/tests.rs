//! Who gets in and who is in the next batch, counted in batches.

use std::collections::HashMap;

use mizan_core::TransactionId;
use mizan_ledger::posting::Group;
use mizan_ledger::{NewTransaction, PostingKind};

use super::*;
use crate::Keyed;
use crate::writer::Shape;

const LOUD: TenantId = TenantId(1);
const QUIET: TenantId = TenantId(2);
const BULK: usize = 8_192;

fn request(tenant: TenantId, transactions: usize) -> Request {
    let transaction = NewTransaction {
        id: TransactionId::new(),
        kind: PostingKind::TRANSFER,
        legs: Vec::new(),
        reverses: None,
        reference: None,
        metadata: None,
    };
    Request {
        tenant,
        key: Keyed::new("POST /x", &TransactionId::new().to_string(), b"").expect("a good key"),
        group: Group {
            transactions: vec![transaction; transactions],
            atomic: false,
        },
        accounts: HashMap::new(),
        shape: Shape::Bulk,
    }
}

fn push(queue: &Arc<Queue>, request: Request) -> Result<()> {
    queue.push(request, oneshot::channel().0)
}

async fn next(queue: &Queue) -> Vec<Waiting> {
    queue.next(Vec::new()).await.expect("something waits")
}

/// Pushes until it is refused, and returns how often it was not.
fn flood(queue: &Arc<Queue>, tenant: TenantId, transactions: usize) -> usize {
    (0..100_000)
        .take_while(|_| push(queue, request(tenant, transactions)).is_ok())
        .count()
}

fn of(batch: &[Waiting], tenant: TenantId) -> usize {
    batch.iter().filter(|it| it.request.tenant == tenant).count()
}

/// The flood is renewed before every batch. A single that comes while one batch is being posted is in the next.
#[tokio::test]
async fn a_single_is_in_the_next_batch_whatever_another_tenant_has_waiting() {
    let queue = Arc::new(Queue::new(Bounds::default()));
    assert_eq!(flood(&queue, LOUD, BULK), 4, "half of what may wait");
    for round in 0..50 {
        let under_way = next(&queue).await;
        flood(&queue, LOUD, BULK);
        let refused = push(&queue, request(LOUD, BULK));
        assert!(
            matches!(refused, Err(FlowError::Busy)),
            "round {round}: the flood is refused"
        );
        assert!(
            push(&queue, request(QUIET, 1)).is_ok(),
            "round {round}: others get in"
        );
        let before = queue.batches();
        drop(under_way);
        let batch = next(&queue).await;
        assert_eq!(queue.batches() - before, 1);
        assert_eq!(of(&batch, QUIET), 1, "round {round}");
    }
}

#[tokio::test]
async fn what_was_answered_makes_room_and_what_is_being_posted_does_not() {
    let bounds = Bounds {
        transactions: 80,
        ..Bounds::default()
    };
    let queue = Arc::new(Queue::new(bounds));
    assert_eq!(flood(&queue, LOUD, 10), 4);
    let under_way = next(&queue).await;
    assert_eq!(under_way.len(), 4);
    assert!(push(&queue, request(LOUD, 10)).is_err());
    drop(under_way);
    assert_eq!(flood(&queue, LOUD, 10), 4);
}

#[tokio::test]
async fn memory_is_bounded_as_well_as_the_number_of_transactions() {
    let one = request(LOUD, 10).bytes();
    let bounds = Bounds {
        bytes: one * 4,
        ..Bounds::default()
    };
    let queue = Arc::new(Queue::new(bounds));
    assert_eq!(flood(&queue, LOUD, 10), 2);
    assert_eq!(flood(&queue, QUIET, 10), 1);
    let refused_for_its_size = queue.lock().transactions.total();
    assert_eq!(refused_for_its_size, 30, "what is refused holds nothing");
}

#[tokio::test]
async fn who_waits_when_the_task_ends_is_told_so() {
    let queue = Arc::new(Queue::new(Bounds::default()));
    let (answer, reply) = oneshot::channel();
    assert!(queue.push(request(LOUD, 1), answer).is_ok());
    drop(Serving(Arc::clone(&queue)));
    assert!(reply.await.is_err(), "its answer will not come");
    assert!(matches!(
        push(&queue, request(LOUD, 1)),
        Err(FlowError::Interrupted)
    ));
    assert_eq!(queue.lock().transactions.total(), 0);
}

#[tokio::test]
async fn what_was_taken_in_is_served_before_the_task_ends() {
    let queue = Arc::new(Queue::new(Bounds::default()));
    assert!(push(&queue, request(LOUD, 1)).is_ok());
    drop(Closing(Arc::clone(&queue)));
    assert!(push(&queue, request(LOUD, 1)).is_err());
    assert_eq!(next(&queue).await.len(), 1);
    assert!(queue.next(Vec::new()).await.is_none());
}
