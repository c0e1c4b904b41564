//! Refusals of requests that are right in themselves: policies of the tenant, other clouds, resources not asked for.
//!
//! Owns the texts only.

use uuid::Uuid;

use super::OAuthError;

impl OAuthError {
    /// Conditional access says no; the challenge names what a client would have to satisfy.
    pub fn conditional_access(policy: Uuid) -> Self {
        let mut error = Self::bad(
            "invalid_grant",
            53_003,
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        );
        error.suberror = Some("message_only");
        error.claims = Some(format!(
            r#"{{"access_token":{{"capolids":{{"essential":true,"values":["{policy}"]}}}}}}"#
        ));
        error
    }

    /// Security defaults say no.
    pub fn security_defaults() -> Self {
        let mut error = Self::bad(
            "invalid_grant",
            530_035,
            "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed unsafe by security defaults policies. Please turn off security defaults or set up Conditional Access.",
        );
        error.suberror = Some("basic_action");
        error
    }

    /// The tenant lives elsewhere.
    pub fn other_cloud(tenant: &str, host: &str) -> Self {
        Self::bad(
            "invalid_request",
            90_038,
            format!(
                "Specified tenant '{tenant}' belongs to the national cloud '{host}'. Current cloud instance 'login.microsoftonline.com' does not federate with it: use {host}."
            ),
        )
    }

    /// The tenant lives elsewhere, and the client proved who it is here.
    pub fn confidential_client_across_clouds() -> Self {
        Self::bad(
            "invalid_request",
            900_382,
            "Confidential Client is not supported in Cross Cloud request.",
        )
    }

    /// The same request too often.
    pub fn looping() -> Self {
        Self::bad(
            "invalid_grant",
            50_196,
            "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
        )
    }

    /// A scope for several resources.
    pub fn several_resources(scope: &str) -> Self {
        Self::bad(
            "invalid_scope",
            700_022,
            format!(
                "The provided value for the input parameter scope '{scope}' isn't valid because it contains more than one resource."
            ),
        )
    }

    /// A scope for no resource.
    pub fn no_resource(scope: &str) -> Self {
        Self::bad(
            "invalid_scope",
            700_023,
            format!(
                "The provided value for the input parameter scope '{scope}' isn't valid when requesting an access token: it names no resource."
            ),
        )
    }

    /// `.default` together with permissions of the same resource.
    pub fn default_with_others(scope: &str) -> Self {
        Self::bad(
            "invalid_scope",
            28_002,
            format!(
                "Provided value for the input parameter scope '{scope}' isn't valid when requesting an access token. Specify a valid scope."
            ),
        )
    }

    /// A resource that the registration does not list.
    pub fn resource_not_listed(client: Uuid, name: &str, resource: &str, resource_app: Uuid, listed: &str) -> Self {
        Self::bad(
            "invalid_client",
            650_057,
            format!(
                "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {client}({name}). Resource value from request: {resource}. Resource app ID: {resource_app}. List of valid resources from app registration: {listed}."
            ),
        )
    }

    /// A registration that lists a resource the tenant has not.
    pub fn misconfigured_application(client: Uuid, name: &str, resource: &str) -> Self {
        Self::bad(
            "invalid_client",
            65_005,
            format!(
                "Misconfigured application. The application '{client}'({name}) lists the resource '{resource}', which is not in the tenant: correct its required permissions or add the resource."
            ),
        )
    }

    /// A field that the older endpoint needs.
    pub fn required_field(name: &str) -> Self {
        Self::bad(
            "invalid_request",
            90_014,
            format!(
                "The required field '{name}' is missing from the credential. Ensure that you have all the necessary parameters for the login request."
            ),
        )
    }

    /// The older refusal of an unregistered certificate.
    pub fn unauthorized_thumbprint(identifier: &str) -> Self {
        Self::unauthorized(
            50_012,
            format!(
                "Client assertion contains an invalid signature. [Reason - The key was not found., Thumbprint of key used by client: '{identifier}'] The thumbprint of the signing certificate isn't authorized."
            ),
        )
    }

    /// Somebody else's token, presented on behalf of its user.
    pub fn foreign_assertion(audience: &str, expected: Uuid) -> Self {
        Self::bad(
            "invalid_grant",
            500_131,
            format!(
                "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{audience}' and the expected audience is '{expected}' or one of the Application Uris of this application."
            ),
        )
    }

    /// A token that this login service did not sign.
    pub fn unsigned_assertion() -> Self {
        Self::bad(
            "invalid_grant",
            50_013,
            "Assertion failed signature validation. [Reason - The key was not found.]",
        )
    }

    /// An application's own token, presented on behalf of a user.
    pub fn assertion_without_user(app_id: Uuid) -> Self {
        Self::bad(
            "invalid_grant",
            7_000_114,
            format!("Application '{app_id}' is not allowed to make application on-behalf-of calls."),
        )
    }
}
