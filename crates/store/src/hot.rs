//! The queries on the ledger's tables whose plans are guarded on both databases.

use guichet_domain::{MailboxId, conversation::ConversationState};
use jiff::Timestamp;

use crate::{
    conversations, counters, events, messages, outbox, quarantine, receipts, records::ConversationFilter, replies,
    threads, trace,
};

fn conversation_lists() -> Vec<String> {
    let id = guichet_domain::ConversationId::from_uuid(uuid::Uuid::nil());
    let mut lists = Vec::new();
    for queue in [None, Some("q".to_owned())] {
        for mailbox in [None, Some(MailboxId::from_uuid(uuid::Uuid::nil()))] {
            for after in [None, Some((Timestamp::UNIX_EPOCH, id))] {
                lists.push(conversations::list_sql(&ConversationFilter {
                    state: Some(ConversationState::Open),
                    queue: queue.clone(),
                    mailbox,
                    after,
                    limit: 1,
                }));
            }
        }
    }
    lists
}

/// Those that go by index all the way.
pub(crate) fn hot_queries() -> Vec<String> {
    let mut queries: Vec<String> = [
        counters::COUNT_JOBS,
        events::AFTER,
        outbox::DEAD,
        outbox::NEXT_DUE,
        outbox::TO_TAKE,
        replies::FORGET_KEYS,
        replies::NEWEST_INBOUND,
        threads::REMEMBER,
        trace::ADD_REPEATED,
        trace::OF_IMMUTABLE_ID,
        trace::OF_INTERNET_MESSAGE_ID,
    ]
    .map(str::to_owned)
    .to_vec();
    queries.extend(conversation_lists());
    queries.extend([
        messages::attachments_sql(3),
        messages::list_sql(),
        receipts::known_sql(3),
        receipts::list_sql(false),
        receipts::list_sql(true),
        receipts::quarantined_sql(),
        quarantine::find_sql(),
        threads::by_token_sql(3),
        trace::steps_sql(),
    ]);
    queries
}

/// Those that sort what they found by index, a bounded number of rows.
pub(crate) fn sorted_queries() -> [String; 2] {
    [threads::by_message_id_sql(3), outbox::WAITING_MAILBOXES.to_owned()]
}
