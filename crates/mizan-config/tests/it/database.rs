//! Forms of `DATABASE_URL`: what each becomes, and that the driver reads it.

use std::path::Path;

use mizan_config::{Database, Tls};
use tokio_postgres::config::{Host, SslMode};

use crate::{check, check_warnings, settings};

fn postgres(url: &str) -> (String, Tls, tokio_postgres::Config, String) {
    let database = settings(&[("DATABASE_URL", url)]).database;
    let masked = database.masked();
    let Database::Postgres { url, tls, .. } = database else {
        panic!("{url} is not PostgreSQL")
    };
    let config = url
        .reveal()
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", url.reveal()));
    (url.reveal().to_owned(), tls, config, masked)
}

#[test]
fn sqlite_forms_name_the_file_that_their_tool_would_use() {
    for (url, file) in [
        ("sqlite://mizan.db", "mizan.db"),
        ("sqlite:mizan.db", "mizan.db"),
        ("sqlite:///srv/mizan.db", "/srv/mizan.db"),
        ("sqlite:/srv/mizan.db", "/srv/mizan.db"),
        ("sqlite:///./mizan.db", "./mizan.db"),
        ("sqlite+aiosqlite:///mizan.db", "mizan.db"),
        ("sqlite+aiosqlite:////srv/mizan.db", "/srv/mizan.db"),
        ("sqlite://data%20dir/m.db?mode=rwc", "data dir/m.db"),
    ] {
        let database = settings(&[("DATABASE_URL", url)]).database;
        assert!(
            matches!(&database, Database::Sqlite { path } if path == Path::new(file)),
            "{url}: {database:?}"
        );
    }
    let in_memory = "config error: DATABASE_URL names SQLite in memory, where each connection would see a database \
                     of its own: name a file";
    for url in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:///:memory:",
        "sqlite:x?mode=memory&cache=shared",
    ] {
        check(&[("DATABASE_URL", url)], &[in_memory]);
    }
    check(
        &[("DATABASE_URL", "sqlite://")],
        &["config error: DATABASE_URL names no file"],
    );
}

#[test]
fn a_postgres_url_of_any_driver_becomes_one_for_ours() {
    for (given, normalised) in [
        (
            "postgresql+asyncpg://app:pw@db:5433/mizan",
            "postgresql://app:pw@db:5433/mizan?sslmode=prefer",
        ),
        (
            "postgres://app@db/mizan",
            "postgresql://app@db:5432/mizan?sslmode=prefer",
        ),
        (
            "POSTGRESQL+psycopg2://db/",
            "postgresql://db:5432/?sslmode=prefer",
        ),
        (
            "postgresql://a:Sm@rt@P4y@db/m",
            "postgresql://a:Sm%40rt%40P4y@db:5432/m?sslmode=prefer",
        ),
        (
            "postgresql://a:p%40ss%2Fw0rd%23@db/m",
            "postgresql://a:p%40ss%2Fw0rd%23@db:5432/m?sslmode=prefer",
        ),
        (
            "postgresql://a:p@[::1]:6000/m",
            "postgresql://a:p@[::1]:6000/m?sslmode=prefer",
        ),
        (
            "postgresql://a:p@h1:1,h2/m?ssl=require",
            "postgresql://a:p@h1:1,h2:5432/m?sslmode=require",
        ),
        (
            "postgresql+asyncpg://a:p@/m?host=h1:1&host=h2:2",
            "postgresql://a:p@h1:1,h2:2/m?sslmode=prefer",
        ),
        (
            "postgresql:///m?host=/var/run/pg&user=a&port=6",
            "postgresql://a@%2Fvar%2Frun%2Fpg:6/m?sslmode=prefer",
        ),
        (
            "postgresql://a@h1,h2/m?target_session_attrs=primary&keepalives_count=3&options=-c%20x%3D1",
            "postgresql://a@h1:5432,h2:5432/m?target_session_attrs=read%2Dwrite&keepalives_retries=3&options=%2Dc%20x%3D1&sslmode=prefer",
        ),
    ] {
        assert_eq!(postgres(given).0, normalised, "{given}");
    }
}

#[test]
fn the_driver_reads_the_same_target_back() {
    let (.., config, masked) =
        postgres("postgresql+asyncpg://a:Sm@rt%2F@h1:1,[::1]:2/m?sslmode=verify-full&connect_timeout=3");
    assert_eq!(config.get_password(), Some(b"Sm@rt/".as_slice()));
    assert_eq!(
        config.get_hosts(),
        [Host::Tcp("h1".to_owned()), Host::Tcp("::1".to_owned())]
    );
    assert_eq!(config.get_ports(), [1, 2]);
    assert_eq!((config.get_dbname(), config.get_user()), (Some("m"), Some("a")));
    assert_eq!(config.get_ssl_mode(), SslMode::Require);
    assert_eq!(masked, "postgresql://a:***@h1:1,[::1]:2/m");
    let (.., config, _) = postgres("postgresql:///m?host=/var/run/pg");
    assert_eq!(config.get_hosts(), [Host::Unix("/var/run/pg".into())]);
}

#[test]
fn how_far_the_server_must_prove_itself_is_kept() {
    for (query, tls) in [
        ("", Tls::Prefer),
        ("?sslmode=disable", Tls::Disable),
        ("?ssl=false", Tls::Disable),
        ("?ssl=true", Tls::Require),
        ("?sslmode=require", Tls::Require),
        ("?sslmode=verify-ca", Tls::VerifyCa),
        ("?ssl=verify-full", Tls::VerifyFull),
        ("?sslrootcert=system", Tls::VerifyFull),
        ("?sslmode=require&sslrootcert=/etc/ca.pem", Tls::VerifyCa),
    ] {
        assert_eq!(postgres(&format!("postgresql://db/m{query}")).1, tls, "{query}");
    }
    let database = settings(&[("DATABASE_URL", "postgres://db/m?sslrootcert=%2Fetc%2Fca.pem")]).database;
    assert!(
        matches!(&database, Database::Postgres { root_certificate: Some(path), .. } if path == Path::new("/etc/ca.pem")),
        "{database:?}"
    );
}

#[test]
fn an_unreadable_url_is_an_error_in_every_mode() {
    for (url, sentence) in [
        ("db.internal", "is not a URL"),
        ("postgresql:db", "is not a URL"),
        ("postgresql:///m", "names no host"),
        (
            "postgresql://db:port/m",
            "has a port that is not a number from 1 to 65535",
        ),
        (
            "postgresql://db:70000/m",
            "has a port that is not a number from 1 to 65535",
        ),
        (
            "postgresql://h1,h2,h3/m?port=1,2",
            "names more ports than hosts, or fewer",
        ),
        ("postgresql://d b/m", "names a host that is not one"),
        (
            "postgresql://svc:12/ss@db/m",
            "holds a character that must be percent-encoded (in a password: '/' as %2F, '?' as %3F, '#' as %23)",
        ),
        (
            "postgresql://a:%FF@db/m",
            "holds a percent-encoding that is not UTF-8 text",
        ),
        (
            "postgresql://db/m?hunter2=x",
            "has an option that is not understood",
        ),
        (
            "postgresql://db/m?sslmode=hunter2",
            "has a value for sslmode that is not understood",
        ),
        (
            "postgresql://db/m?connect_timeout=soon",
            "has a value for connect_timeout that is not understood",
        ),
        (
            "postgresql://db/m?sslcert=/x.pem",
            "has the option sslcert, which is not supported",
        ),
    ] {
        check(
            &[("DATABASE_URL", url)],
            &[&format!("config error: DATABASE_URL {sentence}")],
        );
    }
}

#[test]
fn options_of_other_drivers_are_left_out_with_a_warning() {
    check_warnings(
        &[("DATABASE_URL", "postgresql+asyncpg://db/m?command_timeout=60")],
        &[
            "config warning: DATABASE_URL has the option command_timeout, which means nothing here and is left out",
        ],
    );
}
