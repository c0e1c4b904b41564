//! How the documented exchanges with applications, service principals and consent are replayed.

use serde_json::json;

use crate::plan::{Plan, Prepared, Sender, application, with_body};
use crate::world::{Certified, World};

pub async fn registration(world: &World, id: &str, path: &str) -> Plan {
    let (object, _, _) = world.application().await;
    let at = path.replace("{id}", &object);
    let own = format!("/applications/{object}");
    match id {
        "application-post-federatedidentitycredentials__01" => {
            application(format!("{own}/federatedIdentityCredentials/"))
        }
        "application-removepassword__01" => {
            let key = world.secret(&own).await;
            with_body(application(at), json!({"keyId": key}))
        }
        "application-addkey__02" => with_password(world, &own).await,
        "application-addkey__01" | "application-removekey__01" => proven(world, &own, &object, id).await,
        _ => application(at),
    }
}

pub async fn principal(world: &World, id: &str, path: &str) -> Plan {
    let (_, object, _) = world.application().await;
    let own = format!("/servicePrincipals/{object}");
    let role = "498476ce-e0fe-48b0-b801-37ba7e2685c6";
    let link = json!({"principalId": object, "resourceId": world.graph, "appRoleId": role});
    match id {
        "serviceprincipal-removepassword__01" => {
            let key = world.secret(&own).await;
            with_body(application(path.replace("{id}", &object)), json!({"keyId": key}))
        }
        "serviceprincipal-addkey__02" => with_password(world, &own).await,
        "serviceprincipal-addkey__01" | "serviceprincipal-removekey__01" => proven(world, &own, &object, id).await,
        "serviceprincipal-delete-approleassignedto__01" => {
            let (_, link) = world.assignment().await;
            application(format!("/servicePrincipals/{}/appRoleAssignedTo/{link}", world.graph))
        }
        "serviceprincipal-delete-approleassignments__01" => {
            let (principal, link) = world.assignment().await;
            application(format!("/servicePrincipals/{principal}/appRoleAssignments/{link}"))
        }
        "serviceprincipal-list-approleassignedto__01" => {
            application(format!("/servicePrincipals/{}/appRoleAssignedTo", world.graph))
        }
        "serviceprincipal-list-approleassignments__01" => {
            let (principal, _) = world.assignment().await;
            application(format!("/servicePrincipals/{principal}/appRoleAssignments"))
        }
        "serviceprincipal-list-oauth2permissiongrants__01" => {
            let (principal, _) = world.grant().await;
            application(format!("/servicePrincipals/{principal}/oauth2PermissionGrants"))
        }
        "serviceprincipal-post-approleassignedto__01" => with_body(
            application(format!("/servicePrincipals/{}/appRoleAssignedTo", world.graph)),
            link,
        ),
        "serviceprincipal-post-approleassignments__01" => {
            with_body(application(format!("{own}/appRoleAssignments")), link)
        }
        "serviceprincipal-post-serviceprincipals__01" => {
            let body = json!({"displayName": "Not yet a principal"});
            let made = world.tenant.post(&world.app, "/applications", &body).await.body;
            with_body(application(path), json!({"appId": made["appId"]}))
        }
        _ => application(path.replace("{id}", &object)),
    }
}

/// A certificate with a private key and a password is what only SAML needs: it is refused by name.
async fn with_password(world: &World, own: &str) -> Plan {
    let certified = Certified::new();
    let first =
        json!({"keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": certified.encoded}]});
    let patched = world
        .tenant
        .graph(&world.app, reqwest::Method::PATCH, own, &first)
        .await;
    assert_eq!(patched.status, 204, "{:?}", patched.body);
    let object = own.rsplit('/').next().expect("an id");
    Plan::Refused(Prepared {
        sender: Sender::Application,
        path: format!("{own}/addKey"),
        body: Some(json!({
            "keyCredential": {"type": "X509CertAndPassword", "usage": "Sign", "key": certified.encoded},
            "passwordCredential": {"secretText": "MKTr0w1"},
            "proof": certified.proof(object),
        })),
    })
}

async fn proven(world: &World, own: &str, object: &str, id: &str) -> Plan {
    let (first, second) = (Certified::new(), Certified::new());
    let entry =
        |certified: &Certified| json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": certified.encoded});
    let list = json!({"keyCredentials": [entry(&first)]});
    let patched = world.tenant.graph(&world.app, reqwest::Method::PATCH, own, &list).await;
    assert_eq!(patched.status, 204, "{:?}", patched.body);
    let proof = first.proof(object);
    if id.contains("addkey") {
        let body = json!({"keyCredential": entry(&second), "passwordCredential": null, "proof": proof});
        return with_body(application(format!("{own}/addKey")), body);
    }
    let shown = world
        .tenant
        .get(&world.app, &format!("{own}?$select=keyCredentials"))
        .await;
    let key = shown.body["keyCredentials"][0]["keyId"].clone();
    let body = json!({"keyId": key, "proof": proof});
    with_body(application(format!("{own}/removeKey")), body)
}

pub async fn grant(world: &World, page: &str) -> Plan {
    let (client, grant) = world.grant().await;
    let own = format!("/oauth2PermissionGrants/{grant}");
    match page {
        "oauth2permissiongrant-delta" => application("/oauth2PermissionGrants/delta"),
        "oauth2permissiongrant-list" => application("/oauth2PermissionGrants"),
        "oauth2permissiongrant-post" => {
            let body = json!({
                "clientId": client, "consentType": "AllPrincipals", "principalId": null,
                "resourceId": world.graph, "scope": "User.Read",
            });
            with_body(application("/oauth2PermissionGrants"), body)
        }
        "oauth2permissiongrant-update" => with_body(application(own), json!({"scope": "User.Read Mail.Read"})),
        _ => application(own),
    }
}
