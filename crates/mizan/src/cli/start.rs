//! `mizan start`: the container's entry. In staging and prod it migrates to head first; then it serves.

use mizan_config::Env;

use super::exit::Exit;
use super::serve::{self, ServeArgs};
use crate::wire;

pub async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    if matches!(loaded.settings.mode.env, Env::Staging | Env::Prod) {
        super::migrate::upgrade_to_head(&loaded.settings.database, &mut |step| complain!("{step}")).await?;
    }
    serve::run(args).await
}
