//! Integrations, their credentials, and the mailboxes that are served.
//!
//! Never sees a secret in the clear: credentials come sealed.

use guichet_domain::{CredentialId, IntegrationId, MailboxId};
use jiff::Timestamp;

use crate::{
    Error, Result, Store,
    connection::{Connection, FromRow, Row, params, query_one, record, records},
    facade::MAX_CONFIGURED,
    records::{Credential, Integration, Mailbox, Report},
};

const INTEGRATION: &str = "id, tenant_id, application_name, app_id, application_object_id, application_created, \
    service_principal_id, authority, graph_url, token_endpoint, intended_state, reported_state, reported_code, reported_text, \
    reported_fix, reported_since, created_at, updated_at";
const CREDENTIAL: &str = "id, integration_id, kind, key_id, description, sealed, expires_at, created_at";
const MAILBOX: &str = "id, integration_id, address, graph_user_id, display_name, enabled, created_at";

impl Store {
    /// Stores an integration, or replaces the one with the same id (its creation time stays).
    ///
    /// # Errors
    /// [`Error::Conflict`] if another id has the same tenant and application name.
    pub async fn upsert_integration(&self, integration: &Integration) -> Result<()> {
        let integration = integration.clone();
        self.write(move |c| Box::pin(async move { upsert_integration(c, &integration).await }))
            .await
    }

    /// The single integration of today; with several, the oldest.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn integration(&self) -> Result<Option<Integration>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!("SELECT {INTEGRATION} FROM integration ORDER BY created_at, id LIMIT 1");
                record(query_one(c, &sql, &[]).await?)
            })
        })
        .await
    }

    /// The integration of a tenant under an application name.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn integration_for(&self, tenant_id: &str, application_name: &str) -> Result<Option<Integration>> {
        let (tenant, name) = (tenant_id.to_owned(), application_name.to_owned());
        self.read(move |c| {
            Box::pin(async move {
                let sql =
                    format!("SELECT {INTEGRATION} FROM integration WHERE tenant_id = $1 AND application_name = $2");
                record(query_one(c, &sql, params![tenant, name]).await?)
            })
        })
        .await
    }

    /// Records what the operator wants of an integration: `active` or `inactive`. What the service
    /// reports stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such integration.
    pub async fn intend(&self, id: IntegrationId, intended: &'static str, now: Timestamp) -> Result<()> {
        let intended = intended.to_owned();
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE integration SET intended_state = $1, updated_at = $2 WHERE id = $3";
                one(id, c.execute(sql, params![intended, now, id]).await?)
            })
        })
        .await
    }

    /// Records what the service reports of an integration. `reported_since` moves only when state or
    /// code differ from what was reported before; what the operator wants stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such integration.
    pub async fn report(&self, id: IntegrationId, report: &Report, now: Timestamp) -> Result<()> {
        let (report, state) = (report.clone(), report.state.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let sql = "UPDATE integration SET reported_since = CASE WHEN reported_since IS NOT NULL \
                    AND reported_state = $1 AND reported_code = $2 THEN reported_since ELSE $4 END, \
                    reported_state = $1, reported_code = $2, reported_text = $3, updated_at = $4, \
                    reported_fix = $6 WHERE id = $5";
                let values = params![state, report.code, report.text, now, id, report.fix];
                one(id, c.execute(sql, values).await?)
            })
        })
        .await
    }

    /// Stores a new credential.
    ///
    /// # Errors
    /// [`Error::Conflict`] if its id is taken or its integration does not exist.
    pub async fn add_credential(&self, credential: &Credential) -> Result<()> {
        let credential = credential.clone();
        self.write(move |c| Box::pin(async move { add_credential(c, &credential).await }))
            .await
    }

    /// The credentials of an integration, newest first.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn credentials(&self, integration: IntegrationId) -> Result<Vec<Credential>> {
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT {CREDENTIAL} FROM credential WHERE integration_id = $1 \
                     ORDER BY created_at DESC, id DESC LIMIT {MAX_CONFIGURED}"
                );
                records(c.query(&sql, params![integration]).await?)
            })
        })
        .await
    }

    /// Forgets a credential; one that is not there is no error.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn remove_credential(&self, id: CredentialId) -> Result<()> {
        self.write(move |c| {
            Box::pin(async move {
                c.execute("DELETE FROM credential WHERE id = $1", params![id])
                    .await
                    .map(drop)
            })
        })
        .await
    }

    /// Stores a mailbox under its integration and address and returns the stored one: if there was
    /// one, that keeps its id and creation time.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the integration does not exist.
    pub async fn upsert_mailbox(&self, mailbox: &Mailbox) -> Result<Mailbox> {
        let mailbox = mailbox.clone();
        self.write(move |c| Box::pin(async move { upsert_mailbox(c, &mailbox).await }))
            .await
    }

    /// Every mailbox, by address; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn mailboxes(&self) -> Result<Vec<Mailbox>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!("SELECT {MAILBOX} FROM mailbox ORDER BY address, id LIMIT {MAX_CONFIGURED}");
                records(c.query(&sql, &[]).await?)
            })
        })
        .await
    }

    /// A mailbox.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn mailbox(&self, id: MailboxId) -> Result<Option<Mailbox>> {
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!("SELECT {MAILBOX} FROM mailbox WHERE id = $1");
                record(query_one(c, &sql, params![id]).await?)
            })
        })
        .await
    }
}

fn one(id: IntegrationId, changed: u64) -> Result<()> {
    match changed {
        0 => Err(Error::Invalid(format!("there is no integration {id}"))),
        _ => Ok(()),
    }
}

async fn upsert_integration(c: &mut dyn Connection, i: &Integration) -> Result<()> {
    let sql = format!(
        "INSERT INTO integration ({INTEGRATION}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (id) DO UPDATE SET tenant_id = excluded.tenant_id, \
         application_name = excluded.application_name, app_id = excluded.app_id, \
         application_object_id = excluded.application_object_id, \
         application_created = excluded.application_created, \
         service_principal_id = excluded.service_principal_id, authority = excluded.authority, \
         graph_url = excluded.graph_url, token_endpoint = excluded.token_endpoint, \
         intended_state = excluded.intended_state, reported_state = excluded.reported_state, \
         reported_code = excluded.reported_code, reported_text = excluded.reported_text, \
         reported_fix = excluded.reported_fix, \
         reported_since = excluded.reported_since, updated_at = excluded.updated_at"
    );
    let values = params![
        i.id,
        i.tenant_id,
        i.application_name,
        i.app_id,
        i.application_object_id,
        i.application_created,
        i.service_principal_id,
        i.authority,
        i.graph_url,
        i.token_endpoint,
        i.intended_state,
        i.reported_state,
        i.reported_code,
        i.reported_text,
        i.reported_fix,
        i.reported_since,
        i.created_at,
        i.updated_at,
    ];
    c.execute(&sql, values).await.map(drop)
}

async fn add_credential(c: &mut dyn Connection, credential: &Credential) -> Result<()> {
    let sql = format!("INSERT INTO credential ({CREDENTIAL}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let values = params![
        credential.id,
        credential.integration,
        credential.kind,
        credential.key_id,
        credential.description,
        credential.sealed,
        credential.expires_at,
        credential.created_at,
    ];
    c.execute(&sql, values).await.map(drop)
}

async fn upsert_mailbox(c: &mut dyn Connection, m: &Mailbox) -> Result<Mailbox> {
    let sql = format!(
        "INSERT INTO mailbox ({MAILBOX}) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (integration_id, address) DO UPDATE SET graph_user_id = excluded.graph_user_id, \
         display_name = excluded.display_name, enabled = excluded.enabled RETURNING {MAILBOX}"
    );
    let values = params![
        m.id,
        m.integration,
        m.address,
        m.graph_user_id,
        m.display_name,
        m.enabled,
        m.created_at
    ];
    let row = query_one(c, &sql, values).await?;
    record(row)?.ok_or_else(|| Error::Sql("an upsert returned no row".to_owned()))
}

impl FromRow for Integration {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            tenant_id: row.take()?,
            application_name: row.take()?,
            app_id: row.take()?,
            application_object_id: row.take()?,
            application_created: row.take()?,
            service_principal_id: row.take()?,
            authority: row.take()?,
            graph_url: row.take()?,
            token_endpoint: row.take()?,
            intended_state: row.take()?,
            reported_state: row.take()?,
            reported_code: row.take()?,
            reported_text: row.take()?,
            reported_fix: row.take()?,
            reported_since: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}

impl FromRow for Credential {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            integration: row.take()?,
            kind: row.take()?,
            key_id: row.take()?,
            description: row.take()?,
            sealed: row.take()?,
            expires_at: row.take()?,
            created_at: row.take()?,
        })
    }
}

impl FromRow for Mailbox {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            integration: row.take()?,
            address: row.take()?,
            graph_user_id: row.take()?,
            display_name: row.take()?,
            enabled: row.take()?,
            created_at: row.take()?,
        })
    }
}
