//! What a client gets for each mistake with directory objects and queries over them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::mistakes::{mistake, refused};
use crate::world::World;

const BAD: &str = "Request_BadRequest";

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_applications_are_refused() {
    let world = World::new().await;
    let (application, _, app_id) = world.application().await;
    let (other, ..) = world.application().await;
    let own = format!("/applications/{application}");
    let taken = json!({"identifierUris": [format!("api://{app_id}")]});
    let first = world.tenant.graph(&world.app, Method::PATCH, &own, &taken).await;
    assert_eq!(first.status, 204, "{:?}", first.body);
    let post = |name, body, wanted| mistake(name, Method::POST, "/applications", body, wanted);
    let unknown = "5f1c9c6e-0000-4000-8000-000000000001";
    refused(
        &world,
        &[
            post("no name", json!({}), (400, BAD, "displayName")),
            post(
                "a name that is no text",
                json!({"displayName": 7}),
                (400, BAD, "displayName"),
            ),
            post(
                "a name of 257 letters",
                json!({"displayName": "x".repeat(257)}),
                (400, BAD, "displayName"),
            ),
            post(
                "an unknown property",
                json!({"displayName": "x", "colour": 1}),
                (400, BAD, "colour"),
            ),
            post(
                "an audience nobody knows",
                json!({"displayName": "x", "signInAudience": "All"}),
                (400, BAD, "signInAudience"),
            ),
            post(
                "a read-only property",
                json!({"displayName": "x", "appId": unknown}),
                (400, BAD, "appId"),
            ),
            post(
                "secrets at creation",
                json!({"displayName": "x", "passwordCredentials": [{"displayName": "s"}]}),
                (400, BAD, "passwordCredentials"),
            ),
            post(
                "an address of another organisation",
                json!({"displayName": "x", "identifierUris": ["https://fabrikam.example/app"]}),
                (400, "HostNameNotOnVerifiedDomain", "fabrikam.example"),
            ),
            mistake(
                "another application's name",
                Method::PATCH,
                format!("/applications/{other}"),
                taken.clone(),
                (400, "HostNameNotOnVerifiedDomain", "api://"),
            ),
            post("no JSON", json!("{"), (400, "BadRequest", "JSON")),
            mistake(
                "an application that is not there",
                Method::GET,
                format!("/applications/{unknown}"),
                Value::Null,
                (404, "Request_ResourceNotFound", unknown),
            ),
            mistake(
                "an application id that is none",
                Method::GET,
                "/applications/nonsense",
                Value::Null,
                (404, "Request_ResourceNotFound", "nonsense"),
            ),
            mistake(
                "a client id that is not there",
                Method::GET,
                format!("/applications(appId='{unknown}')"),
                Value::Null,
                (404, "Request_ResourceNotFound", unknown),
            ),
            mistake(
                "a method that is none",
                Method::PUT,
                &own,
                json!({}),
                (405, BAD, "method"),
            ),
            mistake(
                "a child that is none",
                Method::GET,
                format!("{own}/nonsense"),
                Value::Null,
                (400, "BadRequest", "nonsense"),
            ),
            mistake(
                "a secret that ends before it starts",
                Method::POST,
                format!("{own}/addPassword"),
                json!({"passwordCredential": {"endDateTime": "2001-01-01T00:00:00Z"}}),
                (400, BAD, "endDateTime"),
            ),
            mistake(
                "a secret's end that is no date",
                Method::POST,
                format!("{own}/addPassword"),
                json!({"passwordCredential": {"endDateTime": "soon"}}),
                (400, "BadRequest", "endDateTime"),
            ),
            mistake(
                "removing a secret that is not there",
                Method::POST,
                format!("{own}/removePassword"),
                json!({"keyId": unknown}),
                (400, BAD, "keyId"),
            ),
            mistake(
                "a key without proof",
                Method::POST,
                format!("{own}/addKey"),
                json!({"keyCredential": {"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AA=="}}),
                (401, "Authentication_MissingOrMalformed", "proof"),
            ),
            mistake(
                "a certificate that is none",
                Method::PATCH,
                &own,
                json!({"keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AA=="}]}),
                (400, BAD, "certificate"),
            ),
            mistake(
                "a federated credential without subject",
                Method::POST,
                format!("{own}/federatedIdentityCredentials"),
                json!({"name": "x", "issuer": "https://issuer.example", "audiences": ["api://AzureADTokenExchange"]}),
                (400, BAD, "subject"),
            ),
            mistake(
                "a federated credential of two audiences",
                Method::POST,
                format!("{own}/federatedIdentityCredentials"),
                json!({"name": "x", "issuer": "https://issuer.example", "subject": "s", "audiences": ["a", "b"]}),
                (400, BAD, "audiences"),
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_principals_and_consent_are_refused() {
    let world = World::new().await;
    let (_, principal, app_id) = world.application().await;
    let (client, _) = world.grant().await;
    let graph = &world.graph;
    let unknown = "5f1c9c6e-0000-4000-8000-000000000001";
    let assign = format!("/servicePrincipals/{graph}/appRoleAssignedTo");
    let mail_send = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
    let link = json!({"principalId": principal, "resourceId": graph, "appRoleId": mail_send});
    let first = world.tenant.post(&world.app, &assign, &link).await;
    assert_eq!(first.status, 201, "{:?}", first.body);
    let with = |name: &str, value: Value| {
        let mut link = link.clone();
        link[name] = value;
        link
    };
    let grants = "/oauth2PermissionGrants";
    let grant = json!({"clientId": client, "consentType": "Principal", "principalId": world.user, "resourceId": graph, "scope": "User.Read"});
    let changed = |name: &str, value: Value| {
        let mut grant = grant.clone();
        grant[name] = value;
        grant
    };
    refused(
        &world,
        &[
            mistake(
                "a principal of no application",
                Method::POST,
                "/servicePrincipals",
                json!({"appId": unknown}),
                (400, BAD, unknown),
            ),
            mistake(
                "a principal without application id",
                Method::POST,
                "/servicePrincipals",
                json!({}),
                (400, BAD, "appId"),
            ),
            mistake(
                "a second principal",
                Method::POST,
                "/servicePrincipals",
                json!({"appId": app_id}),
                (409, "Request_MultipleObjectsWithSameKeyValue", &app_id),
            ),
            mistake(
                "changing Microsoft's own principal",
                Method::PATCH,
                format!("/servicePrincipals/{graph}"),
                json!({"notes": "x"}),
                (403, "Authorization_RequestDenied", "Insufficient"),
            ),
            mistake(
                "the same assignment again",
                Method::POST,
                &assign,
                link.clone(),
                (400, BAD, "already exists"),
            ),
            mistake(
                "a role the resource does not publish",
                Method::POST,
                &assign,
                with("appRoleId", json!(unknown)),
                (400, BAD, "not found on application"),
            ),
            mistake(
                "an assignment to nobody",
                Method::POST,
                &assign,
                with("principalId", json!(unknown)),
                (404, "Request_ResourceNotFound", unknown),
            ),
            mistake(
                "a role id that is none",
                Method::POST,
                &assign,
                with("appRoleId", json!("Mail.Send")),
                (400, "BadRequest", "Edm.Guid"),
            ),
            mistake(
                "an assignment of another resource",
                Method::POST,
                format!("/servicePrincipals/{principal}/appRoleAssignedTo"),
                link.clone(),
                (400, BAD, "path and body"),
            ),
            mistake(
                "the same grant again",
                Method::POST,
                grants,
                grant.clone(),
                (409, "Request_MultipleObjectsWithSameKeyValue", "already exists"),
            ),
            mistake(
                "a kind of consent that is none",
                Method::POST,
                grants,
                changed("consentType", json!("Some")),
                (400, BAD, "consentType"),
            ),
            mistake(
                "consent for all with a person",
                Method::POST,
                grants,
                changed("consentType", json!("AllPrincipals")),
                (400, BAD, "principalId"),
            ),
            mistake(
                "a grant without scope",
                Method::POST,
                grants,
                changed("scope", Value::Null),
                (400, BAD, "scope"),
            ),
            mistake(
                "a grant to nobody",
                Method::POST,
                grants,
                changed("clientId", json!(unknown)),
                (404, "Request_ResourceNotFound", unknown),
            ),
            mistake(
                "a grant that is not there",
                Method::DELETE,
                "/oauth2PermissionGrants/nonsense",
                Value::Null,
                (404, "Request_ResourceNotFound", "nonsense"),
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_directory_queries_are_refused() {
    let world = World::new().await;
    let get = |name, path: &str, wanted| mistake(name, Method::GET, path, Value::Null, wanted);
    refused(
        &world,
        &[
            get(
                "a search without consistency level",
                "/applications?$search=\"displayName:x\"",
                (400, BAD, "ConsistencyLevel"),
            ),
            get(
                "a count without consistency level",
                "/applications/$count",
                (400, BAD, "$count"),
            ),
            get("a page that is too large", "/users?$top=1000", (400, BAD, "page size")),
            get("skipping", "/users?$skip=1", (400, BAD, "$skip")),
            get("a page token that is none", "/users?$skiptoken=x", (400, BAD, "token")),
            get(
                "a property that is none",
                "/users?$select=colour",
                (400, "BadRequest", "colour"),
            ),
            get(
                "a filter that is none",
                "/users?$filter=mail%20equals%20'x'",
                (400, "BadRequest", "filter"),
            ),
            get(
                "a filter over a property that is none",
                "/users?$filter=colour%20eq%20'red'",
                (400, "BadRequest", "colour"),
            ),
            get(
                "an advanced filter without consistency level",
                "/users?$filter=endsWith(mail,'x')",
                (400, "Request_UnsupportedQuery", "endsWith"),
            ),
            get(
                "an order with a filter without consistency level",
                "/users?$filter=startsWith(mail,'x')&$orderby=displayName",
                (400, "Request_UnsupportedQuery", "Sorting"),
            ),
            get(
                "an option nobody knows",
                "/users?$colour=1",
                (400, "BadRequest", "$colour"),
            ),
            get(
                "expanding",
                "/users?$expand=manager",
                (501, "NotImplemented", "$expand"),
            ),
            get(
                "a forgotten delta token",
                "/applications/delta?$deltatoken=old",
                (410, "syncStateNotFound", "token"),
            ),
            get(
                "a user that is not there",
                "/users/nobody@contoso.example",
                (404, "Request_ResourceNotFound", "nobody"),
            ),
            get(
                "a domain that is not there",
                "/domains/fabrikam.example",
                (404, "Request_ResourceNotFound", "fabrikam.example"),
            ),
            get(
                "deleted things of no kind",
                "/directory/deletedItems",
                (400, BAD, "type"),
            ),
            get("a resource nobody knows", "/nonsense", (400, "BadRequest", "nonsense")),
        ],
    )
    .await;
}
