//! Whether an answer has the shape of a documented one: the same properties with the same kinds of values.
//!
//! Owns the comparison. Values themselves are never compared, and null fits everything.

use serde_json::Value;

/// Annotations of examples that no client relies on.
const IGNORED: [&str; 3] = ["@odata.id", "@odata.context", "@odata.type"];

/// What of `wanted` is missing or of another kind in `got`; `tolerated` places are passed over.
pub fn differences(wanted: &Value, got: &Value, tolerated: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    compare(wanted, got, "", tolerated, &mut found);
    found
}

fn compare(wanted: &Value, got: &Value, place: &str, tolerated: &[(&str, &str)], found: &mut Vec<String>) {
    if tolerated.iter().any(|(known, _)| *known == place) || wanted.is_null() || got.is_null() && !place.is_empty() {
        return;
    }
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (name, value) in wanted.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str())) {
                let place = format!("{place}/{name}");
                match got.get(name) {
                    Some(present) => compare(value, present, &place, tolerated, found),
                    None if tolerated.iter().any(|(known, _)| *known == place) => {}
                    None => found.push(format!("{place} is missing")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(got)) => match (wanted.first(), got.first()) {
            (Some(wanted), Some(got)) => compare(wanted, got, place, tolerated, found),
            (Some(_), None) if place == "/value" => found.push(format!("{place} is empty")),
            _ => {}
        },
        (wanted, got) if std::mem::discriminant(wanted) == std::mem::discriminant(got) => {}
        (wanted, got) => found.push(format!("{place} is {got}, documented is {wanted}")),
    }
}

#[test]
fn another_shape_is_noticed() {
    let wanted = serde_json::json!({"value": [{"id": "a", "size": 1, "from": {"name": "b"}}]});
    let right = serde_json::json!({"value": [{"id": "z", "size": 2, "from": {"name": "y"}, "more": 1}]});
    assert!(differences(&wanted, &right, &[]).is_empty());
    for wrong in [
        serde_json::json!({"value": []}),
        serde_json::json!({"value": [{"id": "a", "size": "1", "from": {"name": "b"}}]}),
        serde_json::json!({"value": [{"id": "a", "size": 1, "from": {}}]}),
        serde_json::json!({}),
    ] {
        assert_eq!(differences(&wanted, &wrong, &[]).len(), 1, "{wrong}");
    }
}
