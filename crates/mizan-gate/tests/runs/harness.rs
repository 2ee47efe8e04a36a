//! Runs a pack that stands in the test, and a server that says what it is told to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mizan_core::SystemClock;
use mizan_gate::record::{About, GateRecord, PacketRecord, StepRecord};
use mizan_gate::{CouldNot, KeepLimit, Options, Stop};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// How a test runs a pack.
pub struct Gate {
    pub out: TempDir,
    pub options: Options,
}

pub struct Ran {
    pub record: GateRecord,
    pub dir: PathBuf,
    #[expect(dead_code, reason = "keeps the outputs")]
    out: TempDir,
}

pub fn gate() -> Gate {
    let out = tempfile::tempdir().expect("a directory");
    let path = "/usr/local/bin:/usr/bin:/bin".to_owned();
    let options = Options {
        pack_path: "test.yaml".into(),
        given: BTreeMap::new(),
        env: BTreeMap::from([("PATH".to_owned(), path)]),
        known: vec![],
        only: vec![],
        waivers: vec![],
        out: out.path().to_owned(),
        path_first: None,
        about: About::default(),
        shorten_hosts: false,
        clock: Arc::new(SystemClock),
        stop: Stop::default(),
        progress: Arc::new(|_| {}),
        keep: KeepLimit::default(),
    };
    Gate { out, options }
}

/// A pack with one required packet `1` that has these steps.
pub fn pack_of(steps: &str) -> String {
    format!("gate: t\ntitle: T\nrequires: [1]\npackets:\n- id: 1\n  title: One\n  steps:\n{steps}")
}

impl Gate {
    pub fn given(mut self, name: &str, value: &str) -> Self {
        self.options.given.insert(name.into(), value.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.env.insert(name.into(), value.into());
        self
    }

    pub async fn try_run(self, pack: &str) -> Result<Ran, CouldNot> {
        let done = mizan_gate::run(pack, self.options).await?;
        let dir = done.workdir.finish()?;
        Ok(Ran {
            record: done.record,
            dir,
            out: self.out,
        })
    }

    pub async fn run(self, pack: &str) -> Ran {
        match self.try_run(pack).await {
            Ok(ran) => ran,
            Err(error) => panic!("the pack can be run: {error}"),
        }
    }

    /// What is wrong with a pack that cannot be run, a problem a line.
    pub async fn refusal(self, pack: &str) -> String {
        match self.try_run(pack).await {
            Err(CouldNot::Pack(problems)) => problems.to_string(),
            Err(other) => panic!("not refused, but: {other}"),
            Ok(ran) => panic!("not refused: {:?}", ran.record.verdict),
        }
    }
}

impl Ran {
    pub fn packet(&self, id: &str) -> &PacketRecord {
        let found = self.record.packets.iter().find(|it| it.id == id);
        found.unwrap_or_else(|| panic!("there is a packet {id}"))
    }

    pub fn step(&self, id: &str) -> &StepRecord {
        let mut all = self.record.packets.iter().flat_map(|it| &it.steps);
        all.find(|it| it.id == id)
            .unwrap_or_else(|| panic!("there is a step {id}"))
    }

    /// An output of packet 1.
    pub fn output(&self, file: &str) -> String {
        let path = self.dir.join("packets/1").join(file);
        String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned()
    }

    /// Everything that was written, with its path.
    pub fn everything(&self) -> Vec<(PathBuf, String)> {
        let mut all = Vec::new();
        collect(&self.dir, &mut all);
        all
    }
}

fn collect(dir: &Path, all: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), all);
        } else {
            let bytes = std::fs::read(entry.path()).expect("a file");
            all.push((entry.path(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// A server whose answers are made by a function of the request line's path; it remembers what it was asked.
pub struct Server {
    pub url: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

/// An answer: status, further headers, body.
pub type Answer = (u16, String, String);

pub async fn server(mut answer: impl FnMut(&str) -> Answer + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((wire, _)) = listener.accept().await {
            let mut wire = BufReader::new(wire);
            let (mut head, mut length) = (String::new(), 0);
            while wire.read_line(&mut head).await.is_ok_and(|it| it > 2) {
                let last = head.lines().last().unwrap_or_default().to_ascii_lowercase();
                if let Some(it) = last.strip_prefix("content-length:") {
                    length = it.trim().parse().unwrap_or(0);
                }
            }
            let mut body = vec![0; length];
            drop(wire.read_exact(&mut body).await);
            let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let whole = format!("{head}{}", String::from_utf8_lossy(&body));
            log.lock().expect("nobody panics").push(whole);
            let (status, headers, body) = answer(&path);
            let reply = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
                body.len()
            );
            drop(wire.write_all(reply.as_bytes()).await);
            drop(wire.shutdown().await);
        }
    });
    Server { url, asked }
}
