//! Keys of the HTTP API, by their hash. The key itself never comes here.

use guichet_domain::ApiKeyId;
use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{FromRow, Row, params, query_one, record, records},
    facade::MAX_CONFIGURED,
    records::ApiKey,
};

const API_KEY: &str = "id, name, created_at, revoked_at";

impl Store {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] if the id or the hash is taken.
    pub async fn add_api_key(&self, id: ApiKeyId, name: &str, hash: &str, now: Timestamp) -> Result<()> {
        let (name, hash) = (name.to_owned(), hash.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let sql = "INSERT INTO api_key (id, name, hash, created_at) VALUES ($1, $2, $3, $4)";
                c.execute(sql, params![id, name, hash, now]).await.map(drop)
            })
        })
        .await
    }

    /// Every key, revoked ones as well, oldest first; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!("SELECT {API_KEY} FROM api_key ORDER BY created_at, id LIMIT {MAX_CONFIGURED}");
                records(c.query(&sql, &[]).await?)
            })
        })
        .await
    }

    /// The key with this hash, even if it is revoked: look at `revoked_at`.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn api_key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>> {
        let hash = hash.to_owned();
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!("SELECT {API_KEY} FROM api_key WHERE hash = $1");
                record(query_one(c, &sql, params![hash]).await?)
            })
        })
        .await
    }

    /// Revokes a key; `false` if there is none that was still good.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn revoke_api_key(&self, id: ApiKeyId, now: Timestamp) -> Result<bool> {
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE api_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
                Ok(c.execute(sql, params![now, id]).await? > 0)
            })
        })
        .await
    }
}

impl FromRow for ApiKey {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            created_at: row.take()?,
            revoked_at: row.take()?,
        })
    }
}
