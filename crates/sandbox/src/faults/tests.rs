//! Rules, without a server.

use http::{HeaderMap, Method};
use uuid::{Uuid, uuid};

use super::*;

const APPLICATION: Uuid = uuid!("6731de76-14a6-49ae-97bc-6eba6914391e");

fn rule(value: Value) -> Rule {
    serde_json::from_value(value).expect("a rule")
}

fn add(faults: &Faults, value: Value) -> u64 {
    faults.add(rule(value)).expect("a good rule")
}

/// A request of [`APPLICATION`] for the mailbox of support.
fn judge(faults: &Faults, method: &Method, path: &str, raw_query: &str) -> Verdict {
    let mut headers = HeaderMap::new();
    headers.insert("prefer", "IdType=\"ImmutableId\"".parse().expect("a header"));
    let asked = Asked {
        method,
        path,
        raw_query,
        headers: &headers,
        application: Some(APPLICATION),
        mailbox: &|| vec!["support@contoso.example".to_owned()],
    };
    faults.judge(&asked, false)
}

fn hits(faults: &Faults, count: usize) -> Vec<bool> {
    (0..count)
        .map(|_| {
            judge(faults, &Method::GET, "/v1.0/users/a/Messages", "")
                .effect
                .is_some()
        })
        .collect()
}

#[test]
fn a_rule_happens_from_the_nth_match_and_so_often() {
    let faults = Faults::default();
    add(
        &faults,
        json!({"path_contains": "/messages", "nth": 2, "times": 2, "action": {"kind": "cut_before"}}),
    );
    assert_eq!(hits(&faults, 5), [false, true, true, false, false]);
    assert!(judge(&faults, &Method::GET, "/v1.0/users/a", "").effect.is_none());
}

#[test]
fn a_rule_can_happen_every_third_time() {
    let faults = Faults::default();
    add(
        &faults,
        json!({"nth": 2, "every": 3, "times": 0, "action": {"kind": "cut_before"}}),
    );
    assert_eq!(hits(&faults, 8), [false, true, false, false, true, false, false, true]);
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    let with_seed = |seed: u64| {
        let faults = Faults::default();
        add(
            &faults,
            json!({"probability": 0.3, "seed": seed, "times": 0, "action": {"kind": "cut_before"}}),
        );
        hits(&faults, 1000)
    };
    let first = with_seed(7);
    assert_eq!(first, with_seed(7));
    assert_ne!(first, with_seed(8));
    let count = first.iter().filter(|hit| **hit).count();
    assert!((200..400).contains(&count), "{count} of 1000 at three in ten");
}

#[test]
fn the_query_can_be_matched_decoded() {
    let faults = Faults::default();
    add(
        &faults,
        json!({"path_contains": "$deltatoken", "times": 0, "action": {"kind": "status", "status": 410}}),
    );
    let verdict = judge(&faults, &Method::GET, "/v1.0/x/delta", "%24deltatoken=abc");
    assert!(matches!(verdict.effect, Some(Effect::Status(fault)) if fault.status == 410));
}

#[test]
fn every_condition_must_hold() {
    for (condition, holds) in [
        (json!({"mailbox": "Support@contoso.example"}), true),
        (json!({"mailbox": "sales@contoso.example"}), false),
        (json!({"application": APPLICATION}), true),
        (json!({"application": Uuid::nil()}), false),
        (json!({"headers": {"Prefer": "immutableid"}}), true),
        (json!({"headers": {"prefer": ""}}), true),
        (json!({"headers": {"prefer": "outlook.body"}}), false),
        (json!({"headers": {"x-absent": ""}}), false),
        (json!({"method": "post"}), false),
        (json!({"path_prefix": "/V1.0/users"}), true),
        (json!({"path_prefix": "/users"}), false),
    ] {
        let faults = Faults::default();
        let mut value = condition.clone();
        value["action"] = json!({"kind": "cut_before"});
        add(&faults, value);
        assert_eq!(hits(&faults, 1), [holds], "{condition}");
    }
}

#[test]
fn delays_add_up_and_leave_room_for_another_action() {
    let faults = Faults::default();
    for action in [
        json!({"kind": "latency", "milliseconds": 2}),
        json!({"kind": "latency", "milliseconds": 3}),
        json!({"kind": "cut_after"}),
    ] {
        add(&faults, json!({"action": action}));
    }
    let verdict = judge(&faults, &Method::POST, "/x", "");
    assert_eq!(verdict.latency, Some(Duration::from_millis(5)));
    assert!(matches!(verdict.effect, Some(Effect::CutAfter)));
}

#[test]
fn a_batch_item_has_no_connection_to_cut() {
    let faults = Faults::default();
    add(&faults, json!({"action": {"kind": "cut_after"}}));
    let headers = HeaderMap::new();
    let asked = Asked {
        method: &Method::GET,
        path: "/v1.0/me",
        raw_query: "",
        headers: &headers,
        application: None,
        mailbox: &Vec::new,
    };
    assert!(faults.judge(&asked, true).effect.is_none());
    assert_eq!(faults.list()[0]["matches"], 0);
}

#[test]
fn connections_and_sessions_have_rules_of_their_own() {
    let faults = Faults::default();
    add(&faults, json!({"nth": 2, "action": {"kind": "tls_failure"}}));
    let reply = "451 4.3.2 Please try again later";
    add(
        &faults,
        json!({"mailbox": "sales@contoso.example", "action": {"kind": "smtp_reply", "phase": "rcpt", "reply": reply}}),
    );
    assert_eq!(hits(&faults, 1), [false]);
    assert_eq!(
        faults.connection(false),
        None,
        "there is no handshake, so it does not count"
    );
    assert_eq!(faults.connection(true), None);
    assert_eq!(faults.connection(true), Some(ConnectionFault::Tls));
    assert_eq!(faults.smtp(SmtpPhase::Rcpt, "TO:<support@contoso.example>"), None);
    assert_eq!(faults.smtp(SmtpPhase::Mail, "FROM:<sales@contoso.example>"), None);
    assert_eq!(
        faults.smtp(SmtpPhase::Rcpt, "TO:<Sales@contoso.example>").as_deref(),
        Some(reply)
    );
}

#[test]
fn impossible_rules_are_refused() {
    for bad in [
        json!({"action": {"kind": "status", "status": 99}}),
        json!({"action": {"kind": "status", "status": 429, "retry_after": -1}}),
        json!({"action": {"kind": "status", "status": 429, "retry_after": "a\nb"}}),
        json!({"nth": 0, "action": {"kind": "cut_before"}}),
        json!({"every": 0, "action": {"kind": "cut_before"}}),
        json!({"probability": 0.0, "action": {"kind": "cut_before"}}),
        json!({"probability": 1.5, "action": {"kind": "cut_before"}}),
        json!({"action": {"kind": "drip", "bytes_per_second": 0}}),
        json!({"action": {"kind": "content_type", "value": "a\nb"}}),
        json!({"path_contains": "/x", "action": {"kind": "tls_failure"}}),
        json!({"method": "GET", "action": {"kind": "smtp_reply", "phase": "rcpt", "reply": "451 later"}}),
        json!({"action": {"kind": "smtp_reply", "phase": "rcpt", "reply": "250 fine"}}),
        json!({"action": {"kind": "smtp_reply", "phase": "rcpt", "reply": "451 a\r\n250 b"}}),
    ] {
        assert!(Faults::default().add(rule(bad.clone())).is_err(), "{bad}");
    }
}

#[test]
fn unknown_words_are_refused() {
    for bad in [
        json!({"action": {"kind": "status", "status": 500, "colour": 1}}),
        json!({"action": {"kind": "cut_before"}, "colour": 1}),
        json!({"action": {"kind": "smtp_reply", "phase": "noon", "reply": "451 later"}}),
    ] {
        assert!(serde_json::from_value::<Rule>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn rules_are_bounded() {
    let faults = Faults::default();
    for _ in 0..MAX_RULES {
        add(&faults, json!({"action": {"kind": "cut_before"}}));
    }
    assert!(faults.add(rule(json!({"action": {"kind": "cut_before"}}))).is_err());
    assert_eq!(faults.remove(None), MAX_RULES);
}
