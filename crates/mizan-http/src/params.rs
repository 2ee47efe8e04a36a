//! Query parameters: what a route does not know is refused, never ignored.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{ApiError, codes};
use crate::state::Edge;

/// The query parameters of a route, as `F` names them. All fields of `F` are optional texts.
pub(crate) struct Params<F>(pub(crate) F);

impl<F: DeserializeOwned> FromRequestParts<Edge> for Params<F> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, ApiError> {
        read(pairs(parts)?).map(Self)
    }
}

/// The pairs of a query, decoded, in order.
pub(crate) fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, ApiError> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|_| ApiError::new(&codes::BAD_REQUEST, "the query cannot be read"))?;
    if let Some((name, _)) = pairs
        .0
        .iter()
        .find(|(name, value)| name.contains('\0') || value.contains('\0'))
    {
        return Err(ApiError::invalid(
            name.trim_matches('\0'),
            "a text may not contain U+0000",
        ));
    }
    Ok(pairs.0)
}

/// Fills the parameters of a route from pairs.
pub(crate) fn read<F: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<F, ApiError> {
    let mut given = Map::new();
    for (name, value) in pairs {
        if given.contains_key(&name) {
            return Err(ApiError::invalid(&name, "a parameter is given once"));
        }
        given.insert(name, Value::String(value));
    }
    serde_json::from_value(Value::Object(given)).map_err(|error| {
        let text = error.to_string();
        let name = text.split('`').nth(1).unwrap_or_default();
        let detail = format!("this route does not know '{name}'");
        ApiError::new(&codes::UNKNOWN_PARAMETER, detail).with("field", name)
    })
}

/// Reads a word of a parameter.
pub(crate) fn word<T>(field: &str, text: Option<&str>) -> Result<Option<T>, ApiError>
where
    T: std::str::FromStr,
    T::Err: ToString,
{
    text.map(|it| {
        it.parse()
            .map_err(|error: T::Err| ApiError::invalid(field, error))
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Filter {
        state: Option<String>,
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let read = |pairs: &[(&str, &str)]| {
            super::read::<Filter>(
                pairs
                    .iter()
                    .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                    .collect(),
            )
        };
        assert_eq!(read(&[("state", "paid")]).unwrap().state.as_deref(), Some("paid"));
        assert_eq!(read(&[]).unwrap().state, None);
        assert_eq!(
            read(&[("stat", "paid")]).unwrap_err().code(),
            &codes::UNKNOWN_PARAMETER
        );
        assert_eq!(
            read(&[("state", "a"), ("state", "b")]).unwrap_err().code(),
            &codes::VALIDATION_FAILED
        );
    }
}
