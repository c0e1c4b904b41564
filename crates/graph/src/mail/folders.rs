//! Mail folders.

use http::Method;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::Effect;
use crate::wire::folder::MailFolder;

/// Folders asked for in one page; mailboxes rarely have more.
const PAGE: &str = "100";

impl GraphClient {
    /// One folder, by id or well-known name (`inbox`, `sentitems`, …). The cheapest proof that a
    /// mailbox can be reached.
    ///
    /// # Errors
    /// `Denied` when the mailbox cannot be reached (`ErrorAccessDenied`, `ErrorInvalidUser`,
    /// `MailboxNotEnabledForRESTAPI`), `Gone` when it has no such folder.
    pub async fn folder(&self, user: &str, folder: &str) -> Result<MailFolder> {
        const OPERATION: &str = "read folder";
        let url = self.address(OPERATION, &GraphPath::folder(user, folder))?;
        self.fetch(&Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }

    /// The folders below the mailbox's root, hidden ones included.
    ///
    /// # Errors
    /// As [`GraphClient::folder`].
    pub async fn list_folders(&self, user: &str) -> Result<Vec<MailFolder>> {
        self.folders_at(GraphPath::user(user).then("mailFolders")).await
    }

    /// The folders directly below a folder, hidden ones included.
    ///
    /// # Errors
    /// As [`GraphClient::folder`].
    pub async fn list_child_folders(&self, user: &str, parent: &str) -> Result<Vec<MailFolder>> {
        self.folders_at(GraphPath::folder(user, parent).then("childFolders"))
            .await
    }

    /// Creates a folder below `parent` (`msgfolderroot` for the top).
    ///
    /// # Errors
    /// [`crate::Error::is_already_exists`] when there is one of that name.
    pub async fn create_folder(&self, user: &str, parent: &str, name: &str) -> Result<MailFolder> {
        const OPERATION: &str = "create folder";
        let url = self.address(OPERATION, &GraphPath::folder(user, parent).then("childFolders"))?;
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(&json!({ "displayName": name }))?).await
    }

    async fn folders_at(&self, path: GraphPath) -> Result<Vec<MailFolder>> {
        const OPERATION: &str = "list folders";
        let path = path.query("includeHiddenFolders", "true").query("$top", PAGE);
        let url = self.address(OPERATION, &path)?;
        self.fetch_all(Call::read(OPERATION, url).prefer(IMMUTABLE_ID)).await
    }
}
