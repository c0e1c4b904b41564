//! One total order, and a wake-up that never runs ahead.

use crate::fixture::{World, mail};

#[tokio::test]
async fn numbers_have_no_gap_and_follow_the_commits() {
    let world = World::fresh().await;
    world.commit(vec![mail(1), mail(2)]).await;
    world.commit(vec![mail(3)]).await;
    let events = world.store.events_after(0, 100).await.expect("events");
    assert_eq!(
        events.iter().map(|e| e.seq).collect::<Vec<_>>(),
        (1..=6).collect::<Vec<_>>()
    );
    assert_eq!(world.store.last_event().await, Ok(6));
    let rest = world.store.events_after(4, 1).await.expect("events");
    assert_eq!(rest.iter().map(|e| e.seq).collect::<Vec<_>>(), [5]);
}
