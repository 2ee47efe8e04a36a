//! The table of error codes. `docs/error-codes.md` is made from it.

use std::fmt::Write;

/// One stable code.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// What programs decide by; it never changes its meaning.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    pub title: &'static str,
    pub meaning: &'static str,
    /// What a caller can do about it.
    pub action: &'static str,
}

macro_rules! codes {
    ($($name:ident $status:literal $title:literal $meaning:literal $action:literal;)+) => {
        $(pub static $name: Code = Code {
            code: stringify!($name), status: $status, title: $title, meaning: $meaning, action: $action,
        };)+

        static ALL: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    // -- the request itself
    BAD_REQUEST 400 "Bad request" "the request cannot be read" "Correct the request.";
    MALFORMED_JSON 400 "Malformed JSON" "the body is not JSON" "Send one JSON object in UTF-8.";
    UNKNOWN_PARAMETER 400 "Unknown parameter" "the query has a parameter that this route does not know" "Remove it; `/api/openapi.json` lists what a route takes.";
    INVALID_CURSOR 400 "Invalid cursor" "the cursor is not one that a list gave out" "Start from the first page.";
    VALIDATION_FAILED 422 "Validation failed" "a field cannot be taken; `field` names it" "Correct the field. Nothing was changed, and an Idempotency-Key was not used up.";
    UNSUPPORTED_MEDIA_TYPE 415 "Unsupported media type" "the body is not sent as application/json, or it is compressed" "Send `Content-Type: application/json` and no `Content-Encoding`.";
    BODY_TOO_LARGE 413 "Body too large" "the body is larger than this route takes" "Send less at once.";
    BODY_TOO_SLOW 408 "Body too slow" "the body did not arrive in time" "Send it again.";
    NOT_FOUND 404 "Not found" "there is no such route" "Check the path.";
    METHOD_NOT_ALLOWED 405 "Method not allowed" "the route has no such method" "Use a method of the `Allow` header.";
    // -- who asks
    NOT_AUTHENTICATED 401 "Not authenticated" "there is no valid access token or API key" "Sign in again.";
    INVALID_CREDENTIALS 401 "Invalid credentials" "the email or the password is wrong" "Check both; five failures in a minute are answered with 429.";
    TOO_MANY_ATTEMPTS 429 "Too many attempts" "there were too many failures to sign in" "Wait for the seconds of `Retry-After`.";
    FORBIDDEN 403 "Forbidden" "this user may not do that" "Ask an owner for the role or scope.";
    APPROVER_IS_REQUESTER 403 "Approver is requester" "the one who asked for a withdrawal, or proposed an adjustment, may not approve it" "Have somebody else decide.";
    KYC_REQUIRED 403 "KYC required" "the player's documents have not been approved" "Have them reviewed first.";
    // -- idempotency
    IDEMPOTENCY_KEY_REQUIRED 400 "Idempotency key required" "the route moves money and needs the Idempotency-Key header" "Send a key of your own, the same on every repetition.";
    IDEMPOTENCY_KEY_REUSE_CONFLICT 409 "Idempotency key reused" "the key was used with another body" "Use a new key for a new request.";
    // -- money
    INSUFFICIENT_FUNDS 400 "Insufficient funds" "the account does not hold enough" "Ask for less; `short_minor_units` says how much is missing.";
    AMOUNT_NOT_POSITIVE 422 "Amount not positive" "an amount must be positive" "Send a positive amount.";
    AMOUNT_OVERFLOW 422 "Amount overflow" "a balance would be larger than can be kept" "Send smaller amounts.";
    CURRENCY_MISMATCH 422 "Currency mismatch" "both accounts must be in the currency of the amount" "Use accounts of one currency.";
    SAME_ACCOUNT 422 "Same account" "a transfer needs two different accounts" "Use two accounts.";
    TRANSFERS_MISSING 422 "Transfers missing" "a transaction needs at least one transfer" "Send at least one.";
    TOO_MANY_TRANSFERS 422 "Too many transfers" "the transaction has too many transfers" "Split it.";
    TRANSACTION_ID_CONFLICT 409 "Transaction id conflict" "another transaction has this id" "Use a new id for a new transaction.";
    ALREADY_REVERSED 409 "Already reversed" "the transaction is reversed already" "Nothing is left to do.";
    ATOMIC_BATCH_REFUSED 422 "Atomic batch refused" "another transaction of the atomic batch was refused" "Correct that one.";
    UNSUPPORTED_METHOD 400 "Unsupported method" "the payment method is not offered here" "Use another method.";
    UNSUPPORTED_PROVIDER 400 "Unsupported provider" "the provider is not set up" "Use the key of a connection.";
    // -- states
    INVALID_STATE_TRANSITION 409 "Invalid state transition" "what is asked for cannot follow the state that holds; `current_state` names it" "Read the object again and decide anew.";
    ALREADY_EXISTS 409 "Already exists" "the name is taken; `field` names it" "Use another one.";
    FLAG_REFUSED 409 "Flag refused" "the flag cannot have that value here" "See `detail`.";
    // -- nouns
    PLAYER_NOT_FOUND 404 "Player not found" "the tenant has no such player" "Check the id.";
    WITHDRAWAL_NOT_FOUND 404 "Withdrawal not found" "the tenant has no such withdrawal" "Check the id.";
    TRANSACTION_NOT_FOUND 404 "Transaction not found" "the tenant has no such transaction" "Check the id.";
    ACCOUNT_NOT_FOUND 404 "Account not found" "the tenant has no such account" "Open it first, or check code and currency.";
    STAFF_NOT_FOUND 404 "Staff member not found" "the tenant has no such member of staff" "Check the id.";
    API_KEY_NOT_FOUND 404 "API key not found" "the tenant has no such API key, or it is revoked" "Check the id.";
    WEBHOOK_EVENT_NOT_FOUND 404 "Webhook event not found" "the tenant has no such event" "Check the id.";
    RUN_NOT_FOUND 404 "Run not found" "the tenant has no such reconciliation run" "Check the id.";
    ADJUSTMENT_NOT_FOUND 404 "Adjustment not found" "the finding has no such adjustment" "Check the id.";
    STATEMENT_NOT_FOUND 404 "Statement not found" "the tenant has no such statement" "Check the id.";
    STATEMENT_REFUSED 422 "Statement refused" "the file cannot be read as a statement; nothing of it is kept" "`detail` says what, where and what to do.";
    FINDING_NOT_FOUND 404 "Finding not found" "the tenant has no such finding" "Check the id.";
    TENANT_NOT_FOUND 404 "Tenant not found" "there is no such tenant" "Check the key.";
    FLAG_NOT_FOUND 404 "Flag not found" "there is no such flag" "`GET /api/v1/flags` lists them.";
    // -- webhooks
    WEBHOOK_SIGNATURE_MISSING 400 "Webhook signature missing" "the request carries no signature" "Sign the request.";
    WEBHOOK_TIMESTAMP_INVALID 401 "Webhook timestamp invalid" "the timestamp of the signature is missing, unreadable, too old or in the future" "Check the sender's clock.";
    WEBHOOK_SIGNATURE_INVALID 401 "Webhook signature invalid" "the signature does not match the body" "Sign the raw bytes with the connection's secret.";
    WEBHOOK_SECRET_MISSING 401 "Webhook secret missing" "the connection has no secret, so no event can be verified" "Set `WEBHOOK_SECRET_<PROVIDER>`.";
    WEBHOOK_BODY_INVALID 400 "Webhook body invalid" "the body is not an event of this provider" "See the provider's format.";
    TOO_MANY_REJECTED 429 "Too many rejected webhooks" "this address sent too many webhooks that were rejected" "Wait for the seconds of `Retry-After`.";
    // -- ours
    TOO_BUSY 429 "Too busy" "too much is waiting already; nothing was done" "Wait for the seconds of `Retry-After`, then send the same request.";
    ENTRIES_ARCHIVED 410 "Entries archived" "the journal rows that this asks for were moved to an archive" "Ask for newer ones, or read them in the files of `mizan ledger archive`.";
    PROVIDER_UNAVAILABLE 502 "Provider unavailable" "the provider could not be asked" "Try again later.";
    OBJECT_STORE_UNAVAILABLE 503 "Object store unavailable" "files of statements cannot be kept or brought back just now" "Send the same request again.";
    DATABASE_UNAVAILABLE 503 "Database unavailable" "the database cannot be reached; it is not certain whether the request had its effect" "Send the same request with the same Idempotency-Key.";
    DATABASE_NOT_MIGRATED 503 "Database not migrated" "the database lacks tables or columns of this version" "Run `mizan migrate upgrade head`.";
    CONTENTION 503 "Contention" "other requests came first again and again; nothing was done" "Send the same request.";
    TIMED_OUT 504 "Timed out" "the request took too long; it is not certain whether it had its effect" "Send the same request with the same Idempotency-Key.";
    INTERNAL 500 "Internal error" "something went wrong on our side" "Send the same request again; report the `request_id` if it stays.";
}

/// Every code, in the order of the table.
pub fn catalogue() -> &'static [&'static Code] {
    ALL
}

/// The code with a name.
pub(super) fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|it| it.code == code)
}

/// The code for a noun that is not there, in the words of the flows.
pub(super) fn not_found(noun: &str) -> &'static Code {
    match noun {
        "player" => &PLAYER_NOT_FOUND,
        "withdrawal" => &WITHDRAWAL_NOT_FOUND,
        "transaction" => &TRANSACTION_NOT_FOUND,
        "account" => &ACCOUNT_NOT_FOUND,
        "staff member" => &STAFF_NOT_FOUND,
        "API key" => &API_KEY_NOT_FOUND,
        "webhook event" => &WEBHOOK_EVENT_NOT_FOUND,
        "run" => &RUN_NOT_FOUND,
        "finding" => &FINDING_NOT_FOUND,
        "statement" => &STATEMENT_NOT_FOUND,
        "adjustment" => &ADJUSTMENT_NOT_FOUND,
        "tenant" => &TENANT_NOT_FOUND,
        "flag" => &FLAG_NOT_FOUND,
        "provider" => &UNSUPPORTED_PROVIDER,
        _ => &NOT_FOUND,
    }
}

/// `docs/error-codes.md`.
pub fn catalogue_markdown() -> String {
    let mut text = String::from(
        "# Error codes\n\nMade from the table in `crates/mizan-http/src/error/codes.rs`.\n\n\
         Errors are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `error_code`,\n\
         `request_id`, and for some codes `field`, `current_state` or `short_minor_units`. Programs decide by\n\
         `error_code`: a code never changes its meaning.\n\n\
         | code | status | meaning | what to do |\n| --- | --- | --- | --- |\n",
    );
    for it in ALL {
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            it.code, it.status, it.meaning, it.action
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_listed_once_with_an_error_status_and_words() {
        let mut seen = HashSet::new();
        for it in catalogue() {
            assert!(seen.insert(it.code), "{} twice", it.code);
            assert!((400..600).contains(&it.status), "{}", it.code);
            assert!(!it.meaning.is_empty() && it.action.ends_with('.'), "{}", it.code);
            assert!(catalogue_markdown().contains(&format!("| `{}` | {} |", it.code, it.status)));
        }
    }
}
