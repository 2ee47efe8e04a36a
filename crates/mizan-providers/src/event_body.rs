//! The JSON body of a generic event, as `mockpsp`, `hmac` and `standard-webhooks` send it.
//!
//! `{"provider_event_id","event_type","provider_ref","player_id","tenant_id","amount":"12.34","currency",
//! "occurred_at"?,"tx_id"?}`. Fields that are not known are ignored; a known one that is there twice or is
//! not what it should be is refused by name. Texts that end up in tables are capped and have no control characters.

mod text;

use chrono::DateTime;
use mizan_core::{Currency, Money, Timestamp, clock};
use mizan_payments::provider::Untranslatable;
use mizan_payments::{EventKind, ProviderEvent};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::text::{MAX_ID, MAX_TYPE, MAX_WORD};
pub(crate) use self::text::{check_id, text, wrong};

/// A body whose fields are not read yet: each keeps its own JSON text, so that a number is read by its digits.
#[derive(Debug, Deserialize)]
pub(crate) struct EventBody<'a> {
    #[serde(borrow)]
    provider_event_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event_type: Option<&'a RawValue>,
    #[serde(borrow)]
    provider_ref: Option<&'a RawValue>,
    #[serde(borrow)]
    player_id: Option<&'a RawValue>,
    #[serde(borrow)]
    tenant_id: Option<&'a RawValue>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
    #[serde(borrow)]
    occurred_at: Option<&'a RawValue>,
    #[serde(borrow)]
    tx_id: Option<&'a RawValue>,
}

impl<'a> EventBody<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Untranslatable> {
        // A JSON array would fill the fields by position.
        let first = body.iter().find(|it| !it.is_ascii_whitespace());
        if first != Some(&b'{') {
            return Err(wrong("body", "is not a JSON object"));
        }
        serde_json::from_slice(body)
            .map_err(|_| wrong("body", "is not a JSON object with each field at most once"))
    }

    pub(crate) fn event_id(&self) -> Result<String, Untranslatable> {
        needed(
            "provider_event_id",
            text("provider_event_id", self.provider_event_id, MAX_ID)?,
        )
    }

    pub(crate) fn event_type(&self) -> Result<String, Untranslatable> {
        needed("event_type", text("event_type", self.event_type, MAX_TYPE)?)
    }

    /// Reads the rest. A kind that nobody acts on may lack what the others must have; its amount is then zero.
    pub(crate) fn translate(
        &self,
        event_id: String,
        received_at: Timestamp,
    ) -> Result<ProviderEvent, Untranslatable> {
        let Ok(kind) = self.event_type()?.parse::<EventKind>();
        let (provider_ref, amount) = match kind {
            EventKind::Unknown => (
                self.provider_ref().unwrap_or_default(),
                self.money().unwrap_or(Money::new(0, Currency::EUR)),
            ),
            _ => (self.provider_ref()?, self.money()?),
        };
        let any_sign = matches!(kind, EventKind::Unknown | EventKind::SettlementAvailable);
        if amount.minor <= 0 && !any_sign {
            return Err(wrong("amount", "must be greater than zero"));
        }
        Ok(ProviderEvent {
            event_id,
            kind,
            provider_ref,
            player: parsed("player_id", self.player_id, "is not a player id (a UUID)")?,
            tenant: parsed("tenant_id", self.tenant_id, "is not the key of a tenant")?,
            amount,
            withdrawal: parsed("tx_id", self.tx_id, "is not a withdrawal id (a UUID)")?,
            occurred_at: self.occurred_at()?.unwrap_or(received_at),
        })
    }

    fn provider_ref(&self) -> Result<String, Untranslatable> {
        needed("provider_ref", text("provider_ref", self.provider_ref, MAX_ID)?)
    }

    fn money(&self) -> Result<Money, Untranslatable> {
        let code = needed("currency", text("currency", self.currency, MAX_WORD)?)?;
        let currency: Currency = code
            .parse()
            .map_err(|error: mizan_core::currency::UnknownCurrency| wrong("currency", error.to_string()))?;
        let decimal = match self.amount {
            Some(raw)
                if raw
                    .get()
                    .starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) =>
            {
                raw.get().to_owned()
            }
            other => needed("amount", text("amount", other, MAX_WORD)?)?,
        };
        Money::parse(&decimal, currency).map_err(|error| wrong("amount", error.to_string()))
    }

    fn occurred_at(&self) -> Result<Option<Timestamp>, Untranslatable> {
        let Some(written) = text("occurred_at", self.occurred_at, MAX_WORD)? else {
            return Ok(None);
        };
        let at = DateTime::parse_from_rfc3339(&written)
            .map_err(|_| wrong("occurred_at", "is not a time with an offset (RFC 3339)"))?;
        Ok(Some(clock::to_micros(at.to_utc())))
    }
}

fn needed(field: &'static str, value: Option<String>) -> Result<String, Untranslatable> {
    value.ok_or_else(|| wrong(field, "is missing"))
}

fn parsed<T: std::str::FromStr>(
    field: &'static str,
    raw: Option<&RawValue>,
    reason: &str,
) -> Result<Option<T>, Untranslatable> {
    text(field, raw, MAX_ID)?
        .map(|it| it.parse().map_err(|_| wrong(field, reason)))
        .transpose()
}

#[cfg(test)]
mod tests;
