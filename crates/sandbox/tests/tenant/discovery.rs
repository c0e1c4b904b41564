//! Discovery documents and key sets.

use serde_json::Value;

use crate::harness::{Answer, Tenant, read};

async fn get(tenant: &Tenant, path: &str) -> Answer {
    read(tenant.client.get(tenant.url(path)).send().await.expect("an answer")).await
}

#[tokio::test]
async fn the_issuer_and_endpoints_stay_on_the_sandbox() {
    let tenant = Tenant::start().await;
    let (base, id) = (tenant.description().authority.clone(), tenant.description().tenant_id);
    for name in [id.to_string(), "contoso.example".to_owned()] {
        let document = get(&tenant, &format!("/{name}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(document.status, 200);
        assert_eq!(document.body["issuer"], format!("{base}/{id}/v2.0"));
        assert_eq!(
            document.body["token_endpoint"],
            format!("{base}/{id}/oauth2/v2.0/token")
        );
        assert_eq!(document.body["request_uri_parameter_supported"], false);
    }
}

#[tokio::test]
async fn an_open_tenancy_has_a_template_for_an_issuer() {
    let tenant = Tenant::start().await;
    for name in ["common", "organizations"] {
        let document = get(&tenant, &format!("/{name}/v2.0/.well-known/openid-configuration"))
            .await
            .body;
        assert_eq!(
            document["issuer"],
            format!("{}/{{tenantid}}/v2.0", tenant.description().authority)
        );
        assert_eq!(
            document["token_endpoint"],
            format!("{}/{name}/oauth2/v2.0/token", tenant.description().authority)
        );
    }
}

#[tokio::test]
async fn version_one_names_microsofts_constant() {
    let tenant = Tenant::start().await;
    let id = tenant.description().tenant_id;
    let document = get(&tenant, &format!("/{id}/.well-known/openid-configuration"))
        .await
        .body;
    assert_eq!(document["issuer"], format!("https://sts.windows.net/{id}/"));
    let keys = get(&tenant, &format!("/{id}/discovery/keys")).await.body;
    assert!(keys["keys"][0].get("issuer").is_none());
}

#[tokio::test]
async fn an_unknown_tenant_has_no_documents() {
    let tenant = Tenant::start().await;
    let answer = get(&tenant, "/fabrikam.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["error_codes"][0], 90_002);
}

#[tokio::test]
async fn instance_discovery_knows_microsofts_hosts_and_its_own() {
    let tenant = Tenant::start().await;
    let id = tenant.description().tenant_id;
    let ask = |host: &str| {
        format!(
            "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2F{host}%2F{id}%2Foauth2%2Fv2.0%2Fauthorize"
        )
    };
    for host in ["login.microsoftonline.com", "localhost"] {
        let answer = get(&tenant, &ask(host)).await;
        assert_eq!(answer.status, 200, "{host}");
        let expected = format!(
            "{}/{id}/v2.0/.well-known/openid-configuration",
            tenant.description().authority
        );
        assert_eq!(answer.body["tenant_discovery_endpoint"], expected);
        let named = answer.body["metadata"]
            .as_array()
            .expect("metadata")
            .iter()
            .any(|entry| {
                entry["aliases"]
                    .as_array()
                    .is_some_and(|aliases| aliases.contains(&Value::from(host)))
            });
        assert!(named, "{host}");
    }
    let answer = get(&tenant, &ask("login.evil.example")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["error"], "invalid_instance");
}
