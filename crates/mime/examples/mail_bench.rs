//! Reads a directory of mails and prints one line of JSON for each: what kind of report it is, and what it reports.
//!
//! The engine behind `cargo xtask bench mail`; it compares nothing itself.

use std::{env, fs, process::ExitCode};

use guichet_mime::report::{self, Nature, Permanence};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let Some(directory) = env::args_os().nth(1) else {
        eprintln!("usage: mail_bench DIRECTORY");
        return ExitCode::from(2);
    };
    let mut files: Vec<_> = match fs::read_dir(&directory) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect(),
        Err(error) => {
            eprintln!("{}: {error}", directory.display());
            return ExitCode::FAILURE;
        }
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    for path in files {
        let Ok(bytes) = fs::read(&path) else { continue };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        println!("{}", line(&name, &report::read(&guichet_mime::parse(&bytes))));
    }
    ExitCode::SUCCESS
}

fn line(name: &str, nature: &Nature) -> Value {
    match nature {
        Nature::Ordinary => json!({"mail": name, "class": "ordinary"}),
        Nature::AutoReply { why } => json!({"mail": name, "class": "auto-reply", "why": why}),
        Nature::Complaint(complaint) => json!({
            "mail": name,
            "class": "complaint",
            "kind": complaint.kind,
            "original": complaint.original.message_id,
            "recipients": complaint.recipients.iter().map(|address| json!({"address": address})).collect::<Vec<_>>(),
        }),
        Nature::DeliveryReport(report) => {
            let recipients = report.recipients.iter().map(|recipient| {
                json!({
                    "address": recipient.address,
                    "action": format!("{:?}", recipient.action).to_lowercase(),
                    "status": recipient.status.map(|status| status.to_string()),
                    "reply": recipient.reply,
                    "reason": recipient.reason.as_str(),
                    "hard": recipient.permanence() == Permanence::Hard,
                    "diagnostic": recipient.diagnostic,
                })
            });
            json!({
                "mail": name,
                "class": "bounce",
                "original": report.original.message_id,
                "recipients": recipients.collect::<Vec<_>>(),
            })
        }
    }
}
