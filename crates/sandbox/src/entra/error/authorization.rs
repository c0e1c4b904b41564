//! Refusals of the authorization endpoint and of authorization codes.
//!
//! Owns the texts only.

use uuid::Uuid;

use super::OAuthError;

impl OAuthError {
    /// The OAuth name of the refusal.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.error
    }

    /// No redirect URI given and none to fall back on.
    pub fn missing_redirect() -> Self {
        Self::bad("invalid_request", 900_971, "No reply address provided.")
    }

    /// A redirect URI that is not registered.
    pub fn unknown_redirect(uri: &str, app_id: Uuid) -> Self {
        Self::bad(
            "invalid_request",
            50_011,
            format!(
                "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the application '{app_id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error."
            ),
        )
    }

    /// `common` for an application of one tenant.
    pub fn single_tenant_application(app_id: Uuid, name: &str) -> Self {
        Self::bad(
            "invalid_request",
            50_194,
            format!(
                "Application '{app_id}'({name}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps. Use a tenant-specific endpoint or configure the application to be multi-tenant."
            ),
        )
    }

    /// A response type that is not there for this application.
    pub fn unsupported_response_type(response_type: &str) -> Self {
        Self::bad(
            "unsupported_response_type",
            700_054,
            format!("response_type '{response_type}' is not enabled for the application."),
        )
    }

    /// A response mode that does not exist.
    pub fn unsupported_response_mode(mode: &str) -> Self {
        Self::bad(
            "invalid_request",
            70_007,
            format!("'{mode}' is not a supported value of 'response_mode' when requesting a token."),
        )
    }

    /// `prompt=none`: nobody is signed in.
    pub fn login_required() -> Self {
        Self::bad(
            "login_required",
            50_058,
            "A silent sign-in request was sent but no user is signed in.",
        )
    }

    /// The person said no.
    pub fn access_denied() -> Self {
        Self::bad("access_denied", 65_004, "User declined to consent to access the app.")
    }

    /// An unusable code challenge.
    pub fn invalid_challenge() -> Self {
        Self::bad(
            "invalid_request",
            501_491,
            "Invalid size of Code_Challenge parameter, or a code_challenge_method other than S256 and plain.",
        )
    }

    /// A single-page application without a code challenge.
    pub fn challenge_required() -> Self {
        Self::bad(
            "invalid_request",
            9_002_325,
            "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
        )
    }

    /// A verifier that is missing or does not belong to the challenge.
    pub fn wrong_verifier() -> Self {
        Self::bad(
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )
    }

    /// A code used for the second time.
    pub fn redeemed_code() -> Self {
        Self::bad(
            "invalid_grant",
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        )
    }

    /// A code past its time.
    pub fn expired_code() -> Self {
        Self::bad(
            "invalid_grant",
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        )
    }

    /// Another redirect URI than the one the code was sent to.
    pub fn other_redirect(given: &str, asked: &str) -> Self {
        Self::bad(
            "invalid_grant",
            500_112,
            format!(
                "The reply address '{given}' does not match the reply address '{asked}' provided when requesting Authorization code."
            ),
        )
    }

    /// A single-page application's code, redeemed by something else than a page.
    pub fn cross_origin_needed() -> Self {
        Self::bad(
            "invalid_request",
            9_002_327,
            "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
        )
    }

    /// A page that redeems the code of something else.
    pub fn cross_origin_refused(origin: &str) -> Self {
        Self::bad(
            "invalid_request",
            9_002_326,
            format!(
                "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{origin}'."
            ),
        )
    }
}
