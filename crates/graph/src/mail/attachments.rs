//! Attachments of messages and drafts.

use bytes::Bytes;
use guichet_net::BodyLimit;
use http::Method;
use http::header::ACCEPT;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::Effect;
use crate::wire::attachment::{AttachmentInfo, NewAttachment};

/// Files below this size go in one request; the rest through an upload session. Exchange's bound
/// is 3 MB, and base 64 must keep the request below 4 MB.
const SMALL: usize = 3_000_000;

/// Exchange takes attachments up to 150 MB.
const CONTENT_LIMIT: BodyLimit = BodyLimit::mebibytes(150);

const SELECT: &[&str] = &["id", "name", "contentType", "size", "isInline"];

impl GraphClient {
    /// The attachments of a message, without their content.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox.
    pub async fn list_attachments(&self, user: &str, id: &str) -> Result<Vec<AttachmentInfo>> {
        const OPERATION: &str = "list attachments";
        let url = self.address(
            OPERATION,
            &GraphPath::message(user, id).then("attachments").select(SELECT),
        )?;
        self.fetch_all(Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }

    /// The content of an attachment.
    ///
    /// # Errors
    /// `Gone` when it is no longer there.
    pub async fn attachment_content(&self, user: &str, id: &str, attachment: &str) -> Result<Bytes> {
        const OPERATION: &str = "read attachment";
        let path = GraphPath::message(user, id)
            .then("attachments")
            .id(attachment)
            .then("$value");
        let call = Call::read(OPERATION, self.address(OPERATION, &path)?).prefer(IMMUTABLE_ID);
        Ok(self
            .execute(&call.header(ACCEPT, "*/*").limit(CONTENT_LIMIT))
            .await?
            .body)
    }

    /// Attaches a file to a draft, in one request or by an upload session as its size asks.
    ///
    /// # Errors
    /// `Invalid` with `ErrorMessageSizeExceeded` when the mail becomes too large. If
    /// `may_have_had_effect`, look at [`GraphClient::list_attachments`] before attaching again.
    pub async fn add_attachment(&self, user: &str, id: &str, file: &NewAttachment) -> Result<AttachmentInfo> {
        const OPERATION: &str = "add attachment";
        if file.content.len() >= SMALL {
            return self.upload_attachment(user, id, file).await;
        }
        let url = self.address(OPERATION, &GraphPath::message(user, id).then("attachments"))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&file.wire())?).await
    }

    /// Removes an attachment from a draft; one that is gone already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn delete_attachment(&self, user: &str, id: &str, attachment: &str) -> Result<()> {
        let path = GraphPath::message(user, id).then("attachments").id(attachment);
        self.delete("delete attachment", &path).await
    }
}
