//! `guichet dead-letters`: jobs that were given up.

use comfy_table::{ContentArrangement, Table, presets};
use guichet_domain::{JobId, ports::Clock};
use guichet_store::{Store, records::DeadJob};

use crate::{
    args::DeadLetterCommand,
    config::Config,
    failure::{Exit, Failure},
    system::SystemClock,
    wiring,
};

/// Jobs listed at most.
const SHOWN: u32 = 1000;

pub(super) async fn run(config: &Config, command: &DeadLetterCommand, json: bool) -> Result<Exit, Failure> {
    let store = wiring::open_store(config).await?;
    let ended = carry_out(&store, command, json).await;
    store.close().await;
    ended.map(|()| Exit::Success)
}

async fn carry_out(store: &Store, command: &DeadLetterCommand, json: bool) -> Result<(), Failure> {
    let now = SystemClock.now();
    match command {
        DeadLetterCommand::List => return list(store, json).await,
        DeadLetterCommand::Retry { id } => {
            if !store.revive_job(parse(id)?, now).await? {
                return Err(unknown(id));
            }
            eprintln!("job {id} is due again; the running service does it");
        }
        DeadLetterCommand::Discard { id } => {
            let why = "discarded by `guichet dead-letters`";
            if !store.discard_job(parse(id)?, why, now).await? {
                return Err(unknown(id));
            }
            eprintln!("job {id} is removed");
        }
    }
    Ok(())
}

async fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let jobs = store.dead_jobs(SHOWN).await?;
    if json {
        let row = |job: &DeadJob| {
            serde_json::json!({
                "id": job.id,
                "mailbox_id": job.mailbox,
                "kind": job.kind.name(),
                "immutable_id": job.kind.mail(),
                "attempts": job.attempts,
                "created_at": job.created_at,
                "died_at": job.died_at,
                "reason": job.reason,
            })
        };
        return super::print_json(&jobs.iter().map(row).collect::<Vec<_>>());
    }
    if jobs.is_empty() {
        eprintln!("no job was given up");
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["JOB", "WHAT", "GIVEN UP", "ATTEMPTS", "WHY"]);
    for job in jobs {
        table.add_row([
            job.id.to_string(),
            job.kind.name().replace('_', " "),
            job.died_at.to_string(),
            job.attempts.to_string(),
            job.reason,
        ]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

fn parse(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: &str) -> Failure {
    Failure::new(
        Exit::NotRight,
        format!("no job `{id}` was given up"),
        "see `guichet dead-letters list` for the ids",
    )
}
