//! `on_every_store!` runs a body once per store, under the store's name.

use mizan_testkit::on_every_store;

use crate::harness::FakeApp;

on_every_store! {
    /// The test runner names the thread after the test, which is how a body sees where it runs.
    async fn a_body_is_given_the_store_it_is_named_after(app: FakeApp) {
        tokio::task::yield_now().await;
        let test = std::thread::current();
        let wanted = format!("every_store::a_body_is_given_the_store_it_is_named_after::{}", app.store);
        assert_eq!(test.name(), Some(wanted.as_str()));
    }

    async fn a_body_may_use_the_question_mark(app: FakeApp) -> anyhow::Result<()> {
        anyhow::ensure!(!app.store.parse::<String>()?.is_empty());
        Ok(())
    }
}
