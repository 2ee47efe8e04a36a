//! The queue contract, the same for the queue in memory and the one on a real Redis.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use mizan_core::Timestamp;
use mizan_testkit::{Persistence, Redis, shared_redis};
use mizan_worker::queue::memory::MemoryQueue;
use mizan_worker::queue::redis::{Connect, Connection, RedisQueue};
use mizan_worker::queue::{Beat, Message, Queue, QueueError};
use redis::{AsyncConnectionConfig, Client, RedisResult};

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(20);

struct Server(Client);

#[async_trait]
impl Connect for Server {
    async fn connect(&self, patience: Duration) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience));
        let made = self
            .0
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Connection::Server(made))
    }
}

fn on(url: &str) -> RedisQueue {
    let client = Client::open(url).expect("a URL");
    RedisQueue::new(Arc::new(Server(client)), "jobs")
}

async fn on_redis() -> RedisQueue {
    let redis = shared_redis().await.expect("Redis starts");
    on(&redis.fresh_url().expect("a database of it"))
}

fn at(second: i64) -> Timestamp {
    DateTime::from_timestamp(1_767_225_600 + second, 0).expect("a time")
}

fn jobs(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|it| it.job).collect()
}

async fn carries_each_job_once_and_in_order(queue: &dyn Queue) {
    assert!(queue.take("one", 10, SHORT).await.unwrap().is_empty());
    queue.push(&[1, 2, 3, 4, 5], at(0)).await.unwrap();
    let first = queue.take("one", 3, LONG).await.unwrap();
    let second = queue.take("two", 3, LONG).await.unwrap();
    assert_eq!((jobs(&first), jobs(&second)), (vec![1, 2, 3], vec![4, 5]));
    assert!(queue.take("two", 3, SHORT).await.unwrap().is_empty());
    let backlog = queue.backlog().await.unwrap();
    assert_eq!(
        (backlog.messages, backlog.oldest),
        (5, Some(at(0))),
        "taken is not settled"
    );
    queue.push(&[6], at(7)).await.unwrap();
    queue.settle(&first).await.unwrap();
    queue.settle(&second).await.unwrap();
    let backlog = queue.backlog().await.unwrap();
    assert_eq!((backlog.messages, backlog.oldest), (1, Some(at(7))));
}

async fn gives_what_a_dead_worker_had_to_another(queue: &dyn Queue) {
    queue.push(&[1, 2], at(0)).await.unwrap();
    let lost = queue.take("dead", 2, LONG).await.unwrap();
    assert!(
        queue.reclaim("heir", LONG, 10).await.unwrap().is_empty(),
        "not while it may live"
    );
    let mut heirs = queue.reclaim("heir", Duration::ZERO, 10).await.unwrap();
    heirs.sort_by_key(|it| it.job);
    assert_eq!(heirs, lost);
    queue.settle(&heirs).await.unwrap();
    assert!(
        queue
            .reclaim("heir", Duration::ZERO, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(queue.backlog().await.unwrap().messages, 0);
}

async fn wakes_one_who_waits(queue: Arc<dyn Queue>) {
    queue.take("one", 1, SHORT).await.unwrap();
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.take("one", 1, LONG).await }
    });
    queue.push(&[42], at(0)).await.unwrap();
    let taken = tokio::time::timeout(LONG, waiting).await.expect("it wakes up");
    assert_eq!(jobs(&taken.unwrap().unwrap()), [42]);
}

async fn shares_work_between_many(queue: Arc<dyn Queue>) {
    let ids: Vec<i64> = (1..=500).collect();
    queue.push(&ids, at(0)).await.unwrap();
    let takers = (0..5).map(|number| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move {
            let (name, mut mine) = (format!("taker-{number}"), Vec::new());
            loop {
                let messages = queue.take(&name, 7, SHORT).await.unwrap();
                if messages.is_empty() {
                    return mine;
                }
                queue.settle(&messages).await.unwrap();
                mine.extend(jobs(&messages));
            }
        })
    });
    let mut all = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        all.extend(taker.await.unwrap());
    }
    assert_eq!(all.len(), 500, "none twice");
    assert_eq!(
        all.into_iter().collect::<BTreeSet<_>>().len(),
        500,
        "none left out"
    );
}

async fn knows_who_lives(queue: &dyn Queue) {
    let beat = |worker: &str, second| Beat {
        worker: worker.to_owned(),
        host: "here".to_owned(),
        version: "1".to_owned(),
        at: at(second),
        running: 1,
        concurrency: 2,
    };
    let stale = Duration::from_secs(20);
    queue.beat(&beat("old", 0), stale).await.unwrap();
    queue.beat(&beat("young", 10), stale).await.unwrap();
    assert_eq!(queue.beats().await.unwrap().len(), 2);
    queue.beat(&beat("young", 25), stale).await.unwrap();
    assert_eq!(queue.beats().await.unwrap(), [beat("young", 25)]);
    queue.leave("young").await.unwrap();
    assert!(queue.beats().await.unwrap().is_empty());
}

macro_rules! on_every_queue {
    ($($name:ident(&))* $(; $shared:ident(Arc))*) => {
        mod memory {
            use super::*;
            $(#[tokio::test] async fn $name() { super::$name(&MemoryQueue::new()).await; })*
            $(#[tokio::test] async fn $shared() { super::$shared(Arc::new(MemoryQueue::new())).await; })*
        }
        mod redis_streams {
            use super::*;
            $(#[tokio::test] async fn $name() { super::$name(&on_redis().await).await; })*
            $(#[tokio::test] async fn $shared() { super::$shared(Arc::new(on_redis().await)).await; })*
        }
    };
}

on_every_queue! {
    carries_each_job_once_and_in_order(&)
    gives_what_a_dead_worker_had_to_another(&)
    knows_who_lives(&)
    ; wakes_one_who_waits(Arc)
    ; shares_work_between_many(Arc)
}

#[tokio::test]
async fn a_redis_that_is_away_is_an_error_and_one_that_is_back_is_used_again() {
    let server = Redis::start().await.expect("Redis starts");
    let queue = on(&server.url());
    queue.push(&[1], at(0)).await.unwrap();
    server.kill9().await.expect("it dies");
    for refused in [
        queue.push(&[2], at(0)).await.err(),
        queue.take("one", 1, SHORT).await.err(),
        queue.ping().await.err(),
    ] {
        assert!(matches!(refused, Some(QueueError::Away(_))), "{refused:?}");
    }
    server
        .restart(Persistence::None)
        .await
        .expect("it is back, empty");
    queue.push(&[3], at(0)).await.unwrap();
    let taken = queue.take("one", 5, LONG).await.unwrap();
    assert_eq!(jobs(&taken), [3]);
}

#[tokio::test]
async fn a_flush_under_one_who_waits_costs_nothing_but_the_messages() {
    let server = Redis::start().await.expect("Redis starts");
    let queue = Arc::new(on(&server.url()));
    queue.push(&[1], at(0)).await.unwrap();
    let taken = queue.take("one", 1, LONG).await.unwrap();
    queue.settle(&taken).await.unwrap();
    server.flush().await.expect("it forgets");
    assert!(queue.reclaim("one", SHORT, 1).await.unwrap().is_empty());
    queue.push(&[2], at(0)).await.unwrap();
    assert_eq!(jobs(&queue.take("one", 1, LONG).await.unwrap()), [2]);
}

#[tokio::test]
async fn what_is_none_of_ours_is_settled_like_any_other() {
    let server = Redis::start().await.expect("Redis starts");
    let queue = on(&server.url());
    server
        .command(&["XADD", "mizan:{jobs}:stream", "*", "what", "this"])
        .await
        .expect("an entry");
    let taken = queue.take("one", 5, LONG).await.unwrap();
    assert_eq!(jobs(&taken), [0], "no job has this id");
    queue.settle(&taken).await.unwrap();
    let backlog = queue.backlog().await.unwrap();
    assert_eq!((backlog.messages, backlog.oldest), (0, None));
}
