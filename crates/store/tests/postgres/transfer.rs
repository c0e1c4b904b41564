//! An embedded installation becomes a shared one: all of it, or nothing.

use guichet_domain::{conversation::ConversationState, loop_guard::Author};
use guichet_store::{CopiedTable, Error, Item, OpenOptions, SeenFinding, Store};

use crate::{
    backend::{fresh, new_database, open, run},
    fixture::{World, answer, at, attachment, conversation_id, immutable, mail, reply},
};

/// Something in every table.
async fn installation(directory: &std::path::Path) -> World {
    let store = Store::open(OpenOptions::in_directory(directory)).await.expect("store");
    let world = World::over(store).await;
    let mut first = mail(1);
    first.attachments = vec![attachment(1, "a.pdf"), attachment(2, "b\u{e9}.pdf")];
    first.mark_read = true;
    first.content.subject = "nul \0 and ünïcode".to_owned();
    let mut machine = answer(2, 1);
    machine.verdict.author = Author::List;
    world.commit(vec![first, machine]).await;
    // More than one page of a table.
    world.commit((10..700).map(mail).collect()).await;
    let bad = Item::Quarantine {
        immutable_id: immutable(9),
        internet_message_id: None,
        mime: None,
        size: 0,
        reason: "it does not parse".to_owned(),
        steps: Vec::new(),
    };
    world.store.commit_page(world.page(vec![bad])).await.expect("commit");
    world.accept(reply(1, conversation_id(1), "k")).await;
    let store = &world.store;
    store
        .set_conversation_state(conversation_id(10), ConversationState::Closed, at(5))
        .await
        .expect("state");
    let finding = SeenFinding {
        code: "folder-behind".to_owned(),
        subject: "support@contoso.example".to_owned(),
        severity: "warning".to_owned(),
        evidence: "an hour".to_owned(),
    };
    store.record_findings(&[finding], true, at(6)).await.expect("finding");
    store.take_turn("look", "node", at(7), at(8)).await.expect("turn");
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_installation_is_taken_over_with_everything() {
    let directory = tempfile::tempdir().expect("directory");
    let old = installation(directory.path()).await;
    let new = fresh().await;
    let copied = old.store.copy_to(&new).await.expect("copied");
    let rows = |name: &str| copied.iter().find(|t| t.table == name).map(|t: &CopiedTable| t.rows);
    assert_eq!(rows("receipt"), Some(693));
    assert_eq!(rows("attachment"), Some(3));
    let moved = World {
        store: new,
        mailbox: old.mailbox,
        lease: old.lease.clone(),
    };
    // PostgreSQL has no text with a NUL.
    let picture = old.picture().await.replace("\\0", "\u{fffd}");
    assert_eq!(moved.picture().await, picture);
    // Life goes on: numbers continue, and the fence holds.
    moved.commit(vec![mail(1000)]).await;
    let trace = moved.store.trace("immutable-1000").await.expect("trace");
    assert!(!trace.is_empty());
    let again = old.store.copy_to(&moved.store).await.expect_err("not empty");
    assert!(
        matches!(again, Error::Invalid(ref text) if text.contains("not empty")),
        "{again}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_that_differs_is_noticed_and_undone() {
    let directory = tempfile::tempdir().expect("directory");
    let old = installation(directory.path()).await;
    let address = new_database().await;
    let new = open(&address).await;
    let falsify = "CREATE FUNCTION falsify() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN NEW.size := NEW.size + 1; RETURN NEW; END $$; \
        CREATE TRIGGER falsify BEFORE INSERT ON message FOR EACH ROW WHEN (NEW.received_at % 2 = 0) \
        EXECUTE FUNCTION falsify()";
    run(&address, falsify).await;
    let error = old.store.copy_to(&new).await.expect_err("falsified");
    assert!(error.to_string().contains("table message"), "{error}");
    assert_eq!(new.integration().await.expect("read"), None);
    run(&address, "DROP TRIGGER falsify ON message").await;
    old.store.copy_to(&new).await.expect("copied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_database_takes_nothing_over() {
    let directory = tempfile::tempdir().expect("directory");
    let old = installation(directory.path()).await;
    let error = old.store.copy_to(&Store::in_memory().await.expect("store")).await;
    assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
}
