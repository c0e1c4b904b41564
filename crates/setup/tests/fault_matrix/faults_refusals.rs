//! Refusals of the token endpoint, in Microsoft's own words, which no state of a tenant with a client secret produces.

use guichet_setup::doctor::Code;

use crate::fault::{Cure, Fault};

macro_rules! refusal {
    ($name:literal, $how:literal, $code:ident, $status:literal, $error:literal, $number:literal, $text:literal) => {
        Fault {
            name: $name,
            how: $how,
            code: Code::$code,
            inject: |stage| Box::pin(async { stage.refuse_tokens($status, $error, $number, $text).await }),
            cure: Cure::Undo(|stage| Box::pin(async { stage.without_rules().await })),
        }
    };
}

pub(crate) const FAULTS: &[Fault] = &[
    refusal!(
        "certificate-expired",
        "Entra answers AADSTS700027: the certificate is past its end (`status`).",
        CertificateExpired,
        401,
        "invalid_client",
        700_027,
        "Client assertion failed signature validation. [Reason - The key used is expired.]"
    ),
    refusal!(
        "assertion-for-another-audience",
        "Entra answers AADSTS50013: the assertion is for another audience (`status`).",
        AssertionRefused,
        401,
        "invalid_client",
        50_013,
        "Assertion failed validation. [Reason - Audience does not match.]"
    ),
    refusal!(
        "federated-issuer-differs",
        "Entra answers AADSTS700211: no federated credential names the issuer (`status`).",
        FederatedIssuer,
        401,
        "invalid_client",
        700_211,
        "No matching federated identity record found for presented assertion issuer 'https://issuer.example'."
    ),
    refusal!(
        "federated-audience-differs",
        "Entra answers AADSTS700212: no federated credential names the audience (`status`).",
        FederatedAudience,
        401,
        "invalid_client",
        700_212,
        "No matching federated identity record found for presented assertion audience 'api://other'."
    ),
    refusal!(
        "federated-subject-differs",
        "Entra answers AADSTS700213: no federated credential names the subject (`status`).",
        FederatedSubject,
        401,
        "invalid_client",
        700_213,
        "No matching federated identity record found for presented assertion subject 'repo:contoso'."
    ),
    refusal!(
        "federated-token-of-person",
        "Entra answers AADSTS700229: the federated assertion stands for a person (`status`).",
        FederatedPerson,
        401,
        "invalid_client",
        700_229,
        "Only app-only tokens can be used as Federated Identity Credentials for Entra issuers."
    ),
    refusal!(
        "federated-issuer-out-of-reach",
        "Entra answers AADSTS50166: the issuer cannot be reached (`status`).",
        FederatedIssuerUnreachable,
        400,
        "invalid_request",
        50_166,
        "Request to External OIDC endpoint failed."
    ),
    refusal!(
        "application-id-damaged",
        "Entra answers AADSTS700038: the recorded id is none (`status`).",
        ApplicationIdInvalid,
        400,
        "unauthorized_client",
        700_038,
        "00000000-0000-0000-0000-000000000000 is not a valid application identifier."
    ),
    refusal!(
        "application-made-public",
        "Entra answers AADSTS700025: the application is a public client (`status`).",
        ApplicationPublic,
        401,
        "invalid_client",
        700_025,
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    ),
    refusal!(
        "credential-stripped-by-proxy",
        "Entra answers AADSTS7000218: the credential did not arrive (`status`).",
        ApplicationPublic,
        401,
        "invalid_client",
        7_000_218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    ),
    refusal!(
        "request-cut-by-proxy",
        "Entra answers AADSTS900144: a field is missing (`status`).",
        TokenRequestMalformed,
        400,
        "invalid_request",
        900_144,
        "The request body must contain the following parameter: 'grant_type'."
    ),
    refusal!(
        "request-rewritten-by-proxy",
        "Entra answers AADSTS9002313: the body is no form (`status`).",
        TokenRequestMalformed,
        400,
        "invalid_request",
        9_002_313,
        "Invalid request. Request is malformed or invalid."
    ),
    refusal!(
        "scope-refused",
        "Entra answers AADSTS70011: the scope names nothing (`status`).",
        ScopeInvalid,
        400,
        "invalid_scope",
        70_011,
        "The provided value for the input parameter 'scope' is not valid."
    ),
    refusal!(
        "scope-without-default",
        "Entra answers AADSTS1002012: the scope is not `/.default` (`status`).",
        ScopeInvalid,
        400,
        "invalid_scope",
        1_002_012,
        "Client credential flows must have a scope value with /.default suffixed to the resource identifier."
    ),
    refusal!(
        "graph-not-requested",
        "Entra answers AADSTS650057: the registration does not list Graph (`status`).",
        ResourceNotRequested,
        400,
        "invalid_resource",
        650_057,
        "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration."
    ),
    refusal!(
        "consent-never-given",
        "Entra answers AADSTS65001: nobody has consented (`status`).",
        ConsentRequired,
        400,
        "invalid_grant",
        65_001,
        "The user or administrator has not consented to use the application."
    ),
    refusal!(
        "consent-needs-administrator",
        "Entra answers AADSTS90094: only an administrator may consent (`status`).",
        AdminConsentRequired,
        400,
        "invalid_grant",
        90_094,
        "An administrator must grant permission."
    ),
    refusal!(
        "assignment-required",
        "Entra answers AADSTS501051: Graph requires an assignment (`status`).",
        AssignmentRequired,
        400,
        "invalid_grant",
        501_051,
        "Application is not assigned to a role for the application Microsoft Graph."
    ),
    refusal!(
        "security-defaults-block",
        "Entra answers AADSTS530035: security defaults block the sign-in (`status`).",
        SecurityDefaults,
        400,
        "invalid_grant",
        530_035,
        "Access has been blocked by security defaults."
    ),
    refusal!(
        "tenant-moved-cloud",
        "Entra answers AADSTS900382: the tenant lives in another cloud (`status`).",
        TenantOtherCloud,
        400,
        "invalid_request",
        900_382,
        "Confidential Client is not supported in Cross Cloud request."
    ),
    refusal!(
        "tenant-not-named",
        "Entra answers AADSTS9001023: the request names no single tenant (`status`).",
        TenantNotSpecific,
        400,
        "invalid_request",
        9_001_023,
        "The grant type is not supported over the /common or /consumers endpoints."
    ),
];
