//! Every relevant example of the contract is readable. Skipped, visibly, where the contract is not
//! at hand.

use std::path::PathBuf;

use guichet_graph::{
    AppRoleAssignment, Application, AttachmentInfo, Class, DeltaFrom, DeltaItem, DeltaNext, MailFolder, Message,
    NewSecret, OpenIdConfiguration, Organization, PermissionGrant, ServicePrincipal, Subscription, User,
    parse_token_error,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::scripted::{Script, client, json};

fn contract() -> Option<PathBuf> {
    let root = std::env::var_os("GUICHET_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let contract = root.join("contract");
    if contract.is_dir() {
        return Some(contract);
    }
    println!("skipped: no contract at {}; set GUICHET_CORPUS", contract.display());
    None
}

fn read(path: &PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The JSON answers whose name starts with `prefix`, without those whose values are placeholders.
fn answers(prefix: &str) -> Vec<(String, u64, Value)> {
    let Some(contract) = contract() else { return Vec::new() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(contract.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with(prefix) {
            continue;
        }
        let example = read(&path);
        let body = &example["response_body"];
        if body.is_object() && example["placeholder_values"] != true {
            found.push((name, example["status"].as_u64().unwrap_or(200), body.clone()));
        }
    }
    assert!(!found.is_empty(), "no example starts with {prefix}");
    found
}

/// Reads objects and elements of lists. Those that the documentation shows without any id (shortened
/// by `$select`) are counted apart.
fn readable<T: DeserializeOwned>(prefixes: &[&str]) {
    if contract().is_none() {
        return;
    }
    for prefix in prefixes {
        let (mut read, mut without_id) = (0, 0);
        for (name, status, body) in answers(prefix) {
            if status >= 400 {
                continue;
            }
            let items = body
                .get("value")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_else(|| vec![body]);
            for item in items {
                if item.get("id").is_none() && item.get("keyId").is_none() && item.get("issuer").is_none() {
                    without_id += 1;
                    continue;
                }
                let outcome = serde_json::from_value::<T>(item);
                assert!(outcome.is_ok(), "{name}: {:?}", outcome.err());
                read += 1;
            }
        }
        println!("{prefix}: {read} read, {without_id} without id skipped");
    }
}

#[test]
fn messages_are_readable() {
    readable::<Message>(&[
        "message-createreply",
        "message-createreplyall",
        "message-get",
        "message-move",
        "user-post-messages",
        "user-list-messages",
        "singlevaluelegacyextendedproperty-get__01",
        "delta-query-messages__02",
    ]);
}

#[test]
fn folders_attachments_and_subscriptions_are_readable() {
    readable::<MailFolder>(&["mailfolder-get", "user-list-mailfolders"]);
    readable::<AttachmentInfo>(&[
        "attachment-get",
        "message-post-attachments",
        "outlook-large-attachments__08",
    ]);
    readable::<Subscription>(&[
        "subscription-create-outlook-app",
        "subscription-get",
        "subscription-list",
        "subscription-post",
        "subscription-update",
    ]);
}

#[test]
fn directory_objects_are_readable() {
    readable::<Application>(&["application-get", "application-post-applications"]);
    readable::<NewSecret>(&["application-addpassword"]);
    readable::<ServicePrincipal>(&["serviceprincipal-post-serviceprincipals"]);
    readable::<AppRoleAssignment>(&[
        "serviceprincipal-list-approleassignments",
        "serviceprincipal-list-approleassignedto",
        "serviceprincipal-post-approleassignedto",
    ]);
    readable::<Organization>(&["organization-list"]);
    readable::<User>(&["user-get__01"]);
    readable::<OpenIdConfiguration>(&["oauth-openid-configuration"]);
}

#[test]
fn placeholder_grants_have_the_fields_that_are_read() {
    let Some(contract) = contract() else { return };
    let example = read(&contract.join("examples/oauth2permissiongrant-post__01.json"));
    serde_json::from_value::<PermissionGrant>(example["response_body"].clone()).unwrap();
}

#[test]
fn recorded_service_principal_of_graph_offers_its_roles() {
    let Some(contract) = contract() else { return };
    let recorded = read(&contract.join("recorded/cli-m365_servicePrincipals.json"));
    let principals: Vec<ServicePrincipal> = recorded["responses"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|response| {
            response["value"]
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![response.clone()])
        })
        .filter_map(|object| serde_json::from_value(object).ok())
        .collect();
    let offered = principals.iter().flat_map(|principal| &principal.app_roles);
    let send = offered
        .into_iter()
        .find(|role| role.value.as_deref() == Some("Mail.Send"))
        .unwrap();
    assert_eq!(send.id, "b633e1c5-b582-4048-a93e-9f11b44c7e96");
}

#[test]
fn sign_in_errors_give_code_and_class() {
    if contract().is_none() {
        return;
    }
    let expected = [
        ("oauth-error-700016", "AADSTS700016", Class::Denied),
        ("oauth-error-7000215", "AADSTS7000215", Class::Reauthorise),
        ("oauth-error-70011", "AADSTS70011", Class::Invalid),
        ("oauth-error-90002", "AADSTS90002", Class::Invalid),
    ];
    for (prefix, code, class) in expected {
        let (name, _, body) = answers(&format!("{prefix}__")).remove(0);
        let error = parse_token_error(body.to_string().as_bytes()).unwrap();
        assert_eq!((error.code().as_str(), error.class()), (code, class), "{name}");
        assert!(
            error.trace_id.is_some() && !error.description.contains("Trace ID"),
            "{name}"
        );
    }
}

#[test]
fn recorded_sign_in_errors_give_code_and_class() {
    let Some(contract) = contract() else { return };
    let expected = [
        ("token-error-invalid-client", "AADSTS7000215", Class::Reauthorise),
        ("token-error-invalid-scope", "AADSTS500011", Class::Denied),
        ("token-error-unknown-client", "AADSTS700038", Class::Invalid),
        ("token-error-unsupported-grant-type", "AADSTS70003", Class::Bug),
    ];
    for (name, code, class) in expected {
        let recorded = read(&contract.join(format!("recorded/entra/{name}.json")));
        let error = parse_token_error(recorded["response"]["body"].to_string().as_bytes()).unwrap();
        assert_eq!((error.code().as_str(), error.class()), (code, class), "{name}");
    }
}

#[tokio::test]
async fn graph_errors_give_code_and_class() {
    if contract().is_none() {
        return;
    }
    let expected = [
        ("mail-error-accesspolicy", "ErrorAccessDenied", Class::Denied),
        ("mail-error-delta-syncstatenotfound", "SyncStateNotFound", Class::Resync),
        ("mail-error-invaliduser", "ErrorInvalidUser", Class::Denied),
        ("graph-error-me-apponly", "BadRequest", Class::Invalid),
        (
            "subscription-create-validation-failed",
            "InvalidRequest",
            Class::Invalid,
        ),
    ];
    for (prefix, code, class) in expected {
        let (name, status, body) = answers(prefix).remove(0);
        let script = Script::new([json(u16::try_from(status).unwrap(), &body)]);
        let (graph, _time) = client(&script);
        let error = graph.folder("u", "inbox").await.unwrap_err();
        assert_eq!((error.code.as_str(), error.class), (code, class), "{name}");
    }
}

#[tokio::test]
async fn observed_errors_are_understood() {
    let Some(contract) = contract() else { return };
    let observed = read(&contract.join("observed-errors.json"));
    let mut understood = 0;
    for exchange in observed["exchanges"].as_array().unwrap() {
        let digits = |value: &Value| value.as_str().and_then(|text| text.get(..3)?.parse::<u16>().ok());
        let (Some(status), Some(code)) = (digits(&exchange["status"]), exchange["body"]["error"]["code"].as_str())
        else {
            continue;
        };
        let script = Script::new((0..4).map(|_| json(status, &exchange["body"])));
        let (graph, _time) = client(&script);
        let error = graph.folder("u", "inbox").await.unwrap_err();
        assert_eq!(error.code, code);
        understood += 1;
    }
    assert!(understood > 8, "{understood}");
}

#[tokio::test]
async fn delta_round_of_the_documentation_is_walked_to_its_end() {
    if contract().is_none() {
        return;
    }
    let mut pages: Vec<_> = answers("delta-query-messages");
    pages.sort_by(|a, b| a.0.cmp(&b.0));
    let script = Script::new(pages.iter().map(|(_, _, body)| json(200, body)));
    let (graph, _time) = client(&script);
    let mut cursor: Option<String> = None;
    let (mut upserts, mut removed, mut done) = (0, 0, 0);
    for _ in 0..pages.len() {
        let from = match &cursor {
            None => DeltaFrom::Start {
                select: &["subject", "sender", "isRead"],
                page_size: 2,
            },
            Some(link) => DeltaFrom::Link { link, page_size: 2 },
        };
        let page = graph.delta("u", "AQMkADNkNAAAgEMAAAA", from).await.unwrap();
        for item in &page.items {
            match item {
                DeltaItem::Upsert(message) => {
                    assert_eq!(message.is_read.is_some(), message.subject.is_some());
                    upserts += 1;
                }
                DeltaItem::Removed { .. } => removed += 1,
            }
        }
        cursor = Some(match page.next {
            DeltaNext::More(link) => link,
            DeltaNext::Done(link) => {
                done += 1;
                link
            }
        });
        assert_eq!(page.unreadable, 0);
    }
    assert_eq!((upserts, removed, done), (6, 1, 2));
}

#[test]
fn unreadable_objects_are_noticed() {
    // The guard of this file: a body without what makes it an object of its kind is not readable.
    assert!(serde_json::from_str::<Message>(r#"{"subject":"x"}"#).is_err());
    assert!(serde_json::from_str::<AppRoleAssignment>(r#"{"id":"x"}"#).is_err());
    assert!(serde_json::from_str::<NewSecret>(r#"{"keyId":"x"}"#).is_err());
}
