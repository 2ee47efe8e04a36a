//! What a crate that uses `on_every_store!` provides; here the application is just its store's name.

use std::future::ready;

pub struct FakeApp {
    pub store: &'static str,
}

pub async fn postgres() -> FakeApp {
    ready(FakeApp { store: "postgres" }).await
}

pub async fn sqlite() -> FakeApp {
    ready(FakeApp { store: "sqlite" }).await
}
