//! Pages of lists: `limit`, and either an opaque `cursor` or an `offset`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use mizan_core::{
    AccountId, AdjustmentId, ApiKeyId, FindingId, PlayerId, RunId, StaffId, StatementId, WebhookEventId,
    WithdrawalId,
};
use mizan_store::{Page, Paged, Start};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::{ApiError, codes};
use crate::params;
use crate::state::Edge;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
const MAX_OFFSET: u32 = 100_000;

/// A page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    items: Vec<T>,
    meta: Meta,
}

/// Where a page is in its list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListMeta)]
pub(crate) struct Meta {
    /// How many rows the filter has; with `offset` or `total=true` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u32>,
    /// Missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// How a list is paged.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Rows of a page, 1 to 200; 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// Skips so many rows, at most 100 000. Not together with `cursor`.
    #[param(value_type = Option<u32>, maximum = 100_000)]
    offset: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Counts the rows of the filter as well.
    #[param(value_type = Option<bool>)]
    total: Option<String>,
}

/// The filter and the page of a list.
pub(crate) struct Listing<F> {
    pub(crate) filter: F,
    pub(crate) page: Wanted,
}

/// The page that is wanted, before its cursor is understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    limit: u32,
    offset: Option<u32>,
    cursor: Option<String>,
    total: bool,
}

/// The filter of a list that has none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFilter {}

impl<F: DeserializeOwned> FromRequestParts<Edge> for Listing<F> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, ApiError> {
        let names = ["limit", "offset", "cursor", "total"];
        let (page, rest): (Vec<_>, Vec<_>) = params::pairs(parts)?
            .into_iter()
            .partition(|(name, _)| names.contains(&name.as_str()));
        let filter = params::read(rest)?;
        let page = Wanted::read(params::read(page)?)?;
        Ok(Self { filter, page })
    }
}

impl Wanted {
    fn read(sent: PageParams) -> Result<Self, ApiError> {
        let limit = match sent.limit {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=MAX_LIMIT) => limit,
                _ => return Err(ApiError::invalid("limit", format!("use 1 to {MAX_LIMIT}"))),
            },
        };
        let offset = match sent.offset.map(|it| it.parse()) {
            None => None,
            Some(Ok(offset @ 0..=MAX_OFFSET)) => Some(offset),
            Some(_) => {
                return Err(ApiError::invalid(
                    "offset",
                    format!("use 0 to {MAX_OFFSET}, or a cursor"),
                ));
            }
        };
        if offset.is_some() && sent.cursor.is_some() {
            return Err(ApiError::invalid("offset", "use either offset or cursor"));
        }
        let total = match sent.total.as_deref() {
            None | Some("false") => offset.is_some(),
            Some("true") => true,
            Some(_) => return Err(ApiError::invalid("total", "use true or false")),
        };
        Ok(Self {
            limit,
            offset,
            cursor: sent.cursor,
            total,
        })
    }

    /// The page in the words of the store.
    pub(crate) fn page<K: Key>(&self) -> Result<Page<K>, ApiError> {
        let start = match (&self.cursor, self.offset) {
            (Some(cursor), _) => Start::After(read_cursor(cursor)?),
            (None, Some(offset)) => Start::Offset(offset),
            (None, None) => Start::First,
        };
        Ok(Page {
            limit: self.limit,
            start,
            with_total: self.total,
        })
    }

    /// A page as it is answered.
    pub(crate) fn listed<T, K: Key, V>(&self, paged: Paged<T, K>, view: impl FnMut(T) -> V) -> Listed<V> {
        Listed {
            items: paged.items.into_iter().map(view).collect(),
            meta: Meta {
                total: paged.total,
                limit: self.limit,
                offset: self.offset,
                next_cursor: paged.next.map(|it| cursor(&it)),
            },
        }
    }
}

impl<T> Listed<T> {
    /// A list that is never paged.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        let count = items.len();
        Self {
            items,
            meta: Meta {
                total: Some(count as u64),
                limit: u32::try_from(count).unwrap_or(u32::MAX),
                offset: None,
                next_cursor: None,
            },
        }
    }
}

/// The key that a list goes on after.
pub(crate) trait Key: Sized {
    fn bytes(&self) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! uuid_keys {
    ($($id:ty),+) => {$(
        impl Key for $id {
            fn bytes(&self) -> Vec<u8> {
                self.0.as_bytes().to_vec()
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self::from)
            }
        }
    )+};
}

uuid_keys!(
    AdjustmentId,
    ApiKeyId,
    FindingId,
    PlayerId,
    RunId,
    StaffId,
    StatementId,
    WebhookEventId,
    WithdrawalId
);

impl Key for i64 {
    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Key for AccountId {
    fn bytes(&self) -> Vec<u8> {
        self.0.bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        i64::read(bytes).map(Self)
    }
}

/// Opaque to clients, so that its make can change: a version, then the key.
fn cursor<K: Key>(key: &K) -> String {
    format!("c1{}", hex::encode(key.bytes()))
}

fn read_cursor<K: Key>(text: &str) -> Result<K, ApiError> {
    text.strip_prefix("c1")
        .and_then(|it| hex::decode(it).ok())
        .and_then(|it| K::read(&it))
        .ok_or_else(|| ApiError::plain(&codes::INVALID_CURSOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Result<Wanted, ApiError> {
        let pairs = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        Wanted::read(params::read(pairs)?)
    }

    #[test]
    fn limits_and_offsets_outside_their_range_are_refused() {
        let check = |pairs: &[(&str, &str)], limit: Option<u32>| {
            assert_eq!(wanted(pairs).ok().map(|it| it.limit), limit, "{pairs:?}");
        };
        check(&[], Some(50));
        check(&[("limit", "1")], Some(1));
        check(&[("limit", "200")], Some(200));
        check(&[("offset", "100000")], Some(50));
        for limit in ["0", "201", "-1", "ten", "", "1.5"] {
            check(&[("limit", limit)], None);
        }
        check(&[("offset", "100001")], None);
        check(&[("offset", "0"), ("cursor", "c100")], None);
        check(&[("total", "yes")], None);
    }

    #[test]
    fn a_total_is_counted_only_when_it_is_asked_for() {
        assert!(!wanted(&[]).unwrap().page::<i64>().unwrap().with_total);
        assert!(
            wanted(&[("offset", "0")])
                .unwrap()
                .page::<i64>()
                .unwrap()
                .with_total
        );
        assert!(
            wanted(&[("total", "true")])
                .unwrap()
                .page::<i64>()
                .unwrap()
                .with_total
        );
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let id = RunId::new();
        assert_eq!(read_cursor::<RunId>(&cursor(&id)).unwrap(), id);
        assert_eq!(read_cursor::<i64>(&cursor(&-7_i64)).unwrap(), -7);
        assert!(
            read_cursor::<i64>(&cursor(&id)).is_err(),
            "the cursor of another list"
        );
        for bad in [
            "",
            "c1",
            "c1zz",
            "x",
            "c2ffffffffffffffff",
            "' OR 1=1 --",
            "c1ffffffffffffffffff",
        ] {
            let error = read_cursor::<i64>(bad).expect_err(bad);
            assert_eq!(error.code(), &codes::INVALID_CURSOR, "{bad}");
        }
    }
}
