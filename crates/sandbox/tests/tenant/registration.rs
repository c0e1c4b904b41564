//! Application registrations for tests.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, GRAPH, Tenant};
use crate::signing::JWT_BEARER;

/// A registered application with its service principal.
pub struct Registered {
    pub id: String,
    pub app_id: String,
    pub administrator: String,
}

impl Registered {
    pub async fn new(tenant: &Tenant, body: Value) -> Self {
        let administrator = tenant.administrator_token().await;
        let created = tenant.post(&administrator, "/applications", &body).await;
        assert_eq!(created.status, 201, "{:?}", created.body);
        let text = |name: &str| created.body[name].as_str().expect("text").to_owned();
        let (id, app_id) = (text("id"), text("appId"));
        let principal = json!({ "appId": app_id });
        assert_eq!(
            tenant
                .post(&administrator, "/servicePrincipals", &principal)
                .await
                .status,
            201
        );
        Self {
            id,
            app_id,
            administrator,
        }
    }

    pub async fn patch(&self, tenant: &Tenant, body: &Value) -> Answer {
        let path = format!("/applications/{}", self.id);
        tenant.graph(&self.administrator, Method::PATCH, &path, body).await
    }

    pub async fn secret(&self, tenant: &Tenant) -> String {
        let path = format!("/applications/{}/addPassword", self.id);
        let answer = tenant.post(&self.administrator, &path, &Value::Null).await;
        answer.body["secretText"].as_str().expect("a secret").to_owned()
    }

    /// Client credentials with an assertion.
    pub async fn assert(&self, tenant: &Tenant, assertion: &str) -> Answer {
        tenant
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", &self.app_id),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion),
                ("scope", GRAPH),
            ])
            .await
    }
}

/// The one code of a refusal.
pub fn code(answer: &Answer) -> u64 {
    answer.body["error_codes"][0].as_u64().unwrap_or_default()
}
