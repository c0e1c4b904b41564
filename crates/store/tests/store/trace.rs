//! The trace finds a mail by any of its names and tells its whole way.

use guichet_domain::trace::Step;
use guichet_store::TraceStep;

use crate::fixture::{World, at, conversation_id, immutable, mail, message_id, reply};

fn steps(trace: &guichet_store::Trace) -> Vec<Step> {
    trace.steps.iter().map(|s| s.step).collect()
}

#[tokio::test]
async fn mail_is_found_by_each_of_its_names() {
    let world = World::fresh().await;
    world.commit(vec![mail(1), mail(2)]).await;
    let ours = message_id(1).to_string();
    for query in [
        ours.as_str(),
        "immutable-1",
        "<1@fabrikam.example>",
        " 1@fabrikam.example ",
    ] {
        let found = world.store.trace(query).await.expect("trace");
        assert_eq!(found.len(), 1, "{query}");
        assert_eq!(found[0].receipt.immutable_id, immutable(1));
        assert_eq!(found[0].conversation, Some(conversation_id(1)));
        assert_eq!(found[0].mailbox_address.as_str(), "support@contoso.example");
        assert_eq!(steps(&found[0]), [Step::Seen, Step::Threaded, Step::Committed]);
        assert!(
            found[0].steps[1].detail.contains("no evidence"),
            "{}",
            found[0].steps[1].detail
        );
    }
    for unknown in ["", "nobody", "<3@fabrikam.example>", &message_id(9).to_string()] {
        assert!(world.store.trace(unknown).await.expect("trace").is_empty(), "{unknown}");
    }
}

#[tokio::test]
async fn reply_is_traced_to_the_mail_it_answers() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    world.accept(reply(1, conversation_id(1), "k")).await;
    let found = world.store.trace(&message_id(0x9001).to_string()).await.expect("trace");
    assert_eq!(found[0].receipt.immutable_id, immutable(1));
    assert_eq!(steps(&found[0]).last(), Some(&Step::ReplyAccepted));
}

#[tokio::test]
async fn mail_that_was_gone_leaves_steps_without_a_receipt() {
    let world = World::fresh().await;
    let mut page = world.page(Vec::new());
    page.steps = vec![TraceStep {
        mailbox: world.mailbox,
        immutable_id: immutable(7),
        at: at(3),
        step: Step::Gone,
        detail: "404".to_owned(),
    }];
    world.store.commit_page(page).await.expect("commit");
    let found = world.store.trace("immutable-7").await.expect("trace");
    assert_eq!(steps(&found[0]), [Step::Gone]);
    assert_eq!(
        (found[0].receipt.message, found[0].receipt.first_seen_at),
        (None, at(3))
    );
}

#[tokio::test]
async fn endless_repetition_is_bounded_and_pushes_nothing_out() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let step = |step, n| TraceStep {
        mailbox: world.mailbox,
        immutable_id: immutable(1),
        at: at(n),
        step,
        detail: String::new(),
    };
    let again = (10..1010).map(|n| step(Step::SeenAgain, n)).collect();
    world.store.add_steps(again).await.expect("add");
    world
        .store
        .add_steps(vec![step(Step::MarkedRead, 2000)])
        .await
        .expect("add");
    let found = world.store.trace("immutable-1").await.expect("trace").remove(0);
    assert_eq!(found.steps.iter().filter(|s| s.step == Step::SeenAgain).count(), 200);
    assert_eq!(steps(&found).last(), Some(&Step::MarkedRead));
}
