//! Lists and states of conversations, and reading their messages in pages.

use guichet_domain::{conversation::ConversationState, event::EventKind};
use guichet_store::{Conversation, ConversationFilter};

use crate::fixture::{World, answer, at, conversation_id, mail, message_id};

async fn listed(world: &World, filter: ConversationFilter) -> Vec<Conversation> {
    world.store.conversations(&filter).await.expect("list")
}

/// Ten conversations in two queues, each third one closed.
async fn ten() -> World {
    let world = World::fresh().await;
    let mails = (1..=10).map(|n| {
        let mut item = mail(n);
        item.route.queue = if n % 2 == 0 { "even" } else { "odd" }.to_owned();
        // Two each share an instant, so that the order needs the id as well.
        item.received_at = at(i64::try_from(n / 2).expect("small"));
        item
    });
    world.commit(mails.collect()).await;
    for n in [3, 6, 9] {
        let closed = ConversationState::Closed;
        world
            .store
            .set_conversation_state(conversation_id(n), closed, at(50))
            .await
            .expect("close");
    }
    world
}

#[tokio::test]
async fn every_filter_lists_what_it_names_newest_first() {
    let world = ten().await;
    let all = world.conversations().await;
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted_by(|a, b| (a.last_activity_at, a.id) > (b.last_activity_at, b.id)));
    for state in [None, Some(ConversationState::Open), Some(ConversationState::Closed)] {
        for queue in [None, Some("even".to_owned()), Some("nothing".to_owned())] {
            for mailbox in [None, Some(world.mailbox)] {
                let filter = ConversationFilter {
                    state,
                    queue: queue.clone(),
                    mailbox,
                    after: None,
                    limit: 100,
                };
                let wanted: Vec<&Conversation> = all
                    .iter()
                    .filter(|c| state.is_none_or(|s| c.state == s))
                    .filter(|c| queue.as_ref().is_none_or(|q| c.queue == *q))
                    .collect();
                let found = listed(&world, filter.clone()).await;
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn pages_meet_without_gap_or_repeat() {
    let world = ten().await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let filter = ConversationFilter {
            after,
            limit: 3,
            ..ConversationFilter::default()
        };
        let page = listed(&world, filter).await;
        let Some(last) = page.last() else { break };
        after = Some((last.last_activity_at, last.id));
        seen.extend(page.into_iter().map(|c| c.id));
    }
    let all: Vec<_> = world.conversations().await.into_iter().map(|c| c.id).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn state_set_by_hand_is_told_once() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    let set = |state| world.store.set_conversation_state(conversation_id(1), state, at(9));
    for _ in 0..2 {
        let closed = set(ConversationState::Closed).await.expect("set").expect("there");
        assert_eq!(
            (closed.state, closed.closed_at),
            (ConversationState::Closed, Some(at(9)))
        );
    }
    let open = set(ConversationState::Open).await.expect("set").expect("there");
    assert_eq!(open.closed_at, None);
    let events = world.store.events_after(0, 100).await.expect("events");
    let changes = events
        .iter()
        .filter(|e| e.kind == EventKind::ConversationChanged)
        .count();
    assert_eq!(changes, 2);
    let nobody = world
        .store
        .set_conversation_state(conversation_id(99), ConversationState::Open, at(9))
        .await;
    assert_eq!(nobody, Ok(None));
}

#[tokio::test]
async fn messages_come_oldest_first_in_pages() {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    world.commit((2..=7).map(|n| answer(n, 1)).collect()).await;
    let page = |limit, after| world.store.messages(conversation_id(1), limit, after);
    let ids = |messages: Vec<guichet_store::Message>| messages.into_iter().map(|m| m.id).collect::<Vec<_>>();
    let wanted: Vec<_> = (1..=7).map(message_id).collect();
    assert_eq!(ids(page(100, None).await.expect("list")), wanted);
    assert_eq!(ids(page(3, None).await.expect("list")), wanted[..3]);
    assert_eq!(ids(page(3, Some(message_id(3))).await.expect("list")), wanted[3..6]);
    assert!(page(3, Some(message_id(99))).await.expect("list").is_empty());
}

#[tokio::test]
async fn late_arrival_does_not_turn_the_activity_back() {
    let world = World::fresh().await;
    world.commit(vec![mail(5)]).await;
    let mut early = answer(6, 5);
    early.received_at = at(-100);
    world.commit(vec![early]).await;
    assert_eq!(world.conversations().await[0].last_activity_at, at(5));
}
