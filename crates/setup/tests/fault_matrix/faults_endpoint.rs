//! The notification endpoint, as far as this machine can tell.

use std::sync::atomic::Ordering;

use guichet_setup::doctor::Code;

use crate::{
    endpoint::Endpoint,
    fault::{Act, Cure, Fault},
    faults_service::subscribe,
    stage::{Stage, closed_port},
};

/// A stage for these faults: one mailbox, its subscription, and an endpoint that answers.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.desired.mailboxes.truncate(1);
    stage.apply().await;
    let endpoint = Endpoint::start().await;
    subscribe(&stage, 48, endpoint.url.as_str()).await;
    stage.notification_url = Some(endpoint.url.clone());
    stage.endpoint = Some(endpoint);
    stage.options.probe_endpoint = true;
    stage
}

const CORRECT: Act = |stage| {
    Box::pin(async {
        let endpoint = stage.endpoint.as_ref().unwrap();
        endpoint.guarded.store(false, Ordering::SeqCst);
        endpoint.silent.store(false, Ordering::SeqCst);
        stage.notification_url = Some(endpoint.url.clone());
        stage.correct();
        stage.desired.mailboxes.truncate(1);
    })
};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "endpoint-misspelt",
        how: "The public address has a host name that does not exist.",
        code: Code::EndpointDns,
        inject: |stage| {
            Box::pin(async {
                stage.notification_url = Some("https://guichet.invalid/notifications/graph".parse().unwrap());
            })
        },
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "endpoint-closed",
        how: "Nothing listens at the public address.",
        code: Code::EndpointConnect,
        inject: |stage| {
            Box::pin(async {
                stage.notification_url = Some(closed_port().join("/notifications/graph").unwrap());
            })
        },
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "endpoint-untrusted",
        how: "The certificate at the public address is of an authority that nobody trusts.",
        code: Code::EndpointTls,
        inject: |stage| {
            Box::pin(async {
                let other = stage.elsewhere().await;
                let url = format!("{}/notifications/graph", other.graph_url.trim_end_matches('/'));
                stage.notification_url = Some(url.parse().unwrap());
            })
        },
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "endpoint-silent",
        how: "The server at the public address takes the request and does not answer.",
        code: Code::EndpointTimeout,
        inject: |stage| {
            Box::pin(async {
                stage.endpoint.as_ref().unwrap().silent.store(true, Ordering::SeqCst);
                stage.become_impatient();
            })
        },
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "endpoint-behind-sign-in-page",
        how: "A reverse proxy answers the validation with a sign-in page.",
        code: Code::EndpointForeign,
        inject: |stage| {
            Box::pin(async {
                stage.endpoint.as_ref().unwrap().guarded.store(true, Ordering::SeqCst);
            })
        },
        cure: Cure::Undo(CORRECT),
    },
];
