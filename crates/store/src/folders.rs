//! Followed folders, their cursors and who owns them.
//!
//! Owns the epoch, which is the fence: it grows with every acquisition, and whoever writes under an
//! older one writes nothing. Clocks decide only when a lease may be taken, never who may write.

use guichet_domain::{FolderId, GraphFolderId, MailboxId, round::Cursor};
use jiff::Timestamp;

use crate::{
    Error, Result, Store,
    connection::{Connection, FromRow, Json, Row, params, query_one, record, records},
    facade::MAX_CONFIGURED,
    records::{Folder, FolderLease},
};

const FOLDER: &str = "id, mailbox_id, graph_folder_id, name, sync_cursor, epoch, synced_at";

impl Store {
    /// The folder of a mailbox with this Graph id; created with `id` and an empty cursor if there is
    /// none, otherwise the stored one under its new name.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the mailbox does not exist.
    pub async fn ensure_folder(
        &self,
        id: FolderId,
        mailbox: MailboxId,
        graph_folder_id: &GraphFolderId,
        name: &str,
    ) -> Result<Folder> {
        let (graph_folder_id, name) = (graph_folder_id.clone(), name.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "INSERT INTO folder ({FOLDER}) VALUES ($1, $2, $3, $4, $5, 0, NULL) \
                     ON CONFLICT (mailbox_id, graph_folder_id) DO UPDATE SET name = excluded.name RETURNING {FOLDER}"
                );
                let values = params![id, mailbox, graph_folder_id, name, Json(Cursor::Start)];
                record(query_one(c, &sql, values).await?)?
                    .ok_or_else(|| Error::Sql("an upsert returned no row".to_owned()))
            })
        })
        .await
    }

    /// Stops following a folder: its cursor and its subscriptions are forgotten. Its mails stay. Whoever holds the
    /// folder is fenced off. Nothing happens if there is no such folder.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn remove_folder(&self, folder: FolderId) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                c.execute("DELETE FROM subscription WHERE folder_id = $1", params![folder])
                    .await?;
                c.execute("DELETE FROM folder WHERE id = $1", params![folder])
                    .await
                    .map(drop)
            })
        })
        .await
    }

    /// Every followed folder, by id; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn folders(&self) -> Result<Vec<Folder>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!("SELECT {FOLDER} FROM folder ORDER BY id LIMIT {MAX_CONFIGURED}");
                records(c.query(&sql, &[]).await?)
            })
        })
        .await
    }

    /// The followed folders of a mailbox, by Graph id; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn folders_of(&self, mailbox: MailboxId) -> Result<Vec<Folder>> {
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT {FOLDER} FROM folder WHERE mailbox_id = $1 ORDER BY graph_folder_id LIMIT {MAX_CONFIGURED}"
                );
                records(c.query(&sql, params![mailbox]).await?)
            })
        })
        .await
    }

    /// When a round of the folder last came to its end.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn synced_at(&self, folder: FolderId) -> Result<Option<Timestamp>> {
        self.read(move |c| {
            Box::pin(async move {
                let row = query_one(c, "SELECT synced_at FROM folder WHERE id = $1", params![folder]).await?;
                row.map_or(Ok(None), |mut row| row.take())
            })
        })
        .await
    }

    /// Takes a folder until `until` if it is free, if its lease ran out, or if it was taken under the
    /// same owner name before. The epoch grows by one: whoever had the folder is fenced off. `None` if
    /// somebody else holds it, or if there is no such folder.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn acquire_folder(
        &self,
        folder: FolderId,
        now: Timestamp,
        until: Timestamp,
        owner: &str,
    ) -> Result<Option<FolderLease>> {
        let owner = owner.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE folder SET epoch = epoch + 1, lease_owner = $1, lease_until = $2 \
                     WHERE id = $3 AND (lease_until IS NULL OR lease_until <= $4 OR lease_owner = $1) \
                     RETURNING {FOLDER}"
                );
                let row = query_one(c, &sql, params![owner, until, folder, now]).await?;
                let folder: Option<Folder> = record(row)?;
                Ok(folder.map(|folder| FolderLease {
                    epoch: folder.epoch,
                    folder,
                    until,
                }))
            })
        })
        .await
    }

    /// Prolongs the lease on a folder until `until`.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the folder has another owner by now.
    pub async fn renew_folder(&self, folder: FolderId, epoch: i64, until: Timestamp) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE folder SET lease_until = $1 WHERE id = $2 AND epoch = $3";
                match c.execute(sql, params![until, folder, epoch]).await? {
                    0 => Err(Error::Fenced),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// Gives a folder back. If somebody else has taken it meanwhile, nothing happens.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn release_folder(&self, folder: FolderId, epoch: i64) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE folder SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2";
                c.execute(sql, params![folder, epoch]).await.map(drop)
            })
        })
        .await
    }

    /// Sets the cursor without a page, for example back to [`Cursor::Start`] after a resync.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the folder has another owner by now.
    pub async fn set_cursor(&self, folder: FolderId, epoch: i64, cursor: Cursor, now: Timestamp) -> Result<()> {
        self.write(move |c| Box::pin(async move { advance(c, folder, epoch, &cursor, now).await.map(drop) }))
            .await
    }
}

/// Moves the cursor under the fence and returns the folder's mailbox.
///
/// # Errors
/// [`Error::Fenced`] if the epoch is not the folder's.
pub(crate) async fn advance(
    c: &mut dyn Connection,
    folder: FolderId,
    epoch: i64,
    cursor: &Cursor,
    now: Timestamp,
) -> Result<MailboxId> {
    let synced_at = matches!(cursor, Cursor::Delta(_)).then_some(now);
    let sql = "UPDATE folder SET sync_cursor = $1, synced_at = coalesce($2, synced_at) \
        WHERE id = $3 AND epoch = $4 RETURNING mailbox_id";
    let row = query_one(c, sql, params![Json(cursor), synced_at, folder, epoch]).await?;
    row.ok_or(Error::Fenced)?.take()
}

impl FromRow for Folder {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            mailbox: row.take()?,
            graph_folder_id: row.take()?,
            name: row.take()?,
            cursor: row.take::<Json<Cursor>>()?.0,
            epoch: row.take()?,
            synced_at: row.take()?,
        })
    }
}
