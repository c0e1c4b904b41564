//! Replies: accepted once, sent once, and found by the answers to them.

use guichet_domain::{
    ImmutableId, conversation::ConversationState, event::EventKind, loop_guard::Author, threading::Rule, trace::Step,
};
use guichet_store::{AcceptedReply, Error, JobKind, Party, SentReply};

use crate::{
    backend,
    fixture::{World, answer, at, conversation_id, immutable, internet, mail, message_id, reply},
};

async fn with_mail() -> World {
    let world = World::fresh().await;
    world.commit(vec![mail(1)]).await;
    world
}

fn sent() -> SentReply {
    SentReply {
        immutable_id: ImmutableId::new("sent-copy"),
        internet_message_id: Some(internet("<ours@contoso.example>")),
        sent_at: at(1010),
        mime: None,
        size: 55,
    }
}

#[tokio::test]
async fn accepted_reply_waits_for_the_customer_and_has_a_job() {
    let world = with_mail().await;
    let accepted = world.accept(reply(1, conversation_id(1), "k")).await;
    let message = message_id(0x9001);
    assert_eq!(accepted, AcceptedReply::Accepted { message });
    let stored = world.message(0x9001).await;
    assert_eq!((stored.state.as_str(), stored.attachments.len()), ("queued", 1));
    let conversation = world.conversations().await.remove(0);
    assert_eq!(
        (conversation.state, conversation.message_count),
        (ConversationState::Waiting, 2)
    );
    let jobs = world
        .store
        .lease_jobs(at(1000), at(1030), "a", 10)
        .await
        .expect("lease");
    let in_reply_to = immutable(1);
    assert_eq!(jobs[0].kind, JobKind::SendReply { message, in_reply_to });
    let steps = world.store.trace("immutable-1").await.expect("trace").remove(0).steps;
    assert!(steps.iter().any(|s| s.step == Step::ReplyAccepted));
}

#[tokio::test]
async fn repeated_request_gets_the_first_answer_and_changes_nothing() {
    let world = with_mail().await;
    world.accept(reply(1, conversation_id(1), "k")).await;
    let before = world.picture().await;
    let message = message_id(0x9001);
    assert_eq!(
        world.accept(reply(2, conversation_id(1), "k")).await,
        AcceptedReply::Repeated { message }
    );
    let mut other = reply(3, conversation_id(1), "k");
    other.request_digest = "of something else".to_owned();
    assert_eq!(world.accept(other).await, AcceptedReply::KeyReused);
    assert_eq!(world.picture().await, before);
    // Control: another client's key of the same name is another key.
    let mut foreign = reply(4, conversation_id(1), "k");
    foreign.client = "key-2".to_owned();
    assert!(matches!(world.accept(foreign).await, AcceptedReply::Accepted { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests_under_one_key_are_one_reply() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(backend::concurrent(directory.path()).await).await;
    world.commit(vec![mail(1)]).await;
    let requests = (0..20).map(|n| world.store.accept_reply(reply(n, conversation_id(1), "k")));
    let answers: Vec<AcceptedReply> = futures::future::try_join_all(requests).await.expect("accept");
    let accepted = answers.iter().filter(|a| matches!(a, AcceptedReply::Accepted { .. }));
    assert_eq!(accepted.count(), 1, "{answers:?}");
    assert_eq!(world.store.totals().await.expect("totals").messages_outbound, 1);
    world.store.clone().close().await;
}

#[tokio::test]
async fn nothing_to_answer_uses_up_no_key() {
    let world = with_mail().await;
    let none = AcceptedReply::NothingToAnswer;
    assert_eq!(world.accept(reply(1, conversation_id(99), "k")).await, none);
    let mut wrong = reply(1, conversation_id(1), "k");
    wrong.answers = Some(message_id(99));
    assert_eq!(world.accept(wrong).await, none);
    assert!(matches!(
        world.accept(reply(1, conversation_id(1), "k")).await,
        AcceptedReply::Accepted { .. }
    ));
    // Our own reply is no mail to answer.
    let mut own = reply(2, conversation_id(1), "k2");
    own.answers = Some(message_id(0x9001));
    assert_eq!(world.accept(own).await, none);
}

#[tokio::test]
async fn sent_reply_is_found_by_answers_and_never_ingested() {
    let world = with_mail().await;
    world.accept(reply(1, conversation_id(1), "k")).await;
    let job = world
        .store
        .lease_jobs(at(1000), at(1030), "a", 1)
        .await
        .expect("lease")
        .remove(0);
    let message = message_id(0x9001);
    let sent = sent();
    let finish = |epoch, message| {
        world
            .store
            .finish_reply(job.id, epoch, message, &sent, Vec::new(), at(1011))
    };
    let before = world.picture().await;
    assert_eq!(finish(job.epoch + 1, message).await, Err(Error::Fenced));
    assert!(matches!(finish(job.epoch, message_id(1)).await, Err(Error::Invalid(_))));
    assert_eq!(world.picture().await, before);
    assert_eq!(finish(job.epoch, message).await, Ok(()));
    assert_eq!(finish(job.epoch, message).await, Err(Error::Fenced), "the job is gone");
    let stored = world.message(0x9001).await;
    assert_eq!((stored.state.as_str(), stored.sent_at), ("sent", Some(at(1010))));
    assert_eq!(world.store.totals().await.expect("totals").outbox_pending, 0);
    let last = world.store.events_after(0, 100).await.expect("events").pop();
    assert_eq!(last.map(|e| e.kind), Some(EventKind::ReplySent));

    let mut copy = mail(5);
    copy.immutable_id = ImmutableId::new("sent-copy");
    let mut customer = mail(6);
    customer.threading.in_reply_to = vec![internet("<ours@contoso.example>")];
    let done = world.commit(vec![copy, customer]).await;
    assert_eq!((done.known, done.ingested.len()), (1, 1));
    assert_eq!(world.place(6).await, conversation_id(1));
    assert_eq!(world.message(6).await.threading.map(|t| t.rule), Some(Rule::InReplyTo));
    let conversation = world.conversations().await.remove(0);
    assert_eq!(conversation.state, ConversationState::Open);
}

#[tokio::test]
async fn old_keys_are_forgotten_and_young_ones_are_not() {
    let world = with_mail().await;
    world.accept(reply(1, conversation_id(1), "k")).await;
    assert_eq!(world.store.forget_idempotency_keys(at(1000)).await, Ok(0));
    assert_eq!(world.store.forget_idempotency_keys(at(1001)).await, Ok(1));
}

#[tokio::test]
async fn reply_goes_to_the_person_and_not_to_the_machine_that_wrote_last() {
    let world = with_mail().await;
    let mut report = answer(2, 1);
    report.verdict.author = Author::Report;
    report.content.from = vec![Party {
        name: String::new(),
        address: "mailer-daemon@fabrikam.example".to_owned(),
    }];
    world.commit(vec![report]).await;
    let conversation = world.place(1).await;
    assert_eq!(world.place(2).await, conversation, "the report is in the conversation");

    world.accept(reply(1, conversation, "key")).await;
    let sent = world.message(0x9001).await;
    assert_eq!(sent.content.to[0].address, "customer@fabrikam.example");

    // Asked for by name, the report is answered.
    let mut asked = reply(2, conversation, "other");
    asked.answers = Some(message_id(2));
    world.accept(asked).await;
    let sent = world.message(0x9002).await;
    assert_eq!(sent.content.to[0].address, "mailer-daemon@fabrikam.example");
}
