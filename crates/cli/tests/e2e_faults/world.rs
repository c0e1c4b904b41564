//! The stage of the fault tests: a tenant whose faults can be ordered, and what is looked at after.

use std::{collections::BTreeMap, path::PathBuf};

use guichet_cli::{
    demo::{
        http::{Client, rows},
        mails::customer_mail,
        processes::{Launcher, Process},
        stage::{Stage, wait_until},
    },
    failure::{Exit, Failure},
};
use http::Method;
use serde_json::{Value, json};

/// Seconds between two rounds where polling may bring the mail.
pub const OFTEN: u32 = 1;
/// The same where it must not: only a notification brings mail within the patience of a test.
pub const NEVER: u32 = 86_400;

pub type Told = Result<(), Failure>;

/// A tenant and a service connected to it, which does not run yet.
pub struct World {
    pub stage: Stage,
    pub api: Client,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn new(poll_seconds: u32) -> Result<Self, Failure> {
        guichet_net::install_tls_provider();
        let dir = tempfile::tempdir().expect("a temporary directory");
        let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path());
        let stage = Stage::set(launcher, poll_seconds).await?;
        let api = stage.api()?;
        Ok(Self { stage, api, _dir: dir })
    }

    pub async fn order(&self, rule: Value) -> Result<u64, Failure> {
        let ordered = self.stage.control.post("/faults", &rule).await?;
        Ok(ordered["id"].as_u64().expect("a fault has an id"))
    }

    /// How often an ordered fault has happened.
    pub async fn hits(&self, fault: u64) -> Result<u64, Failure> {
        let faults = self.stage.control.get("/faults").await?;
        let found = rows(&faults).into_iter().find(|row| row["id"] == fault);
        Ok(found.and_then(|row| row["hits"].as_u64()).unwrap_or_default())
    }

    pub async fn happened(&self, fault: u64, times: u64) -> Told {
        wait_until("the ordered fault", || async {
            Ok((self.hits(fault).await? >= times).then_some(()))
        })
        .await
    }

    pub async fn no_more_faults(&self) -> Told {
        let removed = self.stage.control.send(Method::DELETE, "/faults", &[], Vec::new());
        removed.await.map(drop)
    }

    /// Puts mails of the customers `from..to` into the mailboxes in turn; their immutable ids.
    pub async fn inject(&self, from: usize, to: usize) -> Result<Vec<String>, Failure> {
        let mailboxes = self.stage.mailboxes();
        let mut ids = Vec::new();
        for number in from..to {
            let mailbox = &mailboxes[number % mailboxes.len()];
            ids.push(self.inject_into(mailbox, number).await?);
        }
        Ok(ids)
    }

    pub async fn inject_into(&self, mailbox: &str, number: usize) -> Result<String, Failure> {
        let mail = customer_mail(number, mailbox, &format!("Parcel {number}"));
        let injected = self.stage.inject(mailbox, mail).await?;
        Ok(injected["immutable_id"].as_str().expect("an immutable id").to_owned())
    }

    pub async fn totals(&self) -> Result<Value, Failure> {
        self.api.get("/v1/totals").await
    }

    pub async fn arrived(&self, mails: usize) -> Told {
        wait_until("the mails", || async {
            let inbound = self.totals().await?["messages_inbound"].as_u64();
            Ok((inbound >= Some(mails as u64)).then_some(()))
        })
        .await
    }

    /// The outbox is empty: what had to follow from the mails has been done.
    pub async fn settled(&self) -> Told {
        wait_until("an empty outbox", || async {
            Ok((self.totals().await?["outbox_pending"] == 0).then_some(()))
        })
        .await
    }

    /// The mails of the first customers are in the ledger, each once, and none was set aside.
    pub async fn each_once(&self, mails: usize) -> Told {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for receipt in self.api.get_all("/v1/receipts").await? {
            let id = receipt["internet_message_id"].as_str().unwrap_or_default();
            if id.starts_with("customer-") {
                *seen.entry(id.to_owned()).or_default() += 1;
            }
        }
        let expected: BTreeMap<String, usize> = (0..mails)
            .map(|number| (format!("customer-{number}@fabrikam.example"), 1))
            .collect();
        assert_eq!(seen, expected, "receipts");
        let totals = self.totals().await?;
        assert_eq!(totals["messages_inbound"], mails, "{totals}");
        assert_eq!(totals["quarantined"], 0, "{totals}");
        Ok(())
    }

    /// Replies to a customer; the id of the reply's message.
    pub async fn reply(&self, customer: usize, attachments: &[&str]) -> Result<String, Failure> {
        let small = |name: &&str| json!({"name": name, "content_type": "text/plain", "content_base64": "YQ=="});
        self.reply_with(customer, attachments.iter().map(small).collect()).await
    }

    pub async fn reply_with(&self, customer: usize, attachments: Vec<Value>) -> Result<String, Failure> {
        let address = format!("customer-{customer}@fabrikam.example");
        let conversations = self.api.get_all("/v1/conversations").await?;
        let conversation = conversations
            .iter()
            .find(|c| c["contact"]["address"] == address.as_str())
            .unwrap_or_else(|| panic!("no conversation with {address}"));
        let path = format!(
            "/v1/conversations/{}/replies",
            conversation["id"].as_str().unwrap_or_default()
        );
        let body = json!({"text": format!("Answer {customer}"), "attachments": attachments});
        let key = format!("reply-{customer}");
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let answer = self
            .api
            .send(Method::POST, &path, &headers, body.to_string().into_bytes())
            .await?;
        assert_eq!(answer.status, 202, "the reply is accepted");
        let accepted: Value = serde_json::from_slice(&answer.body).expect("JSON");
        Ok(accepted["message_id"].as_str().expect("a message id").to_owned())
    }

    pub async fn sent(&self, message: &str) -> Told {
        wait_until("the reply to be sent", || async {
            let shown = self.api.get(&format!("/v1/messages/{message}")).await?;
            if shown["state"] == "failed" {
                let title = format!("the reply failed: {}", shown["state_reason"]);
                return Err(Failure::new(Exit::NotRight, title, ""));
            }
            Ok((shown["state"] == "sent").then_some(()))
        })
        .await
    }

    /// The mails that arrived outside: the names of the attachments of each.
    pub async fn outside(&self) -> Result<Vec<Vec<String>>, Failure> {
        let mut mails = Vec::new();
        for mail in rows(&self.stage.control.get("/outside").await?) {
            let path = format!("/outside/{}/mime", mail["seq"]);
            let parsed = guichet_mime::parse(&self.stage.control.get_bytes(&path).await?);
            mails.push(parsed.attachments.iter().map(|a| a.name.clone()).collect());
        }
        Ok(mails)
    }

    /// Drafts that lie about in the mailboxes.
    pub async fn drafts(&self) -> Result<usize, Failure> {
        let mut count = 0;
        for mailbox in self.stage.mailboxes() {
            let list = self
                .stage
                .control
                .get(&format!("/mailboxes/{mailbox}/messages"))
                .await?;
            count += rows(&list).iter().filter(|m| m["is_draft"] == true).count();
        }
        Ok(count)
    }

    /// Requests that the tenant counted by method and end of the route: all, or those with one status.
    pub async fn requests(&self, method: &str, route: &str, status: Option<&str>) -> Result<u64, Failure> {
        let report = self.stage.control.get("/requests").await?;
        let lines = report["routes"].as_array().cloned().unwrap_or_default();
        let wanted = lines
            .iter()
            .filter(|l| l["method"] == method && l["route"].as_str().is_some_and(|r| r.ends_with(route)));
        let count = |line: &Value| match status {
            None => line["requests"].as_u64(),
            Some(status) => line["statuses"][status].as_u64(),
        };
        Ok(wanted.filter_map(count).sum())
    }

    /// Every followed folder has a live subscription, as far as the service knows.
    pub async fn notified(&self) -> Told {
        wait_until("a subscription for each folder", || async {
            let mailboxes = rows(&self.api.get("/v1/mailboxes").await?);
            let mut folders = mailboxes.iter().flat_map(|m| rows(&m["folders"])).peekable();
            let all = folders.peek().is_some() && folders.all(|folder| folder["notified"] == true);
            Ok(all.then_some(()))
        })
        .await
    }

    /// Sends SIGTERM and waits for the end; how the process ended, in words.
    pub async fn terminate(&self, mut service: Process) -> Result<String, Failure> {
        let id = service.id().expect("the service runs").to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.is_ok_and(|status| status.success()), "SIGTERM can be sent");
        let mut how = String::new();
        for _ in 0..600 {
            if let Err(ended) = service.check_alive() {
                how = ended.title;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(how)
    }
}

pub fn told(ended: Told) {
    if let Err(failure) = ended {
        panic!("{}\n{}", failure.title, failure.fix);
    }
}
