//! How to reach the server, and how long to wait for it.

use std::path::PathBuf;
use std::time::Duration;

use mizan_mask::Secret;

/// How far the server has to prove who it is, once a connection is encrypted.
///
/// Whether it is encrypted at all is the URL's `sslmode` (`disable`, `prefer` or `require`); what the driver
/// does not know, libpq's `verify-ca` and `verify-full`, is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateCheck {
    /// libpq's `prefer` and `require`: encryption without proof, which keeps out who listens, not who answers.
    /// As in libpq, naming a `ca_file` turns it into [`Self::Authority`].
    #[default]
    None,
    /// libpq's `verify-ca`: the certificate comes from a trusted authority, whatever name it has. Needs
    /// `sslmode=require`.
    Authority,
    /// libpq's `verify-full`: and it names the host. Needs `sslmode=require`.
    Full,
}

/// What a [`crate::PostgresStore`] is made of.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// `postgresql://user:password@host:port/database?sslmode=require`, as tokio-postgres reads it; several
    /// hosts are tried in turn.
    pub url: Secret,
    /// Connections at most, from 2: sealing takes a second one for a moment.
    pub pool_size: usize,
    /// How long to wait for a free connection, and for a new one to be made.
    pub acquire_timeout: Duration,
    /// How long the server works on one statement before it gives up, and how long it lets a transaction
    /// idle before it ends it with its locks. The client waits a few seconds more, in case the server hangs.
    pub statement_timeout: Duration,
    /// A PEM file of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    pub certificate: CertificateCheck,
    /// How many rows a new partition of the journal may have.
    pub partition_rows: u32,
}

impl PostgresConfig {
    /// 16 connections, 5 seconds to get one, 30 seconds per statement, 5 million rows per partition.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            pool_size: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            ca_file: None,
            certificate: CertificateCheck::None,
            partition_rows: 5_000_000,
        }
    }
}
