//! Amounts on the wire: major units, as a decimal string or as a JSON number that is read by its own digits.

use mizan_core::{Currency, Money};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;

/// An amount as it was sent. It is only understood together with its field and currency, so that a refusal can
/// name the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount(Option<String>);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        Ok(Self(match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text).ok(),
            Some(b'-' | b'0'..=b'9') => Some(text.to_owned()),
            _ => None,
        }))
    }
}

impl Amount {
    pub(crate) fn money(&self, field: &str, currency: Currency) -> Result<Money, ApiError> {
        let Some(text) = &self.0 else {
            return Err(ApiError::invalid(
                field,
                "an amount is a decimal string or number such as \"10.50\"",
            ));
        };
        Money::parse(text, currency).map_err(|it| ApiError::invalid(field, it))
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"))
            .examples([serde_json::json!("10.50")])
            .build();
        let number = ObjectBuilder::new().schema_type(Type::Number).build();
        let either = OneOfBuilder::new()
            .item(text)
            .item(number)
            .description(Some(
                "Major units, with at most the decimals of the currency. A number is read by its digits, never as a float.",
            ))
            .build();
        RefOr::T(Schema::OneOf(either))
    }
}

impl ToSchema for Amount {}

/// The currency of a request; the installation's own where none is named.
pub(crate) fn currency(text: Option<&str>, default: Currency) -> Result<Currency, ApiError> {
    currency_of("currency", text, default)
}

/// The same for a field deeper in a body.
pub(crate) fn currency_of(field: &str, text: Option<&str>, default: Currency) -> Result<Currency, ApiError> {
    match text {
        Some(text) => text.parse().map_err(|it| ApiError::invalid(field, it)),
        None => Ok(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Form {
        amount: Amount,
    }

    fn read(amount: &str, currency: Currency) -> Result<i64, ApiError> {
        let body = format!("{{\"amount\": {amount}}}");
        let form: Form = crate::body::parse(body.as_bytes())?;
        Ok(form.amount.money("amount", currency)?.minor)
    }

    #[test]
    fn strings_and_numbers_are_read_by_their_digits() {
        for (text, currency, minor) in [
            ("\"10.50\"", Currency::TRY, 1050),
            ("10.5", Currency::TRY, 1050),
            ("90071992547409.93", Currency::TRY, 9_007_199_254_740_993),
            ("9007199254740993", Currency::JPY, 9_007_199_254_740_993),
            ("\"-1\"", Currency::TRY, -100),
            ("\"\\u0031\"", Currency::TRY, 100),
        ] {
            assert_eq!(read(text, currency).unwrap(), minor, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_and_never_zero() {
        for text in [
            "1e3",
            "\"1,234.56\"",
            "\" 10\"",
            "\"NaN\"",
            "\"\"",
            "true",
            "null",
            "[]",
            "{}",
            "\"1e3\"",
            "1.005",
            "-1e-2",
            "\"92233720368547758.08\"",
        ] {
            let error = read(text, Currency::TRY).expect_err(text);
            assert_eq!(error.status().as_u16(), 422, "{text}");
            assert!(
                format!("{error:?}").contains("String(\"amount\")"),
                "{text}: {error:?}"
            );
        }
        assert!(read("10.5", Currency::JPY).is_err());
        assert_eq!(
            read("NaN", Currency::TRY).unwrap_err().status().as_u16(),
            400,
            "no JSON at all"
        );
    }
}
