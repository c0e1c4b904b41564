//! A client that believes only delta ends with the folder's true content, whatever happens.

use std::collections::BTreeSet;

use proptest::prelude::*;

use bytes::Bytes;
use serde_json::json;

use super::world::{World, mail, support};

const INBOX: &str = "mailFolders/inbox/messages/delta";

#[derive(Debug, Clone)]
enum Act {
    Arrive,
    Read(usize),
    MoveOut(usize),
    MoveIn(usize),
    Delete(usize),
    Page,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Arrive),
        1 => (0..8_usize).prop_map(Act::Read),
        2 => (0..8_usize).prop_map(Act::MoveOut),
        2 => (0..8_usize).prop_map(Act::MoveIn),
        1 => (0..8_usize).prop_map(Act::Delete),
        4 => Just(Act::Page),
    ]
}

async fn page(world: &World, url: &mut String, believed: &mut BTreeSet<String>) -> bool {
    let prefer = [("Prefer", "odata.maxpagesize=2, IdType=\"ImmutableId\"")];
    let page = world.call("GET", url, &prefer, Bytes::new()).await.expect(200);
    for item in page.list() {
        let id = item["id"].as_str().unwrap().to_owned();
        if item.get("@removed").is_some() {
            believed.remove(&id);
        } else {
            believed.insert(id);
        }
    }
    let over = page.json.get("@odata.deltaLink").is_some();
    *url = page
        .text(if over { "@odata.deltaLink" } else { "@odata.nextLink" })
        .to_owned();
    over
}

async fn run(acts: Vec<Act>, ordered: bool) {
    let world = World::new();
    let mut ids: Vec<String> = Vec::new();
    let mut believed = BTreeSet::new();
    let mut url = support(if ordered {
        "mailFolders/inbox/messages/delta?$orderby=receivedDateTime desc"
    } else {
        INBOX
    });
    for act in acts {
        world.advance(1);
        let at = |number: usize| {
            ids.get(number % ids.len().max(1))
                .map(|id| support(&format!("messages/{id}")))
        };
        match act {
            Act::Arrive => {
                let number = ids.len();
                ids.push(
                    world
                        .inject(mail(&format!("m{number}"), &format!("{number}@x")))
                        .await
                        .immutable_id,
                );
            }
            Act::Read(number) => {
                if let Some(path) = at(number) {
                    world.patch(&path, json!({"isRead": true})).await;
                }
            }
            Act::MoveOut(number) => {
                if let Some(path) = at(number) {
                    world
                        .post(&format!("{path}/move"), json!({"destinationId": "archive"}))
                        .await;
                }
            }
            Act::MoveIn(number) => {
                if let Some(path) = at(number) {
                    world
                        .post(&format!("{path}/move"), json!({"destinationId": "inbox"}))
                        .await;
                }
            }
            Act::Delete(number) => {
                if let Some(path) = at(number) {
                    world.delete(&path).await;
                }
            }
            Act::Page => {
                page(&world, &mut url, &mut believed).await;
            }
        }
    }
    // Two rounds: the one that was under way, and one more.
    for _ in 0..2 {
        while !page(&world, &mut url, &mut believed).await {}
    }
    let truth = world
        .get_immutable(&support("mailFolders/inbox/messages?$top=1000&$select=id"))
        .await;
    assert_eq!(believed, truth.each("id").into_iter().collect());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn delta_converges_to_the_truth(acts in proptest::collection::vec(act(), 0..40), ordered: bool) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(acts, ordered));
    }
}
