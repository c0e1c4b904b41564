//! Inbox rules of a mailbox. Needs MailboxSettings.Read.

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::wire::rule::MessageRule;

impl GraphClient {
    /// The rules of the inbox, in the order in which they run.
    ///
    /// # Errors
    /// `Denied` without the permission.
    pub async fn message_rules(&self, user: &str) -> Result<Vec<MessageRule>> {
        const OPERATION: &str = "list inbox rules";
        let path = GraphPath::folder(user, "inbox").then("messageRules");
        let url = self.address(OPERATION, &path)?;
        self.fetch_all(Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }
}
