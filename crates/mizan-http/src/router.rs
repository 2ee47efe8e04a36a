//! The table of contents of the API: one route a line, grouped by who calls it.

use axum::extract::Request;
use std::sync::LazyLock;

use axum::middleware::{Next, from_fn};
use axum::routing::get;
use axum::{Extension, Json, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::permissions::Permission as P;
use crate::state::{Edge, HttpState};
use crate::{
    accounts, adjustments, api_keys, audit, auth, completeness, connections, finding_adjustments,
    finding_work, findings, findings_csv, flags, frame, health, login, openapi, players, recon_runs,
    recon_schedules, staff, statements, tenants, transfers, wallets, webhook_inbox, webhooks, withdrawals,
};

/// The HTTP side of a process. Serve it with the peer's address as connect info
/// (`into_make_service_with_connect_info::<SocketAddr>`): failures to sign in are counted by it.
pub fn router(state: HttpState) -> Router {
    let (origins, limits) = (state.cors.clone(), state.limits.clone());
    let edge = Edge::new(state);
    let (routes, _) = table().split_for_parts();
    let routes = routes
        .route("/api/openapi.json", get(openapi_json))
        .fallback(frame::unknown_route)
        .with_state(edge.clone())
        .layer(Extension(edge));
    frame::around(routes, &origins, limits.request, limits.under_way)
}

/// Every route, with its document.
pub(crate) fn table() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(OpenApi::default())
        .merge(probes())
        .nest("/api/v1", v1())
}

/// The document is made once.
async fn openapi_json() -> Json<&'static OpenApi> {
    static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(openapi::document);
    Json(&DOCUMENT)
}

fn probes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(public(routes!(health::health)))
        .routes(public(routes!(health::ready)))
        .routes(public(routes!(health::version)))
        .routes(public(routes!(health::metrics)))
}

fn v1() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .merge(everybody())
        .merge(of_players())
        .merge(of_finance())
        .merge(of_ledger())
        .merge(of_operations())
        .merge(of_administration())
        .nest("/reconciliation", of_findings())
        .nest("/payments/reconciliation", of_findings())
}

fn everybody() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(public(routes!(login::staff)))
        .routes(public(routes!(login::player)))
        .routes(public(routes!(login::register)))
        .routes(public(routes!(webhooks::take)))
}

fn of_players() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::OwnWallet, routes!(wallets::show)))
        .routes(needs(P::OwnWallet, routes!(wallets::deposit)))
        .routes(needs(P::OwnWallet, routes!(wallets::withdraw)))
        .routes(needs(P::OwnWallet, routes!(withdrawals::list_own)))
        .routes(needs(P::OwnWallet, routes!(withdrawals::cancel_own)))
}

fn of_finance() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::PlayersRead, routes!(players::list)))
        .routes(needs(P::PlayersCreate, routes!(players::create)))
        .routes(needs(P::PlayersRead, routes!(players::get)))
        .routes(needs(P::PlayersRead, routes!(players::wallet)))
        .routes(needs(P::PlayersRead, routes!(players::entries)))
        .routes(needs(P::PlayersRead, routes!(players::balance)))
        .routes(needs(P::KycReview, routes!(players::review_kyc)))
        .routes(needs(P::WithdrawalsRead, routes!(withdrawals::list)))
        .routes(needs(P::WithdrawalsRead, routes!(withdrawals::get)))
        .routes(needs(P::WithdrawalsRead, routes!(withdrawals::attempts)))
        .routes(needs(P::WithdrawalsDecide, routes!(withdrawals::review)))
        .routes(needs(P::WithdrawalsDecide, routes!(withdrawals::payout)))
        .routes(needs(P::WithdrawalsDecide, routes!(withdrawals::mark_paid)))
        .routes(needs(P::WithdrawalsDecide, routes!(withdrawals::retry)))
        .routes(needs(P::WithdrawalsDecide, routes!(withdrawals::cancel)))
        .routes(needs(P::LedgerAdjust, routes!(adjustments::adjust)))
}

fn of_ledger() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::LedgerPost, routes!(transfers::post)))
        .routes(needs(P::LedgerPost, routes!(transfers::post_bulk)))
        .routes(needs(P::LedgerRead, routes!(transfers::get)))
        .routes(needs(P::LedgerPost, routes!(transfers::reverse)))
        .routes(needs(P::LedgerRead, routes!(accounts::list)))
        .routes(needs(P::LedgerPost, routes!(accounts::open)))
        .routes(needs(P::LedgerRead, routes!(accounts::get)))
        .routes(needs(P::LedgerRead, routes!(accounts::entries)))
        .routes(needs(P::LedgerRead, routes!(accounts::balance)))
}

fn of_operations() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::WebhooksRead, routes!(webhook_inbox::list)))
        .routes(needs(P::WebhooksRead, routes!(webhook_inbox::get)))
        .routes(needs(P::WebhooksReplay, routes!(webhook_inbox::replay)))
        .routes(needs(P::ReconRun, routes!(recon_runs::create)))
        .routes(needs(P::ReconRead, routes!(recon_runs::list)))
        .routes(needs(P::ReconRead, routes!(recon_runs::get)))
        .routes(needs(P::ReconRun, routes!(recon_runs::cancel)))
        .routes(needs(P::ReconRun, routes!(recon_runs::run_now)))
        .routes(needs(P::ReconRead, routes!(recon_schedules::list)))
        .routes(needs(P::ReconRun, routes!(recon_schedules::put)))
        .routes(needs(P::ReconRun, routes!(recon_schedules::delete)))
        .routes(needs(P::ReconRun, routes!(statements::create)))
        .routes(needs(P::ReconRead, routes!(statements::list)))
        .routes(needs(P::ReconRead, routes!(statements::get)))
        .routes(needs(P::ReconRead, routes!(statements::quarantine)))
        .routes(needs(P::FlagsRead, routes!(flags::list)))
        .routes(needs(P::FlagsSet, routes!(flags::set)))
        .routes(needs(P::AuditRead, routes!(audit::list)))
}

/// Mounted twice: under the new path and the older one.
fn of_findings() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::ReconRead, routes!(findings::list)))
        .routes(needs(P::ReconRead, routes!(findings_csv::export)))
        .routes(needs(P::ReconRead, routes!(findings::get)))
        .routes(needs(P::FindingsWork, routes!(findings::acknowledge)))
        .routes(needs(P::FindingsWork, routes!(findings::resolve)))
        .routes(needs(P::FindingsWork, routes!(findings::ignore)))
        .routes(needs(P::FindingsWork, routes!(findings::reopen)))
        .routes(needs(P::FindingsWork, routes!(finding_work::assign)))
        .routes(needs(P::FindingsWork, routes!(finding_work::comment)))
        .routes(needs(P::ReconRead, routes!(finding_work::events)))
        .routes(needs(P::LedgerAdjust, routes!(finding_adjustments::propose)))
        .routes(needs(P::ReconRead, routes!(finding_adjustments::list_of_finding)))
        .routes(needs(P::LedgerAdjust, routes!(finding_adjustments::approve)))
        .routes(needs(P::LedgerAdjust, routes!(finding_adjustments::reject)))
        .routes(needs(P::ReconRead, routes!(finding_adjustments::list)))
        .routes(needs(P::ReconRead, routes!(completeness::report)))
}

fn of_administration() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(needs(P::StaffRead, routes!(staff::list)))
        .routes(needs(P::StaffManage, routes!(staff::create)))
        .routes(needs(P::StaffManage, routes!(staff::disable)))
        .routes(needs(P::StaffManage, routes!(staff::enable)))
        .routes(needs(P::StaffRead, routes!(api_keys::list)))
        .routes(needs(P::StaffManage, routes!(api_keys::create)))
        .routes(needs(P::StaffManage, routes!(api_keys::revoke)))
        .routes(needs(P::TenantsManage, routes!(tenants::list)))
        .routes(needs(P::TenantsManage, routes!(tenants::create)))
        .routes(needs(P::TenantManage, routes!(tenants::set_kyc)))
        .routes(needs(P::ConnectionsRead, routes!(connections::list)))
        .routes(needs(P::ConnectionsManage, routes!(connections::create)))
}

/// A route that anybody may call.
fn public((schemas, mut paths, methods): UtoipaMethodRouter<Edge>) -> UtoipaMethodRouter<Edge> {
    openapi::mark(&mut paths, None);
    (schemas, paths, methods)
}

/// A route that needs a permission. The same line guards it and tells so in the document.
fn needs(permission: P, (schemas, mut paths, methods): UtoipaMethodRouter<Edge>) -> UtoipaMethodRouter<Edge> {
    openapi::mark(&mut paths, Some(permission));
    let guard = move |request: Request, next: Next| auth::guard(permission, request, next);
    (schemas, paths, methods.route_layer(from_fn(guard)))
}

/// One route and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: &'static str,
    /// `/api/v1/players/{id}`
    pub path: String,
    /// `None` for a public route.
    pub permission: Option<P>,
}

/// Every route that is served, for tests of who may call what.
pub fn routes_table() -> Vec<Route> {
    openapi::routes(&table().into_openapi())
}

#[cfg(test)]
mod tests;
