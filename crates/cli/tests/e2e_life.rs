//! The integration's life: what changes in the tenant or in the configuration is noticed by the
//! running service and applied without a restart.

use std::path::PathBuf;

use guichet_cli::{
    demo::{
        http::{Client, rows},
        processes::Launcher,
        stage::{Stage, wait_until},
    },
    failure::Failure,
};
use guichet_store::{OpenOptions, Store};
use jiff::SignedDuration;
use serde_json::{Value, json};

const APPLY: [&str; 4] = ["connect", "apply", "--sign-in", "application"];

struct World {
    stage: Stage,
    api: Client,
    administrator: Launcher,
    dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Result<Self, Failure> {
        guichet_net::install_tls_provider();
        let dir = tempfile::tempdir().expect("a directory");
        let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path());
        let stage = Stage::set(launcher, 1).await?;
        let api = stage.api()?;
        let administrator = stage.as_administrator();
        Ok(Self {
            stage,
            api,
            administrator,
            dir,
        })
    }

    async fn reports(&self, state: &str) -> Result<Value, Failure> {
        wait_until("the integration's state", || async {
            let shown = self.api.get("/v1/integration").await?;
            Ok((shown["reported"]["state"] == state).then_some(shown))
        })
        .await
    }

    async fn mail(&self, mailbox: &str, subject: &str) -> Result<(), Failure> {
        let mail = format!(
            "From: <customer@fabrikam.example>\r\nTo: <{mailbox}>\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@fabrikam.example>\r\n\r\nHello.\r\n"
        );
        self.stage.inject(mailbox, mail.into_bytes()).await.map(drop)
    }

    async fn receipts(&self) -> Result<usize, Failure> {
        Ok(self.api.get_all("/v1/receipts").await?.len())
    }

    async fn arrived(&self, count: usize) -> Result<(), Failure> {
        wait_until("the mail to arrive", || async {
            Ok((self.receipts().await? == count).then_some(()))
        })
        .await
    }
}

fn told(ended: Result<(), Failure>) {
    if let Err(failure) = ended {
        panic!("{}\n{}", failure.title, failure.fix);
    }
}

#[tokio::test]
async fn integration_is_switched_off_and_on_without_a_restart_and_loses_nothing() {
    let story = async {
        let world = World::new().await?;
        let _service = world.stage.serve().await?;
        let mailbox = world.stage.mailboxes()[0].clone();
        world.reports("active").await?;
        world.mail(&mailbox, "before").await?;
        world.arrived(1).await?;

        world.stage.launcher.run(&["integration", "disable"]).await?;
        let shown = world.reports("inactive").await?;
        assert_eq!(shown["intended_state"], "inactive");
        world.mail(&mailbox, "meanwhile").await?;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        assert_eq!(world.receipts().await?, 1, "nothing is taken in while it is off");
        let followed = rows(&world.api.get("/v1/mailboxes").await?);
        assert!(followed.iter().all(|m| rows(&m["folders"]).is_empty()), "{followed:?}");

        world.stage.launcher.run(&["integration", "enable"]).await?;
        world.reports("active").await?;
        world.arrived(2).await
    };
    told(story.await);
}

#[tokio::test]
async fn mailbox_that_is_added_is_served_without_a_restart() {
    let story = async {
        let world = World::new().await?;
        let added = world.stage.mailboxes()[1].clone();
        let entry = format!("[[mailbox]]\naddress = \"{added}\"\n");
        world.stage.configure(|text| {
            assert!(text.contains(&entry), "{text}");
            text.replace(&entry, "")
        })?;
        world.administrator.run(&APPLY).await?;
        let _service = world.stage.serve().await?;
        world.mail(&added, "early").await?;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        assert_eq!(world.receipts().await?, 0, "the mailbox is not served yet");

        world.stage.configure(|text| format!("{text}\n{entry}"))?;
        world.administrator.run(&APPLY).await?;
        world.mail(&added, "late").await?;
        wait_until("mail of the added mailbox", || async {
            Ok((world.receipts().await? >= 1).then_some(()))
        })
        .await
    };
    told(story.await);
}

#[tokio::test]
async fn denied_mailboxes_turn_the_integration_red_and_heal_by_themselves() {
    let story = async {
        let world = World::new().await?;
        let _service = world.stage.serve().await?;
        let mailboxes = world.stage.mailboxes();
        world.reports("active").await?;
        // One sick mailbox is its own affair.
        let profile = format!("/mailboxes/{}/profile", mailboxes[0]);
        let condition = async |condition: &str| {
            let body = json!({"condition": condition}).to_string().into_bytes();
            let headers = [("content-type", "application/json")];
            world
                .stage
                .control
                .send(http::Method::PATCH, &profile, &headers, body)
                .await
        };
        assert!(condition("on_premises").await?.status.is_success());
        wait_until("the sick mailbox to show it", || async {
            let list = rows(&world.api.get("/v1/mailboxes").await?);
            let state = |m: &Value| m["health"].clone();
            let sick = list.iter().filter(|m| state(m) == "failing").count();
            Ok((sick == 1).then_some(()))
        })
        .await?;
        assert_eq!(world.api.get("/v1/integration").await?["reported"]["state"], "active");

        let denied = json!({"kind": "status", "status": 403, "code": "ErrorAccessDenied"});
        let rule = json!({"path_contains": "/mailFolders", "times": 0, "action": denied});
        world.stage.control.post("/faults", &rule).await?;
        let shown = world.reports("error").await?;
        assert_eq!(shown["reported"]["code"], "mailbox-denied", "{shown}");
        assert!(
            shown["reported"]["fix"].as_str().is_some_and(|fix| !fix.is_empty()),
            "{shown}"
        );

        assert!(condition("active").await?.status.is_success());
        world
            .stage
            .control
            .send(http::Method::DELETE, "/faults", &[], Vec::new())
            .await?;
        world.reports("active").await?;
        world.mail(&mailboxes[0], "after").await?;
        world.arrived(1).await
    };
    told(story.await);
}

#[tokio::test]
async fn a_certificate_near_its_end_renews_itself_while_the_service_runs() {
    let story = async {
        let world = World::new().await?;
        let kind = "[application]\ncredential = \"certificate\"\n";
        world.stage.configure(|text| text.replace("[application]\n", kind))?;
        world.administrator.run(&APPLY).await?;
        let store = Store::open(OpenOptions::in_directory(world.dir.path().join("data"))).await?;
        let integration = store.integration().await?.expect("connected").id;
        let credentials = store.credentials(integration).await?;
        assert_eq!(credentials.len(), 2, "the certificate and the secret of before");
        for credential in &credentials {
            store.remove_credential(credential.id).await?;
        }
        // Only its row says how old it is; the tenant knows another age.
        let mut old = credentials[0].clone();
        let age = SignedDuration::from_hours(24 * 175);
        old.created_at -= age;
        old.expires_at -= age;
        store.add_credential(&old).await?;

        let _service = world.stage.serve().await?;
        let successor = wait_until("a successor of the old certificate", || async {
            let stored = store.credentials(integration).await?;
            let only = <[_; 1]>::try_from(stored).ok();
            Ok(only.map(|[one]| one).filter(|one| one.key_id != old.key_id))
        })
        .await?;
        assert_eq!(successor.kind, "certificate");
        assert!(successor.expires_at > old.expires_at + age - SignedDuration::from_hours(24));
        world.mail(&world.stage.mailboxes()[0], "afterwards").await?;
        world.arrived(1).await?;
        world.reports("active").await?;
        let found = world
            .stage
            .launcher
            .run(&["doctor", "--json", "--language", "en"])
            .await?;
        assert!(found.contains(&successor.key_id), "{found}");
        store.close().await;
        Ok(())
    };
    told(story.await);
}

#[tokio::test]
async fn probes_of_the_doctor_are_not_taken_in_while_the_service_runs() {
    let story = async {
        let world = World::new().await?;
        let _service = world.stage.serve().await?;
        world.reports("active").await?;
        let out = world.stage.launcher.run(&["doctor", "--round-trip", "--json"]).await?;
        assert_eq!(out.matches("\"code\": \"round-trip-ok\"").count(), 3, "{out}");
        // The same subject without a genuine mark is a mail like any other.
        let mailbox = world.stage.mailboxes().remove(0);
        let forged = format!(
            "From: <{mailbox}>\r\nTo: <{mailbox}>\r\nSubject: Guichet probe p1.{}.{}\r\n\
             Message-ID: <forged@contoso.example>\r\n\r\nHello.\r\n",
            "a".repeat(26),
            "a".repeat(16)
        );
        world.stage.inject(&mailbox, forged.into_bytes()).await?;
        world.arrived(1).await?;
        let receipts = world.api.get_all("/v1/receipts").await?;
        assert_eq!(
            receipts[0]["internet_message_id"], "forged@contoso.example",
            "{receipts:?}"
        );
        Ok(())
    };
    told(story.await);
}

#[tokio::test]
async fn requests_are_written_down_by_mailbox_while_the_service_runs() {
    let story = async {
        let world = World::new().await?;
        let _service = world.stage.serve().await?;
        let store = Store::open(OpenOptions::in_directory(world.dir.path().join("data"))).await?;
        let followed = store.mailboxes().await?;
        wait_until("requests of each mailbox", || async {
            let counted = store.traffic(jiff::Timestamp::UNIX_EPOCH).await?;
            let has = |user: &str| {
                counted
                    .iter()
                    .any(|count| count.graph_user == user && count.requests > 0)
            };
            Ok(followed.iter().all(|mailbox| has(&mailbox.graph_user_id)).then_some(()))
        })
        .await?;
        store.close().await;
        Ok(())
    };
    told(story.await);
}
