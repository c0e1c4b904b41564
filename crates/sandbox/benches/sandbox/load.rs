//! The load: what the clients of a measurement ask, and how often they were answered.
//!
//! Owns a prepared tenant and the loops. Every loop ends by time or count; an unexpected answer ends the benchmark.

use std::time::{Duration, Instant};

use guichet_sandbox::{Description, Running};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::mails::mail;
use crate::report::now;

/// Mailboxes the load is spread over.
pub const MAILBOXES: usize = 8;
/// Connections at once.
const CONNECTIONS: usize = 4;
/// Mails in every mailbox before reading is measured.
const PREPARED: usize = 2_000;
/// Messages of a page.
const PAGE: usize = 100;
/// Requests of a batch: Graph's own bound.
const BATCH: usize = 20;
/// The properties of a usual listing.
pub const SELECT: &str =
    "$select=id,subject,from,toRecipients,receivedDateTime,isRead,conversationId,internetMessageId";
/// Mail.ReadWrite.
const ROLE: &str = "e2a3a72e-5f79-4c64-b1b1-878b674786c9";

/// A tenant to be measured.
pub struct Load {
    description: Description,
    authorization: String,
    boxes: Vec<String>,
    time: Duration,
}

impl Load {
    /// Gives a client its permission and every mailbox some mail.
    pub async fn prepare(running: &Running, boxes: Vec<String>, time: Duration) -> Self {
        let description = running.description().clone();
        let mut load = Self {
            description,
            authorization: String::new(),
            boxes,
            time,
        };
        load.authorization = load.token().await;
        load.grant().await;
        load.authorization = load.token().await;
        load
    }

    fn base(&self) -> &str {
        self.description.graph_url_http.as_deref().expect("plain HTTP is on")
    }

    async fn token(&self) -> String {
        let administrator = &self.description.administrator;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &administrator.client_id.to_string())
            .append_pair("client_secret", &administrator.client_secret)
            .append_pair("scope", "https://graph.microsoft.com/.default")
            .finish();
        let path = format!("/{}/oauth2/v2.0/token", self.description.tenant_id);
        let mut connection = Connection::open(self.base()).await;
        let head = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer = connection.send("POST", &path, head, body.as_bytes()).await;
        let answer: Value = serde_json::from_slice(answer.body).expect("JSON");
        format!(
            "Authorization: Bearer {}\r\n",
            answer["access_token"].as_str().expect("a token")
        )
    }

    async fn grant(&self) {
        let mut connection = Connection::open(self.base()).await;
        let own = self.description.administrator.client_id.to_string();
        let mut ids = Vec::new();
        for app in [own.as_str(), "00000003-0000-0000-c000-000000000000"] {
            let path = format!("/v1.0/servicePrincipals(appId='{app}')");
            let answer = connection.send("GET", &path, &self.authorization, b"").await;
            let answer: Value = serde_json::from_slice(answer.body).expect("JSON");
            ids.push(answer["id"].as_str().expect("an id").to_owned());
        }
        let link = json!({"principalId": ids[0], "resourceId": ids[1], "appRoleId": ROLE}).to_string();
        let head = format!("{}Content-Type: application/json\r\n", self.authorization);
        let path = format!("/v1.0/servicePrincipals/{}/appRoleAssignments", ids[0]);
        let answer = connection.send("POST", &path, &head, link.as_bytes()).await;
        assert_eq!(answer.status, 201, "the permission is granted");
    }

    /// Runs `work` on every connection until its time is over; how often per second it got something done.
    async fn run<F, W>(&self, work: F) -> f64
    where
        F: Fn(usize, Connection, Instant) -> W,
        W: Future<Output = usize> + Send + 'static,
    {
        let started = now();
        let end = started + self.time;
        let mut tasks = JoinSet::new();
        for number in 0..CONNECTIONS {
            let connection = Connection::open(self.base()).await;
            tasks.spawn(work(number, connection, end));
        }
        let mut done = 0;
        for part in tasks.join_all().await {
            done += part;
        }
        done as f64 / started.elapsed().as_secs_f64()
    }

    /// Puts the prepared mail into the mailboxes; messages per second.
    pub async fn inject(&self) -> f64 {
        let count = PREPARED * self.boxes.len();
        let (_, took) = self.fill(count).await;
        count as f64 / took.as_secs_f64()
    }

    /// Puts `count` mails into the mailboxes in turn; their bytes, and how long it took.
    pub async fn fill(&self, count: usize) -> (u64, Duration) {
        let started = now();
        let mut tasks = JoinSet::new();
        for part in 0..CONNECTIONS {
            let (boxes, base) = (self.boxes.clone(), self.description.control_url.clone());
            tasks.spawn(async move {
                let mut connection = Connection::open(&base).await;
                let mut bytes = 0;
                for number in (part..count).step_by(CONNECTIONS) {
                    let mail = mail(number);
                    bytes += mail.len() as u64;
                    let path = format!("/mailboxes/{}/messages", boxes[number % boxes.len()]);
                    let answer = connection.send("POST", &path, "", &mail).await;
                    assert_eq!(answer.status, 201, "a mail is taken");
                }
                bytes
            });
        }
        let mut bytes = 0;
        for part in tasks.join_all().await {
            bytes += part;
        }
        (bytes, started.elapsed())
    }

    /// Whole delta rounds in pages of a hundred; messages per second.
    pub async fn delta(&self, query: &'static str) -> f64 {
        self.run(|number, mut connection, end| {
            let user = self.boxes[number % self.boxes.len()].clone();
            let head = format!("{}Prefer: odata.maxpagesize={PAGE}\r\n", self.authorization);
            async move {
                let first = format!("/v1.0/users/{user}/mailFolders/inbox/messages/delta?{query}");
                let (mut path, mut pages) = (first.clone(), 0);
                while now() < end {
                    let answer = connection.send("GET", &path, &head, b"").await;
                    assert_eq!(answer.status, 200, "a page comes");
                    match link(answer.body, "\"@odata.nextLink\":\"") {
                        Some(next) => {
                            pages += 1;
                            path = next;
                        }
                        // The last page may be short: it does not count.
                        None => path.clone_from(&first),
                    }
                }
                pages * PAGE
            }
        })
        .await
    }

    /// Messages one by one; per second.
    pub async fn single(&self, query: &'static str) -> f64 {
        let ids = self.ids().await;
        self.run(|number, mut connection, end| {
            let ids: Vec<String> = ids.iter().skip(number).step_by(CONNECTIONS).cloned().collect();
            let (user, head) = (self.boxes[0].clone(), self.authorization.clone());
            async move {
                let mut done = 0;
                while now() < end {
                    let id = &ids[done % ids.len()];
                    let path = format!("/v1.0/users/{user}/messages/{id}?{query}");
                    let answer = connection.send("GET", &path, &head, b"").await;
                    assert_eq!(answer.status, 200, "a message comes");
                    done += 1;
                }
                done
            }
        })
        .await
    }

    /// Pages of a listing; messages per second.
    pub async fn list(&self) -> f64 {
        self.run(|number, mut connection, end| {
            let (user, head) = (
                self.boxes[number % self.boxes.len()].clone(),
                self.authorization.clone(),
            );
            async move {
                let path = format!("/v1.0/users/{user}/mailFolders/inbox/messages?$top={PAGE}&{SELECT}");
                let mut done = 0;
                while now() < end {
                    let answer = connection.send("GET", &path, &head, b"").await;
                    assert_eq!(answer.status, 200, "a page comes");
                    done += PAGE;
                }
                done
            }
        })
        .await
    }

    /// Batches of single messages; messages per second.
    pub async fn batch(&self) -> f64 {
        let ids = self.ids().await;
        self.run(|number, mut connection, end| {
            let user = &self.boxes[0];
            let requests: Vec<Value> = ids
                .iter()
                .skip(number)
                .take(BATCH)
                .enumerate()
                .map(|(place, id)| {
                    let url = format!("/users/{user}/messages/{id}?{SELECT}");
                    json!({"id": place.to_string(), "method": "GET", "url": url})
                })
                .collect();
            let body = json!({"requests": requests}).to_string();
            let head = format!("{}Content-Type: application/json\r\n", self.authorization);
            async move {
                let mut done = 0;
                while now() < end {
                    let answer = connection.send("POST", "/v1.0/$batch", &head, body.as_bytes()).await;
                    assert_eq!(answer.status, 200, "a batch is answered");
                    done += BATCH;
                }
                done
            }
        })
        .await
    }

    async fn ids(&self) -> Vec<String> {
        let mut connection = Connection::open(self.base()).await;
        let path = format!("/v1.0/users/{}/messages?$top=1000&$select=id", self.boxes[0]);
        let answer = connection.send("GET", &path, &self.authorization, b"").await;
        let answer: Value = serde_json::from_slice(answer.body).expect("JSON");
        let list = answer["value"].as_array().expect("a list").iter();
        list.map(|message| message["id"].as_str().expect("an id").to_owned())
            .collect()
    }
}

/// Path and query of a link near the start of an answer.
fn link(body: &[u8], name: &str) -> Option<String> {
    let start = std::str::from_utf8(body.get(..4096).unwrap_or(body))
        .unwrap_or_else(|error| std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default());
    let rest = &start[start.find(name)? + name.len()..];
    let url = &rest[..rest.find('"')?];
    let path = url.get("http://".len()..)?;
    Some(path[path.find('/')?..].to_owned())
}
