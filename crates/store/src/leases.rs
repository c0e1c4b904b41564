//! What a process that starts anew does with the leases of its former life.
//!
//! Fencing is by epoch alone, so ending a lease early is never dangerous: whoever still works under
//! it can write nothing once somebody else has taken over.

use jiff::Timestamp;

use crate::{Result, Store, connection::params};

impl Store {
    /// Ends every lease on a folder or a job that was taken under this owner name, so that a process
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
                c.execute(jobs, params![owner, now]).await.map(drop)
            })
        })
        .await
    }
}
