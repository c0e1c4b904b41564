//! What an Exchange Administrator sees and the application does not: the connection filter's allow list.

use guichet_setup::doctor::Code;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    fault::{Act, Cure, Fault},
    stage::{SALES, SUPPORT, Stage},
};

const RANGES: [&str; 2] = ["203.0.113.0/28", "198.51.100.7"];

/// A stage for these faults: both ranges are allowed, one within a wider entry, and the report says so.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.ranges = RANGES.iter().map(|range| range.parse().unwrap()).collect();
    stage.options.exchange_report = Some(stage.file("guichet-exchange.json"));
    allow(&stage, &["203.0.113.0/24", "198.51.100.7"]).await;
    look(&stage, &stage.app_id().await).await;
    stage
}

async fn allow(stage: &Stage, entries: &[&str]) {
    let list = json!({ "Identity": "Default", "IPAllowList": entries });
    stage.cmdlet("Set-HostedConnectionFilterPolicy", list).await;
}

/// What the exported script does at its end.
async fn look(stage: &Stage, app_id: &str) {
    let seen = stage
        .cmdlet("Get-HostedConnectionFilterPolicy", json!({ "Identity": "Default" }))
        .await;
    let report = json!({
        "guichet_exchange_report": 1,
        "application_id": app_id,
        "made_at": stage.now(),
        "allow_list": seen["value"][0]["IPAllowList"],
        "forwarding": forwarding(stage).await,
    });
    write(stage, &report);
}

async fn forwarding(stage: &Stage) -> Vec<Value> {
    let found = stage.cmdlet("Get-Mailbox", json!({ "Identity": SUPPORT })).await;
    let mailbox = &found["value"][0];
    let to = mailbox["ForwardingSmtpAddress"].as_str().unwrap_or_default();
    let keeps_copy = mailbox["DeliverToMailboxAndForward"] == true;
    let set = (!to.is_empty()).then(|| json!({ "address": SUPPORT, "to": to, "keeps_copy": keeps_copy }));
    set.into_iter().collect()
}

async fn forward(stage: &Stage, to: Value) {
    let setting = json!({
        "Identity": SUPPORT, "ForwardingSmtpAddress": to, "DeliverToMailboxAndForward": false,
    });
    stage.cmdlet("Set-Mailbox", setting).await;
    look(stage, &stage.app_id().await).await;
}

fn write(stage: &Stage, report: &Value) {
    std::fs::write(stage.file("guichet-exchange.json"), report.to_string()).unwrap();
}

const LOOK_AGAIN: Act = |stage| {
    Box::pin(async {
        allow(stage, &["203.0.113.0/24", "198.51.100.7"]).await;
        look(stage, &stage.app_id().await).await;
    })
};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "address-not-allowed",
        how: "An administrator takes an address off the allow list (`Set-HostedConnectionFilterPolicy`), and the script is run again.",
        code: Code::AllowListMissing,
        inject: |stage| {
            Box::pin(async {
                allow(stage, &["203.0.113.0/24"]).await;
                look(stage, &stage.app_id().await).await;
            })
        },
        cure: Cure::Undo(LOOK_AGAIN),
    },
    Fault {
        name: "mailbox-forwarded-by-setting",
        how: "The mailbox forwards by a setting and keeps no copy (`Set-Mailbox -ForwardingSmtpAddress`), and the script is run again.",
        code: Code::MailboxForwarded,
        inject: |stage| Box::pin(async { forward(stage, json!(format!("smtp:{SALES}"))).await }),
        cure: Cure::Undo(|stage| Box::pin(async { forward(stage, Value::Null).await })),
    },
    Fault {
        name: "report-old",
        how: "Nobody has run the script for 100 days.",
        code: Code::AllowListStale,
        inject: |stage| {
            Box::pin(async {
                let hours = SignedDuration::from_hours(100 * 24);
                let app_id = stage.app_id().await;
                let report = json!({
                    "guichet_exchange_report": 1,
                    "application_id": app_id,
                    "made_at": stage.now() - hours,
                    "allow_list": RANGES,
                });
                write(stage, &report);
            })
        },
        cure: Cure::Undo(LOOK_AGAIN),
    },
    Fault {
        name: "report-absent",
        how: "Addresses are configured, and no report is.",
        code: Code::AllowListUnseen,
        inject: |stage| Box::pin(async { stage.options.exchange_report = None }),
        cure: Cure::Undo(|stage| {
            Box::pin(async { stage.options.exchange_report = Some(stage.file("guichet-exchange.json")) })
        }),
    },
    Fault {
        name: "report-of-another-application",
        how: "The report is about another application.",
        code: Code::ExchangeReportUnusable,
        inject: |stage| Box::pin(async { look(stage, "00000000-0000-0000-0000-00000000000a").await }),
        cure: Cure::Undo(LOOK_AGAIN),
    },
    Fault {
        name: "report-cut",
        how: "The file of the report is cut off in the middle.",
        code: Code::ExchangeReportUnusable,
        inject: |stage| {
            Box::pin(async {
                std::fs::write(
                    stage.file("guichet-exchange.json"),
                    "{\"guichet_exchange_report\": 1, \"appl",
                )
                .unwrap();
            })
        },
        cure: Cure::Undo(LOOK_AGAIN),
    },
    Fault {
        name: "report-missing",
        how: "The configured file of the report does not exist.",
        code: Code::ExchangeReportUnusable,
        inject: |stage| Box::pin(async { std::fs::remove_file(stage.file("guichet-exchange.json")).unwrap() }),
        cure: Cure::Undo(LOOK_AGAIN),
    },
];
