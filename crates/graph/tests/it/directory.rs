//! Directory calls.

use guichet_graph::{
    AccessKind, ApplicationPatch, Class, Ensured, NewApplication, RequiredResourceAccess, ResourceAccess,
};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::scripted::{Script, client, empty, graph_error, json};

const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";

fn mail_send() -> RequiredResourceAccess {
    RequiredResourceAccess {
        resource_app_id: GRAPH_APP.into(),
        resource_access: vec![ResourceAccess {
            id: "b633e1c5-b582-4048-a93e-9f11b44c7e96".into(),
            kind: AccessKind::Role,
        }],
    }
}

#[tokio::test]
async fn application_is_registered_with_its_permissions() {
    let script = Script::new([json(201, &json!({ "id": "o", "appId": "a", "displayName": "Guichet" }))]);
    let (graph, _time) = client(&script);
    let wanted = NewApplication {
        display_name: "Guichet".into(),
        sign_in_audience: "AzureADMyOrg".into(),
        redirect_uris: vec!["http://localhost".into()],
        required_resource_access: vec![mail_send()],
    };
    let created = graph.create_application(&wanted).await.unwrap();
    assert_eq!((created.id.as_str(), created.app_id.as_str()), ("o", "a"));
    assert_eq!(
        script.body(0),
        json!({ "displayName": "Guichet", "signInAudience": "AzureADMyOrg",
            "web": { "redirectUris": ["http://localhost"] },
            "requiredResourceAccess": [{ "resourceAppId": GRAPH_APP,
                "resourceAccess": [{ "id": "b633e1c5-b582-4048-a93e-9f11b44c7e96", "type": "Role" }] }] })
    );
    assert!(!script.asked()[0].headers.contains_key("prefer"));
}

#[tokio::test]
async fn patch_names_only_what_changes() {
    let script = Script::new([empty(204)]);
    let (graph, _time) = client(&script);
    let patch = ApplicationPatch {
        redirect_uris: Some(vec!["http://localhost".into()]),
        ..Default::default()
    };
    graph.update_application("o", &patch).await.unwrap();
    assert_eq!(script.lines(), ["PATCH /v1.0/applications/o"]);
    assert_eq!(
        script.body(0),
        json!({ "web": { "redirectUris": ["http://localhost"] } })
    );
}

#[tokio::test]
async fn search_that_ignores_the_filter_finds_nothing_wrong() {
    let others = json!({ "value": [{ "id": "x", "appId": "other", "displayName": "Other" }] });
    let script = Script::new([json(200, &others), json(200, &others), json(200, &others)]);
    let (graph, _time) = client(&script);
    assert_eq!(graph.find_application_by_app_id("a").await.unwrap(), None);
    assert_eq!(graph.find_applications_by_display_name("Guichet").await.unwrap(), []);
    assert_eq!(graph.find_service_principal("a").await.unwrap(), None);
    assert_eq!(script.asked()[0].url.query_pairs().next().unwrap().1, "appId eq 'a'");
}

#[tokio::test]
async fn permission_that_is_granted_already_is_success() {
    let exists = json!({ "error": { "code": "Request_BadRequest",
        "message": "Permission being assigned already exists on the object" } });
    let script = Script::new([
        json(201, &json!({ "id": "x" })),
        json(400, &exists),
        graph_error(400, "Request_BadRequest"),
        graph_error(403, "Authorization_RequestDenied"),
    ]);
    let (graph, _time) = client(&script);
    assert_eq!(graph.assign_app_role("p", "r", "role").await.unwrap(), Ensured::Created);
    assert_eq!(graph.assign_app_role("p", "r", "role").await.unwrap(), Ensured::Existed);
    assert_eq!(
        graph.assign_app_role("p", "r", "role").await.unwrap_err().class,
        Class::Invalid
    );
    assert_eq!(
        graph.assign_app_role("p", "r", "role").await.unwrap_err().class,
        Class::Denied
    );
    assert_eq!(script.lines()[0], "POST /v1.0/servicePrincipals/r/appRoleAssignedTo");
    assert_eq!(
        script.body(0),
        json!({ "principalId": "p", "resourceId": "r", "appRoleId": "role" })
    );
}

#[tokio::test]
async fn secret_is_returned_once_and_never_shown() {
    let answer = json!({ "keyId": "k", "secretText": "hidden-value", "hint": "hid",
        "endDateTime": "2027-01-01T00:00:00Z", "displayName": "Guichet" });
    let script = Script::new([json(200, &answer), empty(204)]);
    let (graph, _time) = client(&script);
    let end = "2027-01-01T00:00:00Z".parse().unwrap();
    let secret = graph.add_password("o", "Guichet", end).await.unwrap();
    assert_eq!(secret.secret_text.expose_secret(), "hidden-value");
    assert_eq!(
        (secret.key_id.as_str(), secret.end, secret.hint.as_deref()),
        ("k", Some(end), Some("hid"))
    );
    assert!(!format!("{secret:?}").contains("hidden-value"));
    graph.remove_password("o", "k").await.unwrap();
    assert_eq!(
        script.lines(),
        [
            "POST /v1.0/applications/o/addPassword",
            "POST /v1.0/applications/o/removePassword"
        ]
    );
    assert_eq!(
        script.body(0),
        json!({ "passwordCredential": { "displayName": "Guichet", "endDateTime": "2027-01-01T00:00:00Z" } })
    );
}

#[tokio::test]
async fn missing_directory_object_is_recognised() {
    let script = Script::new([graph_error(404, "Request_ResourceNotFound")]);
    let (graph, _time) = client(&script);
    assert!(graph.user("nobody@contoso.example").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn delegated_permissions_are_read_granted_and_changed() {
    let grant = json!({ "id": "g", "clientId": "c", "consentType": "AllPrincipals", "principalId": null,
        "resourceId": "r", "scope": "User.Read" });
    let foreign = json!({ "id": "h", "clientId": "other", "consentType": "AllPrincipals", "resourceId": "r" });
    let script = Script::new([
        json(200, &json!({ "value": [foreign, grant] })),
        json(201, &grant),
        empty(204),
    ]);
    let (graph, _time) = client(&script);
    let grants = graph.permission_grants("c").await.unwrap();
    assert_eq!((grants.len(), grants[0].scope.as_str()), (1, "User.Read"));
    graph.create_permission_grant("c", "r", "User.Read").await.unwrap();
    graph.update_permission_grant("g", "User.Read Mail.Read").await.unwrap();
    assert_eq!(
        script.body(1),
        json!({ "clientId": "c", "consentType": "AllPrincipals", "resourceId": "r", "scope": "User.Read" })
    );
    assert_eq!(script.lines()[2], "PATCH /v1.0/oauth2PermissionGrants/g");
}
