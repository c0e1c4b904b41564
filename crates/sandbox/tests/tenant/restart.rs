//! A sandbox with a data directory, stopped and started again.

use guichet_sandbox::{Config, Persistence, Running, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, client, read};

const INBOX: &str = "/users/support@contoso.example/mailFolders/inbox/messages";

/// One life of a sandbox over the same directory.
struct Life {
    running: Running,
    client: reqwest::Client,
}

impl Life {
    async fn begin(directory: &std::path::Path) -> Self {
        let running = Sandbox::start(config(directory)).await.expect("the sandbox starts");
        let client = client(running.description());
        Self { running, client }
    }

    async fn graph(&self, token: &str, method: Method, path: &str, body: &Value, immutable: bool) -> Answer {
        let url = match path.starts_with("https:") {
            true => path.to_owned(),
            false => format!("{}/v1.0{path}", self.running.description().authority),
        };
        let mut request = self.client.request(method, url).bearer_auth(token);
        if immutable {
            request = request.header("Prefer", "IdType=\"ImmutableId\"");
        }
        if !body.is_null() {
            request = request.json(body);
        }
        read(request.send().await.expect("an answer")).await
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.graph(token, Method::GET, path, &Value::Null, false).await
    }

    async fn inject(&self, subject: &str) {
        let url = format!(
            "{}/mailboxes/support@contoso.example/messages",
            self.running.description().control_url
        );
        let mail = format!("Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nBody of {subject}\r\n");
        let answer = read(self.client.post(url).body(mail).send().await.expect("an answer")).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }

    /// A token of the administrative application, which was given the right to read and write mail.
    async fn mail_token(&self) -> String {
        let administrator = &self.running.description().administrator;
        let (id, secret) = (administrator.client_id.to_string(), administrator.client_secret.clone());
        let token = self.token(&id, &secret).await;
        let principal = self
            .get(&token, &format!("/servicePrincipals(appId='{id}')"))
            .await
            .body["id"]
            .clone();
        let graph = self
            .get(
                &token,
                "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id",
            )
            .await
            .body["id"]
            .clone();
        let link = json!({
            "principalId": principal, "resourceId": graph, "appRoleId": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
        });
        let path = format!(
            "/servicePrincipals/{}/appRoleAssignments",
            principal.as_str().expect("an id")
        );
        assert_eq!(self.graph(&token, Method::POST, &path, &link, false).await.status, 201);
        self.token(&id, &secret).await
    }

    async fn token(&self, id: &str, secret: &str) -> String {
        let description = self.running.description();
        let url = format!("{}/{}/oauth2/v2.0/token", description.authority, description.tenant_id);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", id)
            .append_pair("client_secret", secret)
            .append_pair("scope", crate::harness::GRAPH)
            .finish();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer = read(request.send().await.expect("an answer")).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn end(self) {
        self.running.stop().await.expect("the last save");
    }
}

fn config(directory: &std::path::Path) -> Config {
    Config {
        data_directory: directory.to_owned(),
        persistence: Persistence::Saved,
        ..Config::default()
    }
}

/// A link as the next life serves it: the port is another.
fn elsewhere(link: &Value, life: &Life) -> String {
    let url = url::Url::parse(link.as_str().expect("a link")).expect("a URL");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", life.running.description().authority, url.path())
}

fn subjects(answer: &Answer) -> Vec<String> {
    let list = answer.body["value"].as_array().expect("a list").iter();
    list.map(|message| message["subject"].as_str().unwrap_or("removed").to_owned())
        .collect()
}

#[tokio::test]
async fn tokens_ids_and_delta_links_survive_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let token = life.mail_token().await;
    life.inject("one").await;
    life.inject("two").await;
    let delta = life.get(&token, &format!("{INBOX}/delta")).await;
    assert_eq!(delta.status, 200, "{:?}", delta.body);
    let immutable = life.graph(&token, Method::GET, INBOX, &Value::Null, true).await.body["value"][0].clone();
    let usual = life.get(&token, INBOX).await.body["value"][0].clone();
    life.inject("three").await;
    life.end().await;

    let life = Life::begin(directory.path()).await;
    let path = format!(
        "/users/support@contoso.example/messages/{}",
        immutable["id"].as_str().expect("an id")
    );
    let again = life.graph(&token, Method::GET, &path, &Value::Null, true).await;
    assert_eq!(again.status, 200, "{:?}", again.body);
    assert_eq!(again.body["@odata.etag"], immutable["@odata.etag"]);
    assert_eq!(again.body["body"], immutable["body"]);
    assert_eq!(again.body["conversationId"], immutable["conversationId"]);
    let path = format!(
        "/users/support@contoso.example/messages/{}",
        usual["id"].as_str().expect("an id")
    );
    assert_eq!(life.get(&token, &path).await.status, 200);
    let raw = life.get(&token, &format!("{path}/$value")).await;
    assert_eq!(raw.bytes, b"Subject: two\r\nMessage-ID: <two@x>\r\n\r\nBody of two\r\n");
    let link = elsewhere(&delta.body["@odata.deltaLink"], &life);
    let since = life.get(&token, &link).await;
    assert_eq!(subjects(&since), ["three"], "{:?}", since.body);
    life.inject("four").await;
    let link = elsewhere(&since.body["@odata.deltaLink"], &life);
    assert_eq!(subjects(&life.get(&token, &link).await), ["four"]);
    life.end().await;
}

#[tokio::test]
async fn what_was_deleted_stays_deleted_and_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let token = life.mail_token().await;
    life.inject("one").await;
    let delta = life.get(&token, &format!("{INBOX}/delta")).await.body["@odata.deltaLink"].clone();
    let id = life.get(&token, INBOX).await.body["value"][0]["id"].clone();
    let path = format!(
        "/users/support@contoso.example/messages/{}",
        id.as_str().expect("an id")
    );
    assert_eq!(
        life.graph(&token, Method::DELETE, &path, &Value::Null, false)
            .await
            .status,
        204
    );
    life.end().await;

    let life = Life::begin(directory.path()).await;
    assert_eq!(life.get(&token, &path).await.status, 404);
    let since = life.get(&token, &elsewhere(&delta, &life)).await;
    assert_eq!(
        since.body["value"][0]["@removed"]["reason"], "deleted",
        "{:?}",
        since.body
    );
    life.end().await;
}

#[tokio::test]
async fn the_tenant_its_mailboxes_and_its_clock_survive_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let before = life.running.description().clone();
    let control = |life: &Life, path: &str| format!("{}{path}", life.running.description().control_url);
    let made = life.client.post(control(&life, "/mailboxes"));
    let made = made.json(&json!({"address": "late@contoso.example"}));
    assert_eq!(made.send().await.expect("an answer").status(), 201);
    let moved = life
        .client
        .post(control(&life, "/clock"))
        .json(&json!({"advance_seconds": 7200}));
    assert_eq!(moved.send().await.expect("an answer").status(), 200);
    life.end().await;

    let life = Life::begin(directory.path()).await;
    assert_eq!(life.running.description().tenant_id, before.tenant_id);
    assert_eq!(life.running.description().administrator, before.administrator);
    let late = control(&life, "/mailboxes/late@contoso.example/messages");
    assert_eq!(life.client.get(late).send().await.expect("an answer").status(), 200);
    let clock = read(
        life.client
            .get(control(&life, "/clock"))
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    assert_eq!(clock.body["offset_seconds"], 7200);
    life.end().await;
}

#[tokio::test]
async fn subscriptions_survive_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hook = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let answer_validation = axum::Router::new().route(
        "/hook",
        axum::routing::post(|axum::extract::RawQuery(query): axum::extract::RawQuery| async move {
            let query = query.unwrap_or_default();
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let token = pairs.find(|(name, _)| name == "validationToken");
            token.map(|(_, value)| value.into_owned()).unwrap_or_default()
        }),
    );
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let served = axum_server::from_tcp(listener.into_std().expect("a listener")).expect("a server");
        served.serve(answer_validation.into_make_service()).await
    });
    let plain = Config {
        notify_plain_http: true,
        ..config(directory.path())
    };
    let running = Sandbox::start(plain.clone()).await.expect("the sandbox starts");
    let client = client(running.description());
    let life = Life { running, client };
    let token = life.mail_token().await;
    let clock = life
        .client
        .get(format!("{}/clock", life.running.description().control_url));
    let clock = read(clock.send().await.expect("an answer")).await;
    let now: jiff::Timestamp = clock.body["now"].as_str().expect("a time").parse().expect("a time");
    let wish = json!({
        "changeType": "created", "notificationUrl": hook, "clientState": "s",
        "resource": "users/support@contoso.example/mailFolders('inbox')/messages",
        "expirationDateTime": (now + jiff::SignedDuration::from_hours(1)).to_string(),
    });
    let made = life.graph(&token, Method::POST, "/subscriptions", &wish, false).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    life.end().await;

    let running = Sandbox::start(plain).await.expect("the sandbox starts");
    let client = crate::harness::client(running.description());
    let life = Life { running, client };
    let path = format!("/subscriptions/{}", made.body["id"].as_str().expect("an id"));
    let again = life.get(&token, &path).await;
    assert_eq!(again.status, 200, "{:?}", again.body);
    assert_eq!(again.body["notificationUrl"], made.body["notificationUrl"]);
    life.end().await;
    tasks.abort_all();
}

#[tokio::test]
async fn a_damaged_state_is_refused_and_fresh_begins_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    Life::begin(directory.path()).await.end().await;
    Life::begin(directory.path()).await.end().await;
    let journal = directory.path().join("state/journal");
    let mut bytes = std::fs::read(&journal).expect("the journal");
    bytes[100] ^= 1;
    std::fs::write(&journal, bytes).expect("the damage");
    let refused = Sandbox::start(config(directory.path()))
        .await
        .expect_err("damage")
        .to_string();
    assert!(refused.contains("journal") && refused.contains("--fresh"), "{refused}");
    let fresh = Config {
        persistence: Persistence::Fresh,
        ..config(directory.path())
    };
    Sandbox::start(fresh)
        .await
        .expect("a new tenant")
        .stop()
        .await
        .expect("a save");
    assert!(directory.path().join("state.previous/journal").exists());
}

#[tokio::test]
async fn two_sandboxes_do_not_share_a_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let refused = Sandbox::start(config(directory.path()))
        .await
        .expect_err("a lock")
        .to_string();
    assert!(refused.contains("another sandbox"), "{refused}");
    life.end().await;
    Life::begin(directory.path()).await.end().await;
}

#[tokio::test]
async fn a_lost_file_of_mails_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    life.inject("one").await;
    life.end().await;
    let mails = directory.path().join("state/bodies/00000001.mails");
    std::fs::remove_file(&mails).expect("a file of mails");
    let refused = Sandbox::start(config(directory.path()))
        .await
        .expect_err("damage")
        .to_string();
    assert!(refused.contains("00000001.mails"), "{refused}");
}

#[tokio::test]
async fn another_tenant_is_not_served_from_a_used_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    Life::begin(directory.path()).await.end().await;
    let other = Config {
        tenant_domain: "fabrikam.example".to_owned(),
        mailboxes: Vec::new(),
        ..config(directory.path())
    };
    let refused = Sandbox::start(other).await.expect_err("another tenant").to_string();
    assert!(refused.contains("contoso.example"), "{refused}");
}

/// Asks until the answer has this status; a generous bound ends a hanging test.
async fn until(life: &Life, token: &str, wanted: u16) -> Answer {
    let draft = json!({"subject": "Asked again"});
    let path = "/users/sales@contoso.example/messages";
    let asking = async {
        loop {
            let answer = life.graph(token, Method::POST, path, &draft, false).await;
            if answer.status == wanted {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let bound = std::time::Duration::from_secs(60);
    tokio::time::timeout(bound, asking).await.expect("the answer in time")
}

#[tokio::test]
async fn changes_are_refused_while_they_cannot_be_saved_and_none_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let token = life.mail_token().await;
    let obstacle = directory.path().join("state/bodies/00000001.mails");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    life.inject("one").await;
    let refused = until(&life, &token, 507).await;
    assert_eq!(refused.error_code(), "ErrorInsufficientStorage");
    assert!(
        refused.body.to_string().contains("00000001.mails"),
        "{:?}",
        refused.body
    );
    assert_eq!(life.get(&token, INBOX).await.status, 200);
    std::fs::remove_dir(&obstacle).expect("the obstacle");
    until(&life, &token, 201).await;
    life.end().await;

    let life = Life::begin(directory.path()).await;
    assert_eq!(subjects(&life.get(&token, INBOX).await), ["one"]);
    life.end().await;
}

#[tokio::test]
async fn a_directory_removed_while_running_is_noticed() {
    let directory = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    let token = life.mail_token().await;
    std::fs::remove_dir_all(directory.path().join("state")).expect("the directory");
    let refused = until(&life, &token, 507).await;
    assert!(refused.body.to_string().contains("journal"), "{:?}", refused.body);
    life.running.stop().await.expect_err("the last save has no place");
}

#[tokio::test]
async fn what_was_saved_before_a_crash_is_there_after_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let crashed = tempfile::tempdir().expect("a directory");
    let life = Life::begin(directory.path()).await;
    life.inject("one").await;
    let journal = directory.path().join("state/journal");
    let saved = async {
        while !std::fs::read_to_string(&journal)
            .expect("the journal")
            .contains("\"one\"")
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let bound = std::time::Duration::from_secs(60);
    tokio::time::timeout(bound, saved).await.expect("a save in time");
    // The files as a crash would leave them, in the middle of a save.
    let target = crashed.path().join("state/bodies");
    std::fs::create_dir_all(&target).expect("a directory");
    let mails = "state/bodies/00000001.mails";
    std::fs::copy(directory.path().join(mails), crashed.path().join(mails)).expect("a copy");
    let mut bytes = std::fs::read(&journal).expect("the journal");
    bytes.extend_from_slice(b"0badf00d message half a li");
    std::fs::write(crashed.path().join("state/journal"), bytes).expect("a copy");
    life.end().await;

    let life = Life::begin(crashed.path()).await;
    let token = life.mail_token().await;
    assert_eq!(subjects(&life.get(&token, INBOX).await), ["one"]);
    life.end().await;
}
