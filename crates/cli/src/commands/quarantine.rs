//! `guichet quarantine`: mails that were set aside.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use guichet_domain::{ImmutableId, JobId, ports::Clock};
use guichet_store::{Store, records::Receipt};

use crate::{
    args::QuarantineCommand,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemClock, SystemEntropy},
    wiring,
};

/// Mails listed at most.
const SHOWN: u32 = 1000;
/// Who decides, as the trace shows it.
const BY: &str = "`guichet quarantine`";

pub(super) async fn run(config: &Config, command: &QuarantineCommand, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let ended = carry_out(&store, command, json).await;
    store.close().await;
    ended
}

async fn carry_out(store: &Store, command: &QuarantineCommand, json: bool) -> Result<Exit, Failure> {
    match command {
        QuarantineCommand::List => list(store, json).await?,
        QuarantineCommand::Show { id, mime } => {
            let receipt = find(store, id).await?;
            if let Some(file) = mime {
                save(store, &receipt, file).await?;
            }
            return super::trace::show(store, id, json).await;
        }
        QuarantineCommand::Replay { id } => {
            let (clock, entropy) = (SystemClock, SystemEntropy);
            let job = JobId::generate(&clock, &entropy);
            if !store.ask_replay(&ImmutableId::new(&**id), job, BY, clock.now()).await? {
                return Err(unknown(id));
            }
            eprintln!("it will be tried again by the running service; `guichet trace {id}` tells what came of it");
        }
        QuarantineCommand::Discard { id } => {
            let now = SystemClock.now();
            if !store.discard_quarantined(&ImmutableId::new(&**id), BY, now).await? {
                return Err(unknown(id));
            }
            eprintln!("it is out of quarantine and not in the ledger; it stays where it is in the mailbox");
        }
    }
    Ok(Exit::Success)
}

async fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let receipts = store.quarantined(SHOWN).await?;
    if json {
        let row = |receipt: &Receipt| {
            serde_json::json!({
                "immutable_id": receipt.immutable_id,
                "mailbox_id": receipt.mailbox,
                "internet_message_id": receipt.internet_message_id,
                "first_seen_at": receipt.first_seen_at,
                "has_mime": receipt.mime.is_some(),
                "size": receipt.size,
                "reason": receipt.quarantined,
            })
        };
        return super::print_json(&receipts.iter().map(row).collect::<Vec<_>>());
    }
    if receipts.is_empty() {
        eprintln!("no mail is in quarantine");
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["IMMUTABLE ID", "SINCE", "BYTES", "WHY"]);
    for receipt in receipts {
        let bytes = receipt
            .mime
            .map_or_else(|| "not kept".to_owned(), |_| receipt.size.to_string());
        table.add_row([
            receipt.immutable_id.to_string(),
            receipt.first_seen_at.to_string(),
            bytes,
            receipt.quarantined.unwrap_or_default(),
        ]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

async fn find(store: &Store, id: &str) -> Result<Receipt, Failure> {
    let found = store.quarantined_mail(&ImmutableId::new(id)).await?;
    found.ok_or_else(|| unknown(id))
}

async fn save(store: &Store, receipt: &Receipt, file: &Path) -> Result<(), Failure> {
    let Some(blob) = &receipt.mime else {
        let fix = "it could not be fetched; `guichet quarantine replay` fetches it again";
        return Err(Failure::new(
            Exit::NotRight,
            "the bytes of this mail were not kept",
            fix,
        ));
    };
    let bytes = store.get_blob(blob).await?;
    std::fs::write(file, &bytes)
        .map_err(|error| Failure::new(Exit::Local, format!("{} can't be written: {error}", file.display()), ""))
}

fn unknown(id: &str) -> Failure {
    Failure::new(
        Exit::NotRight,
        format!("no mail `{id}` is in quarantine"),
        "see `guichet quarantine list` for the immutable ids; `guichet trace` tells where any other mail is",
    )
}
