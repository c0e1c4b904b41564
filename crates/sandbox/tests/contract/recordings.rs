//! What was recorded from the real service: token answers, discovery, Graph's own principal, two life cycles.

use reqwest::Method;
use serde_json::{Value, json};

use crate::examples::{contract, read};
use crate::harness::{GRAPH, Tenant, claims};
use crate::world::{SUPPORT, World, text};

/// The token request a recording was made with, by its scenario.
async fn recorded_mistake(world: &World, scenario: &str) -> crate::harness::Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", world.app_id.as_str()),
        ("client_secret", world.secret.as_str()),
        ("scope", GRAPH),
    ];
    let change = match scenario {
        "token-error-invalid-client" => ("client_secret", "wrong"),
        "token-error-invalid-scope" => ("scope", "api://not-a-registered-resource/.default"),
        "token-error-unknown-client" => ("client_id", "00000000-0000-0000-0000-000000000000"),
        "token-error-unsupported-grant-type" => ("grant_type", "no_such_grant"),
        "token-client-credentials" => ("grant_type", "client_credentials"),
        other => panic!("a recording nobody replays: {other}"),
    };
    fields.retain(|(name, _)| *name != change.0);
    fields.push(change);
    world.tenant.token(&fields).await
}

/// A description with everything that differs from one exchange to the next taken out.
fn skeleton(description: &str) -> String {
    description
        .split_whitespace()
        .map(|word| {
            let bare =
                word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != '{' && letter != '}');
            let varies = bare.starts_with('{') || bare.parse::<uuid::Uuid>().is_ok();
            if varies {
                word.replace(bare, "*")
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
        .split(" Timestamp: ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_token_answers_are_given() {
    let Some(contract) = contract() else { return };
    let world = World::new().await;
    let mut replayed = 0;
    for entry in std::fs::read_dir(contract.join("recorded/entra")).expect("recordings") {
        let recording = read(&entry.expect("a file").path());
        let Some(scenario) = recording["scenario"].as_str() else {
            continue;
        };
        let Some(wanted) = recording.get("response") else {
            continue;
        };
        let got = recorded_mistake(&world, scenario).await;
        assert_eq!(
            json!(got.status.as_u16()),
            wanted["status"],
            "{scenario}: {:?}",
            got.body
        );
        let names = |value: &Value| -> std::collections::BTreeSet<String> {
            value.as_object().expect("an object").keys().cloned().collect()
        };
        assert_eq!(names(&got.body), names(&wanted["body"]), "{scenario}");
        for name in ["error", "error_codes", "error_uri", "token_type"] {
            assert_eq!(got.body.get(name), wanted["body"].get(name), "{scenario}: {name}");
        }
        if let Some(description) = wanted["body"]["error_description"].as_str() {
            let given = text(&got.body, "error_description");
            assert_eq!(skeleton(&given), skeleton(description), "{scenario}");
        }
        replayed += 1;
    }
    assert_eq!(replayed, 5);
}

#[tokio::test]
async fn a_token_of_version_two_has_the_recorded_claims() {
    let Some(contract) = contract() else { return };
    let recorded = read(&contract.join("recorded/entra/token-claims-client-credentials.json"));
    let world = World::new().await;
    let body = json!({"displayName": "Resource", "api": {"requestedAccessTokenVersion": 2}});
    let (app_id, id, _) = crate::world::registered(&world.tenant, &world.app, &body).await;
    let path = format!("/applications/{id}/addPassword");
    let secret = text(
        &world.tenant.post(&world.app, &path, &Value::Null).await.body,
        "secretText",
    );
    let answer = world
        .tenant
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &app_id),
            ("client_secret", &secret),
            ("scope", &format!("{app_id}/.default")),
        ])
        .await;
    let claims = claims(&text(&answer.body, "access_token"));
    let own = ["xms_ftd"];
    for name in recorded["claimNames"].as_array().expect("names") {
        let name = name.as_str().expect("a name");
        assert!(
            own.contains(&name) || claims.get(name).is_some(),
            "no {name} in {claims}"
        );
    }
    assert_eq!(claims["ver"], recorded["structural"]["ver"]);
    assert_eq!(claims["aud"], app_id.as_str());
    assert!(
        claims.get("appid").is_none() && claims.get("roles").is_none(),
        "{claims}"
    );
}

#[tokio::test]
async fn recorded_discovery_documents_are_given() {
    let Some(contract) = contract() else { return };
    let tenant = Tenant::start().await;
    let golden = read(&contract.join("recorded/entra/oidc-discovery.golden.json"));
    let get = |path: String| {
        let request = tenant.client.get(tenant.url(&path));
        async { crate::harness::read(request.send().await.expect("an answer")).await }
    };
    let two = get("/common/v2.0/.well-known/openid-configuration".to_owned())
        .await
        .body;
    for name in golden["required_fields"].as_array().expect("names") {
        assert!(two.get(name.as_str().expect("a name")).is_some(), "no {name}");
    }
    for name in golden["protocol_values"]["claims_supported_must_include"]
        .as_array()
        .expect("names")
    {
        let list = two["claims_supported"].as_array().expect("a list");
        assert!(list.contains(name), "no claim {name}");
    }
    assert_eq!(two["request_uri_parameter_supported"], false);
    // The recording's other file is the document of personal accounts, which the sandbox has none of.
    let recorded = read(&contract.join("recorded/entra_openid_configuration_graphv2.json"));
    let one = get("/common/.well-known/openid-configuration".to_owned()).await.body;
    for (name, value) in recorded.as_object().expect("a document") {
        let present = one.get(name).unwrap_or_else(|| panic!("version 1: no {name}"));
        let same_kind = std::mem::discriminant(present) == std::mem::discriminant(value);
        assert!(
            same_kind || present.is_null() || value.is_null(),
            "version 1: {name} is {present}"
        );
    }
    let keys = get("/common/discovery/v2.0/keys".to_owned()).await.body;
    for name in ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"] {
        assert!(keys["keys"][0].get(name).is_some(), "no {name}");
    }
}

#[tokio::test]
async fn graphs_own_principal_publishes_the_recorded_roles() {
    let Some(contract) = contract() else { return };
    let recorded = read(&contract.join("recorded/cli-m365_servicePrincipals.json"));
    let recorded = &recorded["responses"][0];
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let path = "/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'&$select=id,appId,appRoles";
    let got = tenant.get(&token, path).await.body;
    let got = got["value"][0]["appRoles"].as_array().expect("roles");
    let wanted = recorded["appRoles"].as_array().expect("roles");
    assert!(wanted.len() > 200, "{}", wanted.len());
    for role in wanted {
        let known = got.iter().find(|known| known["id"] == role["id"]);
        let known = known.unwrap_or_else(|| panic!("no role {} {}", role["value"], role["id"]));
        assert_eq!(known["value"], role["value"]);
        // Some recorded roles name no origin.
        for name in ["allowedMemberTypes", "isEnabled", "origin"]
            .into_iter()
            .filter(|name| !role[*name].is_null())
        {
            assert_eq!(known[name], role[name], "{}: {name}", role["value"]);
        }
    }
}

#[tokio::test]
async fn the_recorded_life_of_a_folder_holds() {
    let world = World::new().await;
    let (tenant, token) = (&world.tenant, &world.app);
    let made = tenant
        .post(
            token,
            &format!("/users/{SUPPORT}/mailFolders"),
            &json!({"displayName": "Made"}),
        )
        .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = text(&made.body, "id");
    let location = made.header("location").expect("a location");
    assert!(location.ends_with(&format!("/mailFolders('{id}')")), "{location}");
    for name in [
        "request-id",
        "client-request-id",
        "date",
        "strict-transport-security",
        "x-ms-ags-diagnostic",
    ] {
        assert!(made.header(name).is_some(), "no {name}");
    }
    assert_eq!(made.header("cache-control"), Some("private"));
    let path = format!("/users/{SUPPORT}/mailFolders/{id}");
    let got = tenant.get(token, &path).await;
    assert_eq!((got.status.as_u16(), &got.body["displayName"]), (200, &json!("Made")));
    let removed = tenant.graph(token, Method::DELETE, &path, &Value::Null).await;
    assert_eq!((removed.status.as_u16(), removed.bytes.len()), (204, 0));
}

#[tokio::test]
async fn the_recorded_life_of_a_message_holds() {
    let world = World::new().await;
    let (tenant, token) = (&world.tenant, &world.app);
    let folder = world.folder().await;
    let body = json!({
        "subject": "Subject", "body": {"content": "Test email"},
        "from": {"emailAddress": {"address": "from@example.com"}},
        "toRecipients": [{"emailAddress": {"address": "test@example.com"}}], "isRead": false,
    });
    let made = tenant
        .post(token, &format!("/users/{SUPPORT}/mailFolders/{folder}/messages"), &body)
        .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = text(&made.body, "id");
    assert!(
        made.header("location")
            .is_some_and(|location| location.ends_with(&format!("/messages('{id}')")))
    );
    let path = format!("/users/{SUPPORT}/messages/{id}");
    let raw = tenant.get(token, &format!("{path}/$value")).await;
    assert_eq!(raw.header("content-type"), Some("text/plain"));
    let size = format!(
        "{path}/?$expand=singleValueExtendedProperties($filter=Id%20eq%20%27LONG%200x0E08%27)&$select=internetMessageHeaders"
    );
    let size = tenant.get(token, &size).await;
    assert_eq!(size.status, 200, "{:?}", size.body);
    assert!(size.body.get("internetMessageHeaders").is_none(), "{:?}", size.body);
    assert!(
        size.body["singleValueExtendedProperties"][0]["value"].is_string(),
        "{:?}",
        size.body
    );
    let unread = format!(
        "/users/{SUPPORT}/messages/?$count=true&$filter=(isRead%20eq%20false%20AND%20parentFolderId%20eq%20%27{folder}%27)&$orderby=receivedDateTime%20ASC&$select=id&top=1000"
    );
    let listed = tenant.get(token, &unread).await;
    assert_eq!(listed.body["@odata.count"], 1, "{:?}", listed.body);
    let read = tenant
        .graph(token, Method::PATCH, &path, &json!({"isRead": true}))
        .await;
    assert_eq!(read.status, 200);
    for name in ["@odata.etag", "changeKey", "lastModifiedDateTime"] {
        assert_eq!(read.body[name], made.body[name], "{name}");
    }
    assert_eq!(tenant.get(token, &unread).await.body["@odata.count"], 0);
    assert_eq!(
        tenant.graph(token, Method::DELETE, &path, &Value::Null).await.status,
        204
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_oauth_exchanges_have_their_shape() {
    let Some(contract) = contract() else { return };
    let world = World::new().await;
    let example = |name: &str| read(&contract.join(format!("examples/oauth-{name}.json")));
    let base = [
        ("grant_type", "client_credentials"),
        ("client_id", world.app_id.as_str()),
        ("client_secret", world.secret.as_str()),
        ("scope", GRAPH),
    ];
    let with = |name: &'static str, value: &'static str| {
        let mut fields = base.to_vec();
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        fields
    };
    let same = |wanted: &Value, got: &crate::harness::Answer, name: &str| {
        assert_eq!(
            Some(u64::from(got.status.as_u16())),
            wanted["status"].as_u64(),
            "{name}: {:?}",
            got.body
        );
        let missing = crate::shape::differences(&wanted["response_body"], &got.body, &[]);
        assert!(missing.is_empty(), "{name}: {missing:?}");
    };
    for (name, fields) in [
        ("token-documented__01", base.to_vec()),
        (
            "token-client-secret__01",
            with("claims", r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#),
        ),
        (
            "error-700016__01",
            with("client_id", "5f1c9c6e-0000-4000-8000-000000000001"),
        ),
        ("error-7000215__01", with("client_secret", "wrong")),
        ("error-70011__01", with("scope", "nonsense/.default")),
    ] {
        let (wanted, got) = (example(name), world.tenant.token(&fields).await);
        same(&wanted, &got, name);
        assert_eq!(got.body.get("error"), wanted["response_body"].get("error"), "{name}");
        if let Some(seconds) = wanted["response_body"]["expires_in"].as_u64() {
            assert_eq!(got.body["expires_in"].as_u64(), Some(seconds), "{name}");
        }
    }
    let url = world
        .tenant
        .url("/5f1c9c6e-0000-4000-8000-000000000001/oauth2/v2.0/token");
    same(
        &example("error-90002__01"),
        &world.tenant.form(&url, &base).await,
        "error-90002__01",
    );
    let documented = example("token-app-only-claims__01");
    let own = claims(&world.app);
    for name in documented["response_body"].as_object().expect("claims").keys() {
        assert!(name == "xms_tdbr" || own.get(name).is_some(), "no {name} in {own}");
    }
    let request = world.tenant.url("/common/discovery/instance?api-version=1.1&authorization_endpoint=https://login.microsoftonline.com/common/oauth2/v2.0/authorize");
    let got = crate::harness::read(world.tenant.client.get(request).send().await.expect("an answer")).await;
    same(&example("instance-discovery__01"), &got, "instance-discovery__01");
    let request = world.tenant.url(&format!(
        "/{}/v2.0/.well-known/openid-configuration",
        world.tenant.description().tenant_id
    ));
    let got = crate::harness::read(world.tenant.client.get(request).send().await.expect("an answer")).await;
    same(&example("openid-configuration__01"), &got, "openid-configuration__01");
    let wanted = example("devicecode-token__01");
    let started = world
        .tenant
        .login(
            "oauth2/v2.0/devicecode",
            &[
                ("client_id", &world.public_id),
                ("scope", "User.Read openid profile email offline_access"),
            ],
        )
        .await
        .body;
    let url = world.tenant.url("/devicelogin");
    let (code, device) = (text(&started, "user_code"), text(&started, "device_code"));
    let fields = [
        ("user_code", code.as_str()),
        ("username", SUPPORT),
        ("password", "a long password of a test"),
        ("action", "accept"),
    ];
    assert_eq!(world.tenant.form(&url, &fields).await.status, 200);
    let got = world
        .tenant
        .token(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &world.public_id),
            ("device_code", &device),
        ])
        .await;
    same(&wanted, &got, "devicecode-token__01");
}
