//! The API's document, OpenAPI 3.1, made from the handlers. Its order is stable, so it can be checked in.

use std::collections::HashSet;

use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    SecurityRequirement,
};

use crate::error::Problem;
use crate::permissions::Permission;
use crate::router::{Route, table};

const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";
const PERMISSION: &str = "x-permission";
const PROBLEM: &str = "Problem";

/// The document of every route.
pub fn document() -> OpenApi {
    let mut document = table().into_openapi();
    document.info = InfoBuilder::new()
        .title("Mizan")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Double-entry ledger, payments and reconciliation. Amounts are decimal strings in major units; times are \
             RFC 3339 UTC. Errors are application/problem+json with a stable error_code.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    add_problem(components);
    add_security(components);
    let mut taken = HashSet::new();
    for operation in document.paths.paths.values_mut().flat_map(operations_mut) {
        finish(operation, &mut taken);
    }
    document
}

fn add_problem(components: &mut Components) {
    components
        .schemas
        .insert(PROBLEM.to_owned(), <Problem as utoipa::PartialSchema>::schema());
    let mut referenced = Vec::new();
    Problem::schemas(&mut referenced);
    components.schemas.extend(referenced);
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM)))
        .build();
    let response = ResponseBuilder::new()
        .description("A problem; `error_code` is one of the table in docs/error-codes.md")
        .content("application/problem+json", content)
        .build();
    components
        .responses
        .insert(PROBLEM.to_owned(), RefOr::T(response));
}

fn add_security(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token of a sign-in, or an API key"))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("X-Api-Key", "An API key of a service");
    components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)));
}

/// Gives an operation a unique id and its errors.
fn finish(operation: &mut Operation, taken: &mut HashSet<String>) {
    let mut id = operation.operation_id.clone().unwrap_or_default();
    while !taken.insert(id.clone()) {
        id += "_older";
    }
    operation.operation_id = Some(id);
    for range in ["4XX", "5XX"] {
        let problem = RefOr::Ref(Ref::from_response_name(PROBLEM));
        operation.responses.responses.insert(range.to_owned(), problem);
    }
}

/// Writes down what a route needs. [`routes`] reads it back.
pub(crate) fn mark(paths: &mut Paths, permission: Option<Permission>) {
    for operation in paths.paths.values_mut().flat_map(operations_mut) {
        let Some(permission) = permission else {
            operation.security = Some(Vec::new());
            continue;
        };
        let none: [&str; 0] = [];
        operation.security = Some(vec![
            SecurityRequirement::new(BEARER, none),
            SecurityRequirement::new(API_KEY, none),
        ]);
        let extension = [(PERMISSION, json!(permission.as_str()))];
        operation.extensions = Some(extension.into_iter().collect::<Extensions>());
    }
}

/// The routes of a document with their permissions.
pub(crate) fn routes(document: &OpenApi) -> Vec<Route> {
    let mut all = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            let name = operation
                .extensions
                .as_ref()
                .and_then(|it| it.get(PERMISSION))
                .and_then(|it| it.as_str());
            let permission =
                name.and_then(|it| Permission::ALL.iter().copied().find(|known| known.as_str() == it));
            all.push(Route {
                method,
                path: path.clone(),
                permission,
            });
        }
    }
    all
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use mizan_payments::Role;

    use super::*;
    use crate::routes_table;

    #[test]
    fn the_document_is_openapi_3_1_and_the_same_every_time() {
        let text = || serde_json::to_value(document()).unwrap();
        assert_eq!(text()["openapi"], "3.1.0");
        assert_eq!(text().to_string(), text().to_string());
        assert_eq!(text()["info"]["title"], "Mizan");
    }

    #[test]
    fn every_reference_of_the_document_is_defined() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_operation_has_an_id_of_its_own_words_and_errors() {
        let mut seen = HashSet::new();
        let document = document();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                let id = operation.operation_id.clone().unwrap();
                assert!(seen.insert(id.clone()), "{id} twice");
                assert!(operation.summary.is_some(), "{method} {path} has no words");
                assert!(
                    operation.responses.responses.contains_key("4XX"),
                    "{method} {path}"
                );
            }
        }
    }

    #[test]
    fn only_these_routes_are_public() {
        let mut public: Vec<_> = routes_table()
            .into_iter()
            .filter(|it| it.permission.is_none())
            .map(|it| it.path)
            .collect();
        public.sort();
        assert_eq!(
            public,
            [
                "/api/health",
                "/api/ready",
                "/api/v1/auth/login",
                "/api/v1/auth/player/login",
                "/api/v1/auth/player/register",
                "/api/v1/payments/webhook/{provider}",
                "/api/version",
                "/metrics",
            ]
        );
    }

    #[test]
    fn an_auditor_reads_and_writes_nothing() {
        for route in routes_table() {
            let Some(permission) = route.permission else {
                continue;
            };
            let allowed = permission.allows(Role::Auditor, &[], false);
            assert!(
                !allowed || route.method == "GET",
                "{} {}",
                route.method,
                route.path
            );
        }
    }

    #[test]
    fn a_read_permission_never_opens_a_write() {
        for route in routes_table() {
            let reads = route
                .permission
                .is_some_and(|it| it.as_str().split('.').next_back() == Some("read"));
            assert!(!reads || route.method == "GET", "{} {}", route.method, route.path);
        }
    }
}
