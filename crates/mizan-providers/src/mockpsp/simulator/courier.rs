//! Delivers webhooks: signed at every try, repeated until a 2xx or until the tries are used up, in order per
//! payment, and never more at a time than allowed.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mizan_core::Clock;
use mizan_mask::Secret;
use rand::RngExt;
use rand::rngs::StdRng;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use super::book::Dispatch;
use super::event::draw;
use super::fault::Fault;
use super::lanes::{Lanes, Parcel};
use super::{Delivery, locked, until};
use crate::hmac::verify;

/// What became of the webhooks so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Deliveries that were answered with 2xx; a duplicated webhook counts each time.
    pub delivered: usize,
    /// Webhooks whose tries are used up. Nothing that was planted is among them.
    pub gave_up: usize,
    /// Webhooks that a delay holds back until they are released.
    pub held: usize,
    /// Webhooks that are on their way.
    pub in_flight: usize,
}

/// Cheap to clone; all clones share the lanes.
#[derive(Clone)]
pub(super) struct Courier(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: Option<String>,
    secret: Secret,
    clock: Arc<dyn Clock>,
    delivery: Delivery,
    jitter: Mutex<StdRng>,
    permits: Semaphore,
    lanes: Mutex<Lanes>,
    /// `held` stays 0 in here: the lanes know it.
    counts: watch::Sender<Deliveries>,
    stopped: watch::Receiver<bool>,
}

impl Courier {
    pub(super) fn new(
        url: Option<String>,
        secret: Secret,
        clock: Arc<dyn Clock>,
        delivery: Delivery,
        seed: u64,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(delivery.timeout)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self(Arc::new(Inner {
            http,
            url,
            secret,
            clock,
            delivery,
            jitter: Mutex::new(draw(seed, "jitter", 0)),
            permits: Semaphore::new(delivery.concurrency.max(1)),
            lanes: Mutex::default(),
            counts: watch::Sender::new(Deliveries::default()),
            stopped,
        })))
    }

    /// Takes a webhook over. Returns at once.
    pub(super) fn dispatch(&self, dispatch: Dispatch) {
        if self.0.url.is_none() {
            return;
        }
        let Dispatch {
            lane,
            event_id,
            body,
            fault,
        } = dispatch;
        let mut parcel = Parcel {
            event_id,
            body,
            copies: 1,
        };
        let delay = fault
            .as_ref()
            .and_then(|it| it.delay_ms)
            .map(Duration::from_millis);
        match fault.as_ref().map(|it| (it.fault, it.times)) {
            Some((Fault::WebhookReorder, _)) => locked(&self.0.lanes).park(lane, parcel),
            Some((Fault::WebhookDelay, _)) => match delay {
                Some(delay) => self.later(lane, parcel, delay),
                None => locked(&self.0.lanes).hold(lane, parcel),
            },
            Some((Fault::WebhookDuplicate, times)) => {
                parcel.copies = times.max(1);
                self.go(&lane, parcel);
            }
            _ => self.go(&lane, parcel),
        }
    }

    pub(super) fn release_held(&self) -> usize {
        let held = locked(&self.0.lanes).unhold_all();
        let count = held.len();
        for (lane, parcel) in held {
            self.enqueue(&lane, vec![parcel]);
        }
        count
    }

    pub(super) fn deliveries(&self) -> Deliveries {
        let held = locked(&self.0.lanes).held();
        Deliveries {
            held,
            ..*self.0.counts.borrow()
        }
    }

    pub(super) async fn quiesce(&self) -> Deliveries {
        let parked = locked(&self.0.lanes).unpark_all();
        for (lane, parcels) in parked {
            self.enqueue(&lane, parcels);
        }
        // The sender is in `self`, so the channel is open.
        let _ = self.0.counts.subscribe().wait_for(|it| it.in_flight == 0).await;
        self.deliveries()
    }

    /// Sends a webhook, and behind it those that it was to overtake.
    fn go(&self, lane: &str, parcel: Parcel) {
        let mut parcels = vec![parcel];
        parcels.extend(locked(&self.0.lanes).unpark(lane));
        self.enqueue(lane, parcels);
    }

    fn later(&self, lane: String, parcel: Parcel, delay: Duration) {
        self.0.counts.send_modify(|it| it.in_flight += 1);
        let this = self.clone();
        tokio::spawn(async move {
            this.pause(delay).await;
            this.enqueue(&lane, vec![parcel]);
            this.0.counts.send_modify(|it| it.in_flight -= 1);
        });
    }

    fn enqueue(&self, lane: &str, parcels: Vec<Parcel>) {
        let count = parcels.len();
        self.0.counts.send_modify(|it| it.in_flight += count);
        if locked(&self.0.lanes).push(lane, parcels) {
            tokio::spawn(self.clone().run(lane.to_owned()));
        }
    }

    async fn run(self, lane: String) {
        loop {
            let Some(parcel) = locked(&self.0.lanes).next(&lane) else {
                return;
            };
            let mut delivered = 0;
            for _ in 0..parcel.copies {
                if !self.deliver(&parcel).await {
                    break;
                }
                delivered += 1;
            }
            let gave_up = usize::from(delivered == 0);
            if gave_up > 0 {
                tracing::warn!(event_id = %parcel.event_id, "a webhook was given up");
            }
            self.0.counts.send_modify(|it| {
                it.delivered += delivered;
                it.gave_up += gave_up;
                it.in_flight -= 1;
            });
        }
    }

    /// One delivery with its tries; `false` if it was given up.
    async fn deliver(&self, parcel: &Parcel) -> bool {
        let mut tried = 0;
        loop {
            if *self.0.stopped.borrow() {
                return false;
            }
            if self.post(parcel).await {
                return true;
            }
            tried += 1;
            let entropy = locked(&self.0.jitter).random();
            let Some(wait) = self.0.delivery.backoff.wait(tried, entropy, None) else {
                return false;
            };
            self.pause(wait).await;
        }
    }

    /// One try: `true` if the receiver answered with 2xx.
    async fn post(&self, parcel: &Parcel) -> bool {
        let (Some(url), Ok(_permit)) = (&self.0.url, self.0.permits.acquire().await) else {
            return false;
        };
        let timestamp = self.0.clock.now().timestamp();
        let call = self
            .0
            .http
            .post(url)
            .header("content-type", "application/json")
            .header(verify::TIMESTAMP, timestamp)
            .header(
                verify::SIGNATURE,
                verify::sign(&self.0.secret, timestamp, &parcel.body),
            )
            .body(parcel.body.clone());
        tokio::select! {
            answer = call.send() => answer.is_ok_and(|it| it.status().is_success()),
            () = until(self.0.stopped.clone()) => false,
        }
    }

    /// Waits, but not past the end of the simulator.
    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = until(self.0.stopped.clone()) => {}
        }
    }
}
