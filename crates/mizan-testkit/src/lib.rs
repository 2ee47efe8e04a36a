//! Throwaway servers and a tester with verbs (tests only).
//!
//! Servers are real ones, from `mizan-throwaway`, and nothing outlives the test process. Linux only, as it reads
//! `/proc`.

pub mod client;
pub mod process;
pub mod proxy;
pub mod signature;

pub use client::{Reply, TestApp};
pub use mizan_throwaway::{
    Database, Persistence, Postgres, Redis, Signal, eventually, fresh_database, port, postgres, process_tree,
    redis, shared_postgres, shared_redis, template_database, wait, warden,
};
pub use process::{Finished, MizanCommand, MizanProcess};
pub use proxy::FaultProxy;
pub use signature::{sign_mockpsp, sign_standard_webhooks};

/// Runs each test body once per store: `name` becomes `name::postgres` and `name::sqlite`.
///
/// The crate that uses it provides the applications in a module `harness` at its root:
///
/// ```ignore
/// // tests/it/harness.rs
/// pub async fn postgres() -> TestApp { /* a fresh database from a migrated template */ }
/// pub async fn sqlite() -> TestApp { /* a fresh file */ }
///
/// // tests/it/transfers.rs
/// on_every_store! {
///     /// 100.00 covers three withdrawals of 30.00.
///     async fn eight_spenders_share_one_balance_safely(app: TestApp) {
///         let all = join_all((0..8).map(|_| app.post_transfer("30.00"))).await;
///         assert_eq!(all.iter().filter(|it| it.status == 201).count(), 3);
///     }
/// }
/// ```
///
/// The type of the argument is whatever `harness` returns, and a body may return a `Result` and use `?`.
/// Each test has a runtime of two threads, so that what claims to be concurrent is. The using crate
/// needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
#[expect(
    clippy::crate_in_macro_def,
    reason = "the using crate provides its own harness"
)]
macro_rules! on_every_store {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident : $kind:ty) $(-> $output:ty)? $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn on_one_store($app: $kind) $(-> $output)? $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() $(-> $output)? {
                on_one_store(crate::harness::postgres().await).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() $(-> $output)? {
                on_one_store(crate::harness::sqlite().await).await
            }
        }
    )+};
}
