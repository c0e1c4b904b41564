//! Exchange's rules over mail: RBAC for Applications, application access policies, and their union.

use reqwest::Method;
use serde_json::{Value, json};

use crate::exchange_world::{App, assign, group, outcome, run, try_run};
use crate::harness::{GRAPH, Tenant, claims};

const SUPPORT: &str = "support@contoso.example";
const SALES: &str = "sales@contoso.example";
const MAIL_READ: &str = "810c84a8-4a9e-49e6-bf7d-12d183f40d01";
const MAIL_SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
const DENIED: &str = "Access is denied. Check credentials and try again.";
const BLOCKED: &str =
    "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";

#[tokio::test]
async fn a_scoped_role_opens_its_mailboxes_and_is_invisible_in_tokens() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await, (403, DENIED.to_owned()));
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(app.reads(&tenant, SALES).await, (403, DENIED.to_owned()));
    let token = app.token(&tenant, GRAPH).await;
    assert!(claims(&token).get("roles").is_none());
    // Reading is not writing.
    let draft = tenant
        .post(&token, &format!("/users/{SUPPORT}/messages"), &json!({"subject": "x"}))
        .await;
    assert_eq!(draft.status, 403);
}

#[tokio::test]
async fn a_composite_role_grants_all_its_parts() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail Full Access", &team).await;
    let token = app.token(&tenant, GRAPH).await;
    let path = format!("/users/{SUPPORT}/messages");
    assert_eq!(tenant.post(&token, &path, &json!({"subject": "x"})).await.status, 201);
    let mail = json!({"message": {"subject": "x", "toRecipients": [{"emailAddress": {"address": SALES}}]}});
    let send = |from: &str| format!("/users/{from}/sendMail");
    assert_eq!(tenant.post(&token, &send(SUPPORT), &mail).await.status, 202);
    assert_eq!(tenant.post(&token, &send(SALES), &mail).await.status, 403);
    // Settings are no part of it.
    let path = format!("/users/{SUPPORT}/mailboxSettings");
    assert_eq!(tenant.get(&token, &path).await.status, 403);
}

#[tokio::test]
async fn only_direct_members_are_in_scope() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    group(&tenant, "Inner", &[SALES]).await;
    let outer = group(&tenant, "Outer", &[SUPPORT, "Inner"]).await;
    assign(&tenant, &app, "Application Mail.Read", &outer).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(app.reads(&tenant, SALES).await.0, 403);
}

#[tokio::test]
async fn an_unscoped_grant_of_entra_defeats_the_scope() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[MAIL_READ], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    assert_eq!(app.reads(&tenant, SALES).await.0, 200);
}

#[tokio::test]
async fn scopes_are_filters_groups_and_administrative_units() {
    let tenant = Tenant::start().await;
    run(
        &tenant,
        "Set-Mailbox",
        json!({"Identity": SUPPORT, "CustomAttribute1": "helpdesk"}),
    )
    .await;
    let filters = App::new(&tenant, &[], &[]).await;
    let pointer = |app: &App| json!({"AppId": app.app_id, "ObjectId": app.principal});
    run(&tenant, "New-ServicePrincipal", pointer(&filters)).await;
    let scope = json!({"Name": "Desk", "RecipientRestrictionFilter": "CustomAttribute1 -eq 'HelpDesk'"});
    run(&tenant, "New-ManagementScope", scope).await;
    let role = json!({"App": filters.principal, "Role": "Application Mail.Read", "CustomResourceScope": "Desk"});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(filters.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(filters.reads(&tenant, SALES).await.0, 403);

    let groups = App::new(&tenant, &[], &[]).await;
    run(&tenant, "New-ServicePrincipal", pointer(&groups)).await;
    group(&tenant, "Team", &[SALES]).await;
    let role = json!({"App": groups.principal, "Role": "Application Mail.Read", "RecipientGroupScope": "Team"});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(groups.reads(&tenant, SALES).await.0, 200);
    assert_eq!(groups.reads(&tenant, SUPPORT).await.0, 403);

    let units = App::new(&tenant, &[], &[]).await;
    run(&tenant, "New-ServicePrincipal", pointer(&units)).await;
    let unit = json!({"display_name": "Paris", "members": [SUPPORT]});
    let unit = tenant.control(Method::POST, "/exchange/units", &unit).await.body["id"].clone();
    let role =
        json!({"App": units.principal, "Role": "Application Mail.Read", "RecipientAdministrativeUnitScope": unit});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(units.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(units.reads(&tenant, SALES).await.0, 403);
}

#[tokio::test]
async fn an_exclusive_scope_opens_its_members_and_shields_nobody() {
    let tenant = Tenant::start().await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    let pointer = |app: &App| json!({"AppId": app.app_id, "ObjectId": app.principal});
    let scoped = App::new(&tenant, &[], &[]).await;
    run(&tenant, "New-ServicePrincipal", pointer(&scoped)).await;
    let filter = format!("MemberOfGroup -eq '{team}'");
    let scope = json!({"Name": "Only", "RecipientRestrictionFilter": filter, "Exclusive": true});
    run(&tenant, "New-ManagementScope", scope).await;
    let role = json!({"App": scoped.principal, "Role": "Application Mail.Read", "CustomResourceScope": "Only"});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(scoped.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(scoped.reads(&tenant, SALES).await.0, 403);
    let other = App::new(&tenant, &[], &[]).await;
    run(&tenant, "New-ServicePrincipal", pointer(&other)).await;
    let role = json!({"App": other.principal, "Role": "Application Mail.Read"});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(other.reads(&tenant, SUPPORT).await.0, 200);
}

#[tokio::test]
async fn an_assignment_without_scope_reaches_everybody_until_it_is_disabled() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    let pointer = json!({"AppId": app.app_id, "ObjectId": app.principal});
    run(&tenant, "New-ServicePrincipal", pointer).await;
    let role = json!({"Name": "All", "App": app.principal, "Role": "Application Mail.ReadBasic"});
    run(&tenant, "New-ManagementRoleAssignment", role).await;
    assert_eq!(app.reads(&tenant, SALES).await.0, 200);
    run(
        &tenant,
        "Set-ManagementRoleAssignment",
        json!({"Identity": "All", "Enabled": false}),
    )
    .await;
    assert_eq!(app.reads(&tenant, SALES).await.0, 403);
    run(
        &tenant,
        "Remove-ManagementRoleAssignment",
        json!({"Identity": "All", "Confirm": false}),
    )
    .await;
    assert_eq!(run(&tenant, "Get-ManagementRoleAssignment", json!({})).await.len(), 0);
}

#[tokio::test]
async fn deleting_the_principal_in_entra_removes_its_assignments() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    let token = app.token(&tenant, GRAPH).await;
    let administrator = tenant.administrator_token().await;
    let path = format!("/servicePrincipals/{}", app.principal);
    assert_eq!(
        tenant
            .graph(&administrator, Method::DELETE, &path, &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(run(&tenant, "Get-ManagementRoleAssignment", json!({})).await.len(), 0);
    assert_eq!(run(&tenant, "Get-ServicePrincipal", json!({})).await.len(), 0);
    let path = format!("/users/{SUPPORT}/messages");
    assert_eq!(tenant.get(&token, &path).await.status, 403);
}

#[tokio::test]
async fn access_policies_limit_what_entra_granted_in_the_documented_order() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[MAIL_READ], &[]).await;
    group(&tenant, "Team", &[SUPPORT]).await;
    let policy =
        |target: &str, right: &str| json!({"AppId": app.app_id, "PolicyScopeGroupId": target, "AccessRight": right});
    run(&tenant, "New-ApplicationAccessPolicy", policy("Team", "RestrictAccess")).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(app.reads(&tenant, SALES).await, (403, BLOCKED.to_owned()));
    run(&tenant, "New-ApplicationAccessPolicy", policy(SUPPORT, "DenyAccess")).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await, (403, BLOCKED.to_owned()));
    for made in run(&tenant, "Get-ApplicationAccessPolicy", json!({})).await {
        let which = json!({"Identity": made["Identity"], "Confirm": false});
        run(&tenant, "Remove-ApplicationAccessPolicy", which).await;
    }
    assert_eq!(app.reads(&tenant, SALES).await.0, 200);
}

#[tokio::test]
async fn access_policies_do_not_limit_roles_of_exchange() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[MAIL_SEND], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    group(&tenant, "Nobody", &[]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    let policy = json!({"AppId": app.app_id, "PolicyScopeGroupId": "Nobody", "AccessRight": "RestrictAccess"});
    run(&tenant, "New-ApplicationAccessPolicy", policy).await;
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 200);
    let token = app.token(&tenant, GRAPH).await;
    let mail = json!({"message": {"subject": "x", "toRecipients": [{"emailAddress": {"address": SALES}}]}});
    let sent = tenant.post(&token, &format!("/users/{SUPPORT}/sendMail"), &mail).await;
    assert_eq!(outcome(&sent), (403, BLOCKED.to_owned()));
}

#[tokio::test]
async fn a_shared_mailbox_or_a_plain_list_is_no_target_of_a_policy() {
    let tenant = Tenant::start().await;
    let shared = json!({"kind": "shared"});
    let path = format!("/mailboxes/{SALES}/profile");
    assert_eq!(tenant.control(Method::PATCH, &path, &shared).await.status, 200);
    run(&tenant, "New-DistributionGroup", json!({"Name": "List"})).await;
    let app = uuid::Uuid::from_u128(5);
    for target in [SALES, "List", "nobody@contoso.example"] {
        let policy = json!({"AppId": app, "PolicyScopeGroupId": target, "AccessRight": "DenyAccess"});
        let refused = try_run(&tenant, "New-ApplicationAccessPolicy", policy).await;
        assert_eq!(refused.status, 400, "{target}");
    }
}

#[tokio::test]
async fn tests_see_what_the_cache_does_not_let_through_yet() {
    let tenant =
        Tenant::start_with(|config| config.frozen_at = Some("2026-03-01T00:00:00Z".parse().expect("a time"))).await;
    let settings = json!({"cache_idle_seconds": 1800, "cache_longest_seconds": 7200});
    let set = tenant.control(Method::PUT, "/exchange/settings", &settings).await;
    assert_eq!(set.status, 200, "{:?}", set.body);
    let app = App::new(&tenant, &[MAIL_READ], &[]).await;
    assert_eq!(app.reads(&tenant, SALES).await.0, 200);
    group(&tenant, "Team", &[SUPPORT]).await;
    let policy = json!({"AppId": app.app_id, "PolicyScopeGroupId": "Team", "AccessRight": "RestrictAccess"});
    run(&tenant, "New-ApplicationAccessPolicy", policy).await;
    let asked = json!({"Identity": SALES, "AppId": app.app_id});
    let tested = run(&tenant, "Test-ApplicationAccessPolicy", asked).await;
    assert_eq!(tested[0]["AccessCheckResult"], "Denied");
    let team = run(&tenant, "Get-DistributionGroup", json!({"Identity": "Team"})).await;
    assign(
        &tenant,
        &app,
        "Application Mail.Send",
        team[0]["DistinguishedName"].as_str().expect("a name"),
    )
    .await;
    let asked = json!({"Identity": app.app_id, "Resource": SUPPORT});
    let tested = run(&tenant, "Test-ServicePrincipalAuthorization", asked).await;
    assert_eq!(tested[0]["RoleName"], "Application Mail.Send");
    assert_eq!(tested[0]["GrantedPermissions"], "Mail.Send");
    assert_eq!(tested[0]["ScopeType"], "CustomRecipientScope");
    assert_eq!(tested[0]["InScope"], true);
    let unasked = run(
        &tenant,
        "Test-ServicePrincipalAuthorization",
        json!({"Identity": app.app_id}),
    )
    .await;
    assert_eq!(unasked[0]["InScope"], "Not Run");

    assert_eq!(app.reads(&tenant, SALES).await.0, 200);
    let pass = json!({"advance_seconds": 1800});
    tenant.control(Method::POST, "/clock", &pass).await;
    assert_eq!(app.reads(&tenant, SALES).await, (403, BLOCKED.to_owned()));
}

#[tokio::test]
async fn subscriptions_by_a_role_of_exchange_alone_can_be_switched_off() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    let token = app.token(&tenant, GRAPH).await;
    let wanted = json!({
        "resource": format!("users/{SUPPORT}/messages"),
        "changeType": "created",
        "notificationUrl": "https://127.0.0.1:9/never",
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    // The request is refused for its time only after the permission was judged.
    let allowed = tenant.post(&token, "/subscriptions", &wanted).await;
    assert_eq!(allowed.status, 400, "{:?}", allowed.body);
    let settings = json!({"subscriptions_by_rbac": false});
    tenant.control(Method::PUT, "/exchange/settings", &settings).await;
    let refused = tenant.post(&token, "/subscriptions", &wanted).await;
    assert_eq!(refused.status, 403, "{:?}", refused.body);
}

#[tokio::test]
async fn effective_access_can_be_asked_for() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[MAIL_SEND], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    assign(&tenant, &app, "Application Mail.Read", &team).await;
    let path = format!("/exchange/access?app={}&mailbox={SUPPORT}", app.app_id);
    let told = tenant.control(Method::GET, &path, &Value::Null).await.body;
    assert_eq!(told["by_entra"], json!(["Mail.Send"]));
    assert_eq!(told["now"]["by_exchange"], json!(["Mail.Read"]));
    assert_eq!(told["now"]["effective"], json!(["Mail.Send", "Mail.Read"]));
}

#[tokio::test]
async fn mailboxes_that_graph_does_not_reach_say_why() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[MAIL_READ], &[]).await;
    let token = app.token(&tenant, GRAPH).await;
    let path = format!("/mailboxes/{SUPPORT}/profile");
    let set = async |profile: Value| {
        let answer = tenant.control(Method::PATCH, &path, &profile).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body["id"].as_str().expect("an id").to_owned()
    };
    let code = async |user: &str| {
        let answer = tenant.get(&token, &format!("/users/{user}/messages")).await;
        (answer.status.as_u16(), answer.error_code().to_owned())
    };
    let none = (404, "MailboxNotEnabledForRESTAPI".to_owned());
    set(json!({"condition": "soft_deleted"})).await;
    assert_eq!(code(SUPPORT).await, none);
    set(json!({"condition": "on_premises"})).await;
    assert_eq!(code(SUPPORT).await, none);
    set(json!({"condition": "active", "licensed": false})).await;
    assert_eq!(code(SUPPORT).await, none);
    let id = set(json!({"kind": "shared"})).await;
    assert_eq!(code(SUPPORT).await.0, 200);
    set(json!({"condition": "stale_by_name"})).await;
    assert_eq!(code(SUPPORT).await, (503, "MailboxInfoStale".to_owned()));
    assert_eq!(code(&id).await.0, 200);
}
