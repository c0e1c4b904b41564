//! Tests of the search language.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::mail::message::Message;
use crate::mail::mime::{Reception, record};

fn now() -> Timestamp {
    "2026-03-04T12:00:00Z".parse().unwrap()
}

fn message() -> Message {
    let mime = "From: Ada Lovelace <ada.l@fabrikam.example>\r\nTo: support@contoso.example\r\n\
        Cc: Bob <bob@contoso.example>\r\nSubject: Pizza night's plan\r\nImportance: high\r\n\
        Date: Sun, 01 Mar 2026 09:59:00 +0000\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
        <p>The <b>invoice</b> number is 4711.</p>\r\n--b\r\nContent-Type: application/pdf; name=\"report-2026.pdf\"\r\n\
        Content-Disposition: attachment; filename=\"report-2026.pdf\"\r\n\r\nx\r\n--b--\r\n";
    let reception = Reception {
        at: "2026-03-01T10:00:00Z".parse::<Timestamp>().unwrap().as_second(),
        message_id_if_none: "<m@x>",
    };
    record(Bytes::from(mime), reception).0
}

fn found(kql: &str) -> bool {
    let quoted = format!("\"{}\"", kql.replace('\\', "\\\\").replace('"', "\\\""));
    match Search::parse(&quoted, now()) {
        Ok(search) => search.finds(&message()),
        Err(error) => panic!("{kql}: {}", error.message),
    }
}

fn refused(value: &str) -> bool {
    Search::parse(value, now()).is_err_and(|error| error.status.as_u16() == 400)
}

#[test]
fn words_are_looked_for_in_sender_subject_and_body() {
    for kql in [
        "pizza",
        "PIZZA",
        "lovelace",
        "invoice 4711",
        "\"invoice number\"",
        "inv*",
        "\"pizza nig\"*",
    ] {
        assert!(found(kql), "{kql}");
    }
    for kql in ["piz", "support", "report", "\"number invoice\"", "pizza burger"] {
        assert!(!found(kql), "{kql}");
    }
}

#[test]
fn properties_look_in_their_own_place_only() {
    for kql in [
        "from:ada",
        "from:ada.l@fabrikam.example",
        "from:\"Ada Lovelace\"",
        "to:support@contoso.example",
        "cc:bob",
        "recipients:bob",
        "participants:fabrikam",
        "subject:pizza",
        "subject:'pizza night'",
        "body:invoice",
        "attachment:report",
        "attachment:report-2026.pdf",
        "hasAttachment:true",
        "hasattachments=1",
        "importance:high",
        "kind:email",
    ] {
        assert!(found(kql), "{kql}");
    }
    for kql in [
        "from:bob",
        "to:bob",
        "bcc:bob",
        "subject:invoice",
        "body:pizza",
        "attachment:invoice",
        "hasAttachments:false",
        "importance:low",
        "kind:meetings",
        "kind:tasks",
    ] {
        assert!(!found(kql), "{kql}");
    }
}

#[test]
fn operators_are_capitals_and_bind_not_before_and_before_or() {
    assert!(found("pizza AND invoice"));
    assert!(!found("pizza and invoice"), "small letters are a word");
    assert!(found("burger OR pizza"));
    assert!(found("burger AND x OR pizza"));
    assert!(!found("burger AND (x OR pizza)"));
    assert!(found("NOT burger"));
    assert!(found("pizza -burger +invoice"));
    assert!(!found("pizza NOT invoice"));
    assert!(found("from:(bob OR ada)") && !found("from:(bob ada)"));
}

#[test]
fn neighbours_of_one_property_are_alternatives() {
    assert!(found("from:bob from:ada"));
    assert!(!found("from:bob AND from:ada"));
    assert!(!found("from:ada subject:burger"));
}

#[test]
fn dates_and_sizes_are_compared_and_ranged() {
    for kql in [
        "received:2026-03-01",
        "received:3/1/2026",
        "received>=2026-03-01",
        "received<2026-03-02",
        "received<=2026-03-01",
        "received:2026-02-01..2026-03-01",
        "received:\"this month\"",
        "received:\"this week\"",
        "received>=2026-03-01T10:00:00Z",
        "sent:2026-03-01 AND sent<2026-03-01T10:00:00Z",
        "received<>2026-03-02",
        "size:1..100kb",
        "size>100",
        "size<1mb",
        "size:..100000",
    ] {
        assert!(found(kql), "{kql}");
    }
    for kql in [
        "received:today",
        "received>2026-03-01",
        "received<2026-03-01",
        "received:2026-03-02..2026-03-09",
        "received:\"last week\" AND received:\"last month\"",
        "size>1mb",
        "size:5",
    ] {
        assert!(!found(kql), "{kql}");
    }
}

#[test]
fn what_is_not_the_language_is_refused() {
    for value in [
        "",
        "\"\"",
        "\"   \"",
        "\"unterminated",
        "from:ada",
        "\"colour:blue\"",
        "\"from:\"",
        "\"from: ada\"",
        "\"(pizza\"",
        "\"pizza)\"",
        "\"AND\"",
        "\"pizza AND\"",
        "\"OR pizza\"",
        "\"NOT\"",
        "\"received:someday\"",
        "\"received:2026-13-01\"",
        "\"hasAttachment:maybe\"",
        "\"importance:urgent\"",
        "\"kind:spaceship\"",
        "\"size:large\"",
        "\"from>ada\"",
        "\"*pizza\"",
        "\"subject:\\\"open\"",
        "\"...\"",
    ] {
        assert!(refused(value), "{value}");
    }
    let deep = format!("\"{}pizza{}\"", "(".repeat(200), ")".repeat(200));
    assert!(refused(&deep));
    assert!(refused(&format!("\"{}\"", "x".repeat(MAX_SEARCH))));
}

#[test]
fn plain_words_need_no_quotes_and_quoted_parts_may_be_joined() {
    let search = |value: &str| Search::parse(value, now()).unwrap().finds(&message());
    assert!(search("pizza") && search("pizza night"));
    assert!(search("\"pizza\" AND \"invoice\"") && search("\"burger\" OR \"pizza\""));
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,80}") {
        if let Ok(search) = Search::parse(&text, now()) {
            let _ = search.finds(&message());
        }
        if let Ok(search) = Search::parse(&format!("\"{text}\""), now()) {
            let _ = search.finds(&message());
        }
    }

    #[test]
    fn not_inverts(word in "[a-z]{1,8}") {
        prop_assume!(!["and", "or", "not"].contains(&word.as_str()));
        prop_assert_ne!(found(&word), found(&format!("NOT {word}")));
    }
}
