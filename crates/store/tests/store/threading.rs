//! Where a mail ends up, decided inside the commit.

use guichet_domain::{conversation::ConversationState, event::EventKind, threading::Rule};
use guichet_store::IngestItem;

use crate::fixture::{DAY, World, add_folder, add_mailbox, answer, at, conversation_id, internet, mail};

async fn rule(world: &World, n: u128) -> Rule {
    world
        .message(n)
        .await
        .threading
        .expect("inbound mail has a reason")
        .rule
}

#[tokio::test]
async fn mails_of_one_page_answer_each_other_whatever_their_order() {
    // 3 answers 2 answers 1, all at the same instant; given in every order.
    for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let world = World::fresh().await;
        let mails = order.map(|n| {
            let mut item = if n == 1 { mail(1) } else { answer(n, n - 1) };
            item.received_at = at(0);
            item
        });
        world.commit(mails.to_vec()).await;
        for n in 1..=3 {
            assert_eq!(world.place(n).await, conversation_id(1), "mail {n} of {order:?}");
        }
    }
}

#[tokio::test]
async fn mails_that_name_each_other_do_not_hang_the_commit() {
    let world = World::fresh().await;
    world.commit(vec![answer(1, 2), answer(2, 1), answer(3, 3)]).await;
    assert_eq!(world.place(1).await, world.place(2).await);
    assert_eq!(world.place(3).await, conversation_id(3));
}

#[tokio::test]
async fn answer_joins_by_header_or_token_and_says_which() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let by_reference = IngestItem {
        threading: guichet_domain::threading::Evidence {
            references: vec![internet("<1@fabrikam.example>"), internet("<unknown@x.example>")],
            ..Default::default()
        },
        ..mail(3)
    };
    let mut by_token = mail(4);
    by_token.threading.tokens = vec![conversation_id(999), conversation_id(1)];
    world.commit(vec![answer(2, 1), by_reference, by_token]).await;
    for (n, wanted) in [(2, Rule::InReplyTo), (3, Rule::References), (4, Rule::Token)] {
        assert_eq!(world.place(n).await, conversation_id(1), "mail {n}");
        assert_eq!(rule(&world, n).await, wanted);
    }
    assert_eq!(rule(&world, 1).await, Rule::NoEvidence);
    assert_eq!(world.conversations().await[0].message_count, 4);
}

#[tokio::test]
async fn message_id_of_another_mailbox_joins_nothing() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let mailbox = add_mailbox(&world.store, 2, "sales@contoso.example").await;
    let lease = add_folder(&world.store, mailbox, 2).await;
    let other = World {
        store: world.store.clone(),
        mailbox,
        lease,
    };
    let mut by_token = mail(3);
    by_token.threading.tokens = vec![conversation_id(1)];
    other.commit(vec![answer(2, 1), by_token]).await;
    assert_eq!(world.place(2).await, conversation_id(2));
    assert_eq!(world.place(3).await, conversation_id(3));
}

#[tokio::test]
async fn reply_reopens_until_the_window_of_the_conversation_has_passed() {
    let world = World::fresh().await;
    let mut short = mail(1);
    short.route.threading_window_days = 2;
    world.commit(vec![short, mail(2)]).await;
    for n in [1, 2] {
        let closed = world
            .store
            .set_conversation_state(conversation_id(n), ConversationState::Closed, at(100))
            .await
            .expect("close");
        assert_eq!(closed.and_then(|c| c.closed_at), Some(at(100)));
    }
    let late = |n: u128, parent: u128| {
        let mut item = answer(n, parent);
        item.received_at = at(100 + 3 * DAY);
        item
    };
    world.commit(vec![late(3, 1), late(4, 2)]).await;
    // Three days later: past the window of the first, within that of the second.
    assert_eq!(world.place(3).await, conversation_id(3));
    let continued = world
        .store
        .conversation(conversation_id(3))
        .await
        .expect("read")
        .expect("opened");
    assert_eq!(continued.continues, Some(conversation_id(1)));
    assert_eq!(world.place(4).await, conversation_id(2));
    let reopened = world
        .store
        .conversation(conversation_id(2))
        .await
        .expect("read")
        .expect("there");
    assert_eq!((reopened.state, reopened.closed_at), (ConversationState::Open, None));
    let events = world.store.events_after(0, 100).await.expect("events");
    let reopenings: Vec<_> = events
        .iter()
        .filter(|e| e.kind == EventKind::ConversationReopened)
        .collect();
    assert_eq!(reopenings.len(), 1);
    assert_eq!(reopenings[0].conversation, Some(conversation_id(2)));
}

#[tokio::test]
async fn shared_message_id_keeps_both_mails_and_answers_go_to_the_newest() {
    let world = World::fresh().await;
    let mut twin = mail(2);
    twin.internet_message_id = mail(1).internet_message_id;
    let done = world.commit(vec![mail(1), twin]).await;
    assert_eq!(done.ingested.len(), 2);
    assert_ne!(world.place(1).await, world.place(2).await);
    world.commit(vec![answer(3, 1)]).await;
    assert_eq!(world.place(3).await, conversation_id(2));
    let mails = world.store.trace("<1@fabrikam.example>").await.expect("trace");
    assert_eq!(mails.len(), 2);
}

#[tokio::test]
async fn flood_under_one_message_id_keeps_the_lookup_bounded() {
    let world = World::fresh().await;
    let flood: Vec<IngestItem> = (1..=100)
        .map(|n| IngestItem {
            internet_message_id: Some(internet("<same@x.example>")),
            ..mail(n)
        })
        .collect();
    world.commit(flood).await;
    let mut late = mail(200);
    late.threading.in_reply_to = vec![internet("same@x.example")];
    world.commit(vec![late]).await;
    assert_eq!(
        world.place(200).await,
        conversation_id(8),
        "the newest of the eight that are remembered"
    );
}

#[tokio::test]
async fn mails_without_message_id_are_kept_apart() {
    let world = World::fresh().await;
    let nameless = |n| IngestItem {
        internet_message_id: None,
        ..mail(n)
    };
    let done = world.commit(vec![nameless(1), nameless(2)]).await;
    assert_eq!(done.ingested.len(), 2);
    assert_ne!(world.place(1).await, world.place(2).await);
}

#[tokio::test]
async fn agent_keeps_a_conversation_that_gets_another_mail() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    world
        .store
        .set_conversation_state(conversation_id(1), ConversationState::Assigned, at(5))
        .await
        .expect("assign");
    world.commit(vec![answer(2, 1)]).await;
    let conversation = world.conversations().await.remove(0);
    assert_eq!(conversation.state, ConversationState::Assigned);
    let events = world.store.events_after(0, 100).await.expect("events");
    assert!(events.iter().all(|e| e.kind != EventKind::ConversationReopened));
}
