//! The OpenAPI document: what the handlers declare, plus what holds for all of them.

use utoipa::openapi::{
    Components, Content, Info, License, OpenApi, PathItem, Paths, Ref, RefOr, Response, ResponseBuilder,
    path::Operation,
    security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    problem::{Code, MEDIA_TYPE, Problem},
    router,
};

const DESCRIPTION: &str = "Everything below `/v1` needs `Authorization: Bearer gk_…` with a key made by `guichet key \
                           create`. Lists come in pages: give `next_cursor` back as `cursor` until it is null. Errors \
                           are RFC 9457 problem documents; their `type` is stable, a reference relative to this \
                           server. Unknown query parameters and unknown JSON fields are refused. Times are RFC 3339 in \
                           UTC, sizes are bytes.";

/// Name of the security scheme.
const SCHEME: &str = "api_key";

/// The document without its paths.
pub(crate) fn head() -> OpenApi {
    let mut info = Info::new("Guichet", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    info.license = Some(License::new("Apache-2.0 OR MIT"));
    OpenApi::new(info, Paths::new())
}

/// The whole OpenAPI 3.1 document, for `guichet openapi`, `/v1/openapi.json` and the console's typed client.
pub fn openapi() -> OpenApi {
    let all = OpenApiRouter::with_openapi(head())
        .merge(router::open())
        .merge(router::keyed());
    let mut document = all.into_openapi();
    let mut components = document.components.take().unwrap_or_else(Components::new);
    let mut key = Http::new(HttpAuthScheme::Bearer);
    key.description = Some("An API key: `gk_` and 43 characters.".to_owned());
    components.add_security_scheme(SCHEME, SecurityScheme::Http(key));
    for (name, schema) in problem_schemas() {
        components.schemas.insert(name, schema);
    }
    components
        .responses
        .insert("Problem".to_owned(), problem_response("Any error.").into());
    document.components = Some(components);
    for (path, item) in &mut document.paths.paths {
        let keyed = path.starts_with("/v1/");
        for operation in operations_mut(item) {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), Ref::from_response_name("Problem").into());
            for (status, response) in responses.iter_mut() {
                if let RefOr::T(response) = response
                    && status.starts_with(['4', '5'])
                    && response.content.is_empty()
                {
                    response.content = problem_response("").content;
                }
            }
            if keyed {
                let unauthenticated = problem_response(Code::Unauthenticated.meaning().title);
                responses.insert("401".to_owned(), unauthenticated.into());
                operation.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
            }
        }
    }
    document
}

fn problem_schemas() -> Vec<(String, RefOr<utoipa::openapi::Schema>)> {
    use utoipa::{PartialSchema, ToSchema};
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    schemas
}

fn problem_response(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(description)
        .content(MEDIA_TYPE, Content::new(Some(RefOr::from(schema))))
        .build()
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// The operations of a path with their methods.
#[cfg(test)]
pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (http::Method, &Operation)> {
    use http::Method;
    [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::Method;
    use serde_json::Value;

    use super::*;
    use crate::testing::Fixture;

    /// The public routes. A change here is a change of the public API.
    const ROUTES: [&str; 35] = [
        "GET /healthz",
        "GET /metrics",
        "GET /problems/{code}",
        "GET /readyz",
        "GET /v1/addresses",
        "GET /v1/conversations",
        "GET /v1/conversations/{id}",
        "GET /v1/conversations/{id}/messages",
        "GET /v1/dead-letters",
        "GET /v1/events",
        "GET /v1/findings",
        "GET /v1/findings/history",
        "GET /v1/integration",
        "PATCH /v1/integration",
        "GET /v1/mailboxes",
        "GET /v1/messages/{id}",
        "GET /v1/messages/{id}/attachments/{aid}",
        "GET /v1/messages/{id}/mime",
        "GET /v1/openapi.json",
        "GET /v1/quarantine",
        "GET /v1/quarantine/{id}",
        "GET /v1/quarantine/{id}/mime",
        "GET /v1/receipts",
        "GET /v1/routes",
        "GET /v1/totals",
        "GET /v1/trace/{query}",
        "PATCH /v1/conversations/{id}",
        "POST /notifications/graph",
        "POST /notifications/graph/lifecycle",
        "POST /v1/conversations/{id}/replies",
        "POST /v1/dead-letters/{id}/discard",
        "POST /v1/dead-letters/{id}/retry",
        "POST /v1/mailboxes/{id}/sync",
        "POST /v1/quarantine/{id}/discard",
        "POST /v1/quarantine/{id}/replay",
    ];

    #[test]
    fn document_lists_every_public_route() {
        let document = openapi();
        let listed: BTreeSet<String> = document
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| operations(item).map(move |(method, _)| format!("{method} {path}")))
            .collect();
        let wanted: BTreeSet<String> = ROUTES.iter().map(ToString::to_string).collect();
        assert_eq!(listed, wanted);
    }

    #[tokio::test]
    async fn router_has_every_documented_route() {
        let fixture = Fixture::new().await;
        for route in ROUTES {
            let (method, path) = route.split_once(' ').expect("method and path");
            let id = "00000000-0000-0000-0000-000000000000";
            let path = path
                .replace("{id}", id)
                .replace("{aid}", id)
                .replace("{query}", "x")
                .replace("{code}", "x");
            let method: Method = method.parse().expect("method");
            let response = fixture.respond(method, &path).await;
            let kind = response.headers().get("content-type").cloned();
            if kind.is_some_and(|kind| kind == MEDIA_TYPE) {
                let answer = crate::testing::Answer::read(response).await;
                let code = answer.json()["type"].as_str().unwrap_or_default().to_owned();
                assert!(
                    !["/problems/route-unknown", "/problems/method-not-allowed"].contains(&code.as_str()),
                    "{route}"
                );
            }
        }
    }

    #[test]
    fn every_operation_documents_its_problems_and_its_key() {
        let json = serde_json::to_value(openapi()).expect("json");
        assert!(
            json["openapi"]
                .as_str()
                .is_some_and(|version| version.starts_with("3.1"))
        );
        let kinds = &json["components"]["schemas"]["ProblemType"]["enum"];
        assert_eq!(kinds.as_array().map(Vec::len), Some(Code::ALL.len()));
        for (path, item) in json["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let place = format!("{method} {path}");
                assert_eq!(
                    operation["responses"]["default"]["$ref"], "#/components/responses/Problem",
                    "{place}"
                );
                assert_eq!(operation["security"].is_array(), path.starts_with("/v1/"), "{place}");
                assert!(
                    operation["operationId"].is_string() && operation["summary"].is_string(),
                    "{place}"
                );
            }
        }
    }

    #[test]
    fn every_reference_in_the_document_resolves() {
        let json = serde_json::to_value(openapi()).expect("json");
        let mut references = BTreeSet::new();
        collect(&json, &mut references);
        assert!(references.len() > 10);
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("local");
            assert!(json.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    into.insert(reference.clone());
                }
                members.values().for_each(|member| collect(member, into));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }

    #[tokio::test]
    async fn served_document_is_the_printed_one() {
        let fixture = Fixture::new().await;
        let answer = fixture.get("/v1/openapi.json").await;
        assert_eq!(answer.json(), serde_json::to_value(openapi()).expect("json"));
    }
}
