//! `http`: one request and its answer, kept as they went over the wire, masked.

use std::fmt::Write;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use tokio::time::Instant;

use super::{Context, Failure, Seen};
use crate::expect::{Body, Facts};
use crate::pack::HttpStep;
use crate::process::quote;

/// As much of a body as is read.
const LARGEST: usize = 8 * 1024 * 1024;

/// Headers that hold a secret whose name does not say so.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// A request with its variables filled in.
struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

pub async fn run(context: &Context<'_>, http: &HttpStep) -> Result<Seen, Failure> {
    let request = fill(context, http)?;
    context.command(request.as_curl());
    let began = Instant::now();
    let sent = request.send(&context.session.http).await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            let what = explain(&error);
            context.write("http", &format!("{}\n[no answer: {what}]\n", request.shown()))?;
            return Err(Failure::Error(format!("no answer: {what}")));
        }
    };
    let status = response.status();
    let headers = plain(response.headers());
    let version = format!("{:?}", response.version());
    let (body, cut) = read(response)
        .await
        .map_err(|error| format!("the answer broke off: {}", explain(&error)))?;
    let took = began.elapsed();
    let mut shown = format!("{}\n{version} {status}\n", request.shown());
    for (name, value) in &headers {
        writeln!(shown, "{name}: {value}").ok();
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    write!(shown, "\n{text}\n").ok();
    if cut {
        shown.push_str("[the rest of the body was not read]\n");
    }
    let facts = Facts {
        status: Some(status.as_u16()),
        headers,
        text: Some(Body { text, cut }),
        took,
        ..Facts::default()
    };
    let seen = Seen {
        facts,
        ..Seen::default()
    };
    learn_before_writing(context, &seen);
    context.write("http", &shown)?;
    Ok(seen)
}

/// Captured secrets are declared before the answer that holds them is written.
fn learn_before_writing(context: &Context<'_>, seen: &Seen) {
    if !context.step.capture.is_empty() {
        drop(super::capture::take(context, &seen.facts));
    }
}

fn fill(context: &Context<'_>, http: &HttpStep) -> Result<Request, String> {
    let method = http.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("{method} is no method"))?;
    let mut headers = Vec::new();
    for (name, text) in &http.headers {
        headers.push((name.clone(), context.fill(&text.0)?));
    }
    if let Some(bearer) = &http.bearer {
        headers.push((
            "Authorization".to_owned(),
            format!("Bearer {}", context.fill(bearer)?),
        ));
    }
    for (name, value) in &headers {
        if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let secret = value.split_once(' ').map_or(value.as_str(), |it| it.1);
            context.session.masking.learn(secret, name);
        }
    }
    let body = match (&http.json, &http.body) {
        (Some(json), _) => {
            if !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            Some(context.session.values.fill_json(json)?.to_string())
        }
        (None, Some(body)) => Some(context.fill(body)?),
        (None, None) => None,
    };
    Ok(Request {
        method,
        url: context.fill(&http.url)?,
        headers,
        body,
    })
}

impl Request {
    async fn send(&self, client: &reqwest::Client) -> Result<Response, reqwest::Error> {
        let mut builder = client.request(self.method.clone(), &self.url);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &self.body {
            builder = builder.body(body.clone());
        }
        builder.send().await
    }

    fn shown(&self) -> String {
        let mut text = format!("{} {}\n", self.method, self.url);
        for (name, value) in &self.headers {
            writeln!(text, "{name}: {value}").ok();
        }
        if let Some(body) = &self.body {
            write!(text, "\n{body}\n").ok();
        }
        text
    }

    fn as_curl(&self) -> String {
        let mut words = vec!["curl -sS -i".to_owned()];
        if self.method != Method::GET {
            words.push(format!("-X {}", self.method));
        }
        words.push(quote(&self.url));
        words.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("-H {}", quote(&format!("{name}: {value}")))),
        );
        words.extend(self.body.iter().map(|it| format!("-d {}", quote(it))));
        words.join(" ")
    }
}

pub fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

/// Reads a body up to the limit; whether there was more.
pub async fn read(mut response: Response) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LARGEST - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

/// An error with its causes, without the URL, which the command shows.
pub fn explain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(it) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&it.to_string());
        cause = it.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}

/// Fetches a text, for the steps that read something else than the answer as such.
pub async fn get(
    context: &Context<'_>,
    url: &str,
    bearer: Option<&str>,
    limit: Duration,
) -> Result<(u16, HeaderMap, String), String> {
    let mut request = context.session.http.get(url).timeout(limit);
    if let Some(bearer) = bearer.filter(|it| !it.is_empty()) {
        context.session.masking.learn(bearer, "bearer");
        request = request.bearer_auth(bearer);
    }
    let response = request
        .send()
        .await
        .map_err(|error| format!("no answer: {}", explain(&error)))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (body, cut) = read(response)
        .await
        .map_err(|error| format!("the answer broke off: {}", explain(&error)))?;
    if cut {
        return Err("the answer is too long".into());
    }
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}
