//! The directory: from an empty registration to a token that carries its permissions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Tenant, claims};

const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
const MAIL_READ_WRITE: &str = "e2a3a72e-5f79-4c64-b1b1-878b674786c9";
const MAIL_SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

async fn graph_principal(tenant: &Tenant, token: &str) -> String {
    let answer = tenant
        .get(token, &format!("/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id"))
        .await;
    text(&answer.body, "id").to_owned()
}

#[tokio::test]
async fn consent_reaches_the_next_token() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let body = json!({
        "@odata.type": "#microsoft.graph.application",
        "displayName": "Mail channel",
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": [{
            "resourceAppId": GRAPH_APP_ID,
            "resourceAccess": [
                {"id": MAIL_READ_WRITE, "type": "Role"},
                {"id": MAIL_SEND, "type": "Role"},
            ],
        }],
        "web": {"redirectUris": ["http://localhost"]},
    });
    let created = tenant.post(&token, "/applications", &body).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    let application = created.body;
    let (id, app_id) = (text(&application, "id"), text(&application, "appId"));
    assert_eq!(
        application["@odata.context"],
        format!("{}/v1.0/$metadata#applications/$entity", tenant.description().graph_url)
    );
    assert_eq!(application["requiredResourceAccess"], body["requiredResourceAccess"]);
    assert!(created.headers.contains_key("location"));

    let principal = tenant
        .post(&token, "/servicePrincipals", &json!({"appId": app_id}))
        .await;
    assert_eq!(principal.status, 201, "{:?}", principal.body);
    assert_eq!(principal.body["accountEnabled"], true);
    let principal_id = text(&principal.body, "id");
    let again = tenant
        .post(&token, "/servicePrincipals", &json!({"appId": app_id}))
        .await;
    assert_eq!(again.status, 409);
    assert_eq!(again.error_code(), "Request_MultipleObjectsWithSameKeyValue");

    let path = format!("/applications/{id}/addPassword");
    let secret = tenant
        .post(&token, &path, &json!({"passwordCredential": {"displayName": "first"}}))
        .await
        .body;
    let secret_text = text(&secret, "secretText");
    assert_eq!(text(&secret, "hint"), &secret_text[..3]);
    let listed = tenant.get(&token, &format!("/applications/{id}")).await.body;
    assert_eq!(listed["passwordCredentials"][0]["secretText"], Value::Null);
    assert_eq!(listed["passwordCredentials"][0]["keyId"], secret["keyId"]);

    let before = tenant.application_token(app_id, secret_text).await;
    assert!(claims(&before).get("roles").is_none());

    let graph = graph_principal(&tenant, &token).await;
    let path = format!("/servicePrincipals/{graph}/appRoleAssignedTo");
    let link = json!({"principalId": principal_id, "resourceId": graph, "appRoleId": MAIL_READ_WRITE});
    let assigned = tenant.post(&token, &path, &link).await;
    assert_eq!(assigned.status, 201, "{:?}", assigned.body);
    assert_eq!(assigned.body["resourceDisplayName"], "Microsoft Graph");
    assert_eq!(assigned.body["principalType"], "ServicePrincipal");
    let duplicate = tenant.post(&token, &path, &link).await;
    assert_eq!(duplicate.status, 400);
    assert_eq!(duplicate.error_code(), "Request_BadRequest");
    assert_eq!(
        duplicate.body["error"]["message"],
        "Permission being assigned already exists on the object"
    );
    let path = format!("/servicePrincipals/{principal_id}/appRoleAssignments");
    let other = json!({"principalId": principal_id, "resourceId": graph, "appRoleId": MAIL_SEND});
    assert_eq!(tenant.post(&token, &path, &other).await.status, 201);
    let listed = tenant.get(&token, &path).await.body;
    assert_eq!(listed["value"].as_array().map(Vec::len), Some(2));

    let after = tenant.application_token(app_id, secret_text).await;
    assert_eq!(claims(&after)["roles"], json!(["Mail.ReadWrite", "Mail.Send"]));

    let removed = format!(
        "/servicePrincipals/{graph}/appRoleAssignedTo/{}",
        text(&assigned.body, "id")
    );
    assert_eq!(
        tenant
            .graph(&token, Method::DELETE, &removed, &Value::Null)
            .await
            .status,
        204
    );
    let last = tenant.application_token(app_id, secret_text).await;
    assert_eq!(claims(&last)["roles"], json!(["Mail.Send"]));

    let body = json!({"keyId": secret["keyId"]});
    assert_eq!(
        tenant
            .post(&token, &format!("/applications/{id}/removePassword"), &body)
            .await
            .status,
        204
    );
    let listed = tenant.get(&token, &format!("/applications/{id}")).await.body;
    assert_eq!(listed["passwordCredentials"], json!([]));
}

#[tokio::test]
async fn an_application_is_found_changed_and_deleted() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let created = tenant
        .post(&token, "/applications", &json!({"displayName": "It's one"}))
        .await
        .body;
    let (id, app_id) = (text(&created, "id"), text(&created, "appId"));
    tenant
        .post(&token, "/servicePrincipals", &json!({"appId": app_id}))
        .await;

    for filter in [format!("appId eq '{app_id}'"), "displayName eq 'It''s one'".to_owned()] {
        let query: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let found = tenant
            .get(&token, &format!("/applications?$filter={query}&$select=id,appId"))
            .await;
        assert_eq!(found.status, 200, "{:?}", found.body);
        assert_eq!(found.body["value"], json!([{"id": id, "appId": app_id}]), "{filter}");
    }
    let by_key = tenant.get(&token, &format!("/applications(appId='{app_id}')")).await;
    assert_eq!(by_key.body["id"], id);

    let change = json!({"displayName": "Another", "isFallbackPublicClient": true});
    let path = format!("/applications/{id}");
    let changed = tenant.graph(&token, Method::PATCH, &path, &change).await;
    assert_eq!(changed.status, 204);
    assert!(changed.bytes.is_empty());
    assert_eq!(tenant.get(&token, &path).await.body["displayName"], "Another");
    let unknown = tenant
        .graph(&token, Method::PATCH, &path, &json!({"colour": "red"}))
        .await;
    assert_eq!(unknown.status, 400);

    assert_eq!(
        tenant.graph(&token, Method::DELETE, &path, &Value::Null).await.status,
        204
    );
    let gone = tenant.get(&token, &path).await;
    assert_eq!(
        (gone.status.as_u16(), gone.error_code()),
        (404, "Request_ResourceNotFound")
    );
    let principal = tenant
        .get(&token, &format!("/servicePrincipals(appId='{app_id}')"))
        .await;
    assert_eq!(principal.status, 404);
}

#[tokio::test]
async fn microsoft_graph_publishes_its_permissions() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let filter = format!("/servicePrincipals?$filter=appId%20eq%20'{GRAPH_APP_ID}'");
    let found = tenant.get(&token, &filter).await.body;
    let graph = &found["value"][0];
    assert_eq!(graph["displayName"], "Microsoft Graph");
    let roles = graph["appRoles"].as_array().expect("roles");
    let role = roles
        .iter()
        .find(|role| role["value"] == "Mail.ReadWrite")
        .expect("the mail role");
    assert_eq!(role["id"], MAIL_READ_WRITE);
    let scopes = graph["oauth2PermissionScopes"].as_array().expect("scopes");
    assert!(
        scopes
            .iter()
            .any(|scope| scope["value"] == "User.Read" && scope["type"] == "User")
    );
    let id = text(graph, "id");
    let change = json!({"accountEnabled": false});
    let refused = tenant
        .graph(&token, Method::PATCH, &format!("/servicePrincipals/{id}"), &change)
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn delegated_grants_are_made_changed_and_removed() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let app_id = tenant
        .post(&token, "/applications", &json!({"displayName": "A"}))
        .await
        .body["appId"]
        .clone();
    let principal = tenant
        .post(&token, "/servicePrincipals", &json!({"appId": app_id}))
        .await
        .body;
    let client_id = text(&principal, "id");
    let graph = graph_principal(&tenant, &token).await;
    let grant =
        json!({"clientId": client_id, "consentType": "AllPrincipals", "resourceId": graph, "scope": "User.Read"});
    let created = tenant.post(&token, "/oauth2PermissionGrants", &grant).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    assert_eq!(created.body["principalId"], Value::Null);
    assert_eq!(tenant.post(&token, "/oauth2PermissionGrants", &grant).await.status, 409);
    let path = format!("/oauth2PermissionGrants/{}", text(&created.body, "id"));
    let changed = tenant
        .graph(&token, Method::PATCH, &path, &json!({"scope": "User.Read Mail.Read"}))
        .await;
    assert_eq!(changed.status, 204);
    let listed = tenant
        .get(
            &token,
            &format!("/oauth2PermissionGrants?$filter=clientId%20eq%20'{client_id}'"),
        )
        .await;
    assert_eq!(listed.body["value"][0]["scope"], "User.Read Mail.Read");
    assert_eq!(
        tenant.graph(&token, Method::DELETE, &path, &Value::Null).await.status,
        204
    );
    assert_eq!(tenant.get(&token, &path).await.status, 404);
}

#[tokio::test]
async fn permissions_are_enforced() {
    let tenant = Tenant::start().await;
    let administrator = tenant.administrator_token().await;
    let application = tenant
        .post(&administrator, "/applications", &json!({"displayName": "Nobody"}))
        .await
        .body;
    let app_id = text(&application, "appId");
    tenant
        .post(&administrator, "/servicePrincipals", &json!({"appId": app_id}))
        .await;
    let path = format!("/applications/{}/addPassword", text(&application, "id"));
    let secret = tenant.post(&administrator, &path, &Value::Null).await.body;
    let nobody = tenant.application_token(app_id, text(&secret, "secretText")).await;
    for (method, path, body) in [
        (Method::GET, "/applications", Value::Null),
        (Method::POST, "/applications", json!({"displayName": "x"})),
        (Method::GET, "/users", Value::Null),
        (Method::GET, "/users/support@contoso.example", Value::Null),
        (Method::GET, "/organization", Value::Null),
        (Method::GET, "/servicePrincipals", Value::Null),
        (Method::POST, "/oauth2PermissionGrants", json!({})),
        (
            Method::DELETE,
            "/applications/5f1c9c6e-0000-4000-8000-000000000001",
            Value::Null,
        ),
    ] {
        let answer = tenant.graph(&nobody, method.clone(), path, &body).await;
        assert_eq!(answer.status, 403, "{method} {path}: {:?}", answer.body);
        assert_eq!(answer.error_code(), "Authorization_RequestDenied", "{method} {path}");
        assert_eq!(
            answer.body["error"]["message"],
            "Insufficient privileges to complete the operation."
        );
    }
}

#[tokio::test]
async fn users_are_listed_found_and_paged() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let all = tenant.get(&token, "/users?$top=2").await.body;
    assert_eq!(all["value"].as_array().map(Vec::len), Some(2));
    let next = text(&all, "@odata.nextLink");
    assert!(next.starts_with(&tenant.description().graph_url), "{next}");
    let rest = tenant
        .client
        .get(next)
        .bearer_auth(&token)
        .send()
        .await
        .expect("an answer");
    let rest: Value = rest.json().await.expect("a page");
    assert_eq!(rest["value"].as_array().map(Vec::len), Some(2));

    let user = tenant.get(&token, "//users/Support%40contoso.example").await;
    assert_eq!(user.body["userPrincipalName"], "support@contoso.example");
    assert!(user.body.get("accountEnabled").is_none());
    let id = text(&user.body, "id");
    let chosen = tenant
        .get(
            &token,
            &format!("/users('{id}')?$select=mail,accountEnabled,assignedPlans"),
        )
        .await
        .body;
    assert_eq!(chosen["accountEnabled"], true);
    assert_eq!(chosen["assignedPlans"][0]["service"], "exchange");
    let found = tenant
        .get(&token, "/users?$filter=mail%20eq%20'sales@contoso.example'")
        .await
        .body;
    assert_eq!(found["value"][0]["displayName"], "Sales");

    let missing = tenant.get(&token, "/users/nobody@contoso.example").await;
    assert_eq!(
        (missing.status.as_u16(), missing.error_code()),
        (404, "Request_ResourceNotFound")
    );
    let unlicensed = tenant
        .get(&token, "/users/unlicensed@contoso.example/licenseDetails")
        .await
        .body;
    assert_eq!(unlicensed["value"], json!([]));
    let licensed = tenant
        .get(&token, "/users/support@contoso.example/licenseDetails")
        .await
        .body;
    assert_eq!(
        licensed["value"][0]["servicePlans"][0]["servicePlanName"],
        "EXCHANGE_S_STANDARD"
    );
}

#[tokio::test]
async fn the_organisation_names_the_tenant() {
    let tenant = Tenant::start().await;
    let token = tenant.administrator_token().await;
    let organization = tenant.get(&token, "/organization").await.body;
    assert_eq!(
        organization["value"][0]["id"],
        tenant.description().tenant_id.to_string()
    );
    let domains = organization["value"][0]["verifiedDomains"].as_array().expect("domains");
    assert!(
        domains
            .iter()
            .any(|domain| domain["name"] == "contoso.example" && domain["isDefault"] == true)
    );
    let domain = tenant.get(&token, "/domains/contoso.example").await;
    assert_eq!(domain.body["isVerified"], true);
}

#[tokio::test]
async fn an_application_may_manage_what_it_owns_and_nothing_else() {
    let tenant = Tenant::start().await;
    let administrator = tenant.administrator_token().await;
    let application = tenant
        .post(&administrator, "/applications", &json!({"displayName": "Owner"}))
        .await
        .body;
    let app_id = text(&application, "appId");
    let principal = tenant
        .post(&administrator, "/servicePrincipals", &json!({"appId": app_id}))
        .await
        .body;
    let graph = graph_principal(&tenant, &administrator).await;
    let owned_by = "18a4783c-866b-4cc7-a460-3d5e5662c884";
    let link = json!({"principalId": principal["id"], "resourceId": graph, "appRoleId": owned_by});
    let path = format!("/servicePrincipals/{graph}/appRoleAssignedTo");
    assert_eq!(tenant.post(&administrator, &path, &link).await.status, 201);
    let path = format!("/applications/{}/addPassword", text(&application, "id"));
    let secret = tenant.post(&administrator, &path, &Value::Null).await.body;
    let token = tenant.application_token(app_id, text(&secret, "secretText")).await;

    let own = tenant
        .post(&token, "/applications", &json!({"displayName": "Owned"}))
        .await;
    assert_eq!(own.status, 201, "{:?}", own.body);
    let change = json!({"displayName": "Renamed"});
    let path = format!("/applications/{}", text(&own.body, "id"));
    assert_eq!(tenant.graph(&token, Method::PATCH, &path, &change).await.status, 204);
    let path = format!("/applications/{}", text(&application, "id"));
    assert_eq!(tenant.graph(&token, Method::PATCH, &path, &change).await.status, 403);

    let owners = format!("{path}/owners/$ref");
    let link =
        json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", text(&principal, "id"))});
    assert_eq!(tenant.post(&token, &owners, &link).await.status, 403);
    assert_eq!(tenant.post(&administrator, &owners, &link).await.status, 204);
    let twice = tenant.post(&administrator, &owners, &link).await;
    assert_eq!(twice.status, 400, "{:?}", twice.body);
    assert_eq!(tenant.graph(&token, Method::PATCH, &path, &change).await.status, 204);
    let one = format!("{path}/owners/{}/$ref", text(&principal, "id"));
    let removed = tenant.graph(&administrator, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(removed.status, 204, "{:?}", removed.body);
    assert_eq!(tenant.graph(&token, Method::PATCH, &path, &change).await.status, 403);
}
