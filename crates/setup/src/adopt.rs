//! `connect adopt`: an application that an administrator made by hand or by an exported script is taken over.
//!
//! Owns the reading of the pasted values. Never changes anything in the tenant: the application has no right to.
//! Invariant: nothing is recorded before the values have given a token of the configured tenant.

use guichet_domain::CredentialId;
use guichet_graph::ClientCredential;
use guichet_store::records::Credential;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    Applied, Connect, Desired, Error, Progress, client_secret, connect,
    credential::CredentialKind,
    plan::{Change, StepId, Why},
    ports::TimeAsClock,
    progress::Steps,
    steps::{self, Run},
    token_endpoint::Pasted,
};

/// What the portal or the script showed.
#[derive(Clone, Debug)]
pub struct Values {
    /// Application (client) id.
    pub app_id: String,
    /// The client secret's value.
    pub secret: SecretString,
    /// The client secret's id.
    pub secret_id: String,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The token endpoint in any form, to be compared; `None` to trust discovery.
    pub token_endpoint: Option<String>,
}

impl Values {
    /// Takes the values as they were pasted.
    ///
    /// # Errors
    /// [`Error::SecretIsId`] and [`Error::SecretEmpty`] for a value that is none; [`Error::Desired`] naming another
    /// value that is wrong.
    pub fn parse(
        app_id: &str,
        secret: &str,
        secret_id: &str,
        expires_at: Timestamp,
        token_endpoint: Option<&str>,
    ) -> Result<Self, Error> {
        let guid = |field: &'static str, text: &str| {
            let id = Uuid::parse_str(text.trim()).map(|id| id.to_string());
            id.map_err(|_| Error::Desired {
                field,
                problem: format!("`{}` is no GUID: copy the id as the portal shows it", text.trim()),
            })
        };
        Ok(Self {
            app_id: guid("application id", app_id)?,
            secret: client_secret::parse(secret)?,
            secret_id: guid("secret id", secret_id)?,
            expires_at,
            token_endpoint: token_endpoint.map(str::to_owned),
        })
    }

    /// What signs in with them.
    pub fn credential(&self) -> ClientCredential {
        ClientCredential::Secret(self.secret.clone())
    }
}

impl Connect {
    /// Records the application and its secret, and reaches the mailboxes, signed in as the application itself.
    ///
    /// # Errors
    /// [`Error::Desired`] for an endpoint of another tenant; those of [`Connect::apply`]. Before the values are proven
    /// nothing is recorded.
    pub async fn adopt(&self, desired: &Desired, values: &Values, progress: &dyn Progress) -> Result<Applied, Error> {
        desired.validate()?;
        if desired.application.credential != CredentialKind::Secret {
            return Err(Error::Desired {
                field: "application.credential",
                problem: "a client secret is adopted: set `secret`".to_owned(),
            });
        }
        let run = Run {
            connect: self,
            desired,
            progress,
        };
        let mut told = Steps::new(progress);

        told.started(StepId::Tenant);
        if let Some(text) = &values.token_endpoint {
            self.check_endpoint(desired, text).await?;
        }
        let (tenant, mut integration, changes) = steps::tenant::apply(run).await?;
        told.done(StepId::Tenant, changes);

        told.started(StepId::Application);
        let changes = steps::application::adopt(run, &mut integration, &values.app_id).await?;
        told.done(StepId::Application, changes);

        told.started(StepId::Secret);
        let (credential, changes) = self.keep(desired, &integration, values).await?;
        told.done(StepId::Secret, changes);

        told.started(StepId::Token);
        let client = steps::token::prove(run, &integration, &credential).await?;
        told.done(StepId::Token, Vec::new());

        let mailboxes = connect::serve(run, &mut told, &integration, &client, false).await?;
        Ok(Applied {
            integration: integration.id,
            tenant_id: tenant.id,
            app_id: values.app_id.clone(),
            token_endpoint: tenant.token_endpoint.to_string(),
            key_id: credential.key_id,
            secret_expires_at: credential.expires_at,
            mailboxes,
            changes: told.made,
        })
    }

    /// The pasted endpoint is of the configured sign-in service, and of the tenant that it knows under that name.
    async fn check_endpoint(&self, desired: &Desired, text: &str) -> Result<(), Error> {
        let refuse = |problem: String| Error::Desired {
            field: "token endpoint",
            problem,
        };
        let Some(pasted) = Pasted::parse(text) else {
            return Err(refuse(format!(
                "no tenant is in `{text}`: expected {}TENANT/oauth2/v2.0/token",
                desired.authority
            )));
        };
        if !pasted.is_of(&desired.authority) {
            return Err(refuse(format!(
                "`{text}` is not of the sign-in service {}: correct `cloud` or `authority`, or the endpoint",
                desired.authority
            )));
        }
        let ours = steps::tenant::discovered(self, desired).await?;
        let theirs = Desired {
            tenant: pasted.tenant.clone(),
            ..desired.clone()
        };
        let theirs = steps::tenant::discovered(self, &theirs).await?;
        if ours.id == theirs.id {
            return Ok(());
        }
        Err(refuse(format!(
            "`{text}` is of tenant {}, and `{}` is configured, which is {}: correct the one that is wrong",
            theirs.id, desired.tenant, ours.id
        )))
    }

    /// Seals and stores the secret; the one that is stored already is left as it is.
    async fn keep(
        &self,
        desired: &Desired,
        integration: &guichet_store::records::Integration,
        values: &Values,
    ) -> Result<(Credential, Vec<Change>), Error> {
        let stored = self.store.credentials(integration.id).await?;
        if let Some(known) = stored.first().filter(|known| known.key_id == values.secret_id) {
            return Ok((known.clone(), Vec::new()));
        }
        let id = CredentialId::generate(&TimeAsClock(self.time.as_ref()), self.entropy.as_ref());
        let credential = Credential {
            id,
            integration: integration.id,
            kind: CredentialKind::Secret.as_str().to_owned(),
            key_id: values.secret_id.clone(),
            description: desired.application.secret_description.clone(),
            sealed: self.vault.seal(&client_secret::purpose(id), &values.secret)?,
            expires_at: values.expires_at,
            created_at: self.time.now(),
        };
        self.store.add_credential(&credential).await?;
        let to = steps::secret::described(CredentialKind::Secret, values.expires_at);
        let change = Change::add(StepId::Secret, &values.secret_id, to, Why::SecretAdopted);
        Ok((credential, vec![change]))
    }
}
