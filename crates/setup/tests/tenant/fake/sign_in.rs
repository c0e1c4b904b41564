//! The sign-in service: discovery, device codes, tokens.

use std::collections::HashMap;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use guichet_net::HttpRequest;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{ADMINISTRATOR, ADMINISTRATOR_SECRET, AUTHORITY, Answer, DOMAIN, FakeTenant, State, TENANT};

const MAIL_READ_WRITE: &str = "e2a3a72e-5f79-4c64-b1b1-878b674786c9";
const MAIL_SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";

impl FakeTenant {
    pub(super) fn sign_in(&self, state: &mut State, request: &HttpRequest, segments: &[&str]) -> Answer {
        let tenant = segments[0];
        if tenant != TENANT && tenant != DOMAIN && Some(tenant) != state.issuer_tenant {
            return entra(400, 90_002, "invalid_request");
        }
        match segments[1..] {
            ["v2.0", ".well-known", "openid-configuration"] => {
                let id = state.issuer_tenant.unwrap_or(TENANT);
                let at = |rest: &str| format!("{AUTHORITY}/{id}/{rest}");
                let document = json!({
                    "issuer": at("v2.0"),
                    "authorization_endpoint": at("oauth2/v2.0/authorize"),
                    "token_endpoint": at("oauth2/v2.0/token"),
                    "device_authorization_endpoint": at("oauth2/v2.0/devicecode"),
                    "jwks_uri": at("discovery/v2.0/keys"),
                    "msgraph_host": "graph.microsoft.com",
                });
                (200, document)
            }
            ["oauth2", "v2.0", "devicecode"] => {
                let answer = json!({
                    "device_code": "device", "user_code": "ABCD1234", "expires_in": 900, "interval": 5,
                    "verification_uri": "https://login.contoso.example/device", "message": "open and type",
                });
                (200, answer)
            }
            ["oauth2", "v2.0", "token"] => self.token(state, &form(&request.body)),
            _ => (404, Value::Null),
        }
    }

    fn token(&self, state: &mut State, form: &HashMap<String, String>) -> Answer {
        let client_id = form.get("client_id").map(String::as_str).unwrap_or_default();
        if form.get("device_code").is_some() {
            return granted(&json!({ "appid": ADMINISTRATOR, "tid": TENANT, "scp": "Application.ReadWrite.All" }));
        }
        let secret = form.get("client_secret").map(String::as_str).unwrap_or_default();
        if client_id == ADMINISTRATOR {
            return match secret {
                ADMINISTRATOR_SECRET => granted(&json!({ "appid": ADMINISTRATOR, "tid": TENANT })),
                _ => entra(401, 7_000_215, "invalid_client"),
            };
        }
        if let Some((status, code)) = state.token_error {
            return entra(status, code, "invalid_client");
        }
        let Some(principal) = state
            .principals
            .iter()
            .find(|principal| principal["appId"] == client_id)
            .cloned()
        else {
            return entra(400, 700_016, "unauthorized_client");
        };
        let application = state
            .applications
            .iter()
            .find(|application| application["appId"] == client_id);
        let certificates = application.map(|application| application["keyCredentials"].clone());
        let listed = application.map(|application| application["passwordCredentials"].clone());
        let is_listed = |key_id: &str| {
            let passwords = listed.as_ref().and_then(Value::as_array);
            passwords.is_some_and(|passwords| passwords.iter().any(|password| password["keyId"] == key_id))
        };
        let assertion = form.get("client_assertion");
        let proven = assertion.map(|assertion| is_proven(assertion, &certificates.unwrap_or_default(), client_id));
        let known = state
            .secrets
            .iter_mut()
            .find(|(key_id, (value, _))| value == secret && is_listed(key_id));
        match known {
            _ if proven == Some(true) => {}
            _ if proven == Some(false) => return entra(401, 700_027, "invalid_client"),
            Some((_, (_, lag))) if *lag > 0 => {
                *lag -= 1;
                return entra(401, 7_000_215, "invalid_client");
            }
            Some(_) => {}
            None => return entra(401, 7_000_215, "invalid_client"),
        }
        let mut roles: Vec<&str> = state.extra_roles.clone();
        if state.consent_lag > 0 {
            state.consent_lag -= 1;
        } else {
            for assignment in &state.assignments {
                if assignment["principalId"] == principal["id"] {
                    roles.push(match assignment["appRoleId"].as_str() {
                        Some(MAIL_READ_WRITE) => "Mail.ReadWrite",
                        Some(MAIL_SEND) => "Mail.Send",
                        Some("18a4783c-866b-4cc7-a460-3d5e5662c884") => "Application.ReadWrite.OwnedBy",
                        other => panic!("an unknown role {other:?} was assigned"),
                    });
                }
            }
        }
        granted(&json!({ "appid": client_id, "tid": TENANT, "oid": principal["id"], "roles": roles }))
    }
}

/// Whether a registered certificate, named by its thumbprint, signed the assertion for this service.
fn is_proven(assertion: &str, certificates: &Value, client_id: &str) -> bool {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let header: Value = serde_json::from_slice(&part(header)).unwrap();
    let claims: Value = serde_json::from_slice(&part(payload)).unwrap();
    assert_eq!(claims["aud"], format!("{AUTHORITY}/{TENANT}/oauth2/v2.0/token"));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(client_id), &json!(client_id)));
    assert!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap() <= 600);
    certificates.as_array().unwrap().iter().any(|entry| {
        let der = BASE64_STANDARD.decode(entry["key"].as_str().unwrap()).unwrap();
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &der));
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        let public = UnparsedPublicKey::new(
            &RSA_PSS_2048_8192_SHA256,
            certificate.public_key().subject_public_key.data.to_vec(),
        );
        header["x5t#S256"] == thumbprint && public.verify(signed.as_bytes(), &part(signature)).is_ok()
    })
}

fn entra(status: u16, code: u32, word: &str) -> Answer {
    let body = json!({
        "error": word,
        "error_description": format!("AADSTS{code}: refused.\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: z"),
        "error_codes": [code],
    });
    (status, body)
}

fn granted(claims: &Value) -> Answer {
    let token = format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    (
        200,
        json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token }),
    )
}

pub(super) fn claims(token: &str) -> Value {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn form(body: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}
