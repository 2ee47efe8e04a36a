//! Posting ledger transactions, one or many, and undoing them.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mizan_core::{Currency, TransactionId};
use mizan_flows::transfers::{self, LegRequest, TransactionRequest, TransactionView};
use mizan_ledger::PostingKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::amount::{Amount, currency_of};
use crate::auth::Signed;
use crate::body::{BulkSent, Sent};
use crate::error::ApiError;
use crate::id::Id;
use crate::keyed;
use crate::shapes;
use crate::state::Edge;

const MAX_REFERENCE: usize = 128;
const MAX_METADATA: usize = 4_096;

/// Moves an amount: debits one account, credits the other.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transfer {
    /// The code of the account.
    debit: String,
    /// The code of the account.
    credit: String,
    amount: Amount,
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
}

/// Transfers that post together or not at all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostTransaction {
    /// Picked by the caller, so that sending it again is safe.
    id: Uuid,
    /// 1 to 48 of a-z, 0-9 and `_`; `transfer` if left out.
    kind: Option<String>,
    transfers: Vec<Transfer>,
    /// What it is about outside the ledger, up to 128 bytes.
    reference: Option<String>,
    /// An object of the caller's own, up to 4 KiB, kept as it came.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostBulk {
    /// 1 to 8 192.
    transactions: Vec<PostTransaction>,
    /// One refusal refuses them all.
    #[serde(default)]
    atomic: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reverse {
    /// 3 to 128 bytes.
    reason: String,
}

/// Understands a transaction; `at` says where it stands in the body, for the field of a refusal.
fn request(form: PostTransaction, at: &str, default: Currency) -> Result<TransactionRequest, ApiError> {
    let kind = match &form.kind {
        Some(kind) => PostingKind::parse(kind).map_err(|it| ApiError::invalid(&format!("{at}kind"), it))?,
        None => PostingKind::TRANSFER,
    };
    if form.reference.as_ref().is_some_and(|it| it.len() > MAX_REFERENCE) {
        return Err(ApiError::invalid(
            &format!("{at}reference"),
            "use at most 128 bytes",
        ));
    }
    let metadata = form.metadata.map(|it| it.get().to_owned());
    let readable = |it: &String| serde_json::from_str::<Map<String, Value>>(it).is_ok();
    if metadata
        .as_ref()
        .is_some_and(|it| it.len() > MAX_METADATA || !readable(it))
    {
        return Err(ApiError::invalid(
            &format!("{at}metadata"),
            "use an object of at most 4 KiB",
        ));
    }
    let transfers = form.transfers.into_iter().enumerate();
    let transfers = transfers
        .map(|(index, it)| leg(it, &format!("{at}transfers[{index}]."), default))
        .collect::<Result<_, _>>()?;
    Ok(TransactionRequest {
        id: form.id.into(),
        kind,
        transfers,
        reference: form.reference,
        metadata,
    })
}

fn leg(form: Transfer, at: &str, default: Currency) -> Result<LegRequest, ApiError> {
    let code = |name: &str, text: &str| {
        text.parse()
            .map_err(|it| ApiError::invalid(&format!("{at}{name}"), it))
    };
    let currency = currency_of(&format!("{at}currency"), form.currency.as_deref(), default)?;
    Ok(LegRequest {
        debit: code("debit", &form.debit)?,
        credit: code("credit", &form.credit)?,
        amount: form.amount.money(&format!("{at}amount"), currency)?,
    })
}

/// Posts one transaction.
///
/// The caller picks the id, so sending the same body again moves no money twice.
#[utoipa::path(
    post, path = "/ledger/transactions", tag = "ledger", operation_id = "post_transaction", request_body = PostTransaction,
    params(("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 201, body = shapes::LedgerTransaction))
)]
pub(crate) async fn post(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    body: Sent<PostTransaction>,
) -> Result<Response, ApiError> {
    let key = keyed::required(&headers, "POST /api/v1/ledger/transactions", "", &body.bytes)?;
    let request = request(body.value, "", edge.app.settings.default_currency)?;
    Ok(keyed::answer(
        transfers::post(&edge.app, &signed.caller, key, request).await?,
    ))
}

/// Posts many transactions, with a verdict for each.
#[utoipa::path(
    post, path = "/ledger/transactions/bulk", tag = "ledger", operation_id = "post_transactions", request_body = PostBulk,
    params(("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 200, body = shapes::Bulk))
)]
pub(crate) async fn post_bulk(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    body: BulkSent<PostBulk>,
) -> Result<Response, ApiError> {
    let key = keyed::required(&headers, "POST /api/v1/ledger/transactions/bulk", "", &body.bytes)?;
    let default = edge.app.settings.default_currency;
    let forms = body.value.transactions.into_iter().enumerate();
    let requests = forms
        .map(|(index, it)| request(it, &format!("transactions[{index}]."), default))
        .collect::<Result<_, _>>()?;
    let atomic = body.value.atomic;
    Ok(keyed::answer(
        transfers::post_bulk(&edge.app, &signed.caller, key, requests, atomic).await?,
    ))
}

/// Shows one transaction.
#[utoipa::path(get, path = "/ledger/transactions/{id}", tag = "ledger", operation_id = "get_transaction", params(("id" = Uuid, Path)), responses((status = 200, body = shapes::LedgerTransaction)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<TransactionId>,
) -> Result<Json<TransactionView>, ApiError> {
    Ok(Json(transfers::get(&edge.app, &signed.caller, id).await?))
}

/// Undoes a transaction by a new one that names it. Once.
#[utoipa::path(
    post, path = "/ledger/transactions/{id}/reverse", tag = "ledger", operation_id = "reverse_transaction", request_body = Reverse,
    params(("id" = Uuid, Path), ("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 201, body = shapes::LedgerTransaction))
)]
pub(crate) async fn reverse(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<TransactionId>,
    body: Sent<Reverse>,
) -> Result<Response, ApiError> {
    let key = keyed::required(
        &headers,
        "POST /api/v1/ledger/transactions/{id}/reverse",
        id,
        &body.bytes,
    )?;
    Ok(keyed::answer(
        transfers::reverse(&edge.app, &signed.caller, &key, id, &body.value.reason).await?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198a000-0000-7000-8000-000000000000";

    /// Reads a bulk body with one good transaction and one with these members.
    fn read(members: &str) -> Result<Vec<TransactionRequest>, ApiError> {
        let good = format!(r#"{{"id":"{ID}","transfers":[{{"debit":"a","credit":"b","amount":"1.00"}}]}}"#);
        let body = format!(r#"{{"transactions":[{good},{{"id":"{ID}",{members}}}]}}"#);
        let bulk: PostBulk = crate::body::parse(body.as_bytes())?;
        let forms = bulk.transactions.into_iter().enumerate();
        forms
            .map(|(index, it)| request(it, &format!("transactions[{index}]."), Currency::TRY))
            .collect()
    }

    #[test]
    fn a_refusal_names_the_item_and_its_field() {
        for (members, field) in [
            (
                r#""transfers":[{"debit":"a","credit":"b","amount":"1e3"}]"#,
                "transfers[0].amount",
            ),
            (
                r#""transfers":[{"debit":"a","credit":"b c","amount":"1"}]"#,
                "transfers[0].credit",
            ),
            (
                r#""transfers":[{"debit":"a","credit":"b","amount":"1","currency":"try"}]"#,
                "transfers[0].currency",
            ),
            (r#""transfers":[],"kind":"No""#, "kind"),
            (r#""transfers":[],"metadata":[1]"#, "metadata"),
            (r#""transfers":[],"metadata":{"a":"\ud800"}"#, "metadata"),
            (r#""transfers":[],"surprise":1"#, "surprise"),
            (
                r#""transfers":[{"debit":"a","credit":"b"}]"#,
                "transfers[0].amount",
            ),
        ] {
            let shown = format!("{:?}", read(members).expect_err(members));
            assert!(
                shown.contains(&format!("String(\"transactions[1].{field}\")")),
                "{members}: {shown}"
            );
        }
    }

    #[test]
    fn metadata_is_kept_as_it_came() {
        let seen = read(r#""transfers":[],"metadata":{"b": 1.10,"a":"é"}"#).unwrap();
        assert_eq!(seen[1].metadata.as_deref(), Some(r#"{"b": 1.10,"a":"é"}"#));
    }
}
