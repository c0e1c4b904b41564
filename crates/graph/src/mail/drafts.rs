//! Drafts and sending.
//!
//! Owns the calls that put mail on its way. Invariant: none of those that add something is repeated
//! after an answer that leaves open what happened; `may_have_had_effect` tells the caller to look
//! first.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::Effect;
use crate::wire::message::Message;
use crate::wire::outgoing::{Audience, DraftPatch, NewMessage, ReplyDraft, SentCopy};

impl GraphClient {
    /// Creates a draft that answers a message.
    ///
    /// # Errors
    /// `Gone` when the message has left the mailbox. If `may_have_had_effect`, look for the draft
    /// by its extended property before creating another.
    pub async fn create_reply(&self, user: &str, id: &str, draft: &ReplyDraft) -> Result<Message> {
        const OPERATION: &str = "create reply";
        let action = match draft.audience {
            Audience::Sender => "createReply",
            Audience::Everyone => "createReplyAll",
        };
        let url = self.address(OPERATION, &GraphPath::message(user, id).then(action))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&json!({ "message": draft.wire()? }))?).await
    }

    /// Creates a draft that answers nothing.
    ///
    /// # Errors
    /// As [`GraphClient::create_reply`].
    pub async fn create_draft(&self, user: &str, message: &NewMessage) -> Result<Message> {
        const OPERATION: &str = "create draft";
        let url = self.address(OPERATION, &GraphPath::user(user).then("messages"))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&message.wire()?)?).await
    }

    /// Changes a draft.
    ///
    /// # Errors
    /// `Gone` when the draft was sent or deleted.
    pub async fn update_draft(&self, user: &str, id: &str, patch: &DraftPatch) -> Result<Message> {
        const OPERATION: &str = "update draft";
        let url = self.address(OPERATION, &GraphPath::message(user, id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&patch.wire())?).await
    }

    /// Sends a draft. Success means that Exchange has accepted it, not that it has left; the same
    /// id names the copy in the sent items.
    ///
    /// # Errors
    /// `Denied` with `ErrorSendAsDenied` for a `from` that is not allowed, `Retry` with a long wait
    /// over the mailbox's daily limit. If `may_have_had_effect`, look before sending again.
    pub async fn send_draft(&self, user: &str, id: &str) -> Result<()> {
        const OPERATION: &str = "send draft";
        let url = self.address(OPERATION, &GraphPath::message(user, id).then("send"))?;
        self.perform(&Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID))
            .await
    }

    /// Sends a mail without a draft. What happened cannot be found out after an ambiguous failure,
    /// so use it only for mail whose loss or doubling matters little.
    ///
    /// # Errors
    /// As [`GraphClient::send_draft`].
    pub async fn send_mail(&self, user: &str, message: &NewMessage, copy: SentCopy) -> Result<()> {
        const OPERATION: &str = "send mail";
        let url = self.address(OPERATION, &GraphPath::user(user).then("sendMail"))?;
        let body = json!({ "message": message.wire()?, "saveToSentItems": copy == SentCopy::Keep });
        self.perform(&Call::write(OPERATION, Method::POST, url, Effect::Once).json(&body)?)
            .await
    }
}
