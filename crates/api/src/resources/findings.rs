//! What a check of the set-up finds.

use std::time::Duration;

use axum::{Json, extract::State};
use http::HeaderMap;
use tokio::time::timeout;

use crate::{
    dto::{Finding, List, PastFinding},
    extract::{NoParameters, QueryParams},
    problem::{Code, Problem},
    state::{ApiState, Language},
};

/// How long a check may take; it asks Microsoft a dozen questions for each mailbox.
const MAX_CHECK: Duration = Duration::from_secs(60);

/// Checks the set-up, as `guichet doctor` does. Texts are English or French (`Accept-Language`).
#[utoipa::path(
    get,
    path = "/v1/findings",
    operation_id = "listFindings",
    tag = "operation",
    params(("Accept-Language" = Option<String>, Header, description = "`en` or `fr`.")),
    responses(
        (status = 200, description = "Every finding, the worst first.", body = List<Finding>),
        (status = 404, description = "This server can't check the set-up."),
        (status = 503, description = "The check took too long."),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
    headers: HeaderMap,
) -> Result<Json<List<Finding>>, Problem> {
    let Some(source) = &state.parts.findings else {
        return Err(Problem::new(
            Code::FindingsUnavailable,
            "run `guichet doctor` on the machine instead",
        ));
    };
    let language = Language::of(&headers);
    let checked = async {
        let _turn = state.findings_turn.acquire().await;
        source.findings(language).await
    };
    let Ok(mut findings) = timeout(MAX_CHECK, checked).await else {
        let detail = format!(
            "the check took more than {} s; is Microsoft reachable?",
            MAX_CHECK.as_secs()
        );
        return Err(Problem::new(Code::NotReady, detail));
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Json(List {
        items: findings.into_iter().map(Into::into).collect(),
    }))
}

/// The findings of the past 90 days, open and resolved, the newest first, as codes without words.
#[utoipa::path(
    get,
    path = "/v1/findings/history",
    operation_id = "listFindingHistory",
    tag = "operation",
    responses((status = 200, description = "The history.", body = List<PastFinding>))
)]
pub(crate) async fn history(
    State(state): State<ApiState>,
    _: QueryParams<NoParameters>,
) -> Result<Json<List<PastFinding>>, Problem> {
    let rows = state.store().findings().await?;
    Ok(Json(List {
        items: rows.into_iter().map(Into::into).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::BoxFuture;
    use guichet_domain::finding::{Finding, Severity};
    use guichet_store::SeenFinding;
    use http::{Method, StatusCode};

    use crate::{
        state::{FindingsSource, Language},
        testing::Fixture,
    };

    #[derive(Debug)]
    struct Two;

    impl FindingsSource for Two {
        fn findings(&self, language: Language) -> BoxFuture<'_, Vec<Finding>> {
            let finding = move |code: &str, severity| Finding {
                code: code.to_owned(),
                severity,
                subject: String::new(),
                title: format!("{language:?}"),
                evidence: String::new(),
                fix: String::new(),
                docs: String::new(),
                first_seen: None,
            };
            Box::pin(async move { vec![finding("fine", Severity::Ok), finding("broken", Severity::Error)] })
        }
    }

    #[tokio::test]
    async fn findings_come_worst_first_in_the_language_asked_for() {
        let fixture = Fixture::with_findings(Arc::new(Two)).await;
        let list = fixture
            .send(Method::GET, "/v1/findings", &[("accept-language", "fr")], "")
            .await
            .json();
        assert_eq!(
            (&list["items"][0]["code"], &list["items"][1]["code"]),
            (&"broken".into(), &"fine".into())
        );
        assert_eq!(
            (&list["items"][0]["severity"], &list["items"][0]["title"]),
            (&"error".into(), &"French".into())
        );
    }

    #[tokio::test]
    async fn server_without_a_source_says_so() {
        let fixture = Fixture::new().await;
        fixture
            .get("/v1/findings")
            .await
            .is_problem(StatusCode::NOT_FOUND, "findings-unavailable");
    }

    #[tokio::test]
    async fn history_tells_since_when_and_until_when() {
        let fixture = Fixture::new().await;
        let seen = SeenFinding {
            code: "secret-expired".to_owned(),
            subject: "key".to_owned(),
            severity: "error".to_owned(),
            evidence: "it is over".to_owned(),
        };
        let (store, now) = (fixture.state.store(), fixture.state.parts.clock.now());
        store.record_findings(&[seen], true, now).await.expect("recorded");
        let open = fixture.get("/v1/findings/history").await.json();
        assert_eq!(open["items"][0]["code"], "secret-expired");
        assert!(open["items"][0]["resolved_at"].is_null(), "{open}");
        store.record_findings(&[], true, now).await.expect("recorded");
        let resolved = fixture.get("/v1/findings/history").await.json();
        assert!(resolved["items"][0]["resolved_at"].is_string(), "{resolved}");
    }
}
