//! Every step of one mail.

use axum::{Json, extract::State};

use crate::{
    dto::{List, Trace},
    extract::{NoParameters, PathParams, QueryParams},
    problem::{Code, Problem},
    state::ApiState,
};

/// Bytes of the query; a Message-ID fits into a header line of 998 (RFC 5322).
const MAX_QUERY: usize = 1000;

/// The way of a mail: every step, with times and reasons. Some mails share a Message-ID, so there may be
/// several.
#[utoipa::path(
    get,
    path = "/v1/trace/{query}",
    operation_id = "trace",
    tag = "ledger",
    params(("query" = String, Path,
        description = "Id of a message, Graph's immutable id, or a Message-ID with or without angle brackets.")),
    responses(
        (status = 200, description = "The mails that were found, at most 50.", body = List<Trace>),
        (status = 400, description = "The query is empty or too long."),
        (status = 404, description = "No mail has this id."),
    )
)]
pub(crate) async fn trace(
    State(state): State<ApiState>,
    PathParams(query): PathParams<String>,
    _: QueryParams<NoParameters>,
) -> Result<Json<List<Trace>>, Problem> {
    let query = query.trim();
    if query.is_empty() || query.len() > MAX_QUERY {
        let detail = format!("in the path: query: it must have 1 to {MAX_QUERY} bytes");
        return Err(Problem::new(Code::InvalidParameter, detail));
    }
    let found = state.store().trace(query).await?;
    if found.is_empty() {
        return Err(Problem::new(Code::NotFound, "no mail has this id"));
    }
    Ok(Json(List {
        items: found.iter().map(Into::into).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::testing::Fixture;

    #[tokio::test]
    async fn mail_is_found_by_each_of_its_ids() {
        let fixture = Fixture::new().await;
        let received = fixture.receive("Parcel").await;
        let encoded = format!("%3C{}%3E", received.internet_message_id.replace('/', "%2F"));
        for query in [received.message.to_string(), received.immutable_id.clone(), encoded] {
            let answer = fixture.get(&format!("/v1/trace/{query}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
            let found = answer.json();
            assert_eq!(
                found["items"][0]["receipt"]["immutable_id"], received.immutable_id,
                "{query}"
            );
            assert_eq!(found["items"][0]["mailbox_address"], "support@contoso.example");
            let steps: Vec<&str> = found["items"][0]["steps"]
                .as_array()
                .expect("steps")
                .iter()
                .filter_map(|s| s["step"].as_str())
                .collect();
            assert!(steps.contains(&"seen") && steps.contains(&"committed"), "{steps:?}");
        }
    }

    #[tokio::test]
    async fn unknown_and_oversized_queries_are_problems() {
        let fixture = Fixture::new().await;
        fixture
            .get("/v1/trace/nothing")
            .await
            .is_problem(StatusCode::NOT_FOUND, "not-found");
        let long = fixture
            .get(&format!("/v1/trace/{}", "x".repeat(super::MAX_QUERY + 1)))
            .await;
        long.is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
        fixture
            .get("/v1/trace/%20")
            .await
            .is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
    }
}
