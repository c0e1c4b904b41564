//! What a test works with: a tenant, a clock that only moves when something waits, a store in
//! memory and a vault.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use guichet_domain::finding::Severity;
use guichet_graph::Time;
use guichet_setup::{
    Applied, Change, Connect, Desired, Error, KeySource, Language, Plan, Progress, SignIn, StepId, Vault, Waiting,
    administrator,
    doctor::{self, DoctorContext, Options, Problem},
};
use guichet_store::{
    Store,
    records::{Credential, Integration},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fake::{ADMINISTRATOR, ADMINISTRATOR_SECRET, AUTHORITY, FakeTenant};

/// 32 bytes in base64.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[derive(Debug)]
pub struct TestTime(Mutex<Timestamp>);

impl TestTime {
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

#[async_trait]
impl Time for TestTime {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(SignedDuration::try_from(duration).unwrap());
    }
}

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl guichet_domain::ports::Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&next[8 - chunk.len()..]);
        }
    }
}

/// Records what it is told.
#[derive(Debug, Default)]
pub struct Told {
    pub steps: Mutex<Vec<StepId>>,
    pub waits: Mutex<Vec<(StepId, Waiting)>>,
}

impl Progress for Told {
    fn started(&self, _: StepId) {}

    fn waiting(&self, step: StepId, reason: Waiting) {
        self.waits.lock().unwrap().push((step, reason));
    }

    fn done(&self, step: StepId, _: &[Change]) {
        self.steps.lock().unwrap().push(step);
    }
}

pub struct World {
    pub tenant: Arc<FakeTenant>,
    pub time: Arc<TestTime>,
    pub store: Store,
    pub vault: Arc<Vault>,
    pub entropy: Arc<dyn guichet_domain::ports::Entropy>,
    pub told: Told,
}

pub fn desired(change: impl FnOnce(&mut Value)) -> Desired {
    let mut json = json!({
        "tenant": "contoso.example",
        "authority": AUTHORITY,
        "graph": "https://graph.contoso.example",
        "application": { "name": "Guichet of Contoso", "secret_description": "Guichet" },
        "mailboxes": ["support@contoso.example", "sales@contoso.example"],
    });
    change(&mut json);
    serde_json::from_value(json).unwrap()
}

pub fn wanted() -> Desired {
    desired(|_| {})
}

impl World {
    pub async fn new() -> Self {
        let time = Arc::new(TestTime(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap())));
        Self {
            tenant: Arc::new(FakeTenant::new(time.clone())),
            time,
            store: Store::in_memory().await.unwrap(),
            vault: vault(KEY),
            entropy: Arc::new(Counter::default()),
            told: Told::default(),
        }
    }

    pub async fn administrator(&self, sign_in: SignIn) -> Result<guichet_graph::GraphClient, Error> {
        let (transport, time, entropy) = (self.tenant.clone(), self.time.clone(), self.entropy.clone());
        administrator(sign_in, &wanted(), transport, time, entropy, &|_| {}).await
    }

    /// A process: it signs in and works until it ends or is cut off.
    pub async fn connect(&self) -> Result<Connect, Error> {
        let sign_in = SignIn::Application {
            client_id: ADMINISTRATOR.to_owned(),
            secret: ADMINISTRATOR_SECRET.into(),
        };
        Ok(Connect {
            administrator: self.administrator(sign_in).await?,
            transport: self.tenant.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            time: self.time.clone(),
            entropy: self.entropy.clone(),
        })
    }

    pub async fn apply(&self, desired: &Desired) -> Result<Applied, Error> {
        self.connect().await?.apply(desired, &self.told).await
    }

    pub async fn plan(&self, desired: &Desired) -> Result<Plan, Error> {
        self.connect().await?.plan(desired).await
    }

    pub async fn integration(&self) -> Integration {
        self.store.integration().await.unwrap().expect("an integration")
    }

    pub async fn credentials(&self) -> Vec<Credential> {
        let integration = self.integration().await;
        self.store.credentials(integration.id).await.unwrap()
    }

    pub fn doctor(&self) -> DoctorContext {
        DoctorContext {
            ranges: Vec::new(),
            store: self.store.clone(),
            vault: Ok(self.vault.clone()),
            transport: self.tenant.clone(),
            time: self.time.clone(),
            entropy: self.entropy.clone(),
            desired: Some(wanted()),
            notification_url: None,
            options: Options::default(),
        }
    }

    /// The problems above `info`, with their words checked on the way.
    pub async fn troubles(&self, context: &DoctorContext) -> Vec<Problem> {
        for language in Language::ALL {
            for finding in doctor::run(context, language).await {
                let words = format!("{} {}", finding.title, finding.fix);
                assert!(!words.contains(['{', '}']), "{}: {words}", finding.code);
            }
        }
        let mut problems = doctor::problems(context).await;
        problems.retain(|problem| problem.code.severity() > Severity::Info);
        problems
    }

    /// Key ids of the only application's secrets.
    pub fn key_ids(&self) -> Vec<String> {
        let state = self.tenant.state();
        let passwords = state.applications[0]["passwordCredentials"].as_array().unwrap();
        passwords
            .iter()
            .map(|password| password["keyId"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub fn vault(key: &str) -> Arc<Vault> {
    Arc::new(Vault::open(KeySource::Environment(key.to_owned())).unwrap())
}
