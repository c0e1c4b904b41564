//! How each documented exchange is replayed: which objects it needs, what stands for its placeholders.
//!
//! Owns the preparation of requests and the explicit list of what is not compared, each with its reason.

use serde_json::{Value, json};

use crate::plan_directory;
use crate::world::{SUPPORT, World, text};

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Person,
    Application,
    Nobody,
}

/// A request that is ready to be sent.
pub struct Prepared {
    pub sender: Sender,
    /// Path below `/v1.0`, or a whole address.
    pub path: String,
    /// In place of the example's body.
    pub body: Option<Value>,
}

/// What is done with an example.
pub enum Plan {
    Send(Prepared),
    /// It is replayed elsewhere, or it is no request; the reason.
    Elsewhere(&'static str),
    /// The sandbox refuses it with 501.
    Refused(Prepared),
}

/// Answers that the documentation shows differently from its own schema or prose: example, place, reason.
pub const TOLERATED: &[(&str, &str, &str)] = &[
    (
        "singlevaluelegacyextendedproperty-get__01",
        "/singleValueExtendedProperties@odata.context",
        "an annotation",
    ),
    (
        "user-get-mailboxsettings__03",
        "/timeZone",
        "the example's mailbox has a time zone of its own making",
    ),
    ("attachment-get__03", "/item@odata.context", "an annotation"),
    (
        "attachment-get__04",
        "/item",
        "the beta example expands what the item itself has attached, and shows properties of stored messages",
    ),
    ("attachment-get__04", "/item@odata.context", "an annotation"),
    (
        "graph-batch-2025__01",
        "/responses",
        "the example's requests are refused for want of permissions that ours has",
    ),
    (
        "application-delta__01",
        "/value/api",
        "the example shows property names of a preview, not those of the schema",
    ),
    (
        "application-delta__01",
        "/value/allowPublicClient",
        "a property of a preview",
    ),
    (
        "application-delta__01",
        "/value/applicationAliases",
        "a property of a preview",
    ),
    (
        "application-delta__01",
        "/value/installedClients",
        "a property of a preview",
    ),
    (
        "application-delta__01",
        "/@odata.nextLink",
        "all objects fit one page: a delta link follows",
    ),
    (
        "serviceprincipal-delta__01",
        "/@odata.nextLink",
        "all objects fit one page: a delta link follows",
    ),
    (
        "oauth2permissiongrant-delta__01",
        "/@odata.nextLink",
        "all objects fit one page: a delta link follows",
    ),
    (
        "mailfolder-delta__01",
        "/@odata.nextLink",
        "all folders fit one page: a delta link follows",
    ),
    (
        "serviceprincipal-get__01",
        "/endpoints",
        "a navigation property in the schema",
    ),
    (
        "serviceprincipal-list__04",
        "/value",
        "the tenant has no principal of that name before the search",
    ),
    ("domain-get__01", "/availabilityStatus", "null in every tenant seen"),
    ("message-move__01", "/@odata.type", "an annotation"),
    (
        "delta-query-messages__02",
        "/@odata.nextLink",
        "one mail fits the page: a delta link follows",
    ),
    (
        "delta-query-messages__03",
        "/@odata.nextLink",
        "one mail fits the page: a delta link follows",
    ),
    (
        "message-delta__01",
        "/@odata.nextLink",
        "one mail fits the page: a delta link follows",
    ),
    (
        "delta-query-messages__05",
        "/value",
        "nothing changed since the delta link",
    ),
    (
        "query-parameters__18",
        "/error",
        "the page shows the error of another request under this one",
    ),
    (
        "json-batching__01",
        "",
        "the page shows the request in the place of the answer",
    ),
    (
        "attachment-get__03",
        "/item",
        "the example's item is an event; ours is a message",
    ),
    (
        "attachment-get__02",
        "",
        "the example's item is an event; ours is a message",
    ),
    ("webhooks__03", "", "the page shows no answer"),
    ("webhooks-lifecycle__01", "", "the page shows no answer"),
    (
        "singlevaluelegacyextendedproperty-get__01",
        "/singleValueExtendedProperties",
        "set in this example's own way",
    ),
    (
        "user-get-mailboxsettings__01",
        "/archiveFolder",
        "a mailbox without an archive has none",
    ),
    ("outlook-large-attachments__03", "/@odata.context", "an annotation"),
    ("auth-v2-service__01", "", "the page shows no answer"),
];

fn person(path: impl Into<String>) -> Plan {
    prepared(Sender::Person, path.into(), None)
}

pub fn application(path: impl Into<String>) -> Plan {
    prepared(Sender::Application, path.into(), None)
}

fn prepared(sender: Sender, path: String, body: Option<Value>) -> Plan {
    Plan::Send(Prepared { sender, path, body })
}

pub fn with_body(plan: Plan, body: Value) -> Plan {
    match plan {
        Plan::Send(prepared) => Plan::Send(Prepared {
            body: Some(body),
            ..prepared
        }),
        other => other,
    }
}

/// The plan of one example.
pub async fn plan(world: &World, example: &Value) -> Plan {
    let id = text(example, "id");
    let path = example["path"].as_str().unwrap_or_default();
    let (page, _) = id.split_once("__").expect("page and number");
    if page.starts_with("oauth-") || page.starts_with("notification-") {
        return Plan::Elsewhere("replayed in recordings.rs and in the tests of notifications");
    }
    match page {
        "exo-admin-invokecommand" | "exo-admin-v2-organizationconfig" | "mail-error-accesspolicy" => {
            Plan::Elsewhere("part of Exchange, which has its own tests")
        }
        "throttling" | "mail-error-throttled-concurrency" => {
            Plan::Elsewhere("limits are switched on by the tests of throttling")
        }
        "outlook-large-attachments" | "attachment-createuploadsession" => upload(world, &id).await,
        "webhooks-with-resource-data" => Plan::Elsewhere("the example watches a Teams channel, which is no mail"),
        _ if page.starts_with("subscription") || page.starts_with("webhooks") => subscription(world, &id, path).await,
        _ if page.starts_with("application") => plan_directory::registration(world, &id, path).await,
        _ if page.starts_with("serviceprincipal") => plan_directory::principal(world, &id, path).await,
        _ if page.starts_with("oauth2permissiongrant") => plan_directory::grant(world, page).await,
        "domain-get" => application("/domains/contoso.example"),
        "domain-list-serviceconfigurationrecords" => {
            application("/domains/contoso.example/serviceConfigurationRecords")
        }
        "subscribedsku-get" => {
            let list = world.tenant.get(&world.app, "/subscribedSkus").await.body;
            application(format!("/subscribedSkus/{}", text(&list["value"][0], "id")))
        }
        "domain-list" | "organization-get" | "organization-list" | "subscribedsku-list" => application(path),
        "auth-v2-service" => application(format!("/users/{}", world.user)),
        "graph-error-me-apponly" => application("/me"),
        "graph-error-token-empty" => prepared(Sender::Nobody, "/me".to_owned(), None),
        "mail-error-invaliduser" => application("/users/nobody@contoso.example/mailFolders"),
        "mail-error-delta-syncstatenotfound" => expired_delta(world).await,
        "graph-batch-2025" => person("/$batch"),
        "json-batching" => with_body(
            person("/$batch"),
            json!({"requests": [{"id": "1", "method": "GET", "url": "/me"}]}),
        ),
        _ if page.starts_with("user-") => user(world, &id, path).await,
        _ if page.starts_with("delta-query") || page == "message-delta" => delta(world, &id).await,
        _ if page.starts_with("mailfolder") => folder(world, &id, path).await,
        _ if page.starts_with("attachment") => attachment(world, &id).await,
        _ => message(world, &id, path).await,
    }
}

async fn user(world: &World, id: &str, path: &str) -> Plan {
    let rest = path.split_once('?').map_or("", |(_, query)| query);
    match id.split_once("__").expect("page and number").0 {
        "user-get" if path.starts_with("/users/") => {
            let mark = if rest.is_empty() { "" } else { "?" };
            application(format!("/users/{}{mark}{rest}", world.user))
        }
        "user-list-approleassignments" => {
            let (_, resource, _) = world.application().await;
            let link = json!({
                "principalId": world.user, "resourceId": resource, "appRoleId": "00000000-0000-0000-0000-000000000000",
            });
            let own = format!("/users/{}/appRoleAssignments", world.user);
            let made = world.tenant.post(&world.app, &own, &link).await;
            assert_eq!(made.status, 201, "{:?}", made.body);
            match rest.is_empty() {
                true => application(own),
                false => application(format!("{own}?$filter=resourceId eq {resource}")),
            }
        }
        "user-list-oauth2permissiongrants" => {
            world.grant().await;
            application(format!("/users/{}/oauth2PermissionGrants", world.user))
        }
        "user-post-mailfolders" => with_body(
            person("/me/mailFolders"),
            json!({"displayName": format!("Clutter of {id}"), "isHidden": true}),
        ),
        "user-list-mailfolders" => {
            world.folder().await;
            person(path)
        }
        "user-translateexchangeids" => {
            let (first, second) = (world.mail().await, world.mail().await);
            let body = json!({
                "inputIds": [first, second], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId",
            });
            with_body(person(path), body)
        }
        "user-post-messages" | "user-sendmail" if path.is_empty() => {
            let route = if id.starts_with("user-post") {
                "messages"
            } else {
                "sendMail"
            };
            with_body(person(format!("/me/{route}")), json!("%"))
        }
        "user-post-messages" | "user-sendmail" if cut_short(id) => with_body(person(path), json!(whole_mime())),
        // The documented body holds no-break spaces and is no JSON.
        "user-update-mailboxsettings" if id.ends_with("02") => {
            let day = |number, month| json!({"time": "02:00:00.0000000", "dayOccurrence": number, "dayOfWeek": "Sunday", "month": month, "year": 0});
            let mut daylight = day(4, 5);
            daylight["daylightBias"] = json!(100);
            let zone = json!({
                "@odata.type": "#microsoft.graph.customTimeZone", "bias": -300, "name": "Customized Time Zone",
                "standardOffset": day(2, 10), "daylightOffset": daylight,
            });
            let hours = json!({"endTime": "18:30:00.0000000", "daysOfWeek": ["monday", "tuesday"], "timeZone": zone});
            with_body(person(path), json!({"workingHours": hours}))
        }
        "user-list-messages" => {
            world.mail().await;
            person(path)
        }
        _ => person(path),
    }
}

/// Examples whose MIME text the documentation cuts off.
fn cut_short(id: &str) -> bool {
    matches!(
        id,
        "user-post-messages__03"
            | "user-sendmail__04"
            | "message-createforward__02"
            | "message-createreply__02"
            | "message-createreplyall__02"
            | "message-forward__02"
            | "message-reply__02"
            | "message-replyall__02"
    )
}

fn whole_mime() -> String {
    use base64::Engine as _;
    let mime = format!("From: {SUPPORT}\r\nTo: sales@contoso.example\r\nSubject: MIME\r\n\r\ntext\r\n");
    base64::engine::general_purpose::STANDARD.encode(mime)
}

async fn folder(world: &World, id: &str, path: &str) -> Plan {
    let page = id.split_once("__").expect("page and number").0;
    let own = world.folder().await;
    let at = format!("/me/mailFolders/{own}");
    match page {
        "mailfolder-copy" | "mailfolder-move" => {
            let action = page.trim_start_matches("mailfolder-");
            with_body(person(format!("{at}/{action}")), json!({"destinationId": "archive"}))
        }
        "mailfolder-post-childfolders" => with_body(
            person(format!("{at}/childFolders")),
            json!({"displayName": "Child", "isHidden": true}),
        ),
        "mailfolder-list-childfolders" => {
            let body = json!({"displayName": "Child"});
            let below = format!("/users/{SUPPORT}/mailFolders/{own}/childFolders");
            let made = world.tenant.post(&world.app, &below, &body).await;
            assert_eq!(made.status, 201);
            let query = path
                .split_once('?')
                .map_or_else(String::new, |(_, query)| format!("?{query}"));
            person(format!("{at}/childFolders{query}"))
        }
        "mailfolder-list-messages" => {
            let (folder, _) = world.folder_with_mail().await;
            person(format!("/me/mailFolders/{folder}/messages"))
        }
        "mailfolder-post-messages" => {
            let body = json!({"subject": "In a folder", "body": {"contentType": "text", "content": "text"}});
            with_body(person(format!("{at}/messages")), body)
        }
        "mailfolder-update" => with_body(person(at), json!({"displayName": format!("Renamed {own}")})),
        "mailfolder-delta" => person(path),
        "mailfolder-get" if id.ends_with("02") => {
            Plan::Elsewhere("search folders cannot be made in the sandbox; folders are replayed by mailfolder-get__01")
        }
        _ => person(at),
    }
}

async fn delta(world: &World, id: &str) -> Plan {
    let (folder, _) = world.folder_with_mail().await;
    let first = format!("/me/mailfolders/{folder}/messages/delta");
    let link = world.tenant.get(&world.me, &first).await.body;
    let token = text(&link, "@odata.deltaLink");
    let token = token.split_once('?').expect("a token").1.to_owned();
    match id {
        "delta-query-messages__02" => person(format!("{first}?$select=subject,sender,isRead")),
        // A walk of one page: its continuation is the first page again.
        "delta-query-messages__05" => person(format!("{first}?{token}")),
        _ => person(first),
    }
}

async fn expired_delta(world: &World) -> Plan {
    let (folder, _) = world.folder_with_mail().await;
    let first = format!("/users/{SUPPORT}/mailFolders/{folder}/messages/delta");
    let link = world.tenant.get(&world.app, &first).await.body;
    let token = text(&link, "@odata.deltaLink");
    let body = json!({"mailbox": SUPPORT});
    let expired = world
        .tenant
        .control(reqwest::Method::POST, "/delta/expire", &body)
        .await;
    assert_eq!(expired.status, 200, "{:?}", expired.body);
    application(format!("{first}?{}", token.split_once('?').expect("a token").1))
}

async fn attachment(world: &World, id: &str) -> Plan {
    let (kind, rest) = match id {
        "attachment-get__02" => ("itemAttachment", ""),
        "attachment-get__03" | "attachment-get__04" => {
            ("itemAttachment", "/?$expand=microsoft.graph.itemattachment/item")
        }
        "attachment-get__05" => {
            return Plan::Elsewhere("reference attachments cannot be made through v1.0; the sandbox holds none");
        }
        "attachment-get__06" => ("fileAttachment", "/$value"),
        "attachment-get__07" | "attachment-get__08" => {
            return Plan::Elsewhere("attached contacts and events are no mail; attached mail is attachment-get__09");
        }
        "attachment-get__09" => ("itemAttachment", "/$value"),
        _ => ("fileAttachment", ""),
    };
    if id == "attachment-delete__01" {
        let draft = world.draft().await;
        let path = format!("/me/messages/{draft}/attachments");
        let body = json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": "AA=="});
        let made = world.tenant.post(&world.me, &path, &body).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        return person(format!("{path}/{}", text(&made.body, "id")));
    }
    let (mail, attachment) = world.attachment(kind).await;
    person(format!("/me/messages/{mail}/attachments/{attachment}{rest}"))
}

async fn upload(world: &World, id: &str) -> Plan {
    let draft = world.draft().await;
    let path = format!("/me/messages/{draft}/attachments/createUploadSession");
    let size = 3_483_322_usize;
    let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "flower", "size": size}});
    let slice = |from: usize, to: usize| Value::String("x".repeat(to - from));
    let open = || async {
        let session = world.tenant.post(&world.me, &path, &item).await;
        assert_eq!(session.status, 201, "{:?}", session.body);
        text(&session.body, "uploadUrl")
    };
    match id {
        "outlook-large-attachments__03" => prepared(Sender::Nobody, open().await, Some(slice(0, 2_097_152))),
        "outlook-large-attachments__05" => {
            let url = open().await;
            let range = vec![("Content-Range".to_owned(), format!("bytes 0-2097151/{size}"))];
            let first = world.send("PUT", &url, None, &range, vec![b'x'; 2_097_152]).await;
            assert_eq!(first.status, 200, "{:?}", first.body);
            prepared(Sender::Nobody, url, Some(slice(2_097_152, size)))
        }
        "outlook-large-attachments__08" => {
            let (mail, attachment) = world.attachment("fileAttachment").await;
            let select = "$select=lastModifiedDateTime,name,contentType,size,isInline";
            person(format!("/me/messages/{mail}/attachments/{attachment}?{select}"))
        }
        "outlook-large-attachments__09" => prepared(Sender::Nobody, open().await, None),
        _ => person(path),
    }
}

async fn subscription(world: &World, id: &str, path: &str) -> Plan {
    let page = id.split_once("__").expect("page and number").0;
    let folder = world.folder().await;
    let new = |url: &str| {
        json!({
            "changeType": "created",
            "notificationUrl": url,
            "lifecycleNotificationUrl": if id == "webhooks-lifecycle__01" { json!(url) } else { Value::Null },
            "resource": format!("me/mailFolders('{folder}')/messages"),
            "expirationDateTime": world.in_days(2),
            "clientState": "secretClientValue",
            "latestSupportedTlsVersion": "v1_2",
        })
    };
    match (page, id) {
        ("subscription-create-validation-failed", _) => {
            let unused = world.listener.replace("/notify", "");
            let nobody = unused.rsplit_once(':').expect("a port").0.to_owned();
            with_body(person("/subscriptions"), new(&format!("{nobody}:9/notify")))
        }
        ("subscription-create-outlook-app", _) => {
            let mut body = new(&world.listener);
            body["resource"] = format!("users/{}/mailFolders/{folder}/messages", world.user).into();
            with_body(application("/subscriptions"), body)
        }
        ("subscription-post-subscriptions", _) | (_, "webhooks__01" | "webhooks-lifecycle__01") => {
            with_body(person("/subscriptions"), new(&world.listener))
        }
        ("subscription-list", _) => {
            world.subscription().await;
            application("/subscriptions")
        }
        (_, "webhooks-lifecycle__02") => {
            application(format!("/subscriptions/{}/reauthorize", world.subscription().await))
        }
        ("subscription-update", _) | (_, "webhooks__02" | "webhooks-lifecycle__03") => with_body(
            application(format!("/subscriptions/{}", world.subscription().await)),
            json!({"expirationDateTime": world.in_days(3)}),
        ),
        _ => {
            debug_assert!(path.starts_with("/subscriptions/"));
            application(format!("/subscriptions/{}", world.subscription().await))
        }
    }
}

async fn message(world: &World, id: &str, path: &str) -> Plan {
    let page = id.split_once("__").expect("page and number").0;
    let mail = world.mail().await;
    let at = format!("/me/messages/{mail}");
    if page == "singlevaluelegacyextendedproperty-post-singlevalueextendedproperties" {
        let body = json!({"singleValueExtendedProperties": [
            {"id": "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color", "value": "Green"},
        ]});
        return match id.ends_with("01") {
            true => Plan::Elsewhere("the example makes an event; extended properties of mail are the next example"),
            false => with_body(person(at), body),
        };
    }
    if let Some((_, action)) = page.split_once("message-") {
        let answers = [
            "createforward",
            "createreply",
            "createreplyall",
            "forward",
            "reply",
            "replyall",
        ];
        if answers.contains(&action) {
            let plan = person(format!("{at}/{action}"));
            return match id.rsplit("__").next() {
                Some("03") => with_body(plan, json!("%")),
                Some("02") if cut_short(id) => with_body(plan, json!(whole_mime())),
                _ if action == "forward" => {
                    let recipient = json!([{"emailAddress": {"name": "Sales", "address": "sales@contoso.example"}}]);
                    with_body(plan, json!({"comment": "comment", "toRecipients": recipient}))
                }
                _ => plan,
            };
        }
    }
    match page {
        "message-send" => person(format!("/me/messages/{}/send", world.draft().await)),
        "message-post-attachments" => person(format!("/me/messages/{}/attachments", world.draft().await)),
        "message-update" => {
            let body = json!({
                "subject": "changed", "body": {"contentType": "text", "content": "text"},
                "inferenceClassification": "other",
            });
            with_body(person(format!("/me/messages/{}", world.draft().await)), body)
        }
        "message-copy" => with_body(person(format!("{at}/copy")), json!({"destinationId": "archive"})),
        "outlook-immutable-id" => {
            let body = json!({
                "inputIds": [mail], "targetIdType": "restImmutableEntryId", "sourceIdType": "restId",
            });
            with_body(person(path), body)
        }
        "outlook-send-mail-from-other-user" if id.ends_with("01") => {
            Plan::Elsewhere("needs a right of Exchange to send on behalf, which has its own tests")
        }
        "outlook-send-mail-from-other-user" | "query-parameters" | "search-query-parameter" => person(path),
        _ => {
            let rest = path
                .splitn(4, '/')
                .nth(3)
                .map(|rest| rest.find(['/', '?']).map_or("", |cut| &rest[cut..]));
            match path.to_lowercase().strip_prefix("/me/messages/") {
                Some(_) => person(format!("{at}{}", rest.unwrap_or_default())),
                None => person(path),
            }
        }
    }
}
