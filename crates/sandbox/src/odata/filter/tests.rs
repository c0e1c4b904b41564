//! Tests of the filter language.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn passes(filter: &str, entity: &serde_json::Value) -> bool {
    Filter::parse(filter).unwrap().matches(entity).unwrap()
}

fn message() -> serde_json::Value {
    json!({
        "subject": "It's Lunch", "isRead": false, "importance": "high", "size": 12,
        "receivedDateTime": "2024-05-06T07:08:09Z",
        "from": {"emailAddress": {"address": "Ada@Fabrikam.example"}},
        "categories": ["Red", "Blue"],
        "singleValueExtendedProperties": [
            {"id": "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color", "value": "Green"}
        ],
    })
}

#[test]
fn and_binds_tighter_than_or() {
    assert!(passes(
        "isRead eq false or isRead eq true and importance eq 'low'",
        &message()
    ));
    assert!(!passes(
        "(isRead eq false or isRead eq true) and importance eq 'low'",
        &message()
    ));
}

#[test]
fn keywords_and_text_ignore_case() {
    assert!(passes(
        "NOT (isread EQ true) AND from/emailaddress/ADDRESS eq 'ada@fabrikam.EXAMPLE'",
        &message()
    ));
}

#[test]
fn doubled_quotes_are_one_quote() {
    assert!(passes("subject eq 'it''s lunch'", &message()));
    assert!(Filter::parse("subject eq 'it's lunch'").is_err());
}

#[test]
fn moments_compare_with_offset_and_bare_date() {
    assert!(passes("receivedDateTime ge 2024-05-06", &message()));
    assert!(passes("receivedDateTime eq 2024-05-06T09:08:09+02:00", &message()));
    assert!(!passes("receivedDateTime gt 2024-05-06T07:08:09Z", &message()));
    assert!(passes("receivedDateTime le datetime'2024-05-06T07:08:09Z'", &message()));
}

#[test]
fn lambdas_see_the_element_and_the_outer_entity() {
    let wanted = "singleValueExtendedProperties/Any(ep: ep/id eq \
                  'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color' and contains(ep/Value, 'green'))";
    assert!(passes(wanted, &message()));
    assert!(passes("categories/any(c:c eq 'blue' and isRead eq false)", &message()));
    assert!(!passes("categories/any(c:c eq 'green')", &message()));
    assert!(passes("categories/all(c:length(c) ge 3)", &message()));
    assert!(passes("categories/any()", &message()));
}

#[test]
fn casts_and_functions_apply() {
    assert!(passes(
        "startswith(tolower(subject),'it') and endswith(subject,'LUNCH')",
        &message()
    ));
    let pallet = json!({"p": [{"value": "12"}]});
    assert!(passes("p/any(x:cast(x/value, Edm.Int32) eq 12)", &pallet));
    assert!(passes("contains(subject,'lunch') eq true", &message()));
    assert!(passes("importance in ('low','high')", &message()));
    assert!(passes("nothing eq null and subject ne null", &message()));
}

#[test]
fn functions_make_values_of_texts_and_moments() {
    for filter in [
        "indexof(subject,'LUNCH') eq 5",
        "indexof(subject,'dinner') eq -1",
        "substring(subject,5) eq 'lunch'",
        "substring(subject,0,2) eq 'it'",
        "concat(concat(importance,'-'),'x') eq 'high-x'",
        "year(receivedDateTime) eq 2024 and month(receivedDateTime) eq 5 and day(receivedDateTime) eq 6",
        "hour(receivedDateTime) eq 7 and minute(receivedDateTime) eq 8 and second(receivedDateTime) eq 9",
        "date(receivedDateTime) eq 2024-05-06",
        "receivedDateTime lt maxdatetime() and receivedDateTime gt mindatetime()",
        "floor(size) eq 12",
        "length(nothing) eq null",
        "importance eq microsoft.graph.importance'high'",
        "importance in (microsoft.graph.importance'high')",
    ] {
        assert!(passes(filter, &message()), "{filter}");
    }
    for bad in [
        "year(subject) eq 1",
        "length(size) eq 1",
        "substring(subject,'a') eq 'x'",
    ] {
        assert!(Filter::parse(bad).unwrap().matches(&message()).is_err(), "{bad}");
    }
    for bad in [
        "concat(subject) eq 'x'",
        "length() eq 1",
        "now(1) eq 1",
        "year(a,b) eq 1",
        "subject add 1 eq 2",
    ] {
        assert!(Filter::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_wrong_filter_is_refused_even_where_nothing_would_come_to_it() {
    struct Importance;
    impl Subject for Importance {
        fn value(&self, path: &str) -> Option<super::Value<'_>> {
            match path {
                "importance" => Some(super::Value::Member(1, &["low", "normal", "high"])),
                "isread" => Some(super::Value::Bool(false)),
                _ => None,
            }
        }
        fn items(&self, path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
            (path == "list").then(|| vec![Box::new(Self) as Box<dyn Subject>])
        }
    }
    let check = |text: &str| Filter::parse(text).unwrap().check(&Importance);
    for good in [
        "importance eq 'HIGH'",
        "importance gt 'low'",
        "list/any(x:x/isRead)",
        "isRead or not isRead",
    ] {
        assert!(check(good).is_ok(), "{good}");
        assert!(Filter::parse(good).unwrap().accepts(&Importance).is_ok());
    }
    for bad in [
        "importance eq 'urgent'",
        "isRead eq true and nothing eq 'x'",
        "isRead eq false or isRead eq 'x'",
        "contains(importance,'hi')",
        "list/any(x:x/nothing eq 1)",
        "nothing/any(x:x eq 1)",
        "importance",
        "(nothing eq 1) eq true",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}

#[test]
fn nonsense_is_refused_and_never_matches_silently() {
    for bad in [
        "",
        "subject",
        "subject eq",
        "eq 'x'",
        "subject eq 'x' and",
        "(subject eq 'x'",
        "subject eq 'x')",
        "subject ~ 'x'",
        "unknown(subject)",
        "subject eq 'x' subject eq 'y'",
        "subject eq 2024-99-99",
        "not",
    ] {
        let outcome = Filter::parse(bad).and_then(|filter| filter.matches(&message()));
        assert!(outcome.is_err(), "accepted {bad:?} as {outcome:?}");
    }
    assert!(Filter::parse("subject eq 5").unwrap().matches(&message()).is_err());
}

#[test]
fn deep_nesting_is_refused_instead_of_overflowing() {
    let text = format!("{}isRead eq true{}", "(".repeat(5000), ")".repeat(5000));
    assert!(Filter::parse(&text).is_err());
}

#[test]
fn properties_come_in_order_and_literals_can_be_rewritten() {
    let mut filter = Filter::parse("(isRead eq false AND parentFolderId eq 'inbox') or isRead eq true").unwrap();
    assert_eq!(filter.properties(), ["isread", "parentfolderid"]);
    filter.rewrite_text("parentfolderid", &|text| (text == "inbox").then(|| "AAMk=".to_owned()));
    assert!(
        filter
            .matches(&json!({"isRead": false, "parentFolderId": "AAMk="}))
            .unwrap()
    );
}

fn literal() -> impl Strategy<Value = String> {
    "[ -~äß']{0,12}".prop_map(|text| format!("'{}'", text.replace('\'', "''")))
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        literal().prop_map(|text| format!("subject eq {text}")),
        literal().prop_map(|text| format!("contains(subject,{text})")),
        Just("isRead eq false".to_owned()),
        Just("receivedDateTime gt 2020-01-01T00:00:00Z".to_owned()),
        literal().prop_map(|text| format!("categories/any(c:c eq {text})")),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,80}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn negation_inverts_every_expression(text in expression()) {
        let filter = Filter::parse(&text).unwrap();
        let negated = Filter::parse(&format!("not ({text})")).unwrap();
        prop_assert_eq!(filter.matches(&message()).unwrap(), !negated.matches(&message()).unwrap());
    }

    #[test]
    fn quoted_text_survives(text in "[^\\x00]{0,40}") {
        let filter = Filter::parse(&format!("subject eq '{}'", text.replace('\'', "''"))).unwrap();
        let entity = json!({"subject": text});
        prop_assert!(filter.matches(&entity).unwrap());
    }
}
