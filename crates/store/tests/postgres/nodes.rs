//! Several nodes on one database: nothing is done twice, nobody waits for ever, and a node hears of the others.

use std::time::Duration;

use futures::future::{join_all, try_join_all};
use guichet_domain::{conversation::ConversationState, round::Cursor};
use guichet_store::{AcceptedReply, Error, Item, JobOutcome, Page, Store};

use crate::{
    backend::{new_database, open, options, run},
    fixture::{World, add_folder, add_mailbox, answer, at, conversation_id, mail, reply},
    server::Server,
};

/// The first node has made what a world begins with.
async fn nodes(count: usize) -> (String, World, Vec<Store>) {
    let address = new_database().await;
    let world = World::over(open(&address).await).await;
    let mut others = Vec::new();
    for _ in 1..count {
        others.push(open(&address).await);
    }
    (address, world, others)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_make_one_schema() {
    let address = new_database().await;
    let stores = join_all((0..6).map(|_| open(&address))).await;
    for store in &stores {
        store.check().await.expect("write");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_of_a_newer_program_is_refused() {
    let address = new_database().await;
    open(&address).await.close().await;
    run(
        &address,
        "INSERT INTO schema_version (version, name) VALUES (99, 'of tomorrow')",
    )
    .await;
    let error = Store::open(options(&address)).await.expect_err("refused");
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mail_of_two_folders_at_once_has_one_receipt() {
    let (_, world, others) = nodes(2).await;
    let other = add_folder(&world.store, world.mailbox, 2).await;
    for n in 0..20 {
        let page = |folder, epoch| Page {
            folder,
            epoch,
            ..world.page(vec![Item::Ingest(Box::new(mail(n)))])
        };
        let (one, two) = tokio::join!(
            world.store.commit_page(page(world.lease.folder.id, world.lease.epoch)),
            others[0].commit_page(page(other.folder.id, other.epoch))
        );
        let (one, two) = (one.expect("commit"), two.expect("commit"));
        assert_eq!(one.ingested.len() + two.ingested.len(), 1);
        assert_eq!(one.known + two.known, 1);
    }
    assert_eq!(world.store.totals().await.expect("totals").messages_inbound, 20);
}

/// On an embedded database there is one writer; here the answer must wait for the mail that it answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answer_in_another_folder_joins_what_was_committed_before() {
    let (_, world, others) = nodes(2).await;
    let other = add_folder(&world.store, world.mailbox, 2).await;
    for n in 0..10 {
        let (question, follow_up) = (mail(2 * n), answer(2 * n + 1, 2 * n));
        world.commit(vec![question]).await;
        let page = Page {
            folder: other.folder.id,
            epoch: other.epoch,
            ..world.page(vec![Item::Ingest(Box::new(follow_up))])
        };
        others[0].commit_page(page).await.expect("commit");
        assert_eq!(world.place(2 * n + 1).await, conversation_id(2 * n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_are_leased_by_one_node_each() {
    let (_, world, mut stores) = nodes(4).await;
    let mails = (0..60).map(|n| {
        let mut mail = mail(n);
        mail.mark_read = true;
        mail
    });
    world.commit(mails.collect()).await;
    stores.push(world.store.clone());
    let drain = stores.iter().enumerate().map(|(node, store)| async move {
        let mut taken = Vec::new();
        loop {
            let owner = format!("node-{node}");
            let jobs = store.lease_jobs(at(1), at(61), &owner, 5).await.expect("lease");
            if jobs.is_empty() {
                return taken;
            }
            for job in jobs {
                store
                    .finish_job(job.id, job.epoch, JobOutcome::Done, Vec::new(), at(2))
                    .await
                    .expect("its own job");
                taken.push(job.id);
            }
        }
    });
    let mut taken: Vec<_> = join_all(drain).await.into_iter().flatten().collect();
    let all = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), all, "a job was leased twice");
    // One that was looked at while another node had it locked may be left for the next look.
    let rest = world.store.lease_jobs(at(1), at(61), "last", 100).await.expect("lease");
    assert_eq!(all + rest.len(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn request_repeated_at_another_node_is_one_reply() {
    let (_, world, others) = nodes(3).await;
    world.commit(vec![mail(1)]).await;
    let requests = (0..24).map(|n| {
        let node = usize::try_from(n % 2).expect("small");
        others[node].accept_reply(reply(n, conversation_id(1), "k"))
    });
    let answers = try_join_all(requests).await.expect("accept");
    let accepted = answers.iter().filter(|a| matches!(a, AcceptedReply::Accepted { .. }));
    assert_eq!(accepted.count(), 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_that_was_taken_over_writes_nothing() {
    let (_, world, others) = nodes(2).await;
    let folder = world.lease.folder.id;
    let early = others[0].acquire_folder(folder, at(30), at(90), "node-b").await;
    assert_eq!(early.expect("asked"), None, "the lease is not over");
    let taken = others[0].acquire_folder(folder, at(60), at(120), "node-b").await;
    let taken = taken.expect("asked").expect("the lease is over");
    let late = world
        .store
        .commit_page(world.page(vec![Item::Ingest(Box::new(mail(1)))]))
        .await;
    assert_eq!(late.expect_err("fenced"), Error::Fenced);
    assert_eq!(world.store.totals().await.expect("totals").receipts, 0);
    let page = Page {
        epoch: taken.epoch,
        ..world.page(vec![Item::Ingest(Box::new(mail(1)))])
    };
    others[0].commit_page(page).await.expect("the owner writes");
}

/// Everything at once, on few rows: nothing may end in a deadlock or contradict something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_write_to_the_same_rows_never_block_each_other_for_good() {
    let (_, world, others) = nodes(3).await;
    let second = add_mailbox(&world.store, 2, "sales@contoso.example").await;
    let sales = add_folder(&world.store, second, 3).await;
    world.commit(vec![mail(1)]).await;
    let commits = (0..40).map(|n| {
        let mut item = answer(100 + n, 1);
        let page = if n % 2 == 0 {
            world.page(vec![Item::Ingest(Box::new(item))])
        } else {
            for step in &mut item.steps {
                step.mailbox = second;
            }
            Page {
                folder: sales.folder.id,
                mailbox: second,
                epoch: sales.epoch,
                cursor: Cursor::Start,
                ..world.page(vec![Item::Ingest(Box::new(item))])
            }
        };
        let node = usize::try_from(n % 2).expect("small");
        others[node].commit_page(page)
    });
    let replies = (0..40).map(|n| {
        let node = usize::try_from(n % 2).expect("small");
        others[node].accept_reply(reply(n, conversation_id(1), &format!("key {n}")))
    });
    let states = (0..40).map(|n| {
        let state = if n % 2 == 0 {
            ConversationState::Closed
        } else {
            ConversationState::Open
        };
        world.store.set_conversation_state(conversation_id(1), state, at(n))
    });
    let (commits, replies, states) = tokio::join!(try_join_all(commits), try_join_all(replies), try_join_all(states));
    commits.expect("commits");
    replies.expect("replies");
    states.expect("states");
    let totals = world.store.totals().await.expect("totals");
    assert_eq!((totals.messages_inbound, totals.messages_outbound), (41, 40));
    let events = world.store.events_after(0, 1000).await.expect("events");
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=totals.events).collect::<Vec<_>>());
    let conversation = world.store.conversation(conversation_id(1)).await.expect("read");
    assert_eq!(conversation.expect("it exists").message_count, 1 + 20 + 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_hears_of_what_another_committed() {
    let (_, world, others) = nodes(2).await;
    let mut watch = others[0].watch_events();
    world.commit(vec![mail(1)]).await;
    let last = world.store.last_event().await.expect("last");
    let heard = watch.wait_for(|seq| *seq == last);
    let heard = tokio::time::timeout(Duration::from_secs(30), heard).await;
    heard.expect("in time").expect("the store lives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_are_replaced() {
    let (address, world, others) = nodes(2).await;
    world.commit(vec![mail(1)]).await;
    let mut watch = others[0].watch_events();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    run(&address, kill).await;
    // A connection that was broken in the pool may be noticed by the one who gets it; never twice.
    let mut refused = 0;
    while let Err(error) = world.store.check().await {
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        refused += 1;
        assert!(refused <= 8, "the pool keeps broken connections");
    }
    world.commit(vec![mail(2)]).await;
    let last = world.store.last_event().await.expect("last");
    let heard = tokio::time::timeout(Duration::from_secs(30), watch.wait_for(|seq| *seq == last)).await;
    heard.expect("the listener is back").expect("the store lives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash_of_the_server() {
    let Some(server) = Server::join("crash") else {
        eprintln!("skipped: PostgreSQL is not installed (Debian package postgresql)");
        return;
    };
    let world = World::over(open(&server.create(&format!("test_{}", std::process::id()))).await).await;
    world.commit(vec![mail(1)]).await;
    let before = world.picture().await;
    server.crash_and_restart();
    while let Err(error) = world.store.check().await {
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.picture().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_is_not_there_is_named_without_its_password() {
    let nowhere = options("postgres://guichet:hunter2@127.0.0.1:1/mail");
    let error = Store::open(nowhere).await.expect_err("nobody listens").to_string();
    assert!(error.contains("127.0.0.1:1/mail"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
