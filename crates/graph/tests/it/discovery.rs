//! Discovery of a tenant's endpoints.

use guichet_graph::{Class, discover};
use serde_json::{Value, json};
use url::Url;

use crate::scripted::{Script, json};

const TENANT: &str = "88888888-8888-8888-8888-888888888888";

fn document(issuer: &str, token_host: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("https://{token_host}/{TENANT}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
        "unknown": [1, 2],
    })
}

async fn found(document: &Value, tenant: &str) -> guichet_graph::Result<guichet_graph::OpenIdConfiguration> {
    let script = Script::new([json(200, document)]);
    discover(
        &script,
        &Url::parse("https://login.microsoftonline.com").unwrap(),
        tenant,
    )
    .await
}

const HOST: &str = "login.microsoftonline.com";

#[tokio::test]
async fn tenant_is_found_by_id_and_by_domain() {
    let good = document(&format!("https://{HOST}/{TENANT}/v2.0"), HOST);
    for tenant in [TENANT, "contoso.example"] {
        let configuration = found(&good, tenant).await.unwrap();
        assert_eq!(configuration.tenant_id(), TENANT);
        assert_eq!(
            configuration.token_endpoint.path(),
            format!("/{TENANT}/oauth2/v2.0/token")
        );
    }
}

#[tokio::test]
async fn document_that_speaks_for_another_is_refused() {
    let other = "99999999-9999-9999-9999-999999999999";
    let cases = [
        (
            document(&format!("https://login.attacker.example/{TENANT}/v2.0"), HOST),
            "contoso.example",
        ),
        (document(&format!("https://{HOST}/{other}/v2.0"), HOST), TENANT),
        (document(&format!("https://{HOST}/{{tenantid}}/v2.0"), HOST), "common"),
        (
            document(&format!("https://{HOST}/{TENANT}/v2.0"), "login.attacker.example"),
            TENANT,
        ),
    ];
    for (document, tenant) in cases {
        let error = found(&document, tenant).await.unwrap_err();
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Invalid, "issuer_mismatch"),
            "{document}"
        );
    }
}

#[tokio::test]
async fn unknown_tenant_is_named_by_its_code() {
    let body = json!({ "error": "invalid_tenant",
        "error_description": "AADSTS90002: Tenant 'x' not found.\r\nTrace ID: t", "error_codes": [90002] });
    let script = Script::new([json(400, &body)]);
    let authority = Url::parse("https://login.microsoftonline.com").unwrap();
    let error = discover(&script, &authority, "contoso.example").await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Invalid, "AADSTS90002"));
}
