//! A started sandbox with an HTTPS client that trusts its authority.
//!
//! Owns start-up and the spelling of requests; it judges nothing.

use guichet_sandbox::{Config, Description, Running, Sandbox};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Microsoft Graph's scope for client credentials.
pub const GRAPH: &str = "https://graph.microsoft.com/.default";

/// A sandbox under test.
pub struct Tenant {
    pub running: Running,
    pub client: Client,
    directory: TempDir,
}

/// An answer read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Tenant {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config {
            data_directory: directory.path().join("data"),
            plain_http: true,
            ..Config::default()
        };
        adjust(&mut config);
        let running = Sandbox::start(config).await.expect("the sandbox starts");
        let client = client(running.description());
        Self {
            running,
            client,
            directory,
        }
    }

    pub fn description(&self) -> &Description {
        self.running.description()
    }

    pub fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.description().authority)
    }

    /// Posts a form to a login path below the tenant.
    pub async fn login(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let url = self.url(&format!("/{}/{path}", self.description().tenant_id));
        self.form(&url, fields).await
    }

    pub async fn form(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        read(request.send().await.expect("an answer")).await
    }

    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.login("oauth2/v2.0/token", fields).await
    }

    /// A token for an application by its secret.
    pub async fn application_token(&self, client_id: &str, secret: &str) -> String {
        let answer = self
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_secret", secret),
                ("scope", GRAPH),
            ])
            .await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    pub async fn administrator_token(&self) -> String {
        let administrator = &self.description().administrator;
        self.application_token(&administrator.client_id.to_string(), &administrator.client_secret)
            .await
    }

    /// A token of a new application that may read and send mail.
    pub async fn mail_token(&self) -> String {
        let administrator = self.administrator_token().await;
        let application = self
            .post(&administrator, "/applications", &json!({"displayName": "Mail"}))
            .await
            .body;
        let app_id = application["appId"].as_str().expect("an id");
        let principal = self
            .post(&administrator, "/servicePrincipals", &json!({"appId": app_id}))
            .await
            .body;
        let path = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id";
        let graph = self.get(&administrator, path).await.body["id"].clone();
        for role in [
            "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
            "b633e1c5-b582-4048-a93e-9f11b44c7e96",
        ] {
            let link = json!({"principalId": principal["id"], "resourceId": graph, "appRoleId": role});
            let path = format!(
                "/servicePrincipals/{}/appRoleAssignments",
                principal["id"].as_str().expect("an id")
            );
            assert_eq!(self.post(&administrator, &path, &link).await.status, 201);
        }
        let path = format!(
            "/applications/{}/addPassword",
            application["id"].as_str().expect("an id")
        );
        let secret = self.post(&administrator, &path, &Value::Null).await.body;
        self.application_token(app_id, secret["secretText"].as_str().expect("a secret"))
            .await
    }

    /// Sends a Graph request; a JSON body when it is not null.
    pub async fn graph(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let mut request = self
            .client
            .request(method, self.url(&format!("/v1.0{path}")))
            .bearer_auth(token);
        if !body.is_null() {
            request = request.json(body);
        }
        read(request.send().await.expect("an answer")).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.graph(token, Method::GET, path, &Value::Null).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.graph(token, Method::POST, path, body).await
    }

    /// Sends a request to the control interface.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.description().control_url);
        let mut request = self.client.request(method, url);
        if !body.is_null() {
            request = request.json(body);
        }
        read(request.send().await.expect("an answer")).await
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn error_code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A client that trusts the sandbox's authority and nothing else.
pub fn client(description: &Description) -> Client {
    builder(description).build().expect("a client")
}

pub fn builder(description: &Description) -> reqwest::ClientBuilder {
    // The default provider is a property of the process, which tests may share.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let pem = std::fs::read(&description.ca_file).expect("the authority's file");
    let authority = Certificate::from_pem(&pem).expect("a certificate");
    Client::builder().tls_certs_only([authority]).no_proxy()
}

pub async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.expect("a whole body").to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        body,
        bytes,
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    serde_json::from_slice(&payload).expect("claims")
}
