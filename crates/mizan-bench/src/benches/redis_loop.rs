//! The yardstick of `queue`: messages through a Redis stream, with nothing behind them.

use std::time::Duration;

use anyhow::Context;
use futures::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamReadReply;
use redis::{AsyncConnectionConfig, Client, cmd};

use crate::timing::{self, Latencies};

const STREAM: &str = "yardstick";
const GROUP: &str = "readers";

/// Messages a second that so many clients send, read and settle, each one after the other.
pub async fn rate(url: &str, clients: usize, lasting: Duration) -> anyhow::Result<f64> {
    let mut setup = connect(url).await?;
    start_over(&mut setup).await?;
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(connect(url).await?);
    }
    let began = timing::now();
    let loops = connections
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| async move {
            let (name, mut done) = (format!("reader-{number}"), 0_u64);
            while began.elapsed() < lasting {
                send(&mut connection, "0").await?;
                done += u64::from(receive(&mut connection, &name).await?.is_some());
            }
            anyhow::Ok(done)
        });
    let done = try_join_all(loops).await?;
    Ok(timing::rate(done.iter().sum(), began.elapsed()))
}

/// How long a message takes from one client to another that waits for it, one at a time.
pub async fn hand_over(url: &str, messages: u64, gap: Duration) -> anyhow::Result<Latencies> {
    let (mut sender, mut reader) = (connect(url).await?, connect(url).await?);
    start_over(&mut sender).await?;
    let began = timing::now();
    let sending = async {
        for _ in 0..messages {
            let at = began.elapsed().as_micros().to_string();
            send(&mut sender, &at).await?;
            tokio::time::sleep(gap).await;
        }
        anyhow::Ok(())
    };
    let reading = async {
        let mut latencies = Latencies::default();
        while (latencies.len() as u64) < messages {
            if let Some(at) = receive(&mut reader, "reader").await? {
                latencies.push(began.elapsed().saturating_sub(Duration::from_micros(at.parse()?)));
            }
        }
        anyhow::Ok(latencies)
    };
    Ok(tokio::try_join!(sending, reading)?.1)
}

async fn connect(url: &str) -> anyhow::Result<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(10)));
    let client = Client::open(url)?;
    Ok(client
        .get_multiplexed_async_connection_with_config(&patient)
        .await?)
}

/// An empty stream with its group.
async fn start_over(connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
    cmd("DEL").arg(STREAM).exec_async(connection).await?;
    let mut group = cmd("XGROUP");
    group
        .arg("CREATE")
        .arg(STREAM)
        .arg(GROUP)
        .arg("$")
        .arg("MKSTREAM");
    Ok(group.exec_async(connection).await?)
}

async fn send(connection: &mut MultiplexedConnection, at: &str) -> anyhow::Result<()> {
    let mut add = cmd("XADD");
    add.arg(STREAM).arg("*").arg("job").arg(1).arg("at").arg(at);
    Ok(add.exec_async(connection).await?)
}

/// Waits for one message, settles it, and returns what it says.
async fn receive(connection: &mut MultiplexedConnection, name: &str) -> anyhow::Result<Option<String>> {
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP").arg(GROUP).arg(name).arg("COUNT").arg(1);
    read.arg("BLOCK").arg(1_000).arg("STREAMS").arg(STREAM).arg(">");
    let reply: StreamReadReply = read.query_async(connection).await?;
    let Some(entry) = reply.keys.first().and_then(|it| it.ids.first()) else {
        return Ok(None);
    };
    let at = entry.get("at").context("a message without its time")?;
    cmd("XACK")
        .arg(STREAM)
        .arg(GROUP)
        .arg(&entry.id)
        .exec_async(connection)
        .await?;
    cmd("XDEL")
        .arg(STREAM)
        .arg(&entry.id)
        .exec_async(connection)
        .await?;
    Ok(Some(at))
}
