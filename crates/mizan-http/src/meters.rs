//! Handles of the two metrics that every request touches: looked up once for each method, route and status.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::extract::MatchedPath;
use metrics::{Counter, Histogram};

/// The label of a path that no route has: what clients make up is no label.
const UNMATCHED: &str = "unmatched";

#[derive(Clone)]
struct Handles {
    count: Counter,
    durations: Histogram,
}

type OfRoute = HashMap<(&'static str, u16), Handles>;

/// As many as there are routes, times the methods and statuses that they answer with.
#[derive(Default)]
pub(crate) struct Meters(RwLock<HashMap<String, OfRoute>>);

impl Meters {
    pub(crate) fn record(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(route).and_then(|it| it.get(&(method, status))).cloned();
        drop(known);
        let handles = found.unwrap_or_else(|| self.learn(method, route, status));
        handles.count.increment(1);
        handles.durations.record(took);
    }

    fn learn(&self, method: &'static str, route: &str, status: u16) -> Handles {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        let handles = Handles {
            count: metrics::counter!("mizan_http_requests_total", &labels),
            durations: metrics::histogram!("mizan_http_request_duration_seconds", &labels),
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(route.to_owned())
            .or_default()
            .insert((method, status), handles.clone());
        handles
    }
}

/// The route of a request as a label.
pub(crate) fn label(path: Option<&MatchedPath>) -> &str {
    path.map_or(UNMATCHED, MatchedPath::as_str)
}
