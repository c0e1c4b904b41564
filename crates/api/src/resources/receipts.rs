//! The ledger: receipts, and the mails that were set aside.

use axum::{Json, extract::State};
use guichet_domain::{ImmutableId, MailboxId};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    dto::{List, Page, Receipt},
    extract::QueryParams,
    paging::{Limit, decode},
    problem::Problem,
    state::ApiState,
};

/// Which receipts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those of the mailbox with this id.
    mailbox: Option<Uuid>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Receipts, in the order of mailbox and immutable id.
#[utoipa::path(
    get,
    path = "/v1/receipts",
    operation_id = "listReceipts",
    tag = "ledger",
    params(Filter),
    responses(
        (status = 200, description = "A page of receipts.", body = Page<Receipt>),
        (status = 400, description = "A parameter is wrong."),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    QueryParams(asked): QueryParams<Filter>,
) -> Result<Json<Page<Receipt>>, Problem> {
    let limit = Limit::parse(asked.limit)?;
    let after = decode::<(MailboxId, ImmutableId)>(asked.cursor.as_deref())?;
    let mailbox = asked.mailbox.map(MailboxId::from_uuid);
    let rows = state.store().receipts(mailbox, after, limit.to_fetch()).await?;
    Ok(Json(limit.page(
        rows,
        |row| (row.mailbox, row.immutable_id.clone()),
        |row| row.into(),
    )))
}

/// How many to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Newest {
    /// Rows: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
}

/// The mails that were set aside last, each with the reason.
#[utoipa::path(
    get,
    path = "/v1/quarantine",
    operation_id = "listQuarantine",
    tag = "ledger",
    params(Newest),
    responses(
        (status = 200, description = "Receipts of mails that were set aside.", body = List<Receipt>),
        (status = 400, description = "A parameter is wrong."),
    )
)]
pub(crate) async fn quarantine(
    State(state): State<ApiState>,
    QueryParams(asked): QueryParams<Newest>,
) -> Result<Json<List<Receipt>>, Problem> {
    let rows = state.store().quarantined(Limit::parse(asked.limit)?.rows()).await?;
    Ok(Json(List {
        items: rows.iter().map(Into::into).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::StatusCode;

    use crate::testing::{Fixture, NOBODY};

    #[tokio::test]
    async fn pages_hold_every_receipt_once() {
        let fixture = Fixture::new().await;
        for number in 0..5 {
            fixture.receive(&format!("Parcel {number}")).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/v1/receipts?limit=2".to_owned());
        loop {
            let page = fixture.get(&path).await.json();
            for item in page["items"].as_array().expect("items") {
                assert_eq!(item["mailbox_id"], fixture.mailbox.to_string());
                assert_eq!(item["mime_sha256"].as_str().map(str::len), Some(64));
                seen.push(item["immutable_id"].as_str().expect("id").to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/receipts?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (5, 5));
        let other = fixture.get(&format!("/v1/receipts?mailbox={NOBODY}")).await.json();
        assert_eq!(other["items"], serde_json::json!([]));
        let foreign = fixture.get("/v1/receipts?cursor=e30").await;
        foreign.is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
    }

    #[tokio::test]
    async fn quarantine_says_why_a_mail_was_set_aside() {
        let fixture = Fixture::new().await;
        fixture.receive("Good").await;
        fixture.set_aside("its MIME has no end").await;
        let list = fixture.get("/v1/quarantine").await.json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(list["items"][0]["quarantined"], "its MIME has no end");
        assert!(list["items"][0]["message_id"].is_null());
        fixture
            .get("/v1/quarantine?limit=0")
            .await
            .is_problem(StatusCode::BAD_REQUEST, "invalid-parameter");
    }
}
