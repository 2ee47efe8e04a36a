//! Expectations of one value in a JSON document.

use std::borrow::Cow;
use std::fmt;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor, value::MapAccessDeserializer};
use serde_json::Value;

use crate::pack::scalar::Text;

/// A value that must be equal, or a matcher. Texts and numbers are compared as they are written: `1` fits `"1"`.
#[derive(Debug, Clone)]
pub enum JsonWant {
    Equals(Option<Text>),
    Fits(Matcher),
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Matcher {
    /// A regular expression.
    pub matches: Option<String>,
    pub one_of: Vec<Text>,
    pub not: Option<Text>,
    /// Whether there is such a value at all.
    pub exists: Option<bool>,
    /// At least, for whole numbers.
    pub min: Option<i64>,
    /// At most, for whole numbers.
    pub max: Option<i64>,
}

struct WantVisitor;

impl<'de> Visitor<'de> for WantVisitor {
    type Value = JsonWant;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a matcher: matches, one_of, not, exists, min, max")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<JsonWant, E> {
        Ok(JsonWant::Equals(Some(text.into())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<JsonWant, E> {
        Ok(JsonWant::Equals(Some(Text(number.to_string()))))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<JsonWant, E> {
        Ok(JsonWant::Equals(Some(Text(number.to_string()))))
    }

    fn visit_bool<E: de::Error>(self, is: bool) -> Result<JsonWant, E> {
        Ok(JsonWant::Equals(Some(Text(is.to_string()))))
    }

    fn visit_unit<E: de::Error>(self) -> Result<JsonWant, E> {
        Ok(JsonWant::Equals(None))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<JsonWant, A::Error> {
        Matcher::deserialize(MapAccessDeserializer::new(map)).map(JsonWant::Fits)
    }
}

impl<'de> Deserialize<'de> for JsonWant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(WantVisitor)
    }
}

impl JsonSchema for JsonWant {
    fn schema_name() -> Cow<'static, str> {
        "JsonWant".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let matcher = generator.subschema_for::<Matcher>();
        json_schema!({ "anyOf": [{ "type": ["string", "integer", "boolean", "null"] }, matcher] })
    }
}

/// How a value is written in a record; texts without their quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl JsonWant {
    /// Whether a value, which may be missing, is what is wanted.
    pub fn fits(&self, seen: Option<&Value>) -> bool {
        match (self, seen) {
            (Self::Equals(None), seen) => seen == Some(&Value::Null),
            (Self::Equals(Some(_)), None | Some(Value::Null)) => false,
            (Self::Equals(Some(text)), Some(seen)) => shown(seen) == text.0,
            (Self::Fits(matcher), seen) => matcher.fits(seen),
        }
    }

    pub(super) fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Equals(text) => text.iter_mut().map(|it| &mut it.0).collect(),
            Self::Fits(matcher) => {
                let Matcher {
                    matches, one_of, not, ..
                } = matcher;
                let texts = one_of.iter_mut().chain(not).map(|it| &mut it.0);
                texts.chain(matches).collect()
            }
        }
    }

    pub(super) fn pattern(&self) -> Option<&str> {
        match self {
            Self::Fits(matcher) => matcher.matches.as_deref(),
            Self::Equals(_) => None,
        }
    }
}

impl Matcher {
    pub fn is_empty(&self) -> bool {
        self.matches.is_none()
            && self.one_of.is_empty()
            && self.not.is_none()
            && self.exists.is_none()
            && self.min.is_none()
            && self.max.is_none()
    }

    fn fits(&self, seen: Option<&Value>) -> bool {
        if self.exists == Some(false) {
            return seen.is_none();
        }
        let Some(seen) = seen else { return false };
        let text = shown(seen);
        let number = text.parse::<i64>().ok();
        !self.is_empty()
            && self
                .matches
                .as_ref()
                .is_none_or(|it| Regex::new(it).is_ok_and(|it| it.is_match(&text)))
            && (self.one_of.is_empty() || self.one_of.iter().any(|it| it.0 == text))
            && self.not.as_ref().is_none_or(|it| it.0 != text)
            && self.min.is_none_or(|min| number.is_some_and(|it| it >= min))
            && self.max.is_none_or(|max| number.is_some_and(|it| it <= max))
    }
}

impl fmt::Display for JsonWant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matcher = match self {
            Self::Equals(None) => return f.write_str("null"),
            Self::Equals(Some(text)) => return text.fmt(f),
            Self::Fits(matcher) => matcher,
        };
        let mut parts = Vec::new();
        parts.extend(matcher.exists.map(|it| {
            if it {
                "there".to_owned()
            } else {
                "not there".to_owned()
            }
        }));
        parts.extend(matcher.matches.as_ref().map(|it| format!("matches {it}")));
        if !matcher.one_of.is_empty() {
            let all: Vec<&str> = matcher.one_of.iter().map(Text::as_str).collect();
            parts.push(format!("one of {}", all.join(", ")));
        }
        parts.extend(matcher.not.as_ref().map(|it| format!("not {it}")));
        parts.extend(matcher.min.map(|it| format!("at least {it}")));
        parts.extend(matcher.max.map(|it| format!("at most {it}")));
        f.write_str(&parts.join(", "))
    }
}
