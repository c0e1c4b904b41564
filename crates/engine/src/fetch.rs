//! The bytes of listed mails: small ones several to a request, large ones by themselves.

use std::sync::Arc;

use bytes::Bytes;
use guichet_domain::ImmutableId;
use guichet_graph::{MAX_BATCH, MessageSummary};
use guichet_store::records::Mailbox;

use crate::{
    batched,
    context::Context,
    ingest::{Prepared, prepare_from},
};

/// Bytes of the mails of a batch, all together. They are in memory at once.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;
/// A mail of more is fetched by itself: as base64 in JSON it would cost a third more.
const SMALL_BYTES: u64 = 2 * 1024 * 1024;
/// Taken for the size of a mail whose size is not told.
const UNKNOWN_BYTES: u64 = 1024 * 1024;

const LISTED: &str = "listed by the delta query";

/// Mails that are fetched together, with their places in the page.
pub(crate) type Group = Vec<(usize, MessageSummary)>;

/// Divides a page into what is fetched together. A large mail is a group of its own.
pub(crate) fn groups(page: Vec<MessageSummary>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut open: Group = Vec::new();
    let mut bytes = 0;
    for (place, mail) in page.into_iter().enumerate() {
        let size = mail.size().unwrap_or(UNKNOWN_BYTES);
        if size > SMALL_BYTES {
            groups.push(vec![(place, mail)]);
            continue;
        }
        if open.len() == MAX_BATCH || bytes + size > BATCH_BYTES {
            groups.push(std::mem::take(&mut open));
            bytes = 0;
        }
        bytes += size;
        open.push((place, mail));
    }
    if !open.is_empty() {
        groups.push(open);
    }
    groups
}

/// Fetches and prepares the mails of a group.
pub(crate) async fn prepare_group(
    context: &Arc<Context>,
    mailbox: &Mailbox,
    group: Group,
) -> Vec<(usize, MessageSummary, Prepared)> {
    let _place = context.gates.mail().await;
    let bodies = together(context, mailbox, &group).await;
    let mut prepared = Vec::with_capacity(group.len());
    for ((place, mail), body) in group.into_iter().zip(bodies) {
        let outcome = match body.transpose() {
            Ok(mime) => prepare_from(context, mailbox, mail.clone(), mime, LISTED).await,
            Err(error) => Prepared::Failed(ImmutableId::new(mail.id.clone()), error.into()),
        };
        prepared.push((place, mail, outcome));
    }
    prepared
}

/// What one request gives of a group; `None` for what is to be asked for singly.
async fn together(
    context: &Context,
    mailbox: &Mailbox,
    group: &Group,
) -> Vec<Option<Result<Bytes, guichet_graph::Error>>> {
    if group.len() < 2 {
        return vec![None; group.len()];
    }
    let ids: Vec<&str> = group.iter().map(|(_, mail)| mail.id.as_str()).collect();
    let fetched = {
        let _permits = context.gates.enter_alone(mailbox.id).await;
        context.graph.messages_mime(&mailbox.graph_user_id, &ids).await
    };
    batched::outcomes(fetched, group.len(), |_| false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mail(id: usize, size: Option<u64>) -> MessageSummary {
        let properties: Vec<_> = size
            .map(|size| json!({"id": "Long 0xe08", "value": size.to_string()}))
            .into_iter()
            .collect();
        serde_json::from_value(json!({"id": id.to_string(), "singleValueExtendedProperties": properties})).unwrap()
    }

    fn places(sizes: &[Option<u64>]) -> Vec<Vec<usize>> {
        let page = sizes.iter().enumerate().map(|(id, size)| mail(id, *size)).collect();
        let place = |group: &Group| group.iter().map(|(place, _)| *place).collect();
        groups(page).iter().map(place).collect()
    }

    #[test]
    fn large_mails_are_fetched_by_themselves() {
        let (small, large) = (Some(1000), Some(5_000_000));
        assert_eq!(places(&[small, large, small]), [vec![1], vec![0, 2]]);
        assert!(places(&[]).is_empty());
    }

    #[test]
    fn a_group_is_bounded_in_number_and_in_bytes() {
        let lengths = |sizes: &[Option<u64>]| places(sizes).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[Some(10); 45]), [20, 20, 5]);
        assert_eq!(lengths(&[Some(SMALL_BYTES); 20]), [8, 8, 4]);
        assert_eq!(lengths(&[None; 20]), [16, 4]);
    }
}
