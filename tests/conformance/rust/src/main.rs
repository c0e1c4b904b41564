//! openidconnect: discovery, key set, and the code and device grants, with every check that OpenID Connect demands.
//!
//! Owns the checks of one client and reports each as one line of JSON on stdout. It sees the sandbox over HTTPS only and
//! shares no type with it.

mod person;

use std::{error::Error, fs, process::ExitCode};

use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, DeviceAuthorizationUrl, DiscoveryError, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, ProviderMetadata, RedirectUrl, RequestTokenError, Scope, TokenResponse,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreDeviceAuthorizationResponse, CoreErrorResponseType, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreProviderMetadata, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Checked = Result<(), Box<dyn Error>>;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct DeviceEndpoint {
    device_authorization_endpoint: DeviceAuthorizationUrl,
}

impl AdditionalProviderMetadata for DeviceEndpoint {}

type DeviceMetadata = ProviderMetadata<
    DeviceEndpoint,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

struct Conformance {
    tenant: Value,
    http: reqwest::blocking::Client,
}

impl Conformance {
    fn text(&self, pointer: &str) -> String {
        let found = self.tenant.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("the tenant has no {pointer}")).to_owned()
    }

    fn issuer(&self, tenant: &str) -> IssuerUrl {
        let url = format!("{}/{tenant}/v2.0", self.text("/authority"));
        IssuerUrl::new(url).expect("the authority is a URL")
    }

    fn metadata(&self) -> Result<CoreProviderMetadata, Box<dyn Error>> {
        Ok(CoreProviderMetadata::discover(&self.issuer(&self.text("/tenant_id")), &self.http)?)
    }

    fn discovery(&self) -> Checked {
        let metadata = self.metadata()?;
        let keys = metadata.jwks().keys().len();
        if keys == 0 {
            return Err("the key set is empty".into());
        }
        Ok(())
    }

    /// The document's issuer is a template with `{tenantid}`, which no issuer equals.
    fn common_is_refused(&self) -> Checked {
        match CoreProviderMetadata::discover(&self.issuer("common"), &self.http) {
            Err(DiscoveryError::Validation(_)) => Ok(()),
            Err(other) => Err(format!("another error: {other:?}").into()),
            Ok(_) => Err("it was accepted".into()),
        }
    }

    fn unknown_tenant_is_refused(&self) -> Checked {
        let issuer = self.issuer("7c5dd3e8-6a13-4ad6-b9aa-21a90d4b0a01");
        match CoreProviderMetadata::discover(&issuer, &self.http) {
            Err(DiscoveryError::Response(status, ..)) if status.as_u16() == 400 => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }

    fn authorization_code(&self) -> Checked {
        let secret = ClientSecret::new(self.text("/application/secret"));
        let id = ClientId::new(self.text("/application/client_id"));
        let client = CoreClient::from_provider_metadata(self.metadata()?, id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(self.text("/application/redirect_uri"))?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(["profile", "email", "offline_access"].map(|name| Scope::new(name.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let answer = person::sign_in(&self.tenant, url.as_str(), None)?;
        if person::parameter(&answer, "state").as_ref() != Some(state.secret()) {
            return Err("the state did not come back".into());
        }
        let code = person::parameter(&answer, "code").ok_or("no code came back")?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(verifier)
            .request(&self.http)?;
        let id_token = tokens.id_token().ok_or("no identity token")?;
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let key = id_token.signing_key(&verifier)?;
            let found = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, key)?;
            if found != *expected {
                return Err("at_hash is not the access token's".into());
            }
        }
        let name = claims.preferred_username().map(|name| name.as_str().to_owned());
        if name != Some(self.text("/owner/name")) {
            return Err(format!("the identity token names {name:?}").into());
        }
        if id_token.claims(&verifier, &Nonce::new("another".to_owned())).is_ok() {
            return Err("a wrong nonce was accepted".into());
        }
        let refresh = tokens.refresh_token().ok_or("no refresh token")?;
        let again = client.exchange_refresh_token(refresh)?.request(&self.http)?;
        again.id_token().ok_or("no identity token after the refresh")?;
        Ok(())
    }

    fn client_credentials(&self, auth_type: AuthType, secret: &str) -> Result<(), CredentialError> {
        let metadata = self.metadata().map_err(CredentialError::Other)?;
        let id = ClientId::new(self.text("/application/client_id"));
        let client = CoreClient::from_provider_metadata(metadata, id, Some(ClientSecret::new(secret.to_owned())))
            .set_auth_type(auth_type);
        let request = client.exchange_client_credentials().map_err(|error| CredentialError::Other(error.into()))?;
        let scope = Scope::new("https://graph.microsoft.com/.default".to_owned());
        match request.add_scope(scope).request(&self.http) {
            Ok(_) => Ok(()),
            Err(RequestTokenError::ServerResponse(answer)) => {
                Err(CredentialError::Refused(answer.error().clone(), answer.error_description().cloned()))
            }
            Err(other) => Err(CredentialError::Other(other.into())),
        }
    }

    fn secret_in_the_body(&self) -> Checked {
        Ok(self.client_credentials(AuthType::RequestBody, &self.text("/application/secret"))?)
    }

    fn secret_as_basic(&self) -> Checked {
        Ok(self.client_credentials(AuthType::BasicAuth, &self.text("/application/secret"))?)
    }

    fn wrong_secret(&self) -> Checked {
        match self.client_credentials(AuthType::BasicAuth, "wrong") {
            Err(CredentialError::Refused(CoreErrorResponseType::InvalidClient, Some(text)))
                if text.starts_with("AADSTS7000215") =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}").into()),
        }
    }

    fn device_code(&self) -> Checked {
        let metadata = DeviceMetadata::discover(&self.issuer(&self.text("/tenant_id")), &self.http)?;
        let endpoint = metadata.additional_metadata().device_authorization_endpoint.clone();
        let id = ClientId::new(self.text("/public_application/client_id"));
        let client = CoreClient::from_provider_metadata(metadata, id, None)
            .set_device_authorization_url(endpoint)
            .set_auth_type(AuthType::RequestBody);
        let details: CoreDeviceAuthorizationResponse = client
            .exchange_device_code()
            .add_scopes(["profile", "offline_access"].map(|name| Scope::new(name.to_owned())))
            .request(&self.http)?;
        let page = details.verification_uri().as_str();
        person::sign_in(&self.tenant, page, Some(details.user_code().secret()))?;
        let tokens = client
            .exchange_device_access_token(&details)?
            .request(&self.http, std::thread::sleep, None)?;
        let id_token = tokens.id_token().ok_or("no identity token")?;
        id_token.claims(&client.id_token_verifier(), |nonce: Option<&Nonce>| match nonce {
            None => Ok(()),
            Some(_) => Err("there is a nonce and none was asked".to_owned()),
        })?;
        Ok(())
    }
}

#[derive(Debug)]
enum CredentialError {
    Refused(CoreErrorResponseType, Option<String>),
    Other(Box<dyn Error>),
}

impl std::fmt::Display for CredentialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(code, text) => write!(f, "{code:?}: {}", text.as_deref().unwrap_or_default()),
            Self::Other(error) => f.write_str(&chain(&**error)),
        }
    }
}

impl Error for CredentialError {}

fn main() -> ExitCode {
    let file = std::env::args().nth(1).expect("usage: conformance-openidconnect tenant.json");
    let tenant: Value = serde_json::from_slice(&fs::read(file).expect("tenant.json")).expect("tenant.json is JSON");
    // The one failure that would be silent: a process without a provider panics at its first connection.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("no other provider");
    let authority = fs::read(tenant["ca_file"].as_str().expect("ca_file")).expect("the CA's file");
    let http = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .add_root_certificate(reqwest::Certificate::from_pem(&authority).expect("the CA is PEM"))
        .build()
        .expect("a client");
    let conformance = Conformance { tenant, http };
    let checks: [(&str, fn(&Conformance) -> Checked); 8] = [
        ("discovery and key set of a tenant", Conformance::discovery),
        ("common is refused: its issuer is a template", Conformance::common_is_refused),
        ("unknown tenant is refused", Conformance::unknown_tenant_is_refused),
        ("authorization code with PKCE, identity token, refresh", Conformance::authorization_code),
        ("client secret in the body", Conformance::secret_in_the_body),
        ("client secret as HTTP Basic", Conformance::secret_as_basic),
        ("wrong secret is invalid_client", Conformance::wrong_secret),
        ("device code", Conformance::device_code),
    ];
    for (name, check) in checks {
        let line = match check(&conformance) {
            Ok(()) => json!({"check": name, "result": "ok"}),
            Err(error) => json!({"check": name, "result": "failed", "reason": chain(&*error)}),
        };
        println!("{line}");
    }
    ExitCode::SUCCESS
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
