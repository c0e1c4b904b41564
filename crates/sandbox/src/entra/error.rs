//! Refusals of the token endpoint: `AADSTS…` codes with their OAuth error names.
//!
//! Owns the texts, statuses and the shape of the error document (§1.2 of the contract; the captures of 2026-08 decide
//! where sources differ: fields of the description are separated by spaces). It never decides which refusal applies.

mod assertion;
mod authorization;
mod policy;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// What identifies one exchange with the token endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// Arrival by the tenant's clock.
    pub at: Timestamp,
    /// Server's id of the exchange.
    pub trace_id: Uuid,
    /// Client's id of the exchange, or a fresh one.
    pub correlation_id: Uuid,
}

/// A refusal.
#[derive(Debug, Clone)]
pub struct OAuthError {
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: String,
    has_uri: bool,
    suberror: Option<&'static str>,
    claims: Option<String>,
}

impl OAuthError {
    fn new(status: StatusCode, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error,
            code,
            text: text.into(),
            has_uri: true,
            suberror: None,
            claims: None,
        }
    }

    fn bad(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, text)
    }

    fn unauthorized(code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", code, text)
    }

    fn without_uri(mut self) -> Self {
        self.has_uri = false;
        self
    }

    /// HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// `AADSTSn: text`, for pages that people read.
    #[must_use]
    pub fn description(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    /// The error document.
    #[must_use]
    pub fn document(&self, trace: &Trace) -> serde_json::Value {
        let timestamp = trace.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut document = json!({
            "error": self.error,
            "error_description": format!(
                "{} Trace ID: {} Correlation ID: {} Timestamp: {timestamp}",
                self.description(), trace.trace_id, trace.correlation_id,
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace.trace_id,
            "correlation_id": trace.correlation_id,
        });
        if self.has_uri {
            document["error_uri"] = format!("https://login.microsoftonline.com/error?code={}", self.code).into();
        }
        if let Some(suberror) = self.suberror {
            document["suberror"] = suberror.into();
        }
        if let Some(claims) = &self.claims {
            document["claims"] = claims.as_str().into();
        }
        document
    }

    /// The number after `AADSTS`.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// Wrong client secret, or the secret's id in its place.
    pub fn wrong_secret(app_id: Uuid) -> Self {
        Self::unauthorized(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app_id}'."
            ),
        )
    }

    /// The right secret, but past its end date.
    pub fn expired_secret(app_id: Uuid) -> Self {
        Self::unauthorized(
            7_000_222,
            format!(
                "The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
            ),
        )
    }

    /// No credential at all.
    pub fn missing_credential() -> Self {
        Self::unauthorized(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    }

    /// A credential from a client that cannot keep one.
    pub fn public_client_with_credential() -> Self {
        Self::unauthorized(
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        )
    }

    /// A client id the tenant does not know.
    pub fn unknown_application(client_id: &str, tenant: &str) -> Self {
        Self::bad(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ),
        )
    }

    /// A client id that cannot be one.
    pub fn invalid_application(client_id: &str) -> Self {
        Self::bad(
            "unauthorized_client",
            700_038,
            format!("{client_id} is not a valid application identifier."),
        )
        .without_uri()
    }

    /// A disabled application.
    pub fn disabled_application(app_id: Uuid, name: &str) -> Self {
        Self::bad(
            "unauthorized_client",
            7_000_112,
            format!("Application '{app_id}'({name}) is disabled."),
        )
    }

    /// A tenant that does not exist.
    pub fn unknown_tenant(tenant: &str) -> Self {
        Self::bad(
            "invalid_request",
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        )
    }

    /// A tenant identifier that is neither a GUID nor a domain.
    pub fn malformed_tenant(tenant: &str) -> Self {
        Self::bad(
            "invalid_request",
            900_023,
            format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."),
        )
    }

    /// `common` or `consumers` where a tenant is needed.
    pub fn tenant_needed() -> Self {
        Self::bad(
            "invalid_request",
            9_001_023,
            "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        )
    }

    /// `organizations` in a grant that names nobody.
    pub fn tenant_unidentified() -> Self {
        Self::bad(
            "invalid_request",
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    }

    /// A form field that must be there.
    pub fn missing_parameter(name: &str) -> Self {
        Self::bad(
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{name}'."),
        )
    }

    /// A form field given twice.
    pub fn duplicate_parameter(name: &str) -> Self {
        Self::bad(
            "invalid_request",
            9_000_411,
            format!("The request is not properly formatted. The parameter '{name}' is duplicated."),
        )
    }

    /// Not a form.
    pub fn malformed_request() -> Self {
        Self::bad(
            "invalid_request",
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        )
    }

    /// The older endpoint's `resource` at the newer one.
    pub fn resource_not_supported() -> Self {
        Self::bad(
            "invalid_request",
            901_002,
            "The 'resource' request parameter is not supported.",
        )
    }

    /// Another method than POST.
    pub fn only_post(method: &str) -> Self {
        Self::bad(
            "invalid_request",
            900_561,
            format!("The endpoint only accepts POST requests. Received a {method} request."),
        )
    }

    /// A grant type the endpoint does not know.
    pub fn unsupported_grant(grant_type: &str) -> Self {
        Self::bad(
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{grant_type}'."),
        )
        .without_uri()
    }

    /// A scope that names no resource.
    pub fn invalid_scope(scope: &str) -> Self {
        Self::bad(
            "invalid_scope",
            70_011,
            format!("The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."),
        )
    }

    /// Client credentials without `/.default`.
    pub fn scope_without_default(scope: &str) -> Self {
        Self::bad(
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        )
    }

    /// A delegated permission the resource does not publish.
    pub fn unknown_permission(scope: &str, app_id: Uuid, name: &str) -> Self {
        Self::bad(
            "invalid_client",
            650_053,
            format!(
                "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource '{app_id}'. Contact the app vendor."
            ),
        )
    }

    /// A resource that has no service principal in the tenant.
    pub fn unknown_resource(resource: &str, tenant: &str) -> Self {
        Self::bad(
            "invalid_resource",
            500_011,
            format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
        )
    }

    /// Device sign-in: nobody has finished yet.
    pub fn authorization_pending() -> Self {
        Self::bad(
            "authorization_pending",
            70_016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )
    }

    /// Device sign-in: the person said no.
    pub fn authorization_declined() -> Self {
        Self::bad(
            "authorization_declined",
            65_004,
            "User declined to consent to access the app.",
        )
    }

    /// Device sign-in: no such device code.
    pub fn bad_verification_code() -> Self {
        Self::bad(
            "bad_verification_code",
            70_018,
            "Invalid verification code: the device_code is not known.",
        )
    }

    /// Device sign-in: too late.
    pub fn expired_token() -> Self {
        Self::bad("expired_token", 70_019, "Verification code expired.")
    }

    /// A code or refresh token that was never given out, or to another client.
    pub fn invalid_grant() -> Self {
        Self::bad("invalid_grant", 70_000, "Provided grant is invalid or malformed.")
    }

    /// A refresh token that was not used for too long.
    pub fn expired_refresh_token() -> Self {
        Self::bad(
            "invalid_grant",
            700_082,
            "The refresh token has expired due to inactivity.",
        )
    }

    /// Sign-in page: wrong name or password.
    pub fn wrong_password() -> Self {
        Self::bad(
            "invalid_grant",
            50_126,
            "Error validating credentials due to invalid username or password.",
        )
    }

    /// Sign-in page: no such user.
    pub fn unknown_user(user: &str, tenant: &str) -> Self {
        Self::bad(
            "invalid_grant",
            50_034,
            format!(
                "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory."
            ),
        )
    }

    /// Sign-in page: the account is disabled.
    pub fn disabled_user() -> Self {
        Self::bad("invalid_grant", 50_057, "The user account is disabled.")
    }

    /// Nobody consented.
    pub fn consent_required(app_id: Uuid, name: &str) -> Self {
        Self::bad(
            "invalid_grant",
            65_001,
            format!(
                "The user or administrator has not consented to use the application with ID '{app_id}' named '{name}'. Send an interactive authorization request for this user and resource."
            ),
        )
    }

    /// Sign-in page: only an administrator may consent.
    pub fn admin_consent_required(scopes: &str) -> Self {
        Self::bad(
            "invalid_grant",
            90_094,
            format!("An administrator must grant permission for: {scopes}."),
        )
    }
}
