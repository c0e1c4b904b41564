//! The story: mails arrive, one is answered, the customer answers back, disturbances change nothing.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};

use super::{
    http::{Client, rows},
    mails::{self, MailFile, MailSet},
    processes::{Launcher, Process},
    report::Report,
    stage::{Stage, wait_until},
};
use crate::{
    args::DemoArgs,
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

/// Mails that also go in by real SMTP.
const SMTP_SAMPLE: usize = 5;
const CUSTOMER: &str = "customer-1@fabrikam.example";
/// Pause between two mails while the demo runs on.
const DEMO_PACE: std::time::Duration = std::time::Duration::from_secs(4);

pub(super) async fn run(args: &DemoArgs, dir: &Path, json_output: bool) -> Result<Exit, Failure> {
    let binary = std::env::current_exe()
        .map_err(|error| Failure::new(Exit::Local, format!("this program can't find itself: {error}"), ""))?;
    let corpus = mails::find(args.corpus.as_deref())?;
    eprintln!("mails: {} from {}", corpus.mails.len(), corpus.source);
    eprintln!("starting the sandbox and connecting …");
    let stage = Stage::set(Launcher::new(binary, dir), 30).await?;
    eprintln!("starting the service …");
    let mut service = stage.serve().await?;
    let api = stage.api()?;
    let mut report = Report::default();
    let mut story = Story {
        stage: &stage,
        api: &api,
        report: &mut report,
    };

    eprintln!("delivering {} mails to three mailboxes …", corpus.mails.len());
    let delivered = story.deliver(&corpus).await?;
    story.check_ledger(&delivered).await?;
    let answered = story.answer_a_customer().await?;
    story.customer_answers_back(&answered).await?;
    story.disturb(&delivered).await?;
    story.trace_is_complete().await?;
    service.check_alive()?;

    if json_output {
        println!("{}", report.json());
    } else {
        println!("{}", report.table().trim_fmt());
        println!("mails: {}", corpus.source);
    }
    if args.once {
        return Ok(if report.all_right() {
            Exit::Success
        } else {
            Exit::NotRight
        });
    }
    go_on(&stage, service, &corpus).await
}

/// Delivers a mail every few seconds until Ctrl-C.
async fn go_on(stage: &Stage, mut service: Process, corpus: &MailSet) -> Result<Exit, Failure> {
    println!("Console   {}/", stage.service_url);
    println!("API key   {}", stage.key);
    println!(
        "CA        {} (your browser will warn unless it trusts it)",
        stage.described("/ca_file")
    );
    println!("Control   {}", stage.described("/control_url"));
    eprintln!("A mail arrives every few seconds. Stop with Ctrl-C.");
    let mailboxes = stage.mailboxes();
    for number in 100.. {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
            () = tokio::time::sleep(DEMO_PACE) => {}
        }
        service.check_alive()?;
        let Some(mailbox) = mailboxes.get(number % mailboxes.len().max(1)) else {
            break;
        };
        let mime = match corpus.mails.get(number % (corpus.mails.len() * 2).max(1)) {
            Some(mail) => mail.bytes.clone(),
            None => mails::customer_mail(number, mailbox, &format!("Parcel {number}")),
        };
        stage.inject(mailbox, mime).await?;
    }
    Ok(Exit::Success)
}

/// A mail that was put into a mailbox.
struct Delivered {
    mailbox: String,
    file: MailFile,
    immutable_id: String,
}

struct Answered {
    conversation: String,
    outside_seq: i64,
}

struct Story<'a> {
    stage: &'a Stage,
    api: &'a Client,
    report: &'a mut Report,
}

impl Story<'_> {
    /// Every mail through the control API, byte for byte, and a sample over SMTP as well.
    async fn deliver(&mut self, corpus: &MailSet) -> Result<Vec<Delivered>, Failure> {
        let mailboxes = self.stage.mailboxes();
        let mut delivered = Vec::with_capacity(corpus.mails.len());
        for (number, file) in corpus.mails.iter().enumerate() {
            let Some(mailbox) = mailboxes.get(number % mailboxes.len().max(1)) else {
                break;
            };
            let answer = self.stage.inject(mailbox, file.bytes.clone()).await?;
            let immutable_id = answer["immutable_id"].as_str().unwrap_or_default().to_owned();
            delivered.push(Delivered {
                mailbox: mailbox.clone(),
                file: file.clone(),
                immutable_id,
            });
        }
        self.report.equal(
            "files delivered through the control API",
            &corpus.mails.len(),
            &delivered.len(),
        );
        let smtp = smtp_address(&self.stage.described("/smtp_address"))?;
        let mut sent = 0;
        for (number, file) in corpus.mails.iter().take(SMTP_SAMPLE).enumerate() {
            let Some(mailbox) = mailboxes.get(number % mailboxes.len().max(1)) else {
                break;
            };
            send_by_smtp(&smtp, mailbox, file).await?;
            sent += 1;
        }
        self.report.equal(
            "mails sent over SMTP as well",
            &SMTP_SAMPLE.min(corpus.mails.len()),
            &sent,
        );
        Ok(delivered)
    }

    /// Waits until every mail is in the ledger, then compares each with what Graph returns.
    async fn check_ledger(&mut self, delivered: &[Delivered]) -> Result<(), Failure> {
        let expected = delivered.len() + SMTP_SAMPLE.min(delivered.len());
        let api = self.api;
        wait_until("every mail in the ledger", || async move {
            Ok((api.get_all("/v1/receipts").await?.len() >= expected).then_some(()))
        })
        .await?;
        let receipts = api.get_all("/v1/receipts").await?;
        self.report.equal("receipts in the ledger", &expected, &receipts.len());

        let mut by_id: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
        let addresses = self.mailbox_addresses().await?;
        for receipt in &receipts {
            let mailbox = receipt["mailbox_id"].as_str().unwrap_or_default();
            let address = addresses.get(mailbox).cloned().unwrap_or_default();
            let id = receipt["immutable_id"].as_str().unwrap_or_default().to_owned();
            by_id.entry((address, id)).or_default().push(receipt);
        }
        let graph = self.graph().await?;
        let (mut once, mut same_as_file, mut same_as_graph, mut quarantined) = (0, 0, 0, 0);
        let mut off = Vec::new();
        for mail in delivered {
            let found = by_id.get(&(mail.mailbox.clone(), mail.immutable_id.clone()));
            let Some([receipt]) = found.map(Vec::as_slice) else {
                off.push(mail.file.name.clone());
                continue;
            };
            once += 1;
            let Some(message) = receipt["message_id"].as_str() else {
                quarantined += 1;
                continue;
            };
            let ours = api.get_bytes(&format!("/v1/messages/{message}/mime")).await?;
            let theirs = graph.message_mime(&mail.mailbox, &mail.immutable_id).await?;
            same_as_file += usize::from(ours == mail.file.bytes);
            same_as_graph += usize::from(ours == theirs);
            if ours != mail.file.bytes || ours != theirs {
                off.push(mail.file.name.clone());
            }
        }
        self.report.equal(
            "delivered mails that are in the ledger exactly once",
            &delivered.len(),
            &once,
        );
        self.report.equal(
            "… whose stored MIME is the file, byte for byte",
            &delivered.len(),
            &same_as_file,
        );
        self.report
            .equal("… and identical to Graph's $value", &delivered.len(), &same_as_graph);
        self.report.equal("mails in quarantine", &0, &quarantined);
        if !off.is_empty() {
            self.report.check("files that are off", false, off.join(", "));
        }
        let read = wait_until("every mail marked read in its mailbox", || self.unread_mails()).await;
        self.report
            .check("mails are marked read after the commit", read.is_ok(), "all of them");
        Ok(())
    }

    async fn unread_mails(&self) -> Result<Option<()>, Failure> {
        for mailbox in self.stage.mailboxes() {
            let list = self
                .stage
                .control
                .get(&format!("/mailboxes/{mailbox}/messages"))
                .await?;
            let unread = rows(&list)
                .iter()
                .any(|m| m["is_read"] == false && m["folder"] == "Inbox");
            if unread {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    async fn mailbox_addresses(&self) -> Result<BTreeMap<String, String>, Failure> {
        let list = self.api.get("/v1/mailboxes").await?;
        let pair = |m: &Value| Some((m["id"].as_str()?.to_owned(), m["address"].as_str()?.to_owned()));
        Ok(rows(&list).iter().filter_map(pair).collect())
    }

    /// Graph as the connected application sees it, for an independent look at `$value`.
    async fn graph(&self) -> Result<guichet_graph::GraphClient, Failure> {
        let config = Config::load(&self.stage.launcher.dir().join("guichet.toml"))?;
        let store = wiring::open_store(&config).await?;
        let vault = wiring::open_vault(&config)?;
        let graph = wiring::connected_graph(&config, &store, &vault, &std::sync::Arc::default()).await?;
        store.close().await;
        Ok(graph)
    }

    /// A customer writes; an agent answers with two attachments; the answer arrives outside.
    async fn answer_a_customer(&mut self) -> Result<Answered, Failure> {
        let mailbox = self.stage.mailboxes().into_iter().next().unwrap_or_default();
        self.stage
            .inject(&mailbox, mails::customer_mail(1, &mailbox, "Where is my parcel?"))
            .await?;
        let conversation = wait_until("the customer's conversation", || self.conversation_of(CUSTOMER)).await?;
        let id = conversation["id"].as_str().unwrap_or_default().to_owned();
        let queue = mailbox.split('@').next().unwrap_or_default().to_owned();
        let seen = conversation["queue"].as_str().unwrap_or_default().to_owned();
        self.report
            .equal("the mail was routed to the queue of its address", &queue, &seen);

        let body = json!({
            "text": "Good morning,\n\nyour parcel arrives tomorrow.\n\nThe support team",
            "attachments": [
                { "name": "waybill.txt", "content_type": "text/plain", "content_base64": STANDARD.encode("number 1\n") },
                { "name": "label.bin", "content_type": "application/octet-stream",
                  "content_base64": STANDARD.encode((0..=255u8).cycle().take(40_000).collect::<Vec<u8>>()) },
            ],
        });
        let path = format!("/v1/conversations/{id}/replies");
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "demo-answer-1"),
        ];
        let mut accepted = Vec::new();
        // The same request twice, as a client does whose connection was cut.
        for _ in 0..2 {
            let answer = self
                .api
                .send(Method::POST, &path, &headers, body.to_string().into_bytes())
                .await?;
            accepted.push((answer.status.as_u16(), answer.body.to_vec()));
        }
        let same = accepted.first() == accepted.get(1) && accepted.first().map(|a| a.0) == Some(202);
        self.report.check(
            "the reply is accepted, and its repetition gets the same answer",
            same,
            "202 and 202",
        );

        let outside = wait_until("the answer outside", || self.outside_mail_to(CUSTOMER)).await?;
        let outside_seq = outside["seq"].as_i64().unwrap_or_default();
        let raw = self
            .stage
            .control
            .get_bytes(&format!("/outside/{outside_seq}/mime"))
            .await?;
        self.check_answer(&raw);
        Ok(Answered {
            conversation: id,
            outside_seq,
        })
    }

    fn check_answer(&mut self, raw: &[u8]) {
        let mail = guichet_mime::parse(raw);
        let names: Vec<&str> = mail.attachments.iter().map(|a| a.name.as_str()).collect();
        let sizes: Vec<usize> = mail.attachments.iter().map(|a| a.bytes.len()).collect();
        let right = names == ["waybill.txt", "label.bin"] && sizes == [9, 40_000];
        self.report.check(
            "the answer arrives outside with both attachments",
            right,
            format!("{names:?} {sizes:?}"),
        );
        let wanted = vec!["customer-1@fabrikam.example".to_owned()];
        let shown = mail.in_reply_to.join(" ");
        self.report.check(
            "its In-Reply-To names the customer's mail",
            mail.in_reply_to == wanted,
            shown,
        );
        let wanted = ["earlier-1@fabrikam.example", "customer-1@fabrikam.example"];
        self.report.check(
            "its References continue the chain",
            mail.references == wanted,
            mail.references.join(" "),
        );
        // Exchange writes the prefix in its own case and language.
        let right = mail.subject.eq_ignore_ascii_case("re: where is my parcel?");
        self.report
            .check("its subject is the customer's with one prefix", right, mail.subject);
    }

    async fn conversation_of(&self, address: &str) -> Result<Option<Value>, Failure> {
        let all = self.api.get_all("/v1/conversations").await?;
        Ok(all.into_iter().find(|c| c["contact"]["address"] == address))
    }

    async fn outside_mail_to(&self, address: &str) -> Result<Option<Value>, Failure> {
        let list = self.stage.control.get(&format!("/outside?address={address}")).await?;
        Ok(rows(&list).last().cloned())
    }

    /// The customer answers the answer: it joins the same conversation.
    async fn customer_answers_back(&mut self, answered: &Answered) -> Result<(), Failure> {
        let path = format!("/outside/{CUSTOMER}/reply/{}", answered.outside_seq);
        self.stage
            .control
            .post(&path, &json!({ "text": "Thank you, that is good news." }))
            .await?;
        let path = format!("/v1/conversations/{}/messages", answered.conversation);
        let (api, path) = (self.api, path.as_str());
        let messages = wait_until("the customer's answer in the conversation", || async move {
            let messages = api.get_all(path).await?;
            Ok((messages.len() >= 3).then_some(messages))
        })
        .await?;
        let directions: Vec<&str> = messages.iter().filter_map(|m| m["direction"].as_str()).collect();
        let right = directions == ["inbound", "outbound", "inbound"];
        self.report.check(
            "the customer's answer joins the same conversation",
            right,
            directions.join(", "),
        );
        let rule = messages
            .last()
            .map(|m| m["threading"]["rule"].to_string())
            .unwrap_or_default();
        self.report
            .check("… because of its threading headers", rule.contains("in_reply_to"), rule);
        Ok(())
    }

    /// A duplicate notification and a replayed delta page: nothing may change.
    async fn disturb(&mut self, delivered: &[Delivered]) -> Result<(), Failure> {
        let before = self.state().await?;
        let again = self
            .stage
            .control
            .post("/notifications/duplicate", &json!({ "times": 5 }))
            .await?;
        let known = self.known_items().await?;
        for mailbox in self.stage.mailboxes() {
            let body = json!({ "mailbox": mailbox, "folder": "inbox" });
            self.stage.control.post("/delta/replay", &body).await?;
        }
        for mailbox in rows(&self.api.get("/v1/mailboxes").await?) {
            let id = mailbox["id"].as_str().unwrap_or_default().to_owned();
            self.api.post(&format!("/v1/mailboxes/{id}/sync"), &json!({})).await?;
        }
        let (this, wanted) = (&*self, known + delivered.len() as f64);
        let listed = wait_until("the replayed delta pages", || async move {
            let listed = this.known_items().await?;
            Ok((listed >= wanted).then_some(listed))
        })
        .await?;
        let seen = format!("{} known items were listed again", listed - known);
        self.report.check("delta pages were replayed", true, seen);
        self.report.check(
            "notifications were sent twice",
            again["repeated"].as_u64() >= Some(1),
            again.to_string(),
        );
        let after = self.state().await?;
        self.report.check(
            "duplicates and replays change nothing in the ledger",
            before == after,
            after.to_string(),
        );
        Ok(())
    }

    async fn state(&self) -> Result<Value, Failure> {
        let totals = self.api.get("/v1/totals").await?;
        let keep = [
            "receipts",
            "messages_inbound",
            "messages_outbound",
            "conversations",
            "quarantined",
            "outbox_dead",
        ];
        Ok(keep
            .iter()
            .map(|name| ((*name).to_owned(), totals[*name].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into())
    }

    /// Items that were listed although their receipt existed.
    async fn known_items(&self) -> Result<f64, Failure> {
        self.metric("guichet_known_items_total").await
    }

    async fn metric(&self, name: &str) -> Result<f64, Failure> {
        let text = self.api.get_bytes("/metrics").await?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
        let value = line
            .and_then(|line| line.rsplit(' ').next())
            .and_then(|v| v.parse().ok());
        value.ok_or_else(|| Failure::new(Exit::NotRight, format!("/metrics has no {name}"), ""))
    }

    /// `guichet trace` tells the whole way of the answered mail.
    async fn trace_is_complete(&mut self) -> Result<(), Failure> {
        let out = self
            .stage
            .launcher
            .run(&["trace", &format!("<{CUSTOMER}>"), "--json"])
            .await?;
        let traces: Value = serde_json::from_str(&out).unwrap_or_default();
        let steps: Vec<&str> = traces
            .pointer("/0/steps")
            .and_then(Value::as_array)
            .map(|steps| steps.iter().filter_map(|s| s["step"].as_str()).collect())
            .unwrap_or_default();
        let wanted = [
            "seen",
            "fetched",
            "parsed",
            "classified",
            "routed",
            "threaded",
            "committed",
            "marked_read",
            "reply_accepted",
            "reply_drafted",
            "reply_attached",
            "reply_submitted",
            "reply_sent",
        ];
        let missing: Vec<&str> = wanted.into_iter().filter(|w| !steps.contains(w)).collect();
        let seen = if missing.is_empty() {
            format!("{} steps", steps.len())
        } else {
            format!("missing {missing:?}")
        };
        self.report
            .check("trace shows every step from seen to answered", missing.is_empty(), seen);
        Ok(())
    }
}

fn smtp_address(text: &str) -> Result<(String, u16), Failure> {
    let bad = || {
        Failure::new(
            Exit::NotRight,
            format!("sandbox.json has no SMTP address: `{text}`"),
            "",
        )
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    Ok((host.to_owned(), port.parse().map_err(|_| bad())?))
}

async fn send_by_smtp((host, port): &(String, u16), to: &str, file: &MailFile) -> Result<(), Failure> {
    use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor, address::Envelope};
    let failure = |error: String| Failure::new(Exit::NotRight, format!("SMTP with {}: {error}", file.name), "");
    let to: Address = to.parse().map_err(|e| failure(format!("{e}")))?;
    let from: Address = "sender@fabrikam.example".parse().map_err(|e| failure(format!("{e}")))?;
    let envelope = Envelope::new(Some(from), vec![to]).map_err(|e| failure(e.to_string()))?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.as_str())
        .port(*port)
        .build();
    transport
        .send_raw(&envelope, &file.bytes)
        .await
        .map_err(|e| failure(e.to_string()))?;
    Ok(())
}
