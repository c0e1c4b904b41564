//! How messages are shown and written: derived types, single properties, extended values, preferences, categories.

use bytes::Bytes;
use serde_json::json;

use super::world::{World, mail, support};

const INVITATION: &str = "From: ada@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: Review\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260310T090000Z\r\n\
    DTEND:20260310T100000Z\r\nLOCATION:Room 1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn invitations_are_a_derived_type_inside_lists() {
    let world = World::new();
    world.inject(mail("plain", "1@x")).await;
    world.advance(60);
    world.inject(INVITATION).await;
    let list = world.get(&support("messages")).await.expect(200);
    let (invitation, plain) = (&list.list()[0], &list.list()[1]);
    assert_eq!(invitation["@odata.type"], "#microsoft.graph.eventMessageRequest");
    assert_eq!(invitation["meetingMessageType"], "meetingRequest");
    assert_eq!(invitation["startDateTime"]["timeZone"], "UTC");
    assert!(plain.get("@odata.type").is_none() && plain.get("meetingMessageType").is_none());
    let selected = world.get(&support("messages?$select=subject")).await.expect(200);
    assert_eq!(
        selected.list()[0]["@odata.type"],
        "#microsoft.graph.eventMessageRequest"
    );
    assert!(selected.list()[0].get("startDateTime").is_none());
    let cast = support("messages?$select=microsoft.graph.eventMessage/startDateTime");
    assert!(
        world.get(&cast).await.expect(200).list()[0]
            .get("startDateTime")
            .is_some()
    );
    world.get(&support("messages?$select=startDateTime")).await.expect(400);
    let found = world
        .get(&support("messages?$search=\"kind:meetings\""))
        .await
        .expect(200);
    assert_eq!(found.list().len(), 1);
}

#[tokio::test]
async fn a_property_is_shown_by_itself() {
    let world = World::new();
    let id = world.inject(mail("alone", "1@x")).await.id;
    let path = |rest: &str| support(&format!("messages/{id}/{rest}"));
    assert_eq!(world.get(&path("subject")).await.expect(200).text("value"), "alone");
    assert_eq!(world.get(&path("subject/$value")).await.expect(200).bytes, "alone");
    assert_eq!(world.get(&path("isRead/$value")).await.expect(200).bytes, "false");
    assert_eq!(world.get(&path("body")).await.expect(200).text("contentType"), "text");
    world.get(&path("body/$value")).await.expect(400);
    world.get(&path("nothing")).await.expect(400);
    world.get(&path("move")).await.expect(405);
    world.get(&path("extensions")).await.expect(501);
    world.get(&path("microsoft.graph.eventMessage")).await.expect(501);
}

#[tokio::test]
async fn multi_value_properties_are_kept_and_expanded() {
    let world = World::new();
    let id = "StringArray {66f5a359-4659-4830-9070-00057ec6ac6e} Name Colours";
    let body = json!({"subject": "s", "multiValueExtendedProperties": [{"id": id, "value": ["Red", "Blue"]}],
        "singleValueExtendedProperties": [{"id": "String {66f5a359-4659-4830-9070-00057ec6ac6e} Name One", "value": "1"}]});
    let made = world.post(&support("messages"), body).await.expect(201);
    assert!(made.json.get("multiValueExtendedProperties").is_none());
    let path = support(&format!(
        "messages/{}?$expand=multiValueExtendedProperties($filter=id eq '{id}'),singleValueExtendedProperties",
        made.text("id")
    ));
    let shown = world.get(&path).await.expect(200);
    assert_eq!(
        shown.json["multiValueExtendedProperties"],
        json!([{"id": id, "value": ["Red", "Blue"]}])
    );
    assert_eq!(shown.json["singleValueExtendedProperties"].as_array().unwrap().len(), 1);
    for bad in [
        json!({"multiValueExtendedProperties": [{"id": "String 0x1", "value": ["a"]}]}),
        json!({"multiValueExtendedProperties": [{"id": id, "value": "a"}]}),
        json!({"singleValueExtendedProperties": [{"id": id, "value": "a"}]}),
    ] {
        world.post(&support("messages"), bad).await.expect(400);
    }
}

#[tokio::test]
async fn filters_reach_properties_that_follow_from_the_mail() {
    let world = World::new();
    world
        .inject("From: a@x\r\nSubject: Re: q\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\nhi\r\n")
        .await;
    world.inject(mail("other", "3@x")).await;
    let query = |tag: &str, value: &str| {
        let filter =
            format!("singleValueExtendedProperties/any(ep: ep/id eq 'String {tag}' and ep/value eq '{value}')");
        support(&format!("messages?$filter={filter}"))
    };
    assert_eq!(world.get(&query("0x1042", "<1@x>")).await.expect(200).list().len(), 1);
    assert_eq!(world.get(&query("0x1035", "<3@x>")).await.expect(200).list().len(), 1);
    assert!(world.get(&query("0x1042", "<9@x>")).await.expect(200).list().is_empty());
}

#[tokio::test]
async fn the_least_is_returned_where_it_is_preferred() {
    let world = World::new();
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "return=minimal, IdType=\"ImmutableId\""),
    ];
    let body = Bytes::from(json!({"subject": "s"}).to_string());
    let made = world
        .call("POST", &support("messages"), &headers, body)
        .await
        .expect(204);
    assert!(made.bytes.is_empty());
    assert_eq!(
        made.headers["preference-applied"],
        "return=minimal, IdType=\"ImmutableId\""
    );
    assert!(made.headers["location"].to_str().unwrap().contains("messages('"));
}

#[tokio::test]
async fn only_what_was_applied_is_acknowledged() {
    let world = World::new();
    world.inject(mail("a", "1@x")).await;
    let get = |prefer: &'static str| {
        let world = &world;
        async move {
            world
                .call("GET", &support("messages"), &[("Prefer", prefer)], Bytes::new())
                .await
        }
    };
    let answer = get("outlook.body-content-type=\"html\", outlook.timezone=\"UTC\", respond-async").await;
    assert_eq!(
        answer.headers["preference-applied"],
        "outlook.body-content-type=\"html\""
    );
    assert!(
        get("outlook.body-content-type=\"rtf\"")
            .await
            .headers
            .get("preference-applied")
            .is_none()
    );
}

#[tokio::test]
async fn list_options_on_a_single_message_are_refused() {
    let world = World::new();
    let id = world.inject(mail("a", "1@x")).await.id;
    for query in [
        "$top=1",
        "$filter=isRead eq true",
        "$orderby=subject",
        "$skip=1",
        "$count=true",
        "$search=\"a\"",
    ] {
        world.get(&support(&format!("messages/{id}?{query}"))).await.expect(400);
        world
            .get(&support(&format!("mailFolders/inbox?{query}")))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn attachments_are_selected_by_names_they_have() {
    let world = World::new();
    let mime = "From: a@x\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n--b\r\n\
        Content-Type: image/png; name=b.png\r\nContent-Disposition: attachment; filename=b.png\r\n\r\ny\r\n--b--\r\n";
    let id = world.inject(mime).await.id;
    let path = |query: &str| support(&format!("messages/{id}{query}"));
    let some = world
        .get(&path(
            "?$select=id&$expand=attachments($select=name;$filter=contentType eq 'image/png')",
        ))
        .await
        .expect(200);
    let shown = some.json["attachments"].as_array().unwrap();
    assert_eq!((shown.len(), shown[0]["name"].as_str()), (1, Some("b.png")));
    assert!(shown[0].get("size").is_none() && shown[0].get("contentBytes").is_none());
    let bytes = world
        .get(&path(
            "/attachments?$select=microsoft.graph.fileAttachment/contentBytes",
        ))
        .await
        .expect(200);
    assert!(bytes.list()[0]["contentBytes"].is_string());
    assert_eq!(world.get(&path("/attachments/$count")).await.expect(200).bytes, "2");
    world.get(&path("/attachments?$select=contentBytes")).await.expect(400);
    world
        .get(&path("?$expand=attachments($select=nothing)"))
        .await
        .expect(400);
    world.get(&path("/attachments?$filter=nothing eq 1")).await.expect(400);
}

#[tokio::test]
async fn categories_are_listed_made_coloured_and_deleted() {
    let mut world = World::new();
    world.caller.roles.push("MailboxSettings.ReadWrite".to_owned());
    let path = support("outlook/masterCategories");
    let before = world.get(&path).await.expect(200).list().len();
    let made = world
        .post(&path, json!({"displayName": "Urgent", "color": "Preset2"}))
        .await
        .expect(201);
    assert_eq!(made.text("color"), "preset2");
    world.post(&path, json!({"displayName": "urgent"})).await.expect(409);
    world
        .post(&path, json!({"displayName": "x", "color": "pink"}))
        .await
        .expect(400);
    let own = format!("{path}/{}", made.text("id"));
    let changed = world.patch(&own, json!({"color": "none"})).await.expect(200);
    assert_eq!(changed.text("color"), "none");
    world.patch(&own, json!({"displayName": "Other"})).await.expect(400);
    world.delete(&own).await.expect(204);
    world.get(&own).await.expect(404);
    assert_eq!(world.get(&path).await.list().len(), before);
}

#[tokio::test]
async fn operations_may_be_written_with_their_namespace() {
    let world = World::new();
    let id = world.inject(mail("a", "1@x")).await.id;
    world
        .post(
            &support(&format!("messages/{id}/microsoft.graph.move")),
            json!({"destinationId": "archive"}),
        )
        .await
        .expect(201);
    world
        .get(&support("mailFolders/inbox/messages/microsoft.graph.delta()"))
        .await
        .expect(200);
}

#[tokio::test]
async fn unknown_places_are_refused_and_known_ones_named_as_unsupported() {
    let world = World::new();
    world.get(&support("nonsense")).await.expect(400);
    world.get(&support("mailFolders/inbox/nonsense")).await.expect(400);
    world.get(&support("calendar")).await.expect(501);
    world.get(&support("outlook/supportedLanguages")).await.expect(501);
    world
        .get(&support("mailFolders/inbox?$expand=messageRules"))
        .await
        .expect(501);
    world.get(&support("mailFolders?$search=\"x\"")).await.expect(400);
    world
        .get(&support("mailFolders?$select=wellKnownName"))
        .await
        .expect(400);
    let search_folder = json!({"@odata.type": "microsoft.graph.mailSearchFolder", "displayName": "s"});
    world.post(&support("mailFolders"), search_folder).await.expect(501);
}
