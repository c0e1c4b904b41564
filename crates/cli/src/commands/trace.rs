//! `guichet trace`: every step of one mail, with times and reasons.

use comfy_table::{ContentArrangement, Table, presets};
use guichet_store::{Store, records::Trace};

use crate::{
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

pub(super) async fn run(config: &Config, id: &str, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let ended = show(&store, id, json).await;
    store.close().await;
    ended
}

/// Shows what the store knows of a mail.
pub(super) async fn show(store: &Store, id: &str, json: bool) -> Result<Exit, Failure> {
    let traces = store.trace(id).await?;
    if traces.is_empty() {
        let fix = "check the id: a Message-ID with or without angle brackets, an immutable id, or our message id; \
                   `guichet doctor` tells whether its mailbox is read";
        return Err(Failure::new(
            Exit::NotRight,
            format!("no mail `{id}` is in the ledger"),
            fix,
        ));
    }
    if json {
        let rows: Vec<_> = traces.iter().map(as_json).collect();
        super::print_json(&rows)?;
    } else {
        for trace in &traces {
            print(trace);
        }
    }
    Ok(Exit::Success)
}

fn print(trace: &Trace) {
    let receipt = &trace.receipt;
    println!(
        "Mail      {}",
        receipt
            .internet_message_id
            .as_ref()
            .map_or("(no Message-ID)".into(), guichet_domain::InternetMessageId::bracketed)
    );
    println!("Mailbox   {}", trace.mailbox_address);
    println!("Immutable {}", receipt.immutable_id);
    if let Some(message) = receipt.message {
        println!("Message   {message}");
    }
    match (&trace.conversation, &receipt.quarantined) {
        (Some(conversation), _) => println!("Where     conversation {conversation}"),
        (None, Some(reason)) => println!("Where     quarantine: {reason}"),
        (None, None) => println!("Where     ledger only"),
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["TIME", "STEP", "WHY"]);
    for step in &trace.steps {
        table.add_row([
            step.at.to_string(),
            step.step.as_str().replace('_', " "),
            step.detail.clone(),
        ]);
    }
    println!("{}\n", table.trim_fmt());
}

fn as_json(trace: &Trace) -> serde_json::Value {
    let steps: Vec<_> = trace
        .steps
        .iter()
        .map(|s| serde_json::json!({ "at": s.at, "step": s.step.as_str(), "detail": s.detail }))
        .collect();
    serde_json::json!({
        "mailbox": trace.mailbox_address,
        "immutable_id": trace.receipt.immutable_id,
        "internet_message_id": trace.receipt.internet_message_id,
        "message": trace.receipt.message,
        "conversation": trace.conversation,
        "quarantined": trace.receipt.quarantined,
        "steps": steps,
    })
}
