//! Clients that post and pay in, remember every request, and send them all again afterwards.

use std::sync::Arc;

use futures::future::join_all;
use mizan_testkit::{Reply, TestApp, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::{Mizan, PATIENCE};
use crate::postings::{TRANSACTIONS, transfer};
use crate::verbs::{Player, new_key};

const DEPOSIT: &str = "/api/v1/player/wallet/deposit";
const BULK: &str = "/api/v1/ledger/transactions/bulk";
/// Transactions of one bulk request.
const EACH: usize = 20;
const ATTEMPTS: usize = 400;

/// One request, and the reply if there was one that said yes.
pub struct Sent {
    app: TestApp,
    path: &'static str,
    body: Value,
    key: [(String, String); 1],
    acknowledged: Option<Reply>,
}

impl Sent {
    fn new(app: &TestApp, path: &'static str, body: Value) -> Self {
        Self {
            app: app.clone(),
            path,
            body,
            key: new_key(),
            acknowledged: None,
        }
    }

    async fn send(&self) -> Option<Reply> {
        let request = self
            .app
            .request(Method::POST, self.path)
            .header(&self.key[0].0, &self.key[0].1);
        self.app.try_send(request.json(&self.body)).await.ok()
    }

    fn is_yes(reply: &Reply) -> bool {
        matches!(reply.status, 200 | 201)
    }
}

/// What is under way.
pub struct Load {
    workers: Vec<JoinHandle<Vec<Sent>>>,
    count: Arc<watch::Sender<usize>>,
    player: Player,
}

/// What was sent, by whom, and what it must come to.
pub struct Record {
    sent: Vec<Sent>,
    player: Player,
}

impl Load {
    /// Starts posting, in bulk and one by one, and paying in. Each worker goes on until something fails it.
    pub async fn start(app: &Mizan) -> Self {
        app.open_source("bank").await;
        app.open("till").await;
        let player = app.player().await;
        let count = Arc::new(watch::channel(0).0);
        let owner: TestApp = (**app).clone();
        let kinds = [
            TRANSACTIONS,
            BULK,
            DEPOSIT,
            TRANSACTIONS,
            BULK,
            DEPOSIT,
            TRANSACTIONS,
            TRANSACTIONS,
        ];
        let workers = kinds
            .into_iter()
            .map(|path| {
                let by = if path == DEPOSIT {
                    player.app.clone()
                } else {
                    owner.clone()
                };
                tokio::spawn(work(by, path, Arc::clone(&count)))
            })
            .collect();
        Self {
            workers,
            count,
            player,
        }
    }

    /// Waits until so many requests have been answered with yes.
    pub async fn acknowledged(&self, wanted: usize) {
        let mut count = self.count.subscribe();
        let reached = tokio::time::timeout(PATIENCE, count.wait_for(|it| *it >= wanted)).await;
        reached.expect("the load gets through").expect("the load goes on");
    }

    /// Waits until every worker has met the fault, and returns what all of them sent.
    pub async fn ended(self) -> Record {
        let all = tokio::time::timeout(PATIENCE, join_all(self.workers))
            .await
            .expect("every worker meets the fault");
        let sent: Vec<_> = all
            .into_iter()
            .flat_map(|it| it.expect("no worker panics"))
            .collect();
        assert!(
            sent.iter().any(|it| it.acknowledged.is_none()),
            "the fault hit nobody"
        );
        Record {
            sent,
            player: self.player,
        }
    }
}

async fn work(app: TestApp, path: &'static str, count: Arc<watch::Sender<usize>>) -> Vec<Sent> {
    let mut all = Vec::new();
    for _ in 0..ATTEMPTS {
        let body = match path {
            DEPOSIT => json!({ "amount": "1.00", "method": "test" }),
            BULK => {
                json!({ "transactions": (0..EACH).map(|_| transfer("bank", "till", "0.01")).collect::<Vec<_>>() })
            }
            _ => transfer("bank", "till", "0.01"),
        };
        let mut sent = Sent::new(&app, path, body);
        sent.acknowledged = sent.send().await.filter(Sent::is_yes);
        let failed = sent.acknowledged.is_none();
        all.push(sent);
        if failed {
            break;
        }
        count.send_modify(|it| *it += 1);
    }
    all
}

impl Record {
    /// Everything that was acknowledged is there now, before anything is sent again.
    pub async fn is_kept(&self, app: &Mizan) {
        let yes = self.sent.iter().filter(|it| it.acknowledged.is_some());
        let mut deposits = 0;
        for sent in yes {
            match sent.path {
                DEPOSIT => deposits += 1,
                BULK => {
                    let first = sent.body["transactions"][0]["id"].as_str().expect("an id");
                    app.get(&format!("{TRANSACTIONS}/{first}")).await.expect(200);
                }
                _ => {
                    let id = sent.body["id"].as_str().expect("an id");
                    app.get(&format!("{TRANSACTIONS}/{id}")).await.expect(200);
                }
            }
        }
        let holds = self.player.balance().await.0;
        let whole: usize = holds
            .strip_suffix(".00")
            .and_then(|it| it.parse().ok())
            .expect("whole units");
        assert!(
            whole >= deposits,
            "{deposits} deposits were acknowledged, {whole} are there"
        );
    }

    /// Sends everything again: what was acknowledged is answered with the very same reply, the rest is done once.
    pub async fn is_replayed(&self) {
        for sent in &self.sent {
            let again = sent.send().await.expect("it serves again");
            assert!(Sent::is_yes(&again), "{}: {}", sent.path, again.text);
            if let Some(first) = &sent.acknowledged {
                assert_eq!(again.text, first.text, "{}", sent.path);
                assert_eq!(again.header("Idempotency-Replayed"), "true", "{}", sent.path);
            }
        }
    }

    /// After everything was sent again, the balances are what one effect of each request comes to.
    pub async fn adds_up(&self, app: &Mizan) {
        let count = |path: &str| self.sent.iter().filter(|it| it.path == path).count();
        let cents = count(TRANSACTIONS) + EACH * count(BULK);
        let found = app
            .get("/api/v1/ledger/accounts?code_prefix=till")
            .await
            .expect(200)
            .body;
        assert_eq!(
            found["items"][0]["balance"],
            format!("{}.{:02}", cents / 100, cents % 100)
        );
        assert_eq!(self.player.balance().await.0, format!("{}.00", count(DEPOSIT)));
        app.verify_holds().await;
    }

    /// The same requests, sent to another installation.
    pub fn sent_to(self, app: &Mizan) -> Self {
        let moved = |old: TestApp| {
            let token = old.token().expect("signed in").to_owned();
            app.with_token(token)
        };
        let sent = self
            .sent
            .into_iter()
            .map(|it| Sent {
                app: moved(it.app),
                ..it
            })
            .collect();
        let player = Player {
            app: moved(self.player.app),
            id: self.player.id,
        };
        Self { sent, player }
    }

    /// Only what was acknowledged.
    pub fn acknowledged(mut self) -> Self {
        self.sent.retain(|it| it.acknowledged.is_some());
        self
    }
}

/// Waits until an application that was never restarted is ready again.
pub async fn ready_again(app: &TestApp) {
    let ready = eventually(PATIENCE, || async { app.get("/api/ready").await.status == 200 });
    ready.await.expect("it becomes ready again");
}
