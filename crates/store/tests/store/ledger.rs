//! A page is committed once, whole, and in an order that lets its mails answer each other.

use guichet_domain::{ImmutableId, event::EventKind, round::Cursor, trace::Step};
use guichet_store::{Error, Item};

use crate::fixture::{World, answer, at, attachment, blob_id, immutable, mail, message_id, set_aside};

#[tokio::test]
async fn page_committed_twice_doubles_nothing() {
    let world = World::fresh().await;
    let mut marked = mail(1);
    marked.mark_read = true;
    let items = || {
        vec![
            Item::Ingest(Box::new(marked.clone())),
            Item::Ingest(Box::new(answer(2, 1))),
            set_aside(9),
        ]
    };
    let first = world.store.commit_page(world.page(items())).await.expect("commit");
    assert_eq!((first.ingested.len(), first.known, first.quarantined), (2, 0, 1));
    let before = world.picture().await;
    // The engine draws new ids for a page that it reads again.
    let mut again = items();
    if let Some(Item::Ingest(item)) = again.first_mut() {
        item.message = message_id(77);
    }
    let second = world.store.commit_page(world.page(again)).await.expect("commit");
    assert_eq!((second.ingested.len(), second.known, second.quarantined), (0, 3, 0));
    assert_eq!(world.picture().await, before);
}

#[tokio::test]
async fn one_page_with_a_mail_twice_holds_it_once() {
    let world = World::fresh().await;
    let mut same = mail(2);
    same.immutable_id = immutable(1);
    let done = world.commit(vec![mail(1), same]).await;
    assert_eq!((done.ingested.len(), done.known), (1, 1));
}

#[tokio::test]
async fn commit_keeps_everything_that_came() {
    let world = World::fresh().await;
    let mut item = mail(1);
    item.attachments = vec![attachment(1, "a.pdf"), attachment(2, "b.pdf")];
    item.content.deviations = vec!["no Date".to_owned()];
    world.commit(vec![item.clone()]).await;
    let stored = world.message(1).await;
    assert_eq!(stored.content, item.content);
    assert_eq!(stored.attachments, item.attachments);
    assert_eq!(stored.verdict.as_ref(), Some(&item.verdict));
    assert_eq!(stored.mime.as_ref(), Some(&item.mime));
    assert_eq!(stored.immutable_id.as_ref(), Some(&item.immutable_id));
    assert_eq!(stored.received_at, item.received_at);
    let conversation = world.conversations().await.remove(0);
    assert_eq!(conversation.contact, item.content.from[0]);
    assert_eq!(
        (conversation.queue.as_str(), conversation.message_count),
        ("first-line", 1)
    );
    let one = world
        .store
        .attachment(stored.id, item.attachments[1].id)
        .await
        .expect("read");
    assert_eq!(one.as_ref(), item.attachments.get(1));
    let folder = world.store.folders().await.expect("folders").remove(0);
    assert_eq!(
        (folder.synced_at, folder.cursor),
        (Some(at(0)), world.page(Vec::new()).cursor)
    );
}

#[tokio::test]
async fn half_a_walk_is_not_taken_for_a_whole_one() {
    let world = World::fresh().await;
    let mut page = world.page(Vec::new());
    page.cursor = Cursor::Next("https://graph.example/next".to_owned());
    world.store.commit_page(page).await.expect("commit");
    let folder = world.store.folders().await.expect("folders").remove(0);
    assert_eq!(folder.synced_at, None);
}

#[tokio::test]
async fn quarantined_mail_has_a_receipt_with_bytes_and_reason() {
    let world = World::fresh().await;
    world
        .store
        .commit_page(world.page(vec![set_aside(1), Item::Ingest(Box::new(mail(2)))]))
        .await
        .expect("commit");
    let aside = world.store.quarantined(10).await.expect("list");
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].quarantined.as_deref(), Some("the header never ends"));
    assert_eq!((&aside[0].mime, aside[0].message), (&Some(blob_id(1)), None));
    let trace = world.store.trace("immutable-1").await.expect("trace");
    assert_eq!(
        trace[0].steps.iter().map(|s| s.step).collect::<Vec<_>>(),
        [Step::Quarantined]
    );
    let kinds: Vec<EventKind> = world
        .store
        .events_after(0, 10)
        .await
        .expect("events")
        .iter()
        .map(|e| e.kind)
        .collect();
    assert!(kinds.contains(&EventKind::MessageQuarantined), "{kinds:?}");
    let totals = world.store.totals().await.expect("totals");
    assert_eq!(
        (totals.receipts, totals.messages_inbound, totals.quarantined),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn known_receipts_are_found_in_lists_of_any_length() {
    let world = World::fresh().await;
    world.commit((1..=3).map(mail).collect()).await;
    for length in [0, 1, 2, 3, 5, 511, 512, 513, 1500] {
        let ids: Vec<ImmutableId> = (1..=length).map(immutable).collect();
        let known = world.store.known_receipts(world.mailbox, &ids).await.expect("read");
        assert_eq!(known.len() as u128, length.min(3), "of {length}");
    }
}

#[tokio::test]
async fn receipts_are_listed_in_pages_without_gap_or_repeat() {
    let world = World::fresh().await;
    world.commit((1..=25).map(mail).collect()).await;
    for mailbox in [None, Some(world.mailbox)] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = world.store.receipts(mailbox, after, 10).await.expect("list");
            let Some(last) = page.last() else { break };
            after = Some((last.mailbox, last.immutable_id.clone()));
            seen.extend(page.into_iter().map(|r| r.immutable_id));
        }
        let mut unique = seen.clone();
        unique.dedup();
        assert_eq!((seen.len(), unique.len()), (25, 25));
    }
}

#[tokio::test]
async fn page_beyond_the_bound_or_of_another_mailbox_is_refused_whole() {
    let world = World::fresh().await;
    let before = world.picture().await;
    let many = (0..1001).map(set_aside).collect();
    let refused = world.store.commit_page(world.page(many)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let mut page = world.page(vec![Item::Ingest(Box::new(mail(1)))]);
    page.mailbox = crate::fixture::add_mailbox(&world.store, 2, "sales@contoso.example").await;
    let refused = world.store.commit_page(page).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(world.picture().await, before);
}
