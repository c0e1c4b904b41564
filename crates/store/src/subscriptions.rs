//! Subscriptions for change notifications. They are hints: losing this table would cost latency only.

use guichet_domain::SubscriptionId;

use crate::{
    Result, Store,
    connection::{FromRow, Row, params, records},
    facade::MAX_CONFIGURED,
    records::Subscription,
};

const SUBSCRIPTION: &str = "id, folder_id, client_state, notification_url, expires_at, created_at";

impl Store {
    /// Stores a subscription, or replaces the one with the same id.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] if the folder does not exist.
    pub async fn save_subscription(&self, subscription: &Subscription) -> Result<()> {
        let s = subscription.clone();
        self.write(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "INSERT INTO subscription ({SUBSCRIPTION}) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (id) DO UPDATE SET folder_id = excluded.folder_id, \
                     client_state = excluded.client_state, notification_url = excluded.notification_url, \
                     expires_at = excluded.expires_at"
                );
                let values = params![
                    s.id,
                    s.folder,
                    s.client_state,
                    s.notification_url,
                    s.expires_at,
                    s.created_at
                ];
                c.execute(&sql, values).await.map(drop)
            })
        })
        .await
    }

    /// Every subscription, by id; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!("SELECT {SUBSCRIPTION} FROM subscription ORDER BY id LIMIT {MAX_CONFIGURED}");
                records(c.query(&sql, &[]).await?)
            })
        })
        .await
    }

    /// Forgets a subscription; one that is not there is no error.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn remove_subscription(&self, id: &SubscriptionId) -> Result<()> {
        let id = id.clone();
        self.write(move |c| {
            Box::pin(async move {
                c.execute("DELETE FROM subscription WHERE id = $1", params![id])
                    .await
                    .map(drop)
            })
        })
        .await
    }
}

impl FromRow for Subscription {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            folder: row.take()?,
            client_state: row.take()?,
            notification_url: row.take()?,
            expires_at: row.take()?,
            created_at: row.take()?,
        })
    }
}
