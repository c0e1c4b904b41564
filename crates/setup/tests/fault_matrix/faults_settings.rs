//! What the optional permissions let the doctor see: rules of mailboxes, and licences of users.

use guichet_setup::doctor::Code;
use http::Method;
use serde_json::{Value, json};

use crate::{
    fault::{Act, Cure, Fault},
    stage::{SALES, Stage, text},
};

/// A stage for these faults: both permissions are asked for and granted.
pub(crate) async fn stage() -> Stage {
    let mut stage = Stage::connected().await;
    stage.desired.access.read_mailbox_settings = true;
    stage.desired.access.read_users = true;
    stage.apply().await;
    stage
}

/// Whose token may do what people do in Outlook and in the admin centre: MailboxSettings.ReadWrite, User.ReadWrite.All.
const ROLES: [&str; 2] = [
    "6931bccd-447a-43d1-b442-00a195474933",
    "741f803b-c850-494e-b5df-cde7c675a1ca",
];

/// A request as another application, which is made for it.
async fn outlook(stage: &Stage, method: Method, path: &str, body: &Value) -> Value {
    let made = stage
        .graph(Method::POST, "/applications", &json!({ "displayName": "Outlook" }))
        .await;
    let app_id = text(&made["appId"]).to_owned();
    let principal = stage
        .graph(Method::POST, "/servicePrincipals", &json!({ "appId": app_id }))
        .await;
    let graph = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
    let graph = stage.graph(Method::GET, graph, &Value::Null).await["id"].clone();
    for role in ROLES {
        let path = format!("/servicePrincipals/{}/appRoleAssignedTo", text(&graph));
        let link = json!({ "principalId": principal["id"], "resourceId": graph, "appRoleId": role });
        stage.graph(Method::POST, &path, &link).await;
    }
    let password = format!("/applications/{}/addPassword", text(&made["id"]));
    let secret = stage.graph(Method::POST, &password, &json!({})).await;
    let token = stage.token_of(&app_id, text(&secret["secretText"])).await.unwrap();
    let answer = stage.graph_with(&token, method, path, body).await;
    let application = format!("/applications/{}", text(&made["id"]));
    stage.graph(Method::DELETE, &application, &Value::Null).await;
    answer
}

const RULES: &str = "/users/sales@contoso.example/mailFolders/inbox/messageRules";

/// Somebody makes a rule in Outlook.
async fn rule(stage: &mut Stage, conditions: Value, actions: Value) {
    let rule = json!({
        "displayName": "Tidy up", "sequence": 1, "isEnabled": true, "conditions": conditions, "actions": actions,
    });
    stage.kept = outlook(stage, Method::POST, RULES, &rule).await["id"].clone();
}

const REMOVE_RULE: Act = |stage| {
    Box::pin(async {
        let path = format!("{RULES}/{}", text(&stage.kept.take()));
        outlook(stage, Method::DELETE, &path, &Value::Null).await;
    })
};

async fn profile(stage: &Stage, change: Value) {
    let path = format!("/mailboxes/{SALES}/profile");
    stage.control(Method::PATCH, &path, &change).await;
}

async fn sign_in_allowed(stage: &Stage, allowed: bool) {
    let path = format!("/users/{SALES}");
    let change = json!({ "accountEnabled": allowed });
    outlook(stage, Method::PATCH, &path, &change).await;
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "rule-deletes-everything",
        how: "A rule of the mailbox without conditions deletes every mail (`POST messageRules`).",
        code: Code::MailboxRuleAll,
        inject: |stage| Box::pin(async { rule(stage, json!({}), json!({ "delete": true })).await }),
        cure: Cure::Undo(REMOVE_RULE),
    },
    Fault {
        name: "rule-deletes-all-but-some",
        how: "A rule of the mailbox deletes every mail except those with certain words.",
        code: Code::MailboxRuleSome,
        inject: |stage| {
            Box::pin(async {
                let rule = json!({
                    "displayName": "Tidy up", "sequence": 1, "isEnabled": true,
                    "exceptions": { "subjectContains": ["order"] }, "actions": { "delete": true },
                });
                stage.kept = outlook(stage, Method::POST, RULES, &rule).await["id"].clone();
            })
        },
        cure: Cure::Undo(REMOVE_RULE),
    },
    Fault {
        name: "rule-moves-some",
        how: "A rule of the mailbox moves mail with certain words to another folder.",
        code: Code::MailboxRuleSome,
        inject: |stage| {
            Box::pin(async {
                let archive = "/users/sales@contoso.example/mailFolders/archive";
                let archive = stage.graph_as_application(Method::GET, archive, &Value::Null).await;
                let words = json!({ "subjectContains": ["newsletter"] });
                rule(stage, words, json!({ "moveToFolder": archive["id"] })).await;
            })
        },
        cure: Cure::Undo(REMOVE_RULE),
    },
    Fault {
        name: "mailbox-renamed",
        how: "The mailbox had another display name when it was connected.",
        code: Code::MailboxRenamed,
        inject: |stage| {
            Box::pin(async {
                let mailboxes = stage.store.mailboxes().await.unwrap();
                let mut mailbox = mailboxes
                    .into_iter()
                    .find(|mailbox| mailbox.address.as_str() == SALES)
                    .unwrap();
                mailbox.display_name = "Orders".to_owned();
                stage.store.upsert_mailbox(&mailbox).await.unwrap();
            })
        },
        cure: Cure::Apply,
    },
    Fault {
        name: "licence-without-mailbox",
        how: "The Exchange licence of the mailbox is taken away (`licensed: false`), and the doctor may look at users.",
        code: Code::MailboxUnlicensed,
        inject: |stage| Box::pin(async { profile(stage, json!({ "licensed": false })).await }),
        cure: Cure::Undo(|stage| Box::pin(async { profile(stage, json!({ "licensed": true })).await })),
    },
    Fault {
        name: "shared-mailbox-with-sign-in",
        how: "The mailbox is a shared one without a licence, and its user may sign in.",
        code: Code::MailboxLicenceLost,
        inject: |stage| {
            Box::pin(async {
                profile(stage, json!({ "kind": "shared", "licensed": false })).await;
                sign_in_allowed(stage, true).await;
            })
        },
        cure: Cure::Undo(|stage| Box::pin(async { sign_in_allowed(stage, false).await })),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_permissions_each_is_said_once_with_how_to_allow_it() {
    let stage = Stage::connected().await;
    let found = stage.doctor(guichet_setup::Language::English).await;
    for (code, key) in [
        (Code::RulesUnseen, "read_mailbox_settings"),
        (Code::LicencesUnseen, "read_users"),
    ] {
        let said: Vec<_> = found.iter().filter(|finding| finding.code == code.as_str()).collect();
        assert_eq!(said.len(), 1, "{found:?}");
        assert!(said[0].fix.contains(key), "{:?}", said[0]);
    }
    let allowed = self::stage().await.doctor(guichet_setup::Language::English).await;
    let unseen = [Code::RulesUnseen, Code::LicencesUnseen];
    assert!(
        !allowed
            .iter()
            .any(|finding| unseen.iter().any(|code| finding.code == code.as_str())),
        "{allowed:?}"
    );
}
