//! Who a client is: a registered application or one of Microsoft's own public clients.
//!
//! Owns the look-up by client id and the check of a client's credential. Microsoft's clients exist in every tenant and
//! need no registration; a service principal appears when somebody first consents.

use secrecy::{ExposeSecret, SecretString};
use uuid::{Uuid, uuid};

use crate::directory::permissions::{EXCHANGE_APP_ID, GRAPH_APP_ID};
use crate::directory::tenant::{Objects, Tenant};
use crate::entra::assertion;
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest, Presented};
use crate::state::Sandbox;

/// A public client of Microsoft's that every tenant knows.
#[derive(Debug)]
pub struct WellKnown {
    /// Client id.
    pub app_id: Uuid,
    /// Name shown on the sign-in page.
    pub name: &'static str,
    /// Delegated permissions that need no consent: resource and names.
    pub pre_authorized: &'static [(Uuid, &'static str)],
}

/// The well-known clients.
pub const WELL_KNOWN: [WellKnown; 3] = [
    WellKnown {
        app_id: uuid!("14d82eec-204b-4c2f-b7e8-296a70dab67e"),
        name: "Microsoft Graph Command Line Tools",
        pre_authorized: &[],
    },
    WellKnown {
        app_id: uuid!("04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
        name: "Microsoft Azure CLI",
        pre_authorized: &[(
            GRAPH_APP_ID,
            "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All AuditLog.Read.All DelegatedPermissionGrant.ReadWrite.All Directory.AccessAsUser.All Group.ReadWrite.All User.Read.All User.ReadWrite.All",
        )],
    },
    WellKnown {
        app_id: uuid!("fb78d390-0c51-40cd-8e17-fdbfab77341b"),
        name: "Microsoft Exchange REST API Based Powershell",
        pre_authorized: &[(EXCHANGE_APP_ID, "AdminApi.AccessAsUser.All")],
    },
];

/// A client that exists.
#[derive(Debug, Clone)]
pub struct Client {
    /// Client id.
    pub app_id: Uuid,
    /// Name shown to people.
    pub name: String,
    /// Object id of the service principal, if there is one yet.
    pub principal_id: Option<Uuid>,
    /// Whether it must present a credential.
    pub confidential: bool,
    /// Whether it is registered in this tenant (as opposed to Microsoft's own).
    pub registered: bool,
    /// How it proved who it is.
    pub proof: Proof,
    /// Whether its tokens live for a day, since it can be told that they are void.
    pub long_lived: bool,
}

/// How a client proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: a public client, or before the check.
    None,
    /// By a client secret.
    Secret,
    /// By an assertion, of its own certificate or of an issuer it trusts.
    Assertion,
}

impl Proof {
    /// As tokens write it (`appidacr`, `azpacr`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Assertion => "2",
        }
    }
}

/// Finds the client of an id.
///
/// # Errors
/// AADSTS700038, 700016 or 7000112.
pub fn find(objects: &Objects, tenant: &Tenant, client_id: &str) -> Result<Client, OAuthError> {
    let app_id = client_id.parse::<Uuid>().ok().filter(|id| !id.is_nil());
    let app_id = app_id.ok_or_else(|| OAuthError::invalid_application(client_id))?;
    let now = tenant.clock.now();
    let principal = objects
        .service_principal_of(app_id)
        .filter(|principal| objects.arrivals.contain(&principal.id.to_string(), now));
    if let Some(principal) = principal.filter(|principal| !principal.account_enabled() || principal.is_disabled()) {
        return Err(OAuthError::disabled_application(app_id, principal.display_name()));
    }
    let principal_id = principal.map(|principal| principal.id);
    if let Some(known) = WELL_KNOWN.iter().find(|known| known.app_id == app_id) {
        let name = known.name.to_owned();
        return Ok(Client {
            app_id,
            name,
            principal_id,
            confidential: false,
            registered: false,
            proof: Proof::None,
            long_lived: false,
        });
    }
    let application = objects
        .application_of(app_id)
        .filter(|own| principal_id.is_some() && objects.arrivals.contain(&own.id.to_string(), now));
    let application = application.ok_or_else(|| OAuthError::unknown_application(client_id, &tenant.display_name))?;
    let by_microsoft = application
        .document
        .get("disabledByMicrosoftStatus")
        .and_then(serde_json::Value::as_str);
    let by_owner = application.document.get("isDisabled") == Some(&serde_json::Value::Bool(true));
    if by_owner || by_microsoft.is_some_and(|status| status != "NotDisabled") {
        return Err(OAuthError::disabled_application(app_id, application.display_name()));
    }
    let confidential = !application.is_public_client();
    let name = application.display_name().to_owned();
    Ok(Client {
        app_id,
        name,
        principal_id,
        confidential,
        registered: true,
        proof: Proof::None,
        long_lived: false,
    })
}

/// When a client has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// In every case.
    Always,
    /// Unless it is a public client.
    IfConfidential,
    /// Not at all: it asks through an address of a public platform.
    Never,
}

/// The client of a request to the token endpoint, its credential checked.
///
/// # Errors
/// AADSTS900144, 700016 and what else the look-up and the check of the credential refuse.
pub async fn identify(
    sandbox: &Sandbox,
    request: &LoginRequest,
    form: &Form,
    need: Need,
) -> Result<Client, OAuthError> {
    let presented = Presented::read(request, form)?;
    let mut client = find(&sandbox.tenant.read(), &sandbox.tenant, &presented.client_id)?;
    let presents = presented.secret.is_some() || presented.assertion.is_some();
    if presents && (!client.registered || need == Need::Never) {
        return Err(OAuthError::public_client_with_credential());
    }
    client.proof = if let Some(assertion) = &presented.assertion {
        assertion::check(sandbox, request, form, &client, assertion.expose_secret()).await?;
        Proof::Assertion
    } else if let Some(secret) = &presented.secret {
        check_secret(sandbox, &client, secret)?;
        Proof::Secret
    } else if need == Need::Always || (need == Need::IfConfidential && client.confidential) {
        return Err(OAuthError::missing_credential());
    } else {
        Proof::None
    };
    client.long_lived = announces_evaluation(form)? && sandbox.tenant.policies().long_lived_tokens;
    Ok(client)
}

/// Whether the client says that it understands claims challenges (`xms_cc` with `CP1` in `claims`).
fn announces_evaluation(form: &Form) -> Result<bool, OAuthError> {
    let Some(claims) = form.get("claims") else {
        return Ok(false);
    };
    let claims: serde_json::Value = serde_json::from_str(claims).map_err(|_| OAuthError::malformed_request())?;
    let values = claims["access_token"]["xms_cc"]["values"].as_array();
    Ok(values.is_some_and(|values| values.iter().any(|value| value == "CP1")))
}

fn check_secret(sandbox: &Sandbox, client: &Client, secret: &SecretString) -> Result<(), OAuthError> {
    let objects = sandbox.tenant.read();
    let of_application = objects
        .application_of(client.app_id)
        .map(|application| application.secrets.as_slice());
    let of_principal = objects
        .service_principal_of(client.app_id)
        .map(|principal| principal.secrets.as_slice());
    let secrets = of_application.into_iter().chain(of_principal).flatten();
    let now = sandbox.clock.now();
    let mut expired = false;
    for candidate in secrets.filter(|candidate| candidate.is(secret.expose_secret())) {
        if candidate.known_from > now {
            continue;
        }
        if candidate.start <= now && now < candidate.end {
            return Ok(());
        }
        expired |= candidate.end <= now;
    }
    Err(if expired {
        OAuthError::expired_secret(client.app_id)
    } else {
        OAuthError::wrong_secret(client.app_id)
    })
}
