//! A tenant with everything that examples need: an application that may do everything, a signed-in person, mail.
//!
//! Owns the making of objects. Each example gets fresh ones, so that none depends on another.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Answer, GRAPH, Tenant, read};

pub const SUPPORT: &str = "support@contoso.example";
const PASSWORD: &str = "a long password of a test";
const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
const SCOPES: &str = "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All Directory.Read.All Mail.ReadWrite Mail.Send MailboxSettings.ReadWrite Organization.Read.All User.Read User.Read.All";
const ROLES: [&str; 12] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Domain.Read.All",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.ReadWrite",
    "Organization.Read.All",
    "RoleManagement.ReadWrite.Exchange",
    "User.ReadWrite.All",
];

pub struct World {
    pub tenant: Tenant,
    /// A token of an application that may do everything.
    pub app: String,
    /// A token of the person whose mailbox is [`SUPPORT`].
    pub me: String,
    /// Client id of the application.
    pub app_id: String,
    /// Secret of the application.
    pub secret: String,
    /// Client id of the public client.
    pub public_id: String,
    /// Object id of Microsoft Graph's service principal.
    pub graph: String,
    /// Object id of the person.
    pub user: String,
    /// Where notifications may be sent.
    pub listener: String,
    counter: AtomicUsize,
}

pub fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
        .to_owned()
}

impl World {
    pub async fn new() -> Self {
        let tenant = Tenant::start_with(|config| config.notify_plain_http = true).await;
        let administrator = tenant.administrator_token().await;
        let path = format!("/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles");
        let principal = tenant.get(&administrator, &path).await.body;
        let graph = text(&principal, "id");
        let (app_id, id, own) = registered(&tenant, &administrator, &json!({"displayName": "All rights"})).await;
        for role in ROLES {
            let published = principal["appRoles"].as_array().expect("roles").iter();
            let found = published
                .filter(|candidate| candidate["value"] == role)
                .map(|found| text(found, "id"))
                .next()
                .unwrap_or_else(|| panic!("no role {role}"));
            let link = json!({"principalId": own, "resourceId": graph, "appRoleId": found});
            let path = format!("/servicePrincipals/{graph}/appRoleAssignedTo");
            assert_eq!(tenant.post(&administrator, &path, &link).await.status, 201, "{role}");
        }
        let path = format!("/applications/{id}/addPassword");
        let secret = text(
            &tenant.post(&administrator, &path, &Value::Null).await.body,
            "secretText",
        );
        let app = tenant.application_token(&app_id, &secret).await;
        let public = json!({"displayName": "Public", "isFallbackPublicClient": true});
        let (public_id, _, client) = registered(&tenant, &administrator, &public).await;
        let grant = json!({"clientId": client, "consentType": "AllPrincipals", "resourceId": graph, "scope": SCOPES});
        let granted = tenant.post(&administrator, "/oauth2PermissionGrants", &grant).await;
        assert_eq!(granted.status, 201, "{:?}", granted.body);
        let change = json!({"password": PASSWORD});
        let path = format!("/users/{SUPPORT}");
        assert_eq!(tenant.control(Method::PATCH, &path, &change).await.status, 200);
        let signed_in = tenant
            .token(&[
                ("grant_type", "password"),
                ("client_id", &public_id),
                ("username", SUPPORT),
                ("password", PASSWORD),
                ("scope", GRAPH),
            ])
            .await;
        assert_eq!(signed_in.status, 200, "{:?}", signed_in.body);
        let me = text(&signed_in.body, "access_token");
        let user = text(&tenant.get(&me, "/me?$select=id").await.body, "id");
        let listener = listen().await;
        Self {
            tenant,
            app,
            me,
            app_id,
            secret,
            public_id,
            graph,
            user,
            listener,
            counter: AtomicUsize::new(0),
        }
    }

    fn number(&self) -> usize {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.tenant.post(&self.app, path, body).await;
        assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
        answer.body
    }

    /// Puts a mail into the person's inbox and gives its id.
    pub async fn mail(&self) -> String {
        let number = self.number();
        let mime = format!(
            "Received: from mx.fabrikam.example by mail.contoso.example; Mon, 02 Mar 2026 10:00:00 +0000\r\nFrom: Ada <ada@fabrikam.example>\r\nTo: {SUPPORT}\r\nSubject: Mail {number}\r\nMessage-ID: <{number}@fabrikam.example>\r\nDate: Mon, 02 Mar 2026 09:59:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Pizza</p>\r\n--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename=b.eml\r\n\r\nFrom: Bo <bo@fabrikam.example>\r\nTo: {SUPPORT}\r\nSubject: Inner\r\nMessage-ID: <inner-{number}@fabrikam.example>\r\nDate: Mon, 02 Mar 2026 09:00:00 +0000\r\n\r\nInner text\r\n--b--\r\n"
        );
        let url = format!("{}/mailboxes/{SUPPORT}/messages", self.tenant.description().control_url);
        let request = self.tenant.client.post(url).body(mime);
        let answer = read(request.send().await.expect("an answer")).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        text(&answer.body, "id")
    }

    /// An attachment of a fresh mail: ids of the mail and of the attachment of this type.
    pub async fn attachment(&self, kind: &str) -> (String, String) {
        let mail = self.mail().await;
        let path = format!("/me/messages/{mail}/attachments");
        let list = self.tenant.get(&self.me, &path).await.body;
        let wanted = format!("#microsoft.graph.{kind}");
        let found = list["value"].as_array().expect("attachments").iter();
        let found = found.filter(|attachment| attachment["@odata.type"] == wanted.as_str());
        let id = found.map(|attachment| text(attachment, "id")).next();
        (mail, id.unwrap_or_else(|| panic!("no {kind} in {list}")))
    }

    pub async fn draft(&self) -> String {
        let body = json!({
            "subject": "Draft",
            "toRecipients": [{"emailAddress": {"address": "sales@contoso.example"}}],
        });
        text(&self.made(&format!("/users/{SUPPORT}/messages"), &body).await, "id")
    }

    pub async fn folder(&self) -> String {
        let body = json!({"displayName": format!("Folder {}", self.number())});
        text(&self.made(&format!("/users/{SUPPORT}/mailFolders"), &body).await, "id")
    }

    /// A mail in a fresh folder: ids of the folder and the mail.
    pub async fn folder_with_mail(&self) -> (String, String) {
        let (folder, mail) = (self.folder().await, self.mail().await);
        let path = format!("/users/{SUPPORT}/messages/{mail}/move");
        let moved = self.made(&path, &json!({"destinationId": folder})).await;
        (folder, text(&moved, "id"))
    }

    /// A fresh application with a service principal: ids of the registration, of the principal, and the client id.
    pub async fn application(&self) -> (String, String, String) {
        let body = json!({"displayName": format!("a Web Team application {}", self.number())});
        let (app_id, id, principal) = registered(&self.tenant, &self.app, &body).await;
        (id, principal, app_id)
    }

    /// A fresh application role assignment: ids of the principal and the assignment.
    pub async fn assignment(&self) -> (String, String) {
        let (_, principal, _) = self.application().await;
        let role = "df021288-bdef-4463-88db-98f22de89214";
        let link = json!({"principalId": principal, "resourceId": self.graph, "appRoleId": role});
        let path = format!("/servicePrincipals/{}/appRoleAssignedTo", self.graph);
        (principal, text(&self.made(&path, &link).await, "id"))
    }

    /// A fresh grant for the person: ids of the client's principal and the grant.
    pub async fn grant(&self) -> (String, String) {
        let (_, principal, _) = self.application().await;
        let body = json!({
            "clientId": principal, "consentType": "Principal", "principalId": self.user,
            "resourceId": self.graph, "scope": "User.Read",
        });
        (
            principal,
            text(&self.made("/oauth2PermissionGrants", &body).await, "id"),
        )
    }

    pub async fn secret(&self, path: &str) -> String {
        text(&self.made(&format!("{path}/addPassword"), &Value::Null).await, "keyId")
    }

    pub async fn subscription(&self) -> String {
        let body = json!({
            "changeType": "created",
            "notificationUrl": self.listener,
            "resource": format!("/users/{}/mailFolders/{}/messages", self.user, self.folder().await),
            "expirationDateTime": self.in_days(2),
        });
        text(&self.made("/subscriptions", &body).await, "id")
    }

    pub fn in_days(&self, days: i64) -> String {
        let at = guichet_sandbox::SandboxClock::system().now().as_second() + days * 86_400;
        jiff::Timestamp::from_second(at).expect("a moment").to_string()
    }

    /// Sends a request as the person, the application or nobody.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Answer {
        let method: Method = method.parse().expect("a method");
        let mut request = self.tenant.client.request(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        read(request.body(body).send().await.expect("an answer")).await
    }
}

/// Registers an application with its service principal: client id and both object ids.
pub async fn registered(tenant: &Tenant, token: &str, body: &Value) -> (String, String, String) {
    let application = tenant.post(token, "/applications", body).await;
    assert_eq!(application.status, 201, "{:?}", application.body);
    let app_id = text(&application.body, "appId");
    let principal = tenant
        .post(token, "/servicePrincipals", &json!({"appId": app_id}))
        .await;
    assert_eq!(principal.status, 201, "{:?}", principal.body);
    (app_id, text(&application.body, "id"), text(&principal.body, "id"))
}

/// Answers validation requests and takes notifications; gives its address.
#[expect(clippy::disallowed_methods, reason = "the tasks end with the runtime of their test")]
async fn listen() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let query = head.split(' ').nth(1).and_then(|target| target.split_once('?'));
                let token = query.and_then(|(_, query)| {
                    url::form_urlencoded::parse(query.as_bytes())
                        .find(|(name, _)| name == "validationToken")
                        .map(|(_, value)| value.into_owned())
                });
                let body = token.unwrap_or_default();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{address}/notify")
}

/// A certificate with the means to prove its possession for a directory object.
pub struct Certified {
    pub encoded: String,
    key: rcgen::KeyPair,
    thumbprint: String,
}

impl Certified {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["test".to_owned()]).expect("parameters");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
        Self {
            encoded: base64::engine::general_purpose::STANDARD.encode(certificate.der()),
            thumbprint: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest),
            key,
        }
    }

    /// A proof of possession for `addKey` and `removeKey`.
    pub fn proof(&self, object: &str) -> String {
        let now = guichet_sandbox::SandboxClock::system().now().as_second();
        let claims = json!({
            "aud": "00000002-0000-0000-c000-000000000000", "iss": object, "nbf": now - 5, "exp": now + 300,
        });
        let header = json!({"alg": "RS256", "typ": "JWT", "x5t": self.thumbprint});
        let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(self.key.serialized_der()).expect("a key");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &aws_lc_rs::signature::RSA_PKCS1_SHA256,
            &aws_lc_rs::rand::SystemRandom::new(),
            input.as_bytes(),
            &mut signature,
        )
        .expect("a signature");
        let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature);
        format!("{input}.{signature}")
    }
}
