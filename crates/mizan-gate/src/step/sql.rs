//! `sql`: one query to PostgreSQL, read only, or to SQLite.

use std::fmt::Write;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Context, Failure, Seen};
use crate::expect::{Facts, Rows};
use crate::pack::SqlStep;
use crate::process::quote;

/// Rows beyond this many are not kept.
const MOST: usize = 10_000;

pub async fn run(context: &Context<'_>, sql: &SqlStep) -> Result<Seen, Failure> {
    let (url, query) = (context.fill(&sql.url)?, context.fill(&sql.query)?);
    context.session.masking.learn(&url, "sql.url");
    let began = Instant::now();
    let rows = if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path
            .trim_start_matches("//")
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        context.command(format!("sqlite3 {} {}", quote(&path), quote(query.trim())));
        let asked = query.clone();
        let asked = tokio::task::spawn_blocking(move || sqlite(&path, &asked)).await;
        asked.map_err(|error| format!("the query was broken off: {error}"))?
    } else if url.starts_with("postgres") {
        let url = without_driver(&url);
        context.command(format!("psql {} -c {}", quote(&url), quote(query.trim())));
        postgres(&url, &query).await
    } else {
        return Err(Failure::Error(
            "sql.url is neither postgresql://… nor sqlite:…".into(),
        ));
    };
    let took = began.elapsed();
    let rows = match rows {
        Ok(rows) => rows,
        Err(what) => {
            context.write("rows", &format!("{what}\n"))?;
            return Err(Failure::Error(what));
        }
    };
    context.write("rows", &table(&rows))?;
    let facts = Facts {
        json: Some(rows.to_json()),
        rows: Some(rows),
        took,
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        ..Seen::default()
    })
}

/// `postgresql+asyncpg://…` is how others write it.
fn without_driver(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.split('+').next().unwrap_or(scheme)),
        None => url.to_owned(),
    }
}

fn table(rows: &Rows) -> String {
    let mut text = rows.columns.join(" | ");
    text.push('\n');
    for row in &rows.rows {
        text.push_str(&Rows::line(row));
        text.push('\n');
    }
    let more = if rows.cut { ", more were not kept" } else { "" };
    writeln!(text, "({} rows{more})", rows.rows.len()).ok();
    text
}

async fn postgres(url: &str, query: &str) -> Result<Rows, String> {
    // The driver knows fewer words than libpq; what they ask for, a verified certificate, is what it does anyway.
    let url = url
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = url
        .parse()
        .map_err(|error| format!("sql.url cannot be read: {error}"))?;
    config.application_name("mizan gate");
    let client = match connect(&config).await {
        // A server with a certificate of its own; whoever wants one that is verified says sslmode=require.
        Err(_) if config.get_ssl_mode() == SslMode::Prefer => {
            let mut plain = config.clone();
            plain.ssl_mode(SslMode::Disable);
            connect(&plain).await
        }
        other => other,
    };
    let client = client.map_err(|error| format!("the database cannot be reached: {}", explain(&error)))?;
    client
        .batch_execute("BEGIN READ ONLY")
        .await
        .map_err(|error| explain(&error))?;
    let messages = client
        .simple_query(query)
        .await
        .map_err(|error| explain(&error))?;
    let mut rows = Rows::default();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                rows.columns = columns.iter().map(|it| it.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) if rows.rows.len() < MOST => {
                rows.rows
                    .push((0..row.len()).map(|it| row.get(it).map(str::to_owned)).collect());
            }
            SimpleQueryMessage::Row(_) => rows.cut = true,
            _ => {}
        }
    }
    Ok(rows)
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let Ok(tls) = tls else {
        return connect_plain(config).await;
    };
    let tls = tls.with_root_certificates(roots).with_no_client_auth();
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    // Ends with the client; what goes wrong is said by the query.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

async fn connect_plain(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// An error with its causes: the driver's own words name only the place.
fn explain(error: &tokio_postgres::Error) -> String {
    if let Some(it) = error.as_db_error() {
        return format!("{}: {} ({})", it.severity(), it.message(), it.code().code());
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn sqlite(path: &str, query: &str) -> Result<Rows, String> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags);
    let connection = connection.map_err(|error| format!("the database cannot be opened: {error}"))?;
    let ask = || -> rusqlite::Result<Rows> {
        let mut statement = connection.prepare(query)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = Rows {
            columns,
            ..Rows::default()
        };
        let width = rows.columns.len();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            if rows.rows.len() == MOST {
                rows.cut = true;
                break;
            }
            rows.rows.push(
                (0..width)
                    .map(|it| row.get_ref(it).map(cell))
                    .collect::<rusqlite::Result<_>>()?,
            );
        }
        Ok(rows)
    };
    ask().map_err(|error| error.to_string())
}

fn cell(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(hex::encode(bytes)),
    }
}
