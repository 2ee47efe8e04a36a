//! A client that costs little: keep-alive HTTP/1.1 over one socket a connection, so that what is measured is the
//! server and not the loader on the same cores.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::timing::{self, Latencies};

/// What the server answered.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// One connection, used again and again.
pub struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            line: Vec::new(),
        })
    }

    /// Sends bytes made by [`request`] and reads the whole answer.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        let status = self.next_line().await?;
        let status = status.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.context("the answer does not begin like HTTP")?;
        let mut length = 0;
        loop {
            let line = self.next_line().await?.to_ascii_lowercase();
            match line.split_once(':') {
                None => break,
                Some(("content-length", value)) => length = value.trim().parse()?,
                Some(("transfer-encoding", value)) => bail!("the answer comes in {value}"),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer { status, body })
    }

    async fn next_line(&mut self) -> anyhow::Result<String> {
        self.line.clear();
        let read = self.stream.read_until(b'\n', &mut self.line).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(String::from_utf8_lossy(&self.line).trim_end().to_owned())
    }
}

/// The bytes of a request. Header lines are `name: value`.
pub fn request(method: &str, path: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// What a stretch of load came to.
pub struct Load {
    pub done: u64,
    pub took: Duration,
    pub latencies: Latencies,
}

impl Load {
    pub fn rate(&self) -> f64 {
        timing::rate(self.done, self.took)
    }
}

/// Makes the request of a connection, by its number and the number of the request on it.
pub type Maker = Arc<dyn Fn(usize, u64) -> Vec<u8> + Send + Sync>;

/// As many requests as so many connections get answered, each sending its next one when it has the answer to the
/// one before. Any other status than the expected ends the bench with what the server said.
pub async fn closed_loop(
    address: SocketAddr,
    connections: usize,
    lasting: Duration,
    expected: u16,
    make: Maker,
) -> anyhow::Result<Load> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let began = timing::now();
    let workers = open.into_iter().enumerate().map(|(worker, mut connection)| {
        let make = Arc::clone(&make);
        tokio::spawn(async move {
            let mut latencies = Latencies::default();
            let mut number = 0;
            while began.elapsed() < lasting {
                let request = make(worker, number);
                number += 1;
                let sent = timing::now();
                let answer = connection.send(&request).await?;
                latencies.push(sent.elapsed());
                expect(&answer, expected)?;
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Latencies::default();
    for ended in try_join_all(workers).await? {
        latencies.extend(ended?);
    }
    Ok(Load {
        done: latencies.len() as u64,
        took: began.elapsed(),
        latencies,
    })
}

/// Requests at fixed times, `every` apart, whether or not the ones before were answered. A latency counts from
/// when its request was due, so a server that stalls cannot hide behind a loader that waits for it.
pub async fn open_loop(
    address: SocketAddr,
    every: Duration,
    lasting: Duration,
    expected: u16,
    request: Vec<u8>,
) -> anyhow::Result<Load> {
    /// More than are ever under way at once in a bench.
    const CONNECTIONS: u32 = 400;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(Connection::open(address).await?);
    }
    let request = Arc::new(request);
    let began = timing::now();
    let workers = (0..CONNECTIONS).zip(open).map(|(worker, mut connection)| {
        let request = Arc::clone(&request);
        tokio::spawn(async move {
            let mut latencies = Latencies::default();
            let mut due = every * worker;
            while due < lasting {
                tokio::time::sleep_until((began + due).into()).await;
                let answer = connection.send(&request).await?;
                latencies.push(began.elapsed().saturating_sub(due));
                expect(&answer, expected)?;
                due += every * CONNECTIONS;
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Latencies::default();
    for ended in try_join_all(workers).await? {
        latencies.extend(ended?);
    }
    Ok(Load {
        done: latencies.len() as u64,
        took: began.elapsed(),
        latencies,
    })
}

fn expect(answer: &Answer, status: u16) -> anyhow::Result<()> {
    ensure!(
        answer.status == status,
        "expected {status}, the server said {}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
            .chars()
            .take(600)
            .collect::<String>()
    );
    Ok(())
}
