//! `redis`: a PING, and what INFO says.

use std::fmt::Write;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Context, Failure, Seen};
use crate::expect::{Facts, criterion};
use crate::pack::RedisStep;
use crate::process::quote;

pub async fn run(context: &Context<'_>, step: &RedisStep) -> Result<Seen, Failure> {
    let url = context.fill(&step.url)?;
    context.session.masking.learn(&url, "redis.url");
    let info = step
        .info
        .iter()
        .map(|it| format!("\nredis-cli -u {} INFO {it}", quote(&url)));
    context.command(format!(
        "redis-cli -u {} PING{}",
        quote(&url),
        info.collect::<String>()
    ));
    let client =
        redis::Client::open(url.as_str()).map_err(|error| format!("redis.url cannot be read: {error}"))?;
    let began = Instant::now();
    let mut wire = match client.get_multiplexed_async_connection().await {
        Ok(wire) => wire,
        Err(error) => return refused(context, &format!("the server cannot be reached: {error}")),
    };
    let pong: Result<String, _> = redis::cmd("PING").query_async(&mut wire).await;
    let took = began.elapsed();
    let pong = match pong {
        Ok(pong) => pong,
        Err(error) => return refused(context, &format!("PING failed: {error}")),
    };
    let mut shown = format!("PING\n{pong}\n");
    let mut fields = Map::new();
    for section in &step.info {
        let text: Result<String, _> = redis::cmd("INFO").arg(section).query_async(&mut wire).await;
        let text = text.map_err(|error| format!("INFO {section} failed: {error}"))?;
        write!(shown, "\nINFO {section}\n{text}").ok();
        let pairs = text.lines().filter_map(|it| it.trim().split_once(':'));
        fields.extend(pairs.map(|(name, value)| (name.to_owned(), Value::from(value))));
    }
    context.write("redis", &shown)?;
    let criteria = vec![criterion("PING", "PONG", &pong, pong == "PONG")];
    let facts = Facts {
        json: Some(Value::Object(fields)),
        took,
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        criteria,
        ..Seen::default()
    })
}

fn refused(context: &Context<'_>, what: &str) -> Result<Seen, Failure> {
    context.write("redis", &format!("{what}\n"))?;
    let criteria = vec![criterion("PING", "PONG", what, false)];
    Ok(Seen {
        criteria,
        ..Seen::default()
    })
}
