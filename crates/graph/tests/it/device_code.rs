//! Sign-in by device code.

use std::sync::Arc;

use guichet_graph::{Class, DeviceCode};
use guichet_net::TransportErrorKind;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use crate::scripted::{Outcome, Script, json};
use crate::virtual_time::VirtualTime;

fn prompt(expires_in: u64) -> Outcome {
    json(
        200,
        &json!({ "device_code": "hidden-code", "user_code": "ABCD", "interval": 5, "expires_in": expires_in,
            "verification_uri": "https://microsoft.com/devicelogin", "message": "To sign in, …" }),
    )
}

fn refused(error: &str) -> Outcome {
    json(400, &json!({ "error": error, "error_description": "text" }))
}

fn sign_in(script: &Arc<Script>) -> (DeviceCode, Arc<VirtualTime>) {
    let time = Arc::new(VirtualTime::new());
    let device = Url::parse("https://login.microsoftonline.com/t/oauth2/v2.0/devicecode").unwrap();
    let token = Url::parse("https://login.microsoftonline.com/t/oauth2/v2.0/token").unwrap();
    (DeviceCode::new(script.clone(), time.clone(), device, token), time)
}

#[tokio::test]
async fn polling_goes_on_until_the_person_has_signed_in() {
    let granted = json(
        200,
        &json!({ "access_token": "user-token", "expires_in": 3599, "scope": "User.Read openid", "refresh_token": "r" }),
    );
    let pending = json(
        400,
        &json!({ "error": "authorization_pending", "error_codes": [70016] }),
    );
    let script = Script::new([
        prompt(900),
        refused("authorization_pending"),
        pending,
        refused("slow_down"),
        Outcome::Failure(TransportErrorKind::Closed),
        granted,
    ]);
    let (device, time) = sign_in(&script);
    let prompt = device.start("client", &["User.Read", "offline_access"]).await.unwrap();
    assert_eq!(prompt.user_code, "ABCD");
    assert!(!format!("{prompt:?}").contains("hidden-code"));
    let user = device.poll(&prompt).await.unwrap();
    assert_eq!(user.token.secret().expose_secret(), "user-token");
    assert_eq!(user.scopes, ["User.Read", "openid"]);
    assert_eq!(time.slept_ms(), [5000, 5000, 5000, 10_000, 10_000]);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&script.asked()[1].body)
        .into_owned()
        .collect();
    assert!(fields.contains(&(
        "grant_type".into(),
        "urn:ietf:params:oauth:grant-type:device_code".into()
    )));
    assert!(fields.contains(&("device_code".into(), "hidden-code".into())));
}

#[tokio::test]
async fn refusal_of_the_person_ends_the_polling() {
    let script = Script::new([prompt(900), refused("authorization_declined")]);
    let (device, _time) = sign_in(&script);
    let prompt = device.start("client", &["User.Read"]).await.unwrap();
    let error = device.poll(&prompt).await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_str()),
        (Class::Denied, "authorization_declined")
    );
}

#[tokio::test]
async fn polling_ends_with_the_life_of_the_code() {
    let script = Script::new([
        prompt(12),
        refused("authorization_pending"),
        refused("authorization_pending"),
        refused("authorization_pending"),
    ]);
    let (device, _time) = sign_in(&script);
    let prompt = device.start("client", &["User.Read"]).await.unwrap();
    let error = device.poll(&prompt).await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_str()),
        (Class::Reauthorise, "expired_token")
    );
}
