//! `/metrics`: the engine's counters, requests by route and status, and the ledger's totals.
//!
//! Labels take values from fixed sets only (route patterns, known methods), so that no client can grow
//! them; no address and no mail content is among them.

use std::sync::atomic::AtomicU64;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use guichet_engine::Handle;
use guichet_store::Totals;
use http::header;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use crate::{problem::Problem, state::ApiState};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

/// Counters of the HTTP layer, and the registry of all.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    ledger: Ledger,
    folders: Gauge,
    folders_failing: Gauge,
    panics: Gauge<u64, AtomicU64>,
}

#[derive(Debug, Default)]
struct Ledger {
    receipts: Gauge,
    messages_inbound: Gauge,
    messages_outbound: Gauge,
    conversations: Gauge,
    quarantined: Gauge,
    outbox_pending: Gauge,
    outbox_dead: Gauge,
    events: Gauge,
}

impl HttpMetrics {
    pub fn new(engine: &Handle, version: &'static str) -> Self {
        let mut registry = Registry::default();
        engine.metrics().register(&mut registry);
        let ours = registry.sub_registry_with_prefix("guichet");
        ours.register("build", "version of the program", Info::new([("version", version)]));
        let requests = Family::default();
        ours.register("http_requests", "answered HTTP requests", Clone::clone(&requests));
        let ledger = Ledger::default();
        for (name, help, gauge) in [
            ("ledger_receipts", "receipts in the ledger", &ledger.receipts),
            (
                "ledger_messages_inbound",
                "messages from customers",
                &ledger.messages_inbound,
            ),
            (
                "ledger_messages_outbound",
                "messages to customers",
                &ledger.messages_outbound,
            ),
            ("ledger_conversations", "conversations", &ledger.conversations),
            ("ledger_quarantined", "mails set aside", &ledger.quarantined),
            ("outbox_pending", "jobs in the outbox", &ledger.outbox_pending),
            ("outbox_dead", "jobs given up", &ledger.outbox_dead),
            ("ledger_events", "events", &ledger.events),
        ] {
            ours.register(name, help, gauge.clone());
        }
        let (folders, folders_failing, panics) = (Gauge::default(), Gauge::default(), Gauge::default());
        ours.register("folders", "followed folders", Clone::clone(&folders));
        ours.register(
            "folders_failing",
            "folders whose last round failed",
            Clone::clone(&folders_failing),
        );
        ours.register(
            "engine_panics",
            "tasks that ended in a panic since the start",
            Clone::clone(&panics),
        );
        Self {
            registry,
            requests,
            ledger,
            folders,
            folders_failing,
            panics,
        }
    }

    pub fn count_request(&self, method: &'static str, route: &str, status: u16) {
        self.requests
            .get_or_create(&Request {
                method,
                route: route.to_owned(),
                status,
            })
            .inc();
    }

    fn set_totals(&self, totals: &Totals) {
        let Totals {
            receipts,
            messages_inbound,
            messages_outbound,
            conversations,
            quarantined,
            outbox_pending,
            outbox_dead,
            events,
        } = totals;
        for (gauge, value) in [
            (&self.ledger.receipts, receipts),
            (&self.ledger.messages_inbound, messages_inbound),
            (&self.ledger.messages_outbound, messages_outbound),
            (&self.ledger.conversations, conversations),
            (&self.ledger.quarantined, quarantined),
            (&self.ledger.outbox_pending, outbox_pending),
            (&self.ledger.outbox_dead, outbox_dead),
            (&self.ledger.events, events),
        ] {
            gauge.set(*value);
        }
    }

    fn set_engine(&self, engine: &Handle) {
        let status = engine.status();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.folders.set(count(status.folders.len()));
        self.folders_failing.set(count(
            status.folders.iter().filter(|folder| folder.failures > 0).count(),
        ));
        self.panics.set(status.panics);
    }

    fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counters and gauges in the text format of OpenMetrics, for Prometheus. Needs no key.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operation",
    responses((status = 200, description = "Metrics.", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    // The engine's counters are worth having even while the database is not.
    match state.store().totals().await {
        Ok(totals) => state.metrics.set_totals(&totals),
        Err(error) => tracing::warn!(%error, "the ledger's totals can't be read"),
    }
    state.metrics.set_engine(&state.parts.engine);
    let text = state.metrics.render().map_err(|_| Problem::internal())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[tokio::test]
    async fn counters_of_the_engine_requests_and_totals_are_shown() {
        let fixture = Fixture::new().await;
        fixture.receive("Where is my parcel?").await;
        fixture.get("/v1/conversations?bogus=1").await;
        fixture.get("/chosen/by/the/client").await;
        fixture.state.parts.engine.metrics().rounds.inc();
        let text = fixture.get("/metrics").await.text();
        for line in [
            "guichet_rounds_total 1",
            "guichet_ledger_receipts 1",
            "guichet_ledger_conversations 1",
            r#"guichet_http_requests_total{method="GET",route="/v1/conversations",status="400"} 1"#,
            r#"guichet_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
            "guichet_folders_failing 0",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "`{line}` is missing in\n{text}"
            );
        }
        assert!(!text.contains("chosen"));
        assert!(text.ends_with("# EOF\n"));
    }
}
