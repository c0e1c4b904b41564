//! Sending as another, on another's behalf, from an alias; and opening shared mailboxes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::exchange_world::{outcome, person, run, set_password};
use crate::harness::Tenant;

const SUPPORT: &str = "support@contoso.example";
const SALES: &str = "sales@contoso.example";
const DENIED: &str = "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account. Cannot submit message.";

async fn send(tenant: &Tenant, token: &str, from: &str) -> (u16, String) {
    let mail = json!({"message": {
        "subject": "Hello",
        "body": {"contentType": "text", "content": "x"},
        "from": {"emailAddress": {"address": from}},
        "toRecipients": [{"emailAddress": {"address": "ada@fabrikam.example"}}],
    }});
    outcome(&tenant.post(token, &format!("/users/{SUPPORT}/sendMail"), &mail).await)
}

/// The header block of the last mail that left.
async fn last_headers(tenant: &Tenant) -> String {
    let outside = tenant.control(Method::GET, "/outside", &Value::Null).await.body;
    let seq = outside["mails"]
        .as_array()
        .and_then(|mails| mails.last())
        .expect("a mail")["seq"]
        .clone();
    let raw = tenant
        .control(Method::GET, &format!("/outside/{seq}/mime"), &Value::Null)
        .await
        .bytes;
    let text = String::from_utf8_lossy(&raw).into_owned();
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn another_sender_needs_a_right() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    assert_eq!(send(&tenant, &token, SALES).await, (403, DENIED.to_owned()));
    assert_eq!(
        send(&tenant, &token, "ceo@fabrikam.example").await,
        (403, DENIED.to_owned())
    );
    assert_eq!(send(&tenant, &token, SUPPORT).await.0, 202);
}

#[tokio::test]
async fn sending_as_another_names_only_the_other() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let right = json!({"Identity": SALES, "Trustee": SUPPORT, "AccessRights": "SendAs"});
    run(&tenant, "Add-RecipientPermission", right.clone()).await;
    assert_eq!(send(&tenant, &token, SALES).await.0, 202);
    let headers = last_headers(&tenant).await;
    assert!(headers.contains("sales@contoso.example"), "{headers}");
    assert!(!headers.contains("\r\nSender:"), "{headers}");
    let held = run(&tenant, "Get-RecipientPermission", json!({"Identity": SALES})).await;
    assert!(held.iter().any(|row| row["Trustee"] == SUPPORT));
    run(&tenant, "Remove-RecipientPermission", right).await;
    assert_eq!(send(&tenant, &token, SALES).await.0, 403);
}

#[tokio::test]
async fn sending_on_behalf_names_both() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    run(
        &tenant,
        "Set-Mailbox",
        json!({"Identity": SALES, "GrantSendOnBehalfTo": {"Add": SUPPORT}}),
    )
    .await;
    assert_eq!(send(&tenant, &token, SALES).await.0, 202);
    let headers = last_headers(&tenant).await;
    let sender = headers
        .lines()
        .find(|line| line.starts_with("Sender:"))
        .expect("a Sender header");
    assert!(sender.contains(SUPPORT), "{sender}");
    let sent = tenant
        .get(&token, &format!("/users/{SUPPORT}/mailFolders/sentitems/messages"))
        .await
        .body;
    assert_eq!(sent["value"][0]["from"]["emailAddress"]["address"], SALES);
    assert_eq!(sent["value"][0]["sender"]["emailAddress"]["address"], SUPPORT);
}

#[tokio::test]
async fn an_alias_becomes_the_primary_address_unless_the_organisation_keeps_it() {
    let tenant = Tenant::start().await;
    let token = tenant.mail_token().await;
    let alias = "help@contoso.example";
    assert_eq!(send(&tenant, &token, alias).await.0, 403);
    run(
        &tenant,
        "Set-Mailbox",
        json!({"Identity": SUPPORT, "EmailAddresses": {"Add": format!("smtp:{alias}")}}),
    )
    .await;
    let from = async || {
        assert_eq!(send(&tenant, &token, alias).await.0, 202);
        let headers = last_headers(&tenant).await;
        headers
            .lines()
            .find(|line| line.starts_with("From:"))
            .expect("a From header")
            .to_owned()
    };
    assert!(from().await.contains(SUPPORT));
    run(&tenant, "Set-OrganizationConfig", json!({"SendFromAliasEnabled": true})).await;
    assert!(from().await.contains(alias));
    let raw = format!("From: ada@fabrikam.example\r\nTo: {alias}\r\nSubject: In\r\n\r\nx\r\n");
    let url = format!("{}/mailboxes/{alias}/messages", tenant.description().control_url);
    let put = tenant.client.post(url).body(raw).send().await.expect("an answer");
    assert_eq!(put.status(), 201);
}

#[tokio::test]
async fn a_person_needs_a_shared_scope_and_a_right_for_anothers_mailbox() {
    let tenant = Tenant::start().await;
    set_password(&tenant, SUPPORT, "correct horse 1").await;
    let tools = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
    let own = person(&tenant, tools, SUPPORT, "correct horse 1", "Mail.Read Mail.Send").await;
    let path = format!("/users/{SALES}/mailFolders/inbox/messages");
    run(
        &tenant,
        "Add-MailboxPermission",
        json!({"Identity": SALES, "User": SUPPORT, "AccessRights": "FullAccess"}),
    )
    .await;
    assert_eq!(tenant.get(&own, "/me/messages").await.status, 200);
    assert_eq!(tenant.get(&own, &path).await.status, 403);
    let shared = "Mail.Read.Shared Mail.Send.Shared";
    let shared = person(&tenant, tools, SUPPORT, "correct horse 1", shared).await;
    assert_eq!(tenant.get(&shared, &path).await.status, 200);
    let billing = "/users/billing@contoso.example/mailFolders/inbox/messages";
    assert_eq!(tenant.get(&shared, billing).await.status, 403);
    // Opening a mailbox is not sending as it.
    let mail = json!({"message": {"subject": "x", "toRecipients": [{"emailAddress": {"address": SUPPORT}}]}});
    let send = format!("/users/{SALES}/sendMail");
    assert_eq!(
        outcome(&tenant.post(&shared, &send, &mail).await),
        (403, DENIED.to_owned())
    );
    run(
        &tenant,
        "Add-RecipientPermission",
        json!({"Identity": SALES, "Trustee": SUPPORT, "AccessRights": "SendAs"}),
    )
    .await;
    assert_eq!(tenant.post(&shared, &send, &mail).await.status, 202);
    run(
        &tenant,
        "Remove-MailboxPermission",
        json!({"Identity": SALES, "User": SUPPORT, "AccessRights": "FullAccess"}),
    )
    .await;
    assert_eq!(tenant.get(&shared, &path).await.status, 403);
}
