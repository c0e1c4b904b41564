//! Check, on request: does a mail that each mailbox sends to itself arrive?
//!
//! Owns the probe: one mail with a signed mark, which a running service knows and does not take in. It is removed again
//! when it is found. Never done unasked, because it sends mail.

use std::time::Duration;

use guichet_domain::token::TokenKey;
use guichet_graph::{GraphClient, ListQuery, NewMessage, Recipient, SentCopy};
use guichet_store::records::Mailbox;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Code, DoctorContext, Problem, diagnose};

/// Within a tenant a mail takes seconds; after this long a person wants to know.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The newest mails of a folder among which it is looked for.
const NEWEST: u32 = 50;

/// One that is under way.
struct Probe<'a> {
    mailbox: &'a Mailbox,
    token: String,
    sent_at: Timestamp,
}

/// Sends one from each mailbox that can be read, and waits for them together.
pub(super) async fn check(
    context: &DoctorContext,
    client: &GraphClient,
    mailboxes: &[Mailbox],
    key: &TokenKey,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut waiting = Vec::new();
    for mailbox in mailboxes {
        match send(context, client, mailbox, key).await {
            Ok(probe) => waiting.push(probe),
            Err(problem) => problems.push(problem),
        }
    }
    let begun = context.time.now();
    while !waiting.is_empty() && context.time.now().duration_since(begun) < PATIENCE {
        let mut still = Vec::new();
        for probe in waiting {
            match look(context, client, &probe, "inbox").await {
                Some(latency) => problems.push(probe.arrived(latency)),
                None => still.push(probe),
            }
        }
        waiting = still;
        if !waiting.is_empty() {
            context.time.sleep(LOOK_EVERY).await;
        }
    }
    for probe in waiting {
        let code = match look(context, client, &probe, "junkemail").await {
            Some(_) => Code::RoundTripJunk,
            None => Code::RoundTripLost,
        };
        let evidence = format!(
            "sent at {}, not in the inbox {} s later",
            probe.sent_at,
            PATIENCE.as_secs()
        );
        problems.push(Problem::new(code, probe.mailbox.address.as_str(), evidence));
    }
    problems
}

impl Probe<'_> {
    fn arrived(&self, latency: SignedDuration) -> Problem {
        let seconds = format!("{:.1}", latency.as_secs_f64().max(0.0));
        let evidence = format!("sent at {}, seen {seconds} s later", self.sent_at);
        Problem::new(Code::RoundTripOk, self.mailbox.address.as_str(), evidence).with("seconds", &seconds)
    }
}

async fn send<'a>(
    context: &DoctorContext,
    client: &GraphClient,
    mailbox: &'a Mailbox,
    key: &TokenKey,
) -> Result<Probe<'a>, Problem> {
    let address = mailbox.address.as_str();
    let mut id = [0; 16];
    context.entropy.fill(&mut id);
    let token = key.mint_probe(Uuid::from_bytes(id));
    let message = NewMessage {
        subject: format!("Guichet probe {token}"),
        text: "This mail shows whether what this mailbox sends arrives. It is removed again by itself.".to_owned(),
        to: vec![Recipient {
            name: None,
            address: address.to_owned(),
        }],
        // Out-of-office notices of colleagues would answer it.
        headers: vec![("X-Auto-Response-Suppress".to_owned(), "All".to_owned())],
        ..NewMessage::default()
    };
    let sent_at = context.time.now();
    match client
        .send_mail(&mailbox.graph_user_id, &message, SentCopy::Discard)
        .await
    {
        Ok(()) => Ok(Probe {
            mailbox,
            token,
            sent_at,
        }),
        Err(error) => {
            let problem = Problem::new(Code::RoundTripRefused, address, diagnose::evidence(&error));
            Err(problem.with("error", &error.code))
        }
    }
}

/// How long it took, if it is in the folder; it is removed then. A look that fails is a look that saw nothing: what is
/// wrong with reading, the check of the mailbox has said.
async fn look(
    context: &DoctorContext,
    client: &GraphClient,
    probe: &Probe<'_>,
    folder: &str,
) -> Option<SignedDuration> {
    let user = &probe.mailbox.graph_user_id;
    let query = ListQuery {
        select: &["id", "subject"],
        order_by: Some("receivedDateTime desc"),
        page_size: NEWEST,
        ..ListQuery::default()
    };
    let page = client.list_messages(user, folder, query).await.ok()?;
    let found = page.items.into_iter().find(|message| {
        message
            .subject
            .as_deref()
            .is_some_and(|subject| subject.contains(&probe.token))
    })?;
    let latency = context.time.now().duration_since(probe.sent_at);
    if let Err(error) = client.delete_message(user, &found.id).await {
        tracing::warn!(mailbox = %probe.mailbox.address, %error, "the probe could not be removed");
    }
    Some(latency)
}
