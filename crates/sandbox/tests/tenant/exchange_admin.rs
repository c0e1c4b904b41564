//! Exchange's administration over HTTP: who may, the shape of answers, cmdlets and Graph's view of the same state.

use reqwest::Method;
use serde_json::{Value, json};

use crate::exchange_world::{App, EXCHANGE, group, invoke, outcome, person, post_admin, run, set_password, try_run};
use crate::harness::{Answer, GRAPH, Tenant, read};

const SUPPORT: &str = "support@contoso.example";
const SALES: &str = "sales@contoso.example";
const MANAGE_AS_APP: &str = "dc50a0fb-09a3-484d-be87-e023b12c6440";
const ROLES_OF_EXCHANGE: &str = "025d3225-3f02-4882-b4c0-cd5b541a4e80";
const ROLES_OF_DIRECTORY: &str = "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8";
const EXCHANGE_ADMINISTRATOR: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";

async fn give_role(tenant: &Tenant, principal: &str) {
    let role = json!({"principal": principal, "role": "Exchange Administrator"});
    let given = tenant.control(Method::POST, "/directory-roles", &role).await;
    assert_eq!(given.status, 201, "{:?}", given.body);
}

/// A token of an application that may administer Exchange.
async fn administrator(tenant: &Tenant) -> String {
    let app = App::new(tenant, &[], &[MANAGE_AS_APP]).await;
    give_role(tenant, &app.app_id).await;
    app.token(tenant, EXCHANGE).await
}

#[tokio::test]
async fn administration_needs_the_permission_and_a_directory_role() {
    let tenant = Tenant::start().await;
    let stranger = App::new(&tenant, &[], &[]).await.token(&tenant, EXCHANGE).await;
    let ask = async |token: Option<&str>| invoke(&tenant, token, "Get-AcceptedDomain", json!({})).await;
    assert_eq!(ask(None).await.status, 401);
    assert_eq!(ask(Some(&stranger)).await.status, 401);
    let app = App::new(&tenant, &[], &[MANAGE_AS_APP]).await;
    let token = app.token(&tenant, EXCHANGE).await;
    let without_role = ask(Some(&token)).await;
    assert_eq!(without_role.status, 403);
    assert!(without_role.bytes.contains(&0) && serde_json::from_slice::<Value>(&without_role.bytes).is_err());
    give_role(&tenant, &app.app_id).await;
    let answer = ask(Some(&token)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body["value"][0]["DomainName"], "contoso.example");
    assert_eq!(answer.body["@adminapi.warnings"], json!([]));
    // A token for Graph opens nothing here, and the other way round.
    let graph = app.token(&tenant, GRAPH).await;
    assert_eq!(ask(Some(&graph)).await.status, 401);
    assert_eq!(tenant.get(&token, "/users").await.status, 401);
}

#[tokio::test]
async fn a_signed_in_administrator_needs_the_directory_role_alone() {
    let tenant = Tenant::start().await;
    let powershell = "fb78d390-0c51-40cd-8e17-fdbfab77341b";
    let (name, password) = {
        let administrator = &tenant.description().administrator;
        (
            administrator.user_principal_name.clone(),
            administrator.password.clone(),
        )
    };
    let token = person(&tenant, powershell, &name, &password, EXCHANGE).await;
    let answer = invoke(&tenant, Some(&token), "Get-Mailbox", json!({})).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    set_password(&tenant, SUPPORT, "correct horse 1").await;
    let token = person(&tenant, powershell, SUPPORT, "correct horse 1", EXCHANGE).await;
    let ask = async || invoke(&tenant, Some(&token), "Get-Mailbox", json!({})).await.status;
    assert_eq!(ask().await, 403);
    give_role(&tenant, SUPPORT).await;
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn a_directory_role_can_be_given_through_graph() {
    let tenant = Tenant::start().await;
    let granter = App::new(&tenant, &[ROLES_OF_DIRECTORY], &[])
        .await
        .token(&tenant, GRAPH)
        .await;
    let app = App::new(&tenant, &[], &[MANAGE_AS_APP]).await;
    let body =
        json!({"principalId": app.principal, "roleDefinitionId": EXCHANGE_ADMINISTRATOR, "directoryScopeId": "/"});
    let path = "/roleManagement/directory/roleAssignments";
    let nobody = App::new(&tenant, &[], &[]).await.token(&tenant, GRAPH).await;
    assert_eq!(tenant.post(&nobody, path, &body).await.status, 403);
    let given = tenant.post(&granter, path, &body).await;
    assert_eq!(given.status, 201, "{:?}", given.body);
    let token = app.token(&tenant, EXCHANGE).await;
    assert_eq!(
        invoke(&tenant, Some(&token), "Get-AcceptedDomain", json!({}))
            .await
            .status,
        200
    );
    let path = format!("{path}/{}", given.body["id"].as_str().expect("an id"));
    assert_eq!(
        tenant.graph(&granter, Method::DELETE, &path, &Value::Null).await.status,
        204
    );
    assert_eq!(
        invoke(&tenant, Some(&token), "Get-AcceptedDomain", json!({}))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn refusals_have_the_cause_inside() {
    let tenant = Tenant::start().await;
    let token = administrator(&tenant).await;
    let cause = |answer: &Answer| {
        assert_eq!(
            answer.body["error"]["message"], "Invalid Operation",
            "{:?}",
            answer.body
        );
        let details = answer.body["error"]["details"][0]["message"].as_str().expect("details");
        let inner = answer.body["error"]["innererror"]["internalexception"]["message"].as_str();
        assert!(details.ends_with(inner.expect("an inner message")));
        (answer.status.as_u16(), details.to_owned())
    };
    for (cmdlet, parameters, status, part) in [
        (
            "Get-Nonsense",
            json!({}),
            400,
            "The term 'Get-Nonsense' is not recognized",
        ),
        ("New-InboxRule", json!({"Mailbox": SUPPORT}), 501, "does not support"),
        (
            "New-ManagementScope",
            json!({}),
            400,
            "missing mandatory parameters: Name",
        ),
        (
            "Get-Mailbox",
            json!({"Colour": "red"}),
            400,
            "matches parameter name 'Colour'",
        ),
        (
            "Get-Mailbox",
            json!({"Identity": "nobody"}),
            404,
            "object 'nobody' couldn't be found",
        ),
        (
            "New-ServicePrincipal",
            json!({"AppId": "x", "ObjectId": "y"}),
            400,
            "System.Guid",
        ),
        (
            "New-ManagementScope",
            json!({"Name": "x", "RecipientRestrictionFilter": "Colour -eq 'red'"}),
            400,
            "isn't a filterable property",
        ),
        (
            "New-ManagementRoleAssignment",
            json!({"App": "x", "Role": "Mail.Read"}),
            400,
            "The role \"Mail.Read\" couldn't be found",
        ),
        (
            "Set-HostedConnectionFilterPolicy",
            json!({"Identity": "Default", "IPAllowList": {"Add": "192.0.2.0/16"}}),
            400,
            "/24",
        ),
        (
            "Set-HostedConnectionFilterPolicy",
            json!({"Identity": "Other"}),
            404,
            "Other",
        ),
    ] {
        let answer = invoke(&tenant, Some(&token), cmdlet, parameters).await;
        let (got, text) = cause(&answer);
        assert_eq!(got, status, "{cmdlet}: {text}");
        assert!(text.contains(part), "{cmdlet}: {text}");
    }
    let path = format!("/adminapi/beta/{}/InvokeCommand", tenant.description().tenant_id);
    assert_eq!(
        post_admin(&tenant, Some(&token), &path, &json!({"x": 1})).await.status,
        400
    );
    let elsewhere = format!("/adminapi/beta/{}/InvokeCommand", uuid::Uuid::from_u128(1));
    let body = json!({"CmdletInput": {"CmdletName": "Get-AcceptedDomain"}});
    assert_eq!(post_admin(&tenant, Some(&token), &elsewhere, &body).await.status, 401);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let tenant = Tenant::start().await;
    let token = administrator(&tenant).await;
    let path = format!("/adminapi/beta/{}/InvokeCommand", tenant.description().tenant_id);
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}});
    let mut url = tenant.url(&path);
    let mut names = Vec::new();
    for _ in 0..5 {
        let request = tenant
            .client
            .post(&url)
            .bearer_auth(&token)
            .header("prefer", "odata.maxpagesize=2");
        let page = read(request.json(&body).send().await.expect("an answer")).await;
        assert_eq!(page.status, 200, "{:?}", page.body);
        let value = page.body["value"].as_array().cloned().expect("a list");
        assert!(value.len() <= 2);
        names.extend(
            value
                .iter()
                .map(|mailbox| mailbox["Alias"].as_str().expect("a name").to_owned()),
        );
        match page.body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["support", "sales", "billing"]);
    let cut = invoke(&tenant, Some(&token), "Get-Mailbox", json!({"ResultSize": 1})).await;
    assert_eq!(cut.body["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(cut.body["@adminapi.warnings"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_documented_preview_runs_its_own_cmdlets_only() {
    let tenant = Tenant::start().await;
    let token = administrator(&tenant).await;
    let id = tenant.description().tenant_id;
    let ask = async |resource: &str, cmdlet: &str| {
        let path = format!("/adminapi/v2.0/{id}/{resource}");
        let body = json!({"CmdletInput": {"CmdletName": cmdlet}});
        post_admin(&tenant, Some(&token), &path, &body).await
    };
    let organization = ask("OrganizationConfig", "Get-OrganizationConfig").await;
    assert_eq!(organization.status, 200, "{:?}", organization.body);
    assert_eq!(organization.body["value"][0]["Guid"], id.to_string());
    assert_eq!(ask("Mailbox", "Get-Mailbox").await.status, 200);
    assert_eq!(ask("Mailbox", "New-ManagementScope").await.status, 400);
    assert_eq!(
        ask("MailboxFolderPermission", "Get-MailboxFolderPermission")
            .await
            .status,
        501
    );
    assert_eq!(ask("Nonsense", "Get-Mailbox").await.status, 404);
}

#[tokio::test]
async fn the_connection_filter_keeps_its_limits() {
    let tenant = Tenant::start().await;
    let token = administrator(&tenant).await;
    let set = async |parameters: Value| {
        let mut parameters = parameters;
        parameters["Identity"] = "Default".into();
        invoke(&tenant, Some(&token), "Set-HostedConnectionFilterPolicy", parameters)
            .await
            .status
    };
    let add = |entries: Value| json!({"IPAllowList": {"@odata.type": "#Exchange.GenericHashTable", "Add": entries}});
    assert_eq!(
        set(add(json!(["192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9"]))).await,
        200
    );
    assert_eq!(set(json!({"IPBlockList": {"Add": "192.0.2.7"}})).await, 200);
    assert_eq!(set(json!({"IPAllowList": {"Remove": "192.0.2.1"}})).await, 200);
    for bad in ["192.0.0.0/23", "2001:db8::/64", "192.0.2.0-192.0.4.0", "mail.example"] {
        assert_eq!(set(add(json!(bad))).await, 400, "{bad}");
    }
    let many: Vec<String> = (0..1_272).map(|n| format!("198.51.{}.{}", n / 250, n % 250)).collect();
    assert_eq!(set(add(json!(many))).await, 400);
    assert_eq!(set(add(json!(&many[..1_271]))).await, 200);
    let shown = invoke(&tenant, Some(&token), "Get-HostedConnectionFilterPolicy", json!({})).await;
    let list = shown.body["value"][0]["IPAllowList"]
        .as_array()
        .cloned()
        .expect("a list");
    assert_eq!(list.len(), 1_273);
    assert_eq!(list[0], "192.0.2.0/24");
    let judged = tenant
        .control(Method::GET, "/exchange/servers/192.0.2.7", &Value::Null)
        .await;
    assert_eq!(judged.body["verdict"], "allowed");
}

#[tokio::test]
async fn graph_beta_shows_and_sets_the_same_roles() {
    let tenant = Tenant::start().await;
    let app = App::new(&tenant, &[], &[]).await;
    let team = group(&tenant, "Team", &[SUPPORT]).await;
    let token = App::new(&tenant, &[ROLES_OF_EXCHANGE], &[])
        .await
        .token(&tenant, GRAPH)
        .await;
    let beta = async |method: Method, path: &str, body: Value| {
        let url = tenant.url(&format!("/beta/roleManagement/exchange{path}"));
        let mut request = tenant.client.request(method, url).bearer_auth(&token);
        if !body.is_null() {
            request = request.json(&body);
        }
        read(request.send().await.expect("an answer")).await
    };
    let filter = format!("MemberOfGroup -eq '{team}'");
    let scope = json!({
        "type": "RecipientScope",
        "displayName": "Team only",
        "customAttributes": {"Exclusive": false, "RecipientFilter": filter},
    });
    let scope = beta(Method::POST, "/customAppScopes", scope).await;
    assert_eq!(scope.status, 201, "{:?}", scope.body);
    let roles = beta(
        Method::GET,
        "/roleDefinitions?$filter=displayName%20eq%20'Application%20Mail.Read'",
        Value::Null,
    )
    .await;
    let role = roles.body["value"][0]["id"].clone();
    let assignment = json!({
        "principalId": format!("/ServicePrincipals/{}", app.principal),
        "roleDefinitionId": role,
        "directoryScopeId": null,
        "appScopeId": scope.body["id"],
    });
    let made = beta(Method::POST, "/roleAssignments", assignment).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 200);
    assert_eq!(app.reads(&tenant, SALES).await.0, 403);
    let held = run(
        &tenant,
        "Get-ManagementRoleAssignment",
        json!({"RoleAssignee": app.app_id}),
    )
    .await;
    assert_eq!(held[0]["CustomResourceScope"], "Team only");
    let scope_path = format!("/customAppScopes/{}", scope.body["id"].as_str().expect("an id"));
    assert_eq!(beta(Method::DELETE, &scope_path, Value::Null).await.status, 400);
    let path = format!("/roleAssignments/{}", made.body["id"].as_str().expect("an id"));
    assert_eq!(beta(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(beta(Method::DELETE, &scope_path, Value::Null).await.status, 204);
    assert_eq!(app.reads(&tenant, SUPPORT).await.0, 403);
    // Version 1.0 has no such provider, and others have no such right.
    let first = tenant.get(&token, "/roleManagement/exchange/customAppScopes").await;
    assert_eq!(
        outcome(&first),
        (400, "Resource not found for the segment 'exchange'.".to_owned())
    );
    let url = tenant.url("/beta/roleManagement/exchange/roleAssignments");
    let other = app.token(&tenant, GRAPH).await;
    let refused = read(
        tenant
            .client
            .get(url)
            .bearer_auth(other)
            .send()
            .await
            .expect("an answer"),
    )
    .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn graph_shows_groups_and_writes_plain_ones_only() {
    let tenant = Tenant::start().await;
    group(&tenant, "Team", &[SUPPORT]).await;
    let token = App::new(&tenant, &["62a82d76-70ea-41e2-9197-370581804d09"], &[])
        .await
        .token(&tenant, GRAPH)
        .await;
    let listed = tenant
        .get(&token, "/groups?$filter=mail%20eq%20'Team@contoso.example'")
        .await;
    assert_eq!(listed.status, 200, "{:?}", listed.body);
    let mailed = listed.body["value"][0].clone();
    assert_eq!(
        (&mailed["mailEnabled"], &mailed["securityEnabled"]),
        (&json!(true), &json!(true))
    );
    let members = format!("/groups/{}/members", mailed["id"].as_str().expect("an id"));
    let member = tenant.get(&token, &members).await.body["value"][0].clone();
    assert_eq!(member["@odata.type"], "#microsoft.graph.user");
    let reference = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", member["id"].as_str().expect("an id"))});
    assert_eq!(
        tenant.post(&token, &format!("{members}/$ref"), &reference).await.status,
        400
    );

    let new = json!({"displayName": "Plain", "mailEnabled": false, "mailNickname": "plain", "securityEnabled": true});
    let made = tenant.post(&token, "/groups", &new).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let own = format!("/groups/{}", made.body["id"].as_str().expect("an id"));
    assert_eq!(
        tenant
            .post(&token, &format!("{own}/members/$ref"), &reference)
            .await
            .status,
        204
    );
    assert_eq!(
        tenant
            .post(&token, &format!("{own}/members/$ref"), &reference)
            .await
            .status,
        400
    );
    let administrator = tenant.administrator_token().await;
    let of = tenant.get(&administrator, &format!("/users/{SUPPORT}/memberOf")).await;
    assert_eq!(of.body["value"].as_array().map(Vec::len), Some(2));
    let path = format!("{own}/members/{}/$ref", member["id"].as_str().expect("an id"));
    assert_eq!(
        tenant.graph(&token, Method::DELETE, &path, &Value::Null).await.status,
        204
    );
    assert_eq!(
        tenant.graph(&token, Method::DELETE, &own, &Value::Null).await.status,
        204
    );
    let mailed_new = json!({"displayName": "M", "mailEnabled": true, "mailNickname": "m", "securityEnabled": true});
    assert_eq!(tenant.post(&token, "/groups", &mailed_new).await.status, 400);
    let nobody = App::new(&tenant, &[], &[]).await.token(&tenant, GRAPH).await;
    assert_eq!(tenant.get(&nobody, "/groups").await.status, 403);
}

#[tokio::test]
async fn mailboxes_are_made_shown_and_changed() {
    let tenant = Tenant::start().await;
    let made = run(&tenant, "New-Mailbox", json!({"Shared": true, "Name": "Help Desk"})).await;
    assert_eq!(made[0]["RecipientTypeDetails"], "SharedMailbox");
    assert_eq!(made[0]["PrimarySmtpAddress"], "HelpDesk@contoso.example");
    let identity = "helpdesk@contoso.example";
    let change = json!({
        "Identity": identity,
        "ForwardingSmtpAddress": "smtp:copy@fabrikam.example",
        "DeliverToMailboxAndForward": true,
        "EmailAddresses": {"Add": "smtp:desk@contoso.example"},
        "GrantSendOnBehalfTo": SALES,
    });
    run(&tenant, "Set-Mailbox", change).await;
    let shown = run(&tenant, "Get-Mailbox", json!({"Identity": "desk@contoso.example"})).await;
    assert_eq!(shown[0]["ForwardingSmtpAddress"], "smtp:copy@fabrikam.example");
    assert_eq!(shown[0]["GrantSendOnBehalfTo"], json!(["sales"]));
    let kinds = run(&tenant, "Get-Mailbox", json!({"RecipientTypeDetails": "SharedMailbox"})).await;
    assert_eq!(kinds.len(), 1);
    let taken = json!({"Identity": SALES, "EmailAddresses": {"Add": "desk@contoso.example"}});
    assert_eq!(try_run(&tenant, "Set-Mailbox", taken).await.status, 400);
    let foreign = json!({"Identity": SALES, "EmailAddresses": {"Add": "desk@fabrikam.example"}});
    assert_eq!(try_run(&tenant, "Set-Mailbox", foreign).await.status, 400);
    let token = tenant.mail_token().await;
    let path = format!("/users/{identity}/mailFolders/inbox");
    assert_eq!(tenant.get(&token, &path).await.status, 200);
    run(
        &tenant,
        "Remove-Mailbox",
        json!({"Identity": identity, "Confirm": false}),
    )
    .await;
    assert_eq!(tenant.get(&token, &path).await.status, 404);
    assert_eq!(
        run(&tenant, "Get-Mailbox", json!({"SoftDeletedMailbox": true}))
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn inbox_rules_are_shown_switched_and_removed() {
    let tenant = Tenant::start().await;
    let settings = "6931bccd-447a-43d1-b442-00a195474933";
    let token = App::new(&tenant, &[settings], &[]).await.token(&tenant, GRAPH).await;
    let rule = json!({
        "displayName": "Orders",
        "sequence": 1,
        "isEnabled": true,
        "conditions": {"subjectContains": ["order"]},
        "actions": {"markAsRead": true},
    });
    let path = format!("/users/{SUPPORT}/mailFolders/inbox/messageRules");
    let made = tenant.post(&token, &path, &rule).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let shown = run(&tenant, "Get-InboxRule", json!({"Mailbox": SUPPORT})).await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["SubjectContainsWords"], json!(["order"]));
    let identity = shown[0]["Identity"].clone();
    run(&tenant, "Disable-InboxRule", json!({"Identity": identity})).await;
    assert_eq!(
        run(&tenant, "Get-InboxRule", json!({"Identity": identity})).await[0]["Enabled"],
        false
    );
    run(
        &tenant,
        "Remove-InboxRule",
        json!({"Identity": "Orders", "Mailbox": SUPPORT, "Confirm": false}),
    )
    .await;
    assert_eq!(tenant.get(&token, &path).await.body["value"], json!([]));
    let gone = json!({"Identity": "Orders", "Mailbox": SUPPORT});
    assert_eq!(try_run(&tenant, "Remove-InboxRule", gone).await.status, 400);
}

#[tokio::test]
async fn a_removed_mailbox_takes_no_mail() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    run(&tenant, "Remove-Mailbox", json!({"Identity": SALES, "Confirm": false})).await;
    let mail = json!({"message": {"subject": "Lost", "toRecipients": [{"emailAddress": {"address": SALES}}]}});
    assert_eq!(
        tenant
            .post(&token, &format!("/users/{SUPPORT}/sendMail"), &mail)
            .await
            .status,
        202
    );
    let inbox = tenant
        .get(&token, &format!("/users/{SUPPORT}/mailFolders/inbox/messages"))
        .await
        .body;
    assert_eq!(inbox["value"].as_array().map(Vec::len), Some(1), "a report says so");
}
