//! Directory objects over their life: changes seen by `delta`, deletion and return, unusual users.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::read;
use crate::world::{World, text};

async fn follow(world: &World, link: &str) -> Value {
    let request = world.tenant.client.get(link).bearer_auth(&world.app);
    read(request.send().await.expect("an answer")).await.body
}

fn ids(page: &Value) -> Vec<&str> {
    let list = page["value"].as_array().expect("a list").iter();
    list.filter_map(|entity| entity["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn delta_tells_what_was_made_changed_and_deleted() {
    let world = World::new().await;
    let (kept, ..) = world.application().await;
    let (lost, ..) = world.application().await;
    let first = world
        .tenant
        .get(&world.app, "/applications/delta?$select=displayName")
        .await
        .body;
    assert!(ids(&first).contains(&kept.as_str()) && ids(&first).contains(&lost.as_str()));
    assert!(first["value"][0].get("appId").is_none(), "{first}");
    let link = text(&first, "@odata.deltaLink");
    assert_eq!(follow(&world, &link).await["value"], json!([]));
    let (new, ..) = world.application().await;
    let path = format!("/applications/{kept}");
    let change = json!({"displayName": "Changed"});
    assert_eq!(
        world
            .tenant
            .graph(&world.app, Method::PATCH, &path, &change)
            .await
            .status,
        204
    );
    let path = format!("/applications/{lost}");
    assert_eq!(
        world
            .tenant
            .graph(&world.app, Method::DELETE, &path, &Value::Null)
            .await
            .status,
        204
    );
    let second = follow(&world, &link).await;
    let mut seen = ids(&second);
    seen.sort_unstable();
    let mut wanted = vec![kept.as_str(), lost.as_str(), new.as_str()];
    wanted.sort_unstable();
    assert_eq!(seen, wanted, "{second}");
    let list = second["value"].as_array().expect("a list");
    let removed = list
        .iter()
        .find(|entity| entity["id"] == lost.as_str())
        .expect("the lost one");
    assert_eq!(removed["@removed"]["reason"], "changed");
    let path = format!("/directory/deletedItems/{lost}");
    assert_eq!(
        world
            .tenant
            .graph(&world.app, Method::DELETE, &path, &Value::Null)
            .await
            .status,
        204
    );
    let again = follow(&world, &link).await;
    let list = again["value"].as_array().expect("a list");
    let removed = list
        .iter()
        .find(|entity| entity["id"] == lost.as_str())
        .expect("the lost one");
    assert_eq!(removed["@removed"]["reason"], "deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_many_objects_has_pages() {
    let world = World::new().await;
    for number in 0..210 {
        let body = json!({"displayName": format!("Many {number}")});
        assert_eq!(world.tenant.post(&world.app, "/applications", &body).await.status, 201);
    }
    let first = world.tenant.get(&world.app, "/applications/delta").await.body;
    assert_eq!(ids(&first).len(), 200);
    let second = follow(&world, &text(&first, "@odata.nextLink")).await;
    assert!(second.get("@odata.deltaLink").is_some(), "{second}");
    let mut all = ids(&first);
    all.extend(ids(&second));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((count, all.len() >= 210), (all.len(), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_application_waits_thirty_days() {
    let world = World::new().await;
    let (id, principal, _) = world.application().await;
    let own = format!("/applications/{id}");
    assert_eq!(
        world
            .tenant
            .graph(&world.app, Method::DELETE, &own, &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(world.tenant.get(&world.app, &own).await.status, 404);
    let list = world
        .tenant
        .get(&world.app, "/directory/deletedItems/microsoft.graph.application")
        .await
        .body;
    assert_eq!(ids(&list), [id.as_str()]);
    assert!(list["value"][0]["deletedDateTime"].is_string());
    let list = world
        .tenant
        .get(&world.app, "/directory/deletedItems/microsoft.graph.servicePrincipal")
        .await
        .body;
    assert_eq!(ids(&list), [principal.as_str()]);
    let path = format!("/directory/deletedItems/{id}/restore");
    let restored = world.tenant.post(&world.app, &path, &Value::Null).await;
    assert_eq!(restored.status, 200, "{:?}", restored.body);
    assert_eq!(restored.body["@odata.type"], "#microsoft.graph.application");
    assert_eq!(world.tenant.get(&world.app, &own).await.status, 200);
    assert_eq!(
        world
            .tenant
            .graph(&world.app, Method::DELETE, &own, &Value::Null)
            .await
            .status,
        204
    );
    let step = json!({"advance_seconds": 30 * 86_400});
    assert_eq!(world.tenant.control(Method::POST, "/clock", &step).await.status, 200);
    let token = world.tenant.application_token(&world.app_id, &world.secret).await;
    assert_eq!(world.tenant.post(&token, &path, &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_name_creates_once_and_changes_then() {
    let world = World::new().await;
    let url = world.tenant.url("/v1.0/applications(uniqueName='app-65')");
    let patch = |name: &'static str| {
        let request = world
            .tenant
            .client
            .patch(&url)
            .bearer_auth(&world.app)
            .header("prefer", "create-if-missing")
            .json(&json!({"displayName": name}));
        async { read(request.send().await.expect("an answer")).await }
    };
    let made = patch("First").await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(made.body["uniqueName"], "app-65");
    assert_eq!(patch("Second").await.status, 204);
    let shown = world
        .tenant
        .get(&world.app, "/applications(uniqueName='app-65')")
        .await
        .body;
    assert_eq!(
        (&shown["displayName"], &shown["id"]),
        (&json!("Second"), &made.body["id"])
    );
    let path = "/applications(uniqueName='app-66')";
    let change = json!({"displayName": "x"});
    let missing = world.tenant.graph(&world.app, Method::PATCH, path, &change).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_queries_work_with_their_header() {
    let world = World::new().await;
    let get = |query: &str| {
        let url = world.tenant.url(&format!("/v1.0/users?{query}"));
        let request = world
            .tenant
            .client
            .get(url)
            .bearer_auth(&world.app)
            .header("ConsistencyLevel", "eventual");
        async { read(request.send().await.expect("an answer")).await }
    };
    for (query, count) in [
        ("$count=true&$filter=endsWith(mail,'contoso.example')", 3),
        (
            "$count=true&$filter=startsWith(displayName,'s')&$orderby=displayName desc",
            2,
        ),
        (
            "$count=true&$filter=displayName in ('Sales','Billing') and accountEnabled eq true",
            2,
        ),
        (
            "$count=true&$filter=not(startsWith(displayName,'s')) and userType ne 'Guest'",
            3,
        ),
        ("$count=true&$search=\"displayName:sal\"", 1),
    ] {
        let answer = get(query).await;
        assert_eq!(answer.body["@odata.count"], count, "{query}: {:?}", answer.body);
    }
    let page = get("$count=true&$top=2&$orderby=displayName&$select=displayName")
        .await
        .body;
    let rest = text(&page, "@odata.nextLink");
    assert!(rest.contains("$skiptoken="), "{rest}");
    assert_eq!(page["value"][0]["displayName"], "Administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_without_mailbox_say_so_each_in_their_way() {
    let world = World::new().await;
    let make = |name: &'static str, kind: &'static str| {
        let body = json!({"user_principal_name": name, "kind": kind});
        let world = &world;
        async move {
            let made = world.tenant.control(Method::POST, "/users", &body).await;
            assert_eq!(made.status, 201, "{:?}", made.body);
            text(&made.body, "id")
        }
    };
    let foundation = make("free@contoso.example", "foundation").await;
    let guest = make("guest@fabrikam.example", "guest").await;
    let select = "$select=assignedPlans,userType,mail,userPrincipalName";
    let shown = world
        .tenant
        .get(&world.app, &format!("/users/{foundation}?{select}"))
        .await
        .body;
    assert_eq!(
        shown["assignedPlans"][0]["servicePlanId"],
        "113feb6c-3fe4-4440-bddc-54d774bf0318"
    );
    assert_eq!(shown["assignedPlans"][0]["service"], "exchange");
    let details = world
        .tenant
        .get(&world.app, &format!("/users/{foundation}/licenseDetails"))
        .await
        .body;
    assert_eq!(
        details["value"][0]["servicePlans"][0]["servicePlanName"],
        "EXCHANGE_S_FOUNDATION"
    );
    let shown = world
        .tenant
        .get(&world.app, &format!("/users/{guest}?{select}"))
        .await
        .body;
    assert_eq!(
        (&shown["userType"], &shown["mail"]),
        (&json!("Guest"), &json!("guest@fabrikam.example"))
    );
    assert!(text(&shown, "userPrincipalName").contains("#EXT#"));
    for user in [foundation, guest] {
        let inbox = world
            .tenant
            .get(&world.app, &format!("/users/{user}/mailFolders/inbox"))
            .await;
        assert_eq!(
            (inbox.status.as_u16(), inbox.error_code()),
            (404, "MailboxNotEnabledForRESTAPI")
        );
    }
}
