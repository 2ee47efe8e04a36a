//! Calls to a mockpsp. A payout is asked for once and never repeated here: the job that asks stores its key
//! first and repeats the whole step. Everything that is not a readable answer leaves the payout unknown.

mod fetch;
mod reply;

use std::fmt;
use std::time::Duration;

use mizan_core::TimeWindow;
use mizan_mask::Secret;
use mizan_payments::provider::{PayoutReply, PayoutRequest, ProviderError, StatementFile};
use reqwest::{Method, RequestBuilder, Url};

use super::backoff::Backoff;
use super::wire::PayoutBody;
use crate::hmac::pays_nothing_out;

/// The most that is read of an answer that should be a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Time-outs and retries of calls to a provider.
#[derive(Clone)]
pub struct ClientSettings {
    /// Bound of one call, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The same for a statement, which is longer.
    pub statement_timeout: Duration,
    /// The longest statement that is taken, in bytes.
    pub longest_statement: usize,
    /// Tries of a statement fetch; nothing else is repeated.
    pub backoff: Backoff,
    /// Where the jitter comes from.
    pub entropy: fn() -> u64,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_mins(2),
            longest_statement: 1 << 30,
            backoff: Backoff {
                tries: 5,
                first: Duration::from_millis(200),
                longest: Duration::from_secs(10),
            },
            entropy: rand::random::<u64>,
        }
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("timeout", &self.timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("longest_statement", &self.longest_statement)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

/// Where to call, or why that is not possible.
pub(crate) struct Client {
    target: Result<Target, ProviderError>,
    api_key: Option<Secret>,
    settings: ClientSettings,
}

struct Target {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Never fails: a connection that cannot call out still takes events, and says what is wrong when it is asked.
    pub(crate) fn new(base_url: Option<&str>, api_key: Option<Secret>, settings: ClientSettings) -> Self {
        Self {
            target: target(base_url),
            api_key,
            settings,
        }
    }

    pub(crate) async fn pay(&self, request: &PayoutRequest) -> PayoutReply {
        let call = match self.request(Method::POST, &["payouts"], &[]) {
            Ok(call) => call,
            // It never had an address, so no earlier call can have been accepted.
            Err(ProviderError::NotOffered) => return pays_nothing_out(),
            // An earlier call may have found the address in order.
            Err(error) => {
                return PayoutReply::Unknown {
                    reason: error.to_string(),
                };
            }
        };
        let body = PayoutBody {
            amount: request.amount.major(),
            currency: request.amount.currency.code().to_owned(),
            method: request.method.clone(),
            address: request.address.clone(),
            withdrawal: request.withdrawal.clone(),
            player_id: request.player.clone(),
            tenant_id: request.tenant.clone(),
        };
        let call = call.header("Idempotency-Key", &request.key).json(&body);
        match fetch::once(call, self.settings.timeout, LONGEST_ANSWER).await {
            Ok(answer) => reply::of_payout(answer.status, &answer.body),
            Err(error) => PayoutReply::Unknown {
                reason: error.to_string(),
            },
        }
    }

    pub(crate) async fn payout_status(&self, key: &str) -> Result<PayoutReply, ProviderError> {
        let call = self.request(Method::GET, &["payouts", key], &[])?;
        let answer = fetch::once(call, self.settings.timeout, LONGEST_ANSWER).await?;
        reply::of_status(answer.status, &answer.body)
    }

    pub(crate) async fn statement(&self, window: TimeWindow) -> Result<StatementFile, ProviderError> {
        let edges =
            [window.start(), window.end()].map(|it| it.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
        let query = [("from", edges[0].as_str()), ("to", edges[1].as_str())];
        let answer = fetch::with_retries(
            || self.request(Method::GET, &["statement"], &query),
            self.settings.statement_timeout,
            self.settings.longest_statement,
            self.settings.backoff,
            self.settings.entropy,
        )
        .await?;
        Ok(StatementFile {
            format: "generic",
            bytes: answer.body,
        })
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, ProviderError> {
        let target = self.target.as_ref().map_err(ProviderError::clone)?;
        let mut url = target.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = target.http.request(method, url);
        Ok(match &self.api_key {
            Some(key) => call.bearer_auth(key.reveal()),
            None => call,
        })
    }
}

fn target(base_url: Option<&str>) -> Result<Target, ProviderError> {
    let unusable = |reason: &str| ProviderError::Unreachable(reason.to_owned());
    let base = Url::parse(base_url.ok_or(ProviderError::NotOffered)?)
        .map_err(|_| unusable("base_url is not a URL"))?;
    if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
        return Err(unusable("base_url is not an http or https URL"));
    }
    // A payout must not be carried to another place by a redirect.
    let mut http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        http = http.no_proxy();
    }
    let http = http
        .build()
        .map_err(|_| unusable("the TLS settings of this machine are unusable"))?;
    Ok(Target { http, base })
}
