//! What becomes of a mail that a mailbox sends to itself.

use guichet_setup::doctor::Code;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    fault::{Act, Cure, Fault},
    stage::{SALES, SUPPORT, Stage},
};

/// A stage for these faults: one mailbox, and the probe is asked for.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.desired.mailboxes.truncate(1);
    stage.apply().await;
    stage.options.round_trip = true;
    stage
}

/// Injects, and remembers when: the doctor's waiting moves this machine's clock alone.
async fn begin(stage: &mut Stage, settings: &Value) {
    stage.kept = json!(stage.now());
    deliver(stage, settings).await;
}

async fn deliver(stage: &Stage, settings: &Value) {
    let path = format!("/mailboxes/{SUPPORT}/delivery");
    stage.control(Method::PATCH, &path, settings).await;
}

const CORRECT: Act = |stage| {
    Box::pin(async {
        let usual = json!({ "quota_bytes": 50_000_000_000_u64, "forwarding": null, "blocked_senders": [] });
        deliver(stage, &usual).await;
        let begun: Timestamp = serde_json::from_value(stage.kept.take()).unwrap();
        stage.set_back(stage.now().duration_since(begun));
    })
};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "mail-forwarded-away",
        how: "The mailbox forwards its mail and keeps no copy (`Set-Mailbox -DeliverToMailboxAndForward $false`).",
        code: Code::RoundTripLost,
        inject: |stage| {
            Box::pin(async {
                let away = json!({ "forwarding": { "address": SALES, "deliver_and_forward": false } });
                begin(stage, &away).await;
            })
        },
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "own-address-blocked",
        how: "The mailbox's own address is among its blocked senders.",
        code: Code::RoundTripJunk,
        inject: |stage| Box::pin(async { begin(stage, &json!({ "blocked_senders": [SUPPORT] })).await }),
        cure: Cure::Undo(CORRECT),
    },
    Fault {
        name: "mailbox-full",
        how: "The mailbox has reached its quota and may not send.",
        code: Code::RoundTripRefused,
        inject: |stage| Box::pin(async { begin(stage, &json!({ "quota_bytes": 1 })).await }),
        cure: Cure::Undo(CORRECT),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_arrived_is_removed_and_each_mailbox_has_its_time() {
    let mut stage = Stage::connected().await;
    stage.options.round_trip = true;
    let found = stage.doctor(guichet_setup::Language::English).await;
    let arrived: Vec<&str> = found
        .iter()
        .filter(|finding| finding.code == Code::RoundTripOk.as_str())
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(arrived.len(), 2, "{found:?}");
    for mailbox in [SUPPORT, SALES] {
        assert!(arrived.contains(&mailbox), "{found:?}");
        let path = format!("/users/{mailbox}/mailFolders/inbox/messages");
        let left = stage.graph_as_application(Method::GET, &path, &Value::Null).await;
        assert_eq!(left["value"].as_array().map(Vec::len), Some(0), "{left}");
    }
}
