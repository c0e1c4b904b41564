//! Reading, marking, moving and deleting messages.

use bytes::Bytes;
use guichet_net::BodyLimit;
use http::Method;
use http::header::ACCEPT;
use serde_json::json;
use url::Url;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::{GraphPath, literal};
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::Effect;
use crate::wire::message::Message;
use crate::wire::page::Page;

/// Exchange takes messages up to 150 MB, which base 64 makes a third larger on the wire.
const MIME_LIMIT: BodyLimit = BodyLimit::mebibytes(210);

/// Messages that carry one value of our own property: one, or a few after repeated crashes.
const MAX_STAMPED: &str = "25";

/// What is read of a message found by an extended property.
const STAMPED_SELECT: &[&str] = &[
    "id",
    "isDraft",
    "internetMessageId",
    "conversationId",
    "parentFolderId",
    "sentDateTime",
    "createdDateTime",
];

/// A list of messages to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListQuery<'a> {
    /// Properties wanted; empty for all.
    pub select: &'a [&'a str],
    /// OData filter. With `order_by`, the ordered property must stand first in the filter.
    pub filter: Option<&'a str>,
    /// OData order, such as `receivedDateTime desc`.
    pub order_by: Option<&'a str>,
    /// Messages for one page, 1 to 1000; 0 for Graph's ten.
    pub page_size: u32,
}

/// One page of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    pub items: Vec<Message>,
    /// Link to the next page.
    pub next: Option<String>,
}

impl GraphClient {
    /// The message as MIME, byte for byte.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox, `Invalid` with `answer_too_large` beyond
    /// 210 MiB.
    pub async fn message_mime(&self, user: &str, id: &str) -> Result<Bytes> {
        Ok(self.execute(&self.mime_call(user, id)?).await?.body)
    }

    /// Several messages as MIME in one request, at most [`MAX_BATCH`](crate::MAX_BATCH); the outcomes in the order
    /// of the ids. None of them is asked for twice: what is not here can be had by [`GraphClient::message_mime`].
    ///
    /// # Errors
    /// Those of the request as a whole, `Invalid` with `answer_too_large` beyond 64 MiB among them.
    pub async fn messages_mime(&self, user: &str, ids: &[&str]) -> Result<Vec<Result<Bytes>>> {
        let calls: Vec<Call> = ids.iter().map(|id| self.mime_call(user, id)).collect::<Result<_>>()?;
        let answers = self.batch("read messages as MIME", &calls).await?;
        Ok(answers.into_iter().map(|answer| Ok(answer?.body)).collect())
    }

    fn mime_call(&self, user: &str, id: &str) -> Result<Call> {
        const OPERATION: &str = "read message as MIME";
        let url = self.address(OPERATION, &GraphPath::message(user, id).then("$value"))?;
        Ok(Call::read(OPERATION, url)
            .prefer(IMMUTABLE_ID)
            .header(ACCEPT, "*/*")
            .limit(MIME_LIMIT))
    }

    /// A message's properties; all of them if `select` is empty.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox.
    pub async fn message(&self, user: &str, id: &str, select: &[&str]) -> Result<Message> {
        const OPERATION: &str = "read message";
        let url = self.address(OPERATION, &GraphPath::message(user, id).select(select))?;
        self.fetch(&Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }

    /// The first page of a folder's messages.
    ///
    /// # Errors
    /// `Gone` when there is no such folder.
    pub async fn list_messages(&self, user: &str, folder: &str, query: ListQuery<'_>) -> Result<MessagePage> {
        let mut path = GraphPath::folder(user, folder).then("messages").select(query.select);
        if let Some(filter) = query.filter {
            path = path.query("$filter", filter);
        }
        if let Some(order_by) = query.order_by {
            path = path.query("$orderby", order_by);
        }
        if query.page_size > 0 {
            path = path.query("$top", &query.page_size.min(1000).to_string());
        }
        let url = self.address(LIST, &path)?;
        self.message_page(url).await
    }

    /// The page that an earlier page's link leads to.
    ///
    /// # Errors
    /// `Bug` with `foreign_link` when it leads elsewhere.
    pub async fn list_messages_next(&self, link: &str) -> Result<MessagePage> {
        let url = self.shared().endpoints.link(LIST, link)?;
        self.message_page(url).await
    }

    async fn message_page(&self, url: Url) -> Result<MessagePage> {
        let page: Page<Message> = self.fetch(&Call::read(LIST, url).prefer(IMMUTABLE_ID)).await?;
        if let Some(link) = &page.next_link {
            self.shared().endpoints.link(LIST, link)?;
        }
        Ok(MessagePage {
            items: page.value,
            next: page.next_link,
        })
    }

    /// Messages that carry this value of an extended property, of one folder or of the whole
    /// mailbox. Exchange compares the value without regard to case, so use one that has none.
    /// Each comes with the property, its state as a draft, its ids and its times.
    ///
    /// # Errors
    /// As for any read; an empty list is not an error.
    pub async fn find_by_extended_property(
        &self,
        user: &str,
        folder: Option<&str>,
        property_id: &str,
        value: &str,
    ) -> Result<Vec<Message>> {
        const OPERATION: &str = "find message by extended property";
        let (id, value) = (literal(property_id), literal(value));
        let place = match folder {
            Some(folder) => GraphPath::folder(user, folder),
            None => GraphPath::user(user),
        };
        let path = place
            .then("messages")
            .query(
                "$filter",
                &format!("singleValueExtendedProperties/any(ep:ep/id eq {id} and ep/value eq {value})"),
            )
            .select(STAMPED_SELECT)
            .query("$expand", &format!("singleValueExtendedProperties($filter=id eq {id})"))
            .query("$top", MAX_STAMPED);
        let url = self.address(OPERATION, &path)?;
        self.fetch_all(Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }

    /// Marks the message as read.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox.
    pub async fn mark_read(&self, user: &str, id: &str) -> Result<()> {
        self.perform(&self.mark_read_call(user, id)?).await
    }

    /// Marks several messages of a mailbox as read in one request, at most [`MAX_BATCH`](crate::MAX_BATCH); the
    /// outcomes in the order of the ids.
    ///
    /// # Errors
    /// Those of the request as a whole.
    pub async fn mark_all_read(&self, user: &str, ids: &[&str]) -> Result<Vec<Result<()>>> {
        let calls: Vec<Call> = ids
            .iter()
            .map(|id| self.mark_read_call(user, id))
            .collect::<Result<_>>()?;
        let answers = self.batch("mark messages read", &calls).await?;
        Ok(answers.into_iter().map(|answer| answer.map(drop)).collect())
    }

    fn mark_read_call(&self, user: &str, id: &str) -> Result<Call> {
        const OPERATION: &str = "mark message read";
        let url = self.address(OPERATION, &GraphPath::message(user, id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent).prefer(IMMUTABLE_ID);
        call.json(&json!({ "isRead": true }))
    }

    /// Moves the message to another folder of its mailbox, by id or well-known name. The immutable
    /// id stays, so moving twice leaves what moving once does.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox or the folder does not exist.
    pub async fn move_message(&self, user: &str, id: &str, destination: &str) -> Result<Message> {
        const OPERATION: &str = "move message";
        let url = self.address(OPERATION, &GraphPath::message(user, id).then("move"))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Idempotent).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&json!({ "destinationId": destination }))?).await
    }

    /// Deletes the message; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn delete_message(&self, user: &str, id: &str) -> Result<()> {
        self.delete("delete message", &GraphPath::message(user, id)).await
    }
}

const LIST: &str = "list messages";
