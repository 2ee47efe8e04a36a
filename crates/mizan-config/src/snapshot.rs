//! The settings as they may be shown: in the event `config.snapshot` and by `mizan doctor`.

use crate::admin::FirstOwner;
use crate::settings::Settings;

impl Settings {
    /// Names and masked values of what is in force. No secret is in it, set or not.
    pub fn snapshot(&self) -> Vec<(&'static str, String)> {
        let set = |is_set: bool| if is_set { "set" } else { "not set" }.to_owned();
        let first_owner = match &self.admin.first_owner {
            FirstOwner::None => "none",
            FirstOwner::Given { .. } => "given",
            FirstOwner::Generate { .. } => "generated",
        };
        let webhook_secrets: Vec<_> = self.webhooks.variables().collect();
        let redis = self.redis.as_ref().map_or("not_configured", |it| it.masked());
        let metrics_port = self.listen.metrics_port.unwrap_or(self.listen.port);
        vec![
            ("env", self.mode.env.as_str().to_owned()),
            ("strict", self.mode.strict.to_string()),
            ("database", self.database.masked()),
            ("redis", redis.to_owned()),
            ("queue", self.queue.name.clone()),
            ("recon_runner", self.recon.runner.as_str().to_owned()),
            ("ready_timeout_ms", self.ready.timeout.as_millis().to_string()),
            ("host", self.listen.host.clone()),
            ("port", self.listen.port.to_string()),
            ("metrics_port", metrics_port.to_string()),
            ("default_tenant", self.admin.default_tenant.to_string()),
            ("first_owner", first_owner.to_owned()),
            ("jwt_secret", set(self.auth.jwt_secret.is_some())),
            ("cors_origins", self.cors.origins.join(",")),
            ("webhook_secrets", webhook_secrets.join(",")),
            ("legacy_wallet", self.flags.legacy_wallet.as_str().to_owned()),
        ]
    }
}
