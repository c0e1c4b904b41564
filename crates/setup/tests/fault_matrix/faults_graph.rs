//! Between this machine and Microsoft Graph, while the sign-in service is well.

use guichet_setup::doctor::Code;
use serde_json::json;

use crate::{
    fault::{Cure, Fault},
    stage::{Stage, closed_port},
};

async fn spoil(stage: &Stage, action: serde_json::Value) {
    stage.rule(json!({ "path_prefix": "/v1.0", "action": action })).await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "graph-mistyped",
        how: "`graph` names a host that does not exist.",
        code: Code::GraphDns,
        inject: |stage| Box::pin(async { stage.desired.graph = "https://graph.guichet.invalid".parse().unwrap() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "graph-port-closed",
        how: "The firewall lets the sign-in service through and refuses Graph: nothing listens at `graph`.",
        code: Code::GraphConnect,
        inject: |stage| Box::pin(async { stage.desired.graph = closed_port() }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "graph-inspected-by-proxy",
        how: "Graph shows a certificate of an authority that is not trusted.",
        code: Code::GraphTls,
        inject: |stage| {
            Box::pin(async {
                let other = stage.elsewhere().await;
                stage.desired.graph = other.graph_url.parse().unwrap();
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.correct() })),
    },
    Fault {
        name: "graph-silent",
        how: "Graph answers after the time that the program waits (`latency`).",
        code: Code::GraphTimeout,
        inject: |stage| {
            Box::pin(async {
                stage.become_impatient();
                spoil(stage, json!({ "kind": "latency", "milliseconds": 1500 })).await;
            })
        },
        cure: Cure::Undo(|stage| {
            Box::pin(async {
                stage.without_rules().await;
                stage.correct();
            })
        }),
    },
    Fault {
        name: "graph-cut",
        how: "The connection breaks before Graph answers (`cut_before`).",
        code: Code::GraphCut,
        inject: |stage| Box::pin(async { spoil(stage, json!({ "kind": "cut_before" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-cut-in-the-middle",
        how: "Half of each answer arrives, then the connection breaks (`truncate`).",
        code: Code::GraphCut,
        inject: |stage| Box::pin(async { spoil(stage, json!({ "kind": "truncate" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-behind-portal",
        how: "A sign-on page of the network answers in place of Graph.",
        code: Code::GraphForeign,
        inject: |stage| {
            Box::pin(async {
                spoil(
                    stage,
                    json!({ "kind": "status", "status": 200, "body": "<html>Welcome</html>" }),
                )
                .await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-garbled",
        how: "The answers are no JSON (`garbage`).",
        code: Code::GraphForeign,
        inject: |stage| Box::pin(async { spoil(stage, json!({ "kind": "garbage" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-overloaded",
        how: "Graph answers 503 (`status`).",
        code: Code::GraphBusy,
        inject: |stage| Box::pin(async { spoil(stage, json!({ "kind": "status", "status": 503 })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
    Fault {
        name: "graph-behind-broken-gateway",
        how: "A gateway before Graph answers 502 with a page (`gateway_page`).",
        code: Code::GraphBusy,
        inject: |stage| Box::pin(async { spoil(stage, json!({ "kind": "gateway_page" })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
    },
];
