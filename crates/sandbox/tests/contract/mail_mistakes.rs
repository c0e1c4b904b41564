//! What a client gets for each mistake with mail: ids, queries, drafts, sending, attachments, folders.

use reqwest::Method;
use serde_json::{Value, json};

use crate::mistakes::{Mistake, lenient, mistake};
use crate::world::{SUPPORT, World};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_mail_are_refused() {
    let world = World::new().await;
    let (mail, draft) = (world.mail().await, world.draft().await);
    let at = |rest: &str| format!("/users/{SUPPORT}/{rest}");
    let get = |name, rest: &str, wanted| mistake(name, Method::GET, at(rest), Value::Null, wanted);
    let post = |name, rest: &str, body, wanted| mistake(name, Method::POST, at(rest), body, wanted);
    let to = json!([{"emailAddress": {"address": "sales@contoso.example"}}]);
    let plain = [("content-type", "text/plain")];
    let mut mistakes = vec![
        get(
            "a message id that is none",
            "messages/nonsense",
            (400, "ErrorInvalidIdMalformed", "Id is malformed"),
        ),
        get(
            "a folder id that is none",
            "mailFolders/nonsense",
            (400, "ErrorInvalidIdMalformed", "Id is malformed"),
        ),
        get("a page of nothing", "messages?$top=0", (400, "", "")),
        get("a page that is too large", "messages?$top=1001", (400, "", "")),
        get(
            "a filter that is none",
            "messages?$filter=isRead%20is%20false",
            (400, "", ""),
        ),
        get(
            "a property that is none in a filter",
            "messages?$filter=colour%20eq%20'red'",
            (400, "", "colour"),
        ),
        get(
            "an order that the filter does not name",
            "messages?$filter=importance%20eq%20'high'&$orderby=sentDateTime%20desc",
            (400, "InefficientFilter", "too complex"),
        ),
        get(
            "a delta token that is none",
            "mailFolders/inbox/messages/delta?$deltatoken=x",
            (410, "SyncStateNotFound", "sync state"),
        ),
        get(
            "an attachment that is none",
            &format!("messages/{mail}/attachments/nonsense"),
            (400, "ErrorInvalidIdMalformed", ""),
        ),
        get(
            "a child that is none",
            &format!("messages/{mail}/nonsense"),
            (400, "BadRequest", "nonsense"),
        ),
        mistake(
            "a subject of a mail that was received",
            Method::PATCH,
            at(&format!("messages/{mail}")),
            json!({"subject": "x"}),
            (400, "", ""),
        ),
        mistake(
            "an importance that is none",
            Method::PATCH,
            at(&format!("messages/{mail}")),
            json!({"importance": "extreme"}),
            (400, "", ""),
        ),
        mistake(
            "a flag of the wrong type",
            Method::PATCH,
            at(&format!("messages/{mail}")),
            json!({"isRead": "yes"}),
            (400, "", ""),
        ),
        post("a draft that is no object", "messages", json!([1]), (400, "", "")),
        post(
            "moving to nowhere",
            &format!("messages/{mail}/move"),
            json!({}),
            (400, "", ""),
        ),
        post(
            "moving to a folder that is none",
            &format!("messages/{mail}/move"),
            json!({"destinationId": "nonsense"}),
            (400, "", ""),
        ),
        post(
            "sending to nobody",
            "sendMail",
            json!({"message": {"subject": "x"}}),
            (400, "ErrorInvalidRecipients", "recipient"),
        ),
        post("sending nothing", "sendMail", json!({}), (400, "", "")),
        post(
            "a header without x-",
            "sendMail",
            json!({"message": {"subject": "x", "toRecipients": to, "internetMessageHeaders": [{"name": "Received", "value": "x"}]}}),
            (400, "", ""),
        ),
        post(
            "a comment and a body",
            &format!("messages/{mail}/reply"),
            json!({"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}}),
            (400, "", ""),
        ),
        post(
            "forwarding to nobody",
            &format!("messages/{mail}/forward"),
            json!({"comment": "x"}),
            (400, "", ""),
        ),
        post(
            "sending what was received",
            &format!("messages/{mail}/send"),
            Value::Null,
            (400, "", ""),
        ),
        post("a folder without name", "mailFolders", json!({}), (400, "", "")),
        post(
            "a folder that exists",
            "mailFolders",
            json!({"displayName": "Inbox"}),
            (409, "ErrorFolderExists", ""),
        ),
        mistake(
            "removing the inbox",
            Method::DELETE,
            at("mailFolders/inbox"),
            Value::Null,
            (403, "ErrorCannotDeleteObject", "Distinguished"),
        ),
        post(
            "an attachment of no kind",
            &format!("messages/{draft}/attachments"),
            json!({"name": "x"}),
            (400, "", ""),
        ),
        post(
            "an attachment that is not base64",
            &format!("messages/{draft}/attachments"),
            json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "x", "contentBytes": "%%%"}),
            (400, "", ""),
        ),
        post(
            "a session without size",
            &format!("messages/{draft}/attachments/createUploadSession"),
            json!({"AttachmentItem": {"attachmentType": "file", "name": "x"}}),
            (400, "", ""),
        ),
        post(
            "a session over 150 MB",
            &format!("messages/{draft}/attachments/createUploadSession"),
            json!({"AttachmentItem": {"attachmentType": "file", "name": "x", "size": 157_286_401}}),
            (400, "", ""),
        ),
        post(
            "ids in a format nobody knows",
            "translateExchangeIds",
            json!({"inputIds": [mail], "sourceIdType": "nonsense", "targetIdType": "restId"}),
            (400, "", ""),
        ),
        mistake(
            "a mailbox that is not there",
            Method::GET,
            "/users/nobody@contoso.example/messages",
            Value::Null,
            (404, "ErrorInvalidUser", "nobody"),
        ),
        mistake(
            "a mailbox of a user without licence",
            Method::GET,
            "/users/unlicensed@contoso.example/messages",
            Value::Null,
            (404, "MailboxNotEnabledForRESTAPI", "inactive"),
        ),
        mistake(
            "a method that is none",
            Method::PUT,
            at(&format!("messages/{mail}")),
            json!({}),
            (405, "", ""),
        ),
    ];
    mistakes.push(Mistake {
        headers: &plain,
        ..post(
            "MIME that is not base64",
            "sendMail",
            json!("%%%"),
            (400, "ErrorMimeContentInvalidBase64String", "base64"),
        )
    });
    lenient(&world, &mistakes).await;
}
