//! Leases that are neither a folder's nor a job's: turns, and those of a process's former life.
//!
//! Fencing is by epoch alone, so ending a lease early is never dangerous: whoever still works under
//! it can write nothing once somebody else has taken over.

use jiff::Timestamp;

use crate::{Result, Store, connection::params};

impl Store {
    /// Takes a turn at what one node at a time does for all, until `until`; `false` if it is another's.
    /// Whoever has it may take it again. There is no fence: it is for work that does no harm when two do it.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn take_turn(&self, name: &'static str, owner: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
        let owner = owner.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let sql = "INSERT INTO turn (name, owner, lease_until) VALUES ($1, $2, $3) \
                    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until \
                    WHERE turn.owner = excluded.owner OR turn.lease_until <= $4";
                Ok(c.execute(sql, params![name, owner, until, now]).await? > 0)
            })
        })
        .await
    }

    /// Ends a turn early.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn end_turn(&self, name: &'static str, owner: &str) -> Result<()> {
        let owner = owner.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let sql = "DELETE FROM turn WHERE name = $1 AND owner = $2";
                c.execute(sql, params![name, owner]).await.map(drop)
            })
        })
        .await
    }

    /// Ends every turn and every lease on a folder or a job that was taken under this owner name, so that a process
    /// that was killed finds its work free when it starts again. Only for an owner name that cannot be
    /// in use elsewhere, as under [`ServiceLock`](crate::ServiceLock).
    ///
    /// # Errors
    /// Those of a write.
    pub async fn release_owner(&self, owner: &str, now: Timestamp) -> Result<()> {
        let owner = owner.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let folders = "UPDATE folder SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1";
                c.execute(folders, params![owner]).await?;
                let jobs = "UPDATE job SET lease_owner = NULL, lease_until = NULL, available_at = $2 \
                            WHERE lease_owner = $1 AND lease_until IS NOT NULL";
                c.execute(jobs, params![owner, now]).await?;
                c.execute("DELETE FROM turn WHERE owner = $1", params![owner])
                    .await
                    .map(drop)
            })
        })
        .await
    }
}
