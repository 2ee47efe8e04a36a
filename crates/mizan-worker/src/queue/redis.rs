//! The queue on Redis Streams: one stream with one consumer group. Commands of Redis 7.0 and older only.
//!
//! All keys share one hash tag, so that a cluster keeps them together. A message is removed once its job is
//! claimed, so the stream holds what is on its way, and XLEN is its length.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use ::redis::streams::{
    StreamAutoClaimReply, StreamId, StreamInfoConsumersReply, StreamRangeReply, StreamReadReply,
};
use ::redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, cmd};
use async_trait::async_trait;
use chrono::DateTime;
use mizan_core::Timestamp;
use tokio::sync::Mutex;

pub use self::connection::{Connect, Connection};
use super::{Backlog, Beat, Message, Queue, QueueError, Result};

const GROUP: &str = "workers";
/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so long without a word, a consumer that has nothing is forgotten.
const GONE: Duration = Duration::from_hours(1);

pub struct RedisQueue {
    connect: Arc<dyn Connect>,
    stream: String,
    workers: String,
    commands: Mutex<Option<Connection>>,
    /// A connection of its own: a read that waits would hold up everybody else on a shared one.
    reading: Mutex<Option<(Connection, Duration)>>,
}

impl RedisQueue {
    /// `name` tells the queues of installations apart that share a Redis.
    pub fn new(connect: Arc<dyn Connect>, name: &str) -> Self {
        Self {
            connect,
            stream: format!("mizan:{{{name}}}:stream"),
            workers: format!("mizan:{{{name}}}:workers"),
            commands: Mutex::new(None),
            reading: Mutex::new(None),
        }
    }

    /// The shared connection; it is opened where there is none.
    async fn connection(&self) -> Result<Connection> {
        let mut kept = self.commands.lock().await;
        if let Some(connection) = &*kept {
            return Ok(connection.clone());
        }
        let made = self.connect.connect(PATIENCE).await.map_err(away)?;
        *kept = Some(made.clone());
        Ok(made)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let mut connection = self.connection().await?;
        let answer = command.query_async(&mut connection).await;
        self.judge(answer).await
    }

    async fn ask_all(&self, pipeline: &Pipeline) -> Result<()> {
        let mut connection = self.connection().await?;
        let answer = pipeline.exec_async(&mut connection).await;
        self.judge(answer).await
    }

    /// A connection that failed is not used again: the next command asks anew who the master is.
    async fn judge<T>(&self, answer: RedisResult<T>) -> Result<T> {
        match answer {
            Ok(value) => Ok(value),
            Err(error) if is_about_the_group(&error) || error.code() == Some("ERR") => Err(refused(error)),
            Err(error) => {
                *self.commands.lock().await = None;
                Err(away(error))
            }
        }
    }

    /// Makes stream and group, from the first message on: what was pushed before there was a group counts too.
    async fn make_group(&self) -> Result<()> {
        let mut command = cmd("XGROUP");
        command
            .arg("CREATE")
            .arg(&self.stream)
            .arg(GROUP)
            .arg("0")
            .arg("MKSTREAM");
        match self.ask::<()>(&command).await {
            Err(QueueError::Refused(_)) => Ok(()), // it is there
            made => made,
        }
    }

    async fn read(&self, worker: &str, limit: usize, wait: Duration) -> RedisResult<StreamReadReply> {
        let mut kept = self.reading.lock().await;
        let patience = wait + PATIENCE;
        // What is kept is given back only after it answered, so a connection that hangs is not used again.
        let mut connection = match kept.take() {
            Some((connection, kept_for)) if kept_for >= patience => connection,
            _ => self.connect.connect(patience).await?,
        };
        let mut command = cmd("XREADGROUP");
        command
            .arg("GROUP")
            .arg(GROUP)
            .arg(worker)
            .arg("COUNT")
            .arg(limit);
        command.arg("BLOCK").arg(wait.as_millis().max(1).to_string());
        command.arg("STREAMS").arg(&self.stream).arg(">");
        let reply = command.query_async(&mut connection).await;
        if reply.as_ref().map_or_else(is_about_the_group, |_| true) {
            *kept = Some((connection, patience));
        }
        reply
    }

    /// Forgets consumers of workers that were killed and never came back.
    async fn forget_the_gone(&self) -> Result<()> {
        let mut command = cmd("XINFO");
        command.arg("CONSUMERS").arg(&self.stream).arg(GROUP);
        let all: StreamInfoConsumersReply = self.ask(&command).await?;
        let gone = |idle: usize| Duration::from_millis(idle as u64) > GONE;
        for it in all.consumers.iter().filter(|it| it.pending == 0 && gone(it.idle)) {
            self.leave(&it.name).await?;
        }
        Ok(())
    }
}

/// After FLUSHALL the group is gone, also for one who waits; a second one that makes it finds it there.
fn is_about_the_group(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOGROUP" | "BUSYGROUP" | "UNBLOCKED"))
}

fn away(error: RedisError) -> QueueError {
    QueueError::Away(Box::new(error))
}

fn refused(error: RedisError) -> QueueError {
    QueueError::Refused(Box::new(error))
}

/// An entry that names no job is none of ours; its id is 0, which no job has, so it is settled like any other.
fn message(it: StreamId) -> Message {
    Message {
        job: it.get("job").unwrap_or_default(),
        entry: it.id,
    }
}

#[async_trait]
impl Queue for RedisQueue {
    fn name(&self) -> &str {
        &self.stream
    }

    async fn ping(&self) -> Result<()> {
        self.ask::<String>(&cmd("PING")).await.map(drop)
    }

    async fn push(&self, jobs: &[i64], at: Timestamp) -> Result<()> {
        let mut all = Pipeline::with_capacity(jobs.len());
        for job in jobs {
            all.cmd("XADD").arg(&self.stream).arg("*");
            all.arg("job")
                .arg(*job)
                .arg("at")
                .arg(at.timestamp_micros())
                .ignore();
        }
        self.ask_all(&all).await
    }

    async fn take(&self, worker: &str, limit: usize, wait: Duration) -> Result<Vec<Message>> {
        let reply = match self.read(worker, limit, wait).await {
            Err(error) if is_about_the_group(&error) => {
                self.make_group().await?;
                self.read(worker, limit, wait).await
            }
            reply => reply,
        };
        let entries = reply.map_err(away)?.keys.into_iter().flat_map(|it| it.ids);
        Ok(entries.map(message).collect())
    }

    async fn settle(&self, messages: &[Message]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let entries: Vec<&str> = messages.iter().map(|it| it.entry.as_str()).collect();
        let mut both = Pipeline::with_capacity(2);
        both.cmd("XACK")
            .arg(&self.stream)
            .arg(GROUP)
            .arg(&entries)
            .ignore();
        both.cmd("XDEL").arg(&self.stream).arg(&entries).ignore();
        self.ask_all(&both).await
    }

    async fn reclaim(&self, worker: &str, idle: Duration, limit: usize) -> Result<Vec<Message>> {
        let mut command = cmd("XAUTOCLAIM");
        command.arg(&self.stream).arg(GROUP).arg(worker);
        command
            .arg(idle.as_millis().to_string())
            .arg("0-0")
            .arg("COUNT")
            .arg(limit);
        let reply = match self.ask::<StreamAutoClaimReply>(&command).await {
            Err(QueueError::Refused(_)) => return Ok(Vec::new()), // no group, so nobody has anything
            reply => reply?,
        };
        self.forget_the_gone().await?;
        Ok(reply.claimed.into_iter().map(message).collect())
    }

    async fn backlog(&self) -> Result<Backlog> {
        let messages = self.ask(cmd("XLEN").arg(&self.stream)).await?;
        let mut first = cmd("XRANGE");
        first.arg(&self.stream).arg("-").arg("+").arg("COUNT").arg(1);
        let range: StreamRangeReply = self.ask(&first).await?;
        let at = range.ids.first().and_then(|it| it.get::<i64>("at"));
        Ok(Backlog {
            messages,
            oldest: at.and_then(DateTime::from_timestamp_micros),
        })
    }

    async fn leave(&self, worker: &str) -> Result<()> {
        self.ask::<()>(cmd("HDEL").arg(&self.workers).arg(worker)).await?;
        let mut command = cmd("XGROUP");
        command
            .arg("DELCONSUMER")
            .arg(&self.stream)
            .arg(GROUP)
            .arg(worker);
        match self.ask::<()>(&command).await {
            Err(QueueError::Refused(_)) => Ok(()), // there is no stream, so nobody reads it
            left => left,
        }
    }

    async fn beat(&self, beat: &Beat, stale: Duration) -> Result<()> {
        let text = serde_json::to_string(beat).map_err(|it| QueueError::Refused(Box::new(it)))?;
        self.ask::<()>(cmd("HSET").arg(&self.workers).arg(&beat.worker).arg(text))
            .await?;
        for it in self.beats().await? {
            if (beat.at - it.at).to_std().unwrap_or_default() > stale {
                self.ask::<()>(cmd("HDEL").arg(&self.workers).arg(&it.worker))
                    .await?;
            }
        }
        Ok(())
    }

    async fn beats(&self) -> Result<Vec<Beat>> {
        let all: Vec<String> = self.ask(cmd("HVALS").arg(&self.workers)).await?;
        Ok(all
            .iter()
            .filter_map(|it| serde_json::from_str(it).ok())
            .collect())
    }
}
