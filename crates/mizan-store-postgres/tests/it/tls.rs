//! TLS: what each meaning of `sslmode` lets through.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use mizan_store::Store;
use mizan_store_postgres::{CertificateCheck, PostgresConfig, PostgresStore};
use mizan_testkit::{Postgres, eventually};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::tester::PATIENCE;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> anyhow::Result<Authority> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// The server's files are its own, and its key is nobody else's to read.
fn write_for_server(data: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (path, owner) = (data.join(name), fs::metadata(data)?);
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    chown(&path, Some(owner.uid()), Some(owner.gid()))?;
    Ok(())
}

/// A server whose certificate is the authority's and names `localhost` alone.
async fn server(authority: &Authority) -> anyhow::Result<Postgres> {
    let server = Postgres::start().await?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, authority)?;
    let data = server.directory().join("data");
    write_for_server(&data, "server.crt", &certificate.pem())?;
    write_for_server(&data, "server.key", &key.serialize_pem())?;
    server.psql("postgres", "ALTER SYSTEM SET ssl = on").await?;
    server.psql("postgres", "SELECT pg_reload_conf()").await?;
    eventually(PATIENCE, || async {
        let ssl = server
            .psql("postgres", "SHOW ssl")
            .await
            .map_err(|it| it.to_string())?;
        if ssl == "on" { Ok(()) } else { Err(ssl) }
    })
    .await?;
    Ok(server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_proves_as_much_as_it_says() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, it: &Authority| -> anyhow::Result<PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, it.pem())?;
        Ok(path)
    };
    let trusted = authority()?;
    let (known, stranger) = (file("known.pem", &trusted)?, file("stranger.pem", &authority()?)?);
    let server = server(&trusted).await?;
    let (none, chain, full) = (
        CertificateCheck::None,
        CertificateCheck::Authority,
        CertificateCheck::Full,
    );
    // host, sslmode, check, authorities, whether it is let through
    let table = [
        ("127.0.0.1", "disable", none, None, true),
        ("127.0.0.1", "prefer", none, None, true),
        ("127.0.0.1", "require", none, None, true),
        ("127.0.0.1", "require", none, Some(&stranger), false),
        ("127.0.0.1", "require", chain, Some(&known), true),
        ("127.0.0.1", "require", chain, Some(&stranger), false),
        ("127.0.0.1", "require", full, Some(&known), false),
        ("localhost", "require", full, Some(&known), true),
        ("localhost", "require", full, None, false),
    ];
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'mizan'";
    for (host, mode, certificate, authorities, let_through) in table {
        let url = format!("{}?sslmode={mode}", server.url().replace("127.0.0.1", host));
        let mut config = PostgresConfig::new(url.into());
        config.certificate = certificate;
        config.ca_file = authorities.cloned();
        let store = PostgresStore::connect(&config)?;
        let answer = store.ping().await;
        let line = format!("{host} {mode} {certificate:?} {authorities:?}: {answer:?}");
        assert_eq!(answer.is_ok(), let_through, "{line}");
        if let_through {
            let ssl = server.psql("postgres", encrypted).await?;
            assert_eq!(ssl == "t", mode != "disable", "{line}");
            drop(store);
            eventually(PATIENCE, || async {
                let left = server
                    .psql("postgres", encrypted)
                    .await
                    .map_err(|it| it.to_string())?;
                if left.is_empty() { Ok(()) } else { Err(left) }
            })
            .await?;
        }
    }
    Ok(())
}
