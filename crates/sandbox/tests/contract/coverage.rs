//! The coverage page: that it is current, and that a running sandbox does what it says.

use std::collections::HashMap;

use guichet_sandbox::coverage::operations::{AREAS, BETA, EXCHANGE, LOGIN, Operation, Status};
use guichet_sandbox::coverage::{REGENERATE, page};

use crate::world::{SUPPORT, World};

#[test]
fn the_coverage_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sandbox-coverage.md");
    if std::env::var_os("GUICHET_WRITE_COVERAGE").is_some() {
        std::fs::write(path, page()).expect("the page is written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/sandbox-coverage.md is stale: {REGENERATE}");
}

#[tokio::test(flavor = "multi_thread")]
async fn coverage_of_each_operation_is_as_the_page_says() {
    let world = World::new().await;
    let mut problems = Vec::new();
    for (area, rows) in AREAS {
        for row in *rows {
            let answer = sent(&world, area, row).await;
            let shown = String::from_utf8_lossy(&answer.bytes);
            let unknown = answer.status == 405
                || answer.status == 501
                || shown.contains("Resource not found for the segment")
                || shown.contains("Invalid version");
            let right = match row.status {
                Status::Done => !unknown && answer.status.as_u16() < 500,
                Status::Refused(_) => answer.status == 501 && shown.contains("does not support"),
            };
            if !right {
                problems.push(format!("{} {}: {} {shown}", row.method, row.path, answer.status));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

async fn sent(world: &World, area: &str, row: &Operation) -> crate::harness::Answer {
    let mut path = row.path.to_owned();
    for (name, value) in objects(world, row.path).await {
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    assert!(!path.contains('{'), "{path}: a placeholder nobody fills");
    let (root, token) = match area {
        area if area == LOGIN || area == EXCHANGE => ("", None),
        area if area == BETA => ("/beta", Some(world.app.as_str())),
        _ => ("/v1.0", Some(world.app.as_str())),
    };
    let url = world.tenant.url(&format!("{root}{path}"));
    let mut headers = vec![("ConsistencyLevel".to_owned(), "eventual".to_owned())];
    if row.method != "GET" {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let body = if row.method == "GET" {
        Vec::new()
    } else {
        b"{}".to_vec()
    };
    world.send(row.method, &url, token, &headers, body).await
}

/// Fresh objects for the placeholders of a path.
async fn objects(world: &World, path: &str) -> HashMap<&'static str, String> {
    let has = |name: &str| path.contains(&format!("{{{name}}}"));
    let mut found = HashMap::from([
        ("tenant", world.tenant.description().tenant_id.to_string()),
        ("user", SUPPORT.to_owned()),
        ("name", "unique".to_owned()),
        ("owner", "5f1c9c6e-0000-4000-8000-000000000002".to_owned()),
        // A group that is not there: 404 shows that the operation is known.
        ("group", "5f1c9c6e-0000-4000-8000-000000000001".to_owned()),
    ]);
    if has("assignment") {
        let (principal, assignment) = world.assignment().await;
        let of_resource = path.contains("appRoleAssignedTo");
        found.insert(
            "servicePrincipal",
            if of_resource { world.graph.clone() } else { principal },
        );
        found.insert("assignment", assignment);
    } else if has("application") || has("servicePrincipal") || has("appId") {
        let (application, principal, app_id) = world.application().await;
        found.extend([
            ("application", application),
            ("servicePrincipal", principal),
            ("appId", app_id),
        ]);
    }
    if has("deleted") {
        let (application, ..) = world.application().await;
        let path = format!("/applications/{application}");
        let gone = world
            .tenant
            .graph(&world.app, reqwest::Method::DELETE, &path, &serde_json::Value::Null)
            .await;
        assert_eq!(gone.status, 204);
        found.insert("deleted", application);
    }
    if has("grant") {
        found.insert("grant", world.grant().await.1);
    }
    if has("folder") {
        found.insert("folder", world.folder().await);
    }
    if has("attachment") {
        let (message, attachment) = world.attachment("fileAttachment").await;
        found.extend([("message", message), ("attachment", attachment)]);
    } else if has("message") {
        found.insert("message", world.mail().await);
    }
    if has("draft") {
        found.insert("draft", world.draft().await);
    }
    if has("subscription") {
        found.insert("subscription", world.subscription().await);
    }
    found
}
