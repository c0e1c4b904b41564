//! What the login service answers to each mistake of a client and each state of the tenant.
//!
//! The mistakes of client credentials alone stand in `tests/tenant/refusals.rs`, those of assertions beside it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, GRAPH, Tenant, claims};
use crate::world::{SUPPORT, World, registered, text};

const PASSWORD: &str = "a long password of a test";

#[track_caller]
fn assert_refused(answer: &Answer, error: &str, code: u32, part: &str) {
    assert_eq!(answer.body["error_codes"], json!([code]), "{:?}", answer.body);
    assert_eq!(answer.body["error"], error, "{:?}", answer.body);
    let description = answer.body["error_description"].as_str().unwrap_or_default();
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    assert!(description.contains(part), "{description}");
    assert!(answer.header("x-ms-request-id").is_some() && answer.header("cache-control") == Some("no-store, no-cache"));
}

async fn policies(tenant: &Tenant, change: Value) {
    let set = tenant.control(Method::PATCH, "/policies", &change).await;
    assert_eq!(set.status, 200, "{:?}", set.body);
}

async fn client_credentials(world: &World, tenant: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", world.app_id.as_str()),
        ("client_secret", world.secret.as_str()),
        ("scope", GRAPH),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.push((*name, *value));
    }
    let url = world.tenant.url(&format!("/{tenant}/oauth2/v2.0/token"));
    world.tenant.form(&url, &fields).await
}

async fn password(world: &World, client: &str, user: &str, password: &str, scope: &str) -> Answer {
    world
        .tenant
        .token(&[
            ("grant_type", "password"),
            ("client_id", client),
            ("username", user),
            ("password", password),
            ("scope", scope),
        ])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_fit_no_single_resource_are_refused() {
    let world = World::new().await;
    let own = "contoso.example";
    for (scope, code) in [
        ("openid profile", 700_023),
        (
            "https://graph.microsoft.com/.default https://graph.microsoft.com/Mail.Read",
            28_002,
        ),
        (
            "https://graph.microsoft.com/.default https://outlook.office365.com/.default",
            700_022,
        ),
    ] {
        let answer = client_credentials(&world, own, &[("scope", scope)]).await;
        assert_refused(&answer, "invalid_scope", code, "scope");
    }
    let both = "https://graph.microsoft.com/Mail.Read https://outlook.office365.com/EWS.AccessAsUser.All";
    let answer = password(&world, &world.public_id, SUPPORT, PASSWORD, both).await;
    assert_refused(&answer, "invalid_scope", 700_022, "more than one resource");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_fail_say_why() {
    let world = World::new().await;
    let sign_in = |user: &'static str, word: &'static str, scope: &'static str| {
        password(&world, &world.public_id, user, word, scope)
    };
    let nobody = sign_in("nobody@contoso.example", "x", GRAPH).await;
    assert_refused(&nobody, "invalid_grant", 50_034, "nobody@contoso.example");
    let wrong = sign_in(SUPPORT, "wrong", GRAPH).await;
    assert_refused(&wrong, "invalid_grant", 50_126, "invalid username or password");
    let unconsented = sign_in(SUPPORT, PASSWORD, "Calendars.ReadWrite").await;
    assert_refused(&unconsented, "invalid_grant", 65_001, &world.public_id);
    let unknown = sign_in(SUPPORT, PASSWORD, "Nonsense.Read").await;
    assert_refused(&unknown, "invalid_client", 650_053, "Nonsense.Read");
    assert_eq!(sign_in(SUPPORT, PASSWORD, "User.Read").await.status, 200);
    let path = format!("/users/{SUPPORT}");
    let blocked = json!({"account_enabled": false});
    assert_eq!(world.tenant.control(Method::PATCH, &path, &blocked).await.status, 200);
    let disabled = sign_in(SUPPORT, PASSWORD, "User.Read").await;
    assert_refused(&disabled, "invalid_grant", 50_057, "disabled");
    let credential = world
        .tenant
        .token(&[
            ("grant_type", "password"),
            ("client_id", "14d82eec-204b-4c2f-b7e8-296a70dab67e"),
            ("client_secret", "x"),
            ("username", SUPPORT),
            ("password", PASSWORD),
            ("scope", GRAPH),
        ])
        .await;
    assert_refused(&credential, "invalid_client", 700_025, "public");
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_names_are_not_for_everybody() {
    let world = World::new().await;
    for name in ["common", "consumers"] {
        let answer = client_credentials(&world, name, &[]).await;
        assert_refused(&answer, "invalid_request", 9_001_023, "/common");
    }
    let url = world.tenant.url("/common/oauth2/v2.0/devicecode");
    let fields = [("client_id", world.public_id.as_str()), ("scope", "User.Read")];
    let single = world.tenant.form(&url, &fields).await;
    assert_refused(&single, "invalid_request", 50_194, "multi-tenant");
    let body = json!({"displayName": "Many", "signInAudience": "AzureADMultipleOrgs", "isFallbackPublicClient": true});
    let (many, ..) = registered(&world.tenant, &world.app, &body).await;
    let fields = [("client_id", many.as_str()), ("scope", "User.Read")];
    assert_eq!(world.tenant.form(&url, &fields).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditional_access_blocks_with_a_challenge() {
    let world = World::new().await;
    policies(&world.tenant, json!({"blocked": [{"application": world.app_id}]})).await;
    let blocked = client_credentials(&world, "contoso.example", &[]).await;
    assert_refused(&blocked, "invalid_grant", 53_003, "Conditional Access");
    assert_eq!(blocked.body["suberror"], "message_only");
    let challenge: Value = serde_json::from_str(blocked.body["claims"].as_str().expect("a challenge")).expect("JSON");
    assert!(
        challenge["access_token"]["capolids"]["values"][0].is_string(),
        "{challenge}"
    );
    assert_eq!(
        password(&world, &world.public_id, SUPPORT, PASSWORD, "User.Read")
            .await
            .status,
        200
    );
    policies(&world.tenant, json!({"blocked": [{"user": world.user}]})).await;
    let person = password(&world, &world.public_id, SUPPORT, PASSWORD, "User.Read").await;
    assert_refused(&person, "invalid_grant", 53_003, "Conditional Access");
    assert_eq!(client_credentials(&world, "contoso.example", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn security_defaults_refuse_the_password_grant() {
    let world = World::new().await;
    policies(&world.tenant, json!({"security_defaults": true})).await;
    let refused = password(&world, &world.public_id, SUPPORT, PASSWORD, "User.Read").await;
    assert_refused(&refused, "invalid_grant", 530_035, "security defaults");
    assert_eq!(client_credentials(&world, "contoso.example", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_another_cloud_is_named() {
    let world = World::new().await;
    let elsewhere = "fabrikam.example";
    policies(
        &world.tenant,
        json!({"other_clouds": {elsewhere: "login.microsoftonline.us"}}),
    )
    .await;
    let confidential = client_credentials(&world, elsewhere, &[]).await;
    assert_refused(&confidential, "invalid_request", 900_382, "Cross Cloud");
    let url = world.tenant.url(&format!("/{elsewhere}/oauth2/v2.0/devicecode"));
    let fields = [("client_id", world.public_id.as_str()), ("scope", "User.Read")];
    let public = world.tenant.form(&url, &fields).await;
    assert_refused(&public, "invalid_request", 90_038, "login.microsoftonline.us");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_caches_is_stopped() {
    let world = World::new().await;
    policies(&world.tenant, json!({"identical_requests": 3})).await;
    for _ in 0..3 {
        assert_eq!(client_credentials(&world, "contoso.example", &[]).await.status, 200);
    }
    let loop_found = client_credentials(&world, "contoso.example", &[]).await;
    assert_refused(&loop_found, "invalid_grant", 50_196, "request loop");
    let step = json!({"advance_seconds": 301});
    assert_eq!(world.tenant.control(Method::POST, "/clock", &step).await.status, 200);
    assert_eq!(client_credentials(&world, "contoso.example", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_must_be_listed_and_exist() {
    let world = World::new().await;
    let bare = json!({"displayName": "Bare", "isFallbackPublicClient": true});
    let (client, ..) = registered(&world.tenant, &world.app, &bare).await;
    let answer = password(&world, &client, SUPPORT, PASSWORD, GRAPH).await;
    assert_refused(
        &answer,
        "invalid_client",
        650_057,
        "00000003-0000-0000-c000-000000000000",
    );
    let missing = "5f1c9c6e-0000-4000-8000-000000000001";
    let listed = json!({
        "displayName": "Wrong", "isFallbackPublicClient": true,
        "requiredResourceAccess": [{"resourceAppId": missing, "resourceAccess": [{"id": missing, "type": "Scope"}]}],
    });
    let (client, ..) = registered(&world.tenant, &world.app, &listed).await;
    let answer = password(&world, &client, SUPPORT, PASSWORD, GRAPH).await;
    assert_refused(&answer, "invalid_client", 65_005, missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_endpoint_names_its_missing_field() {
    let world = World::new().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", world.app_id.as_str()),
        ("client_secret", world.secret.as_str()),
    ];
    let answer = world.tenant.login("oauth2/token", &fields).await;
    assert_refused(&answer, "invalid_request", 90_014, "'resource'");
    let mut right = fields.to_vec();
    right.push(("resource", "https://graph.microsoft.com"));
    let answer = world.tenant.login("oauth2/token", &right).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body["expires_in"], "3599");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_arrive_after_the_lag() {
    let world = World::new().await;
    policies(&world.tenant, json!({"replication_lag_seconds": 20})).await;
    let body = json!({"displayName": "New"});
    let made = world.tenant.post(&world.app, "/applications", &body).await.body;
    let (id, app_id) = (text(&made, "id"), text(&made, "appId"));
    let path = format!("/applications/{id}");
    assert_eq!(world.tenant.get(&world.app, &path).await.status, 404);
    let principal = json!({"appId": app_id});
    assert_eq!(
        world
            .tenant
            .post(&world.app, "/servicePrincipals", &principal)
            .await
            .status,
        400
    );
    let pass = || async {
        let step = json!({"advance_seconds": 20});
        world.tenant.control(Method::POST, "/clock", &step).await
    };
    pass().await;
    assert_eq!(world.tenant.get(&world.app, &path).await.status, 200);
    assert_eq!(
        world
            .tenant
            .post(&world.app, "/servicePrincipals", &principal)
            .await
            .status,
        201
    );
    let secret = world
        .tenant
        .post(&world.app, &format!("{path}/addPassword"), &Value::Null)
        .await
        .body;
    let secret = text(&secret, "secretText");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", app_id.as_str()),
        ("client_secret", secret.as_str()),
        ("scope", GRAPH),
    ];
    assert_refused(
        &world.tenant.token(&fields).await,
        "unauthorized_client",
        700_016,
        &app_id,
    );
    pass().await;
    assert_eq!(world.tenant.token(&fields).await.status, 200);
    let more = world
        .tenant
        .post(&world.app, &format!("{path}/addPassword"), &Value::Null)
        .await
        .body;
    let more = text(&more, "secretText");
    let mut newer = fields;
    newer[2].1 = more.as_str();
    assert_refused(&world.tenant.token(&newer).await, "invalid_client", 7_000_215, &app_id);
    pass().await;
    assert_eq!(world.tenant.token(&newer).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_application_gets_no_token_until_it_is_restored() {
    let world = World::new().await;
    let (id, principal, app_id) = world.application().await;
    let own = format!("/applications/{id}");
    let secret = text(
        &world
            .tenant
            .post(&world.app, &format!("{own}/addPassword"), &Value::Null)
            .await
            .body,
        "secretText",
    );
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", app_id.as_str()),
        ("client_secret", secret.as_str()),
        ("scope", GRAPH),
    ];
    assert_eq!(world.tenant.token(&fields).await.status, 200);
    let removed = world.tenant.graph(&world.app, Method::DELETE, &own, &Value::Null).await;
    assert_eq!(removed.status, 204);
    assert_refused(
        &world.tenant.token(&fields).await,
        "unauthorized_client",
        700_016,
        &app_id,
    );
    for object in [&id, &principal] {
        let path = format!("/directory/deletedItems/{object}/restore");
        let restored = world.tenant.post(&world.app, &path, &Value::Null).await;
        assert_eq!(restored.status, 200, "{:?}", restored.body);
    }
    assert_eq!(world.tenant.token(&fields).await.status, 200);
    let off = json!({"isDisabled": true});
    assert_eq!(
        world.tenant.graph(&world.app, Method::PATCH, &own, &off).await.status,
        204
    );
    assert_refused(
        &world.tenant.token(&fields).await,
        "unauthorized_client",
        7_000_112,
        &app_id,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_acts_on_behalf_of_its_caller() {
    let world = World::new().await;
    let (api, id, principal) = registered(&world.tenant, &world.app, &json!({"displayName": "Interface"})).await;
    let scope = json!({"api": {"oauth2PermissionScopes": [{
        "id": "5f1c9c6e-0000-4000-8000-0000000000a1", "value": "Act", "type": "User", "isEnabled": true,
    }]}});
    let own = format!("/applications/{id}");
    assert_eq!(
        world.tenant.graph(&world.app, Method::PATCH, &own, &scope).await.status,
        204
    );
    let client = world
        .tenant
        .get(&world.app, &format!("/servicePrincipals(appId='{}')", world.public_id))
        .await
        .body;
    for (client, resource, scope) in [
        (text(&client, "id"), principal.clone(), "Act"),
        (principal, world.graph.clone(), "User.Read"),
    ] {
        let grant = json!({"clientId": client, "consentType": "AllPrincipals", "resourceId": resource, "scope": scope});
        let granted = world.tenant.post(&world.app, "/oauth2PermissionGrants", &grant).await;
        assert_eq!(granted.status, 201, "{:?}", granted.body);
    }
    let secret = text(
        &world
            .tenant
            .post(&world.app, &format!("{own}/addPassword"), &Value::Null)
            .await
            .body,
        "secretText",
    );
    let called = password(&world, &world.public_id, SUPPORT, PASSWORD, &format!("{api}/Act")).await;
    assert_eq!(called.status, 200, "{:?}", called.body);
    let called = text(&called.body, "access_token");
    let on_behalf = |assertion: String| {
        let (api, secret, world) = (api.clone(), secret.clone(), &world);
        async move {
            world
                .tenant
                .token(&[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("requested_token_use", "on_behalf_of"),
                    ("client_id", &api),
                    ("client_secret", &secret),
                    ("assertion", &assertion),
                    ("scope", "https://graph.microsoft.com/User.Read"),
                ])
                .await
        }
    };
    let answer = on_behalf(called).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = text(&answer.body, "access_token");
    assert_eq!(claims(&token)["appid"], api.as_str());
    assert_eq!(
        text(&world.tenant.get(&token, "/me").await.body, "userPrincipalName"),
        SUPPORT
    );
    assert_refused(&on_behalf(world.me.clone()).await, "invalid_grant", 500_131, &api);
    assert_refused(
        &on_behalf("a.b.c".to_owned()).await,
        "invalid_request",
        50_027,
        "base64url",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_for_secrets_bind_new_ones() {
    let world = World::new().await;
    let (id, ..) = world.application().await;
    let path = format!("/applications/{id}/addPassword");
    policies(&world.tenant, json!({"secret_max_days": 30})).await;
    let long = world.tenant.post(&world.app, &path, &Value::Null).await;
    assert_eq!(
        (long.status.as_u16(), long.error_code()),
        (400, "CredentialInvalidLifetimeAsPerAppPolicy")
    );
    let short = json!({"passwordCredential": {"endDateTime": world.in_days(20)}});
    assert_eq!(world.tenant.post(&world.app, &path, &short).await.status, 200);
    policies(&world.tenant, json!({"secrets_allowed": false})).await;
    let none = world.tenant.post(&world.app, &path, &short).await;
    assert_eq!(
        (none.status.as_u16(), none.error_code()),
        (400, "CredentialTypeNotAllowedAsPerAppPolicy")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_that_make_no_sense_are_refused() {
    let tenant = Tenant::start().await;
    for wrong in [
        json!({"colour": 1}),
        json!({"replication_lag_seconds": "soon"}),
        json!([]),
    ] {
        let answer = tenant.control(Method::PATCH, "/policies", &wrong).await;
        assert_eq!(answer.status, 400, "{wrong}: {:?}", answer.body);
    }
}
