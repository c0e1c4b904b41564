//! What a problem type means: the `type` of a problem document leads here.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    extract::PathParams,
    problem::{Code, Problem},
};

/// A problem type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The stable reference that stands in `type`.
    #[serde(rename = "type")]
    code: Code,
    /// The HTTP status that it comes with.
    status: u16,
    title: &'static str,
    /// What a client can do.
    advice: &'static str,
}

/// What a problem type means and what to do about it. Needs no key.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "explainProblem",
    tag = "operation",
    params(("code" = String, Path, description = "Last segment of the problem's type.", example = "not-found")),
    responses(
        (status = 200, description = "The meaning.", body = ProblemKind),
        (status = 404, description = "There is no such type."),
    )
)]
pub(crate) async fn explain(PathParams(slug): PathParams<String>) -> Result<Json<ProblemKind>, Problem> {
    let code = Code::from_slug(&slug).ok_or_else(|| Problem::new(Code::NotFound, "there is no such problem type"))?;
    let meaning = code.meaning();
    Ok(Json(ProblemKind {
        code,
        status: meaning.status.as_u16(),
        title: meaning.title,
        advice: meaning.advice,
    }))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use crate::{problem::Code, testing::Fixture};

    #[tokio::test]
    async fn every_problem_type_leads_to_its_meaning() {
        let fixture = Fixture::new().await;
        for code in Code::ALL {
            let answer = fixture.anonymous(Method::GET, &code.reference()).await;
            assert_eq!(
                (answer.status, &answer.json()["type"]),
                (StatusCode::OK, &code.reference().into())
            );
        }
        let absent = fixture.anonymous(Method::GET, "/problems/none").await;
        absent.is_problem(StatusCode::NOT_FOUND, "not-found");
    }
}
