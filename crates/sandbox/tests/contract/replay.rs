//! Every documented exchange, replayed: same status, same shape, and only properties that Graph's types have.

use reqwest::Url;
use serde_json::Value;

use crate::examples::{all, contract, status};
use crate::plan::{Plan, Prepared, Sender, TOLERATED, plan};
use crate::shape::differences;
use crate::types::Types;
use crate::world::{World, text};

/// Headers of examples that the client's own machinery writes.
const WRITTEN: [&str; 4] = ["host", "content-length", "authorization", "accept-encoding"];

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_exchange_holds() {
    let Some(contract) = contract() else { return };
    let (world, types) = (World::new().await, Types::load(&contract));
    let examples = all(&contract);
    assert!(examples.len() >= 197, "only {} examples", examples.len());
    let (mut replayed, mut elsewhere, mut refused) = (0, 0, 0);
    let mut problems = Vec::new();
    for example in &examples {
        match plan(&world, example).await {
            Plan::Elsewhere(reason) => {
                println!("{}: elsewhere: {reason}", text(example, "id"));
                elsewhere += 1;
            }
            Plan::Refused(prepared) => {
                let answer = send(&world, example, &prepared).await;
                if answer.status != 501 {
                    problems.push(format!("{}: {} instead of 501", text(example, "id"), answer.status));
                }
                refused += 1;
            }
            Plan::Send(prepared) => {
                problems.extend(replay(&world, &types, example, &prepared).await);
                replayed += 1;
            }
        }
    }
    println!("{replayed} replayed, {refused} refused, {elsewhere} elsewhere");
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(replayed >= 150, "only {replayed} of {} were replayed", examples.len());
}

async fn replay(world: &World, types: &Types, example: &Value, prepared: &Prepared) -> Vec<String> {
    let id = text(example, "id");
    let answer = send(world, example, prepared).await;
    let shown = String::from_utf8_lossy(&answer.bytes);
    let wanted = status(example);
    let right = match wanted {
        Some(wanted) => answer.status.as_u16() == wanted,
        None => answer.status.is_success(),
    };
    if !right {
        let cut: String = shown.chars().take(300).collect();
        return vec![format!(
            "{id}: {} instead of {wanted:?}: {} {cut}",
            answer.status, prepared.path
        )];
    }
    let mut problems = Vec::new();
    let tolerated: Vec<(&str, &str)> = TOLERATED
        .iter()
        .filter(|(example, ..)| *example == id)
        .map(|(_, place, reason)| (*place, *reason))
        .collect();
    let documented = &example["response_body"];
    if documented.is_object() && !tolerated.iter().any(|(place, _)| place.is_empty()) {
        problems.extend(differences(documented, &answer.body, &tolerated));
    }
    if let Some(code) = documented["error"]["code"]
        .as_str()
        .filter(|_| answer.status.as_u16() >= 400)
        && answer.body["error"]["code"] != code
    {
        problems.push(format!(
            "the code is {} instead of {code}",
            answer.body["error"]["code"]
        ));
    }
    problems.extend(types.objections(&answer.body));
    problems.into_iter().map(|problem| format!("{id}: {problem}")).collect()
}

async fn send(world: &World, example: &Value, prepared: &Prepared) -> crate::harness::Answer {
    let url = match prepared.path.starts_with("http") {
        true => prepared.path.clone(),
        false => world.tenant.url(&format!("/v1.0{}", prepared.path)),
    };
    // What a browser's address line does with spaces and quotes.
    let url = Url::parse(&url).expect("an address").to_string();
    let token = match prepared.sender {
        Sender::Person => Some(world.me.as_str()),
        Sender::Application => Some(world.app.as_str()),
        Sender::Nobody => None,
    };
    let body = prepared.body.as_ref().unwrap_or(&example["request_body"]);
    let text_body = body.is_string();
    let bytes = match body {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        json => json.to_string().into_bytes(),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in example["request_headers"].as_object().into_iter().flatten() {
        let written = WRITTEN.iter().any(|written| name.eq_ignore_ascii_case(written));
        let content = name.eq_ignore_ascii_case("content-type");
        if let (false, false, Some(value)) = (written, content, value.as_str()) {
            headers.push((name.clone(), value.to_owned()));
        }
    }
    if !bytes.is_empty() {
        let kind = match (prepared.sender, text_body) {
            (Sender::Nobody, _) => "application/octet-stream",
            (_, true) => "text/plain",
            (_, false) => "application/json",
        };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    let method = example["method"].as_str().unwrap_or("POST");
    world.send(method, &url, token, &headers, bytes).await
}
