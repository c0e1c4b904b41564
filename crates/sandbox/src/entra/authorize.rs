//! The authorization endpoint: one page to sign in and consent, and the way back with a code.
//!
//! Owns the order of the checks. What concerns the client or its redirect URI is shown to the person and never sent
//! to an address that is not registered; every later refusal goes back to the client. There are no sessions: each
//! request signs in anew, so `prompt=none` always finds nobody. The page works without scripts and can be posted by a
//! test: the request's own parameters and `username`, `password`, `action` (`accept` or `decline`), and
//! `consent=organization` from an administrator for everybody.

use http::{Method, StatusCode};
use url::Url;

use crate::directory::redirects::{self, Platform};
use crate::entra::authorization_code::{Authorization, Challenge};
use crate::entra::claims;
use crate::entra::clients::{self, Client};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::redirect::{ResponseMode, Target};
use crate::entra::sign_in_page::{self, SignInForm};
use crate::entra::tenancy::Tenancy;
use crate::entra::token::{self, ConsentFor};
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

/// The address of programs without one of their own.
const NATIVE_CLIENT: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/// A request whose client and redirect URI are known to be good.
struct Asked {
    client: Client,
    platform: Platform,
    target: Target,
}

/// `/{tenant}/oauth2/v2.0/authorize`.
#[must_use]
pub fn answer(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    if !matches!(request.method, Method::GET | Method::POST) {
        return GraphResponse::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let known = Form::with_query(request).and_then(|form| Ok((asked(sandbox, request, &form)?, form)));
    let (asked, form) = match known {
        Ok(known) => known,
        Err(error) => return sign_in_page::refusal(&error),
    };
    let refused = |error: &OAuthError| asked.target.refuse(error, &request.trace);
    let challenge = match check(sandbox, &asked, &form) {
        Ok(challenge) => challenge,
        Err(error) => return refused(&error),
    };
    match form.get("action").filter(|_| request.method == Method::POST) {
        None => page(&asked, &form, None),
        Some("decline") => refused(&OAuthError::access_denied()),
        Some(_) => match accept(sandbox, &asked, &form, challenge) {
            Ok(response) => response,
            Err(error) => page(&asked, &form, Some(&error)),
        },
    }
}

fn asked(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Asked, OAuthError> {
    let tenant = &sandbox.tenant;
    let tenancy = Tenancy::parse(tenant, &request.segments[0])?;
    let objects = tenant.read();
    let client = clients::find(&objects, tenant, form.need("client_id")?)?;
    let application = objects.application_of(client.app_id);
    tenancy.check(&objects, &client)?;
    let given = form.get("redirect_uri");
    let (uri, platform) = match (application, given) {
        (Some(application), Some(uri)) => (uri.to_owned(), redirects::platform_of(application, uri)),
        (Some(application), None) => {
            let first = ["web", "publicClient", "spa"].into_iter().find_map(|name| {
                let uris = application.document.get(name)?.get("redirectUris")?;
                uris.get(0)?.as_str().map(str::to_owned)
            });
            let uri = first.ok_or_else(OAuthError::missing_redirect)?;
            let platform = redirects::platform_of(application, &uri);
            (uri, platform)
        }
        (None, Some(uri)) => {
            let loopback = Url::parse(uri).is_ok_and(|url| redirects::is_loopback(&url));
            let known = loopback || uri == NATIVE_CLIENT;
            (uri.to_owned(), known.then_some(Platform::Public))
        }
        (None, None) => return Err(OAuthError::missing_redirect()),
    };
    let unknown = || OAuthError::unknown_redirect(&uri, client.app_id);
    let platform = platform.ok_or_else(unknown)?;
    let address = Url::parse(&uri).map_err(|_| unknown())?;
    let target = Target {
        uri: address,
        mode: ResponseMode::parse(form.get("response_mode"))?,
        state: form.get("state").map(str::to_owned),
    };
    Ok(Asked {
        client,
        platform,
        target,
    })
}

/// What can be judged before anybody signs in.
fn check(sandbox: &Sandbox, asked: &Asked, form: &Form) -> Result<Option<Challenge>, OAuthError> {
    match form.need("response_type")? {
        "code" => {}
        other => return Err(OAuthError::unsupported_response_type(other)),
    }
    token::check_requested(sandbox, &asked.client, form.need("scope")?)?;
    let challenge = Challenge::parse(form)?;
    if asked.platform == Platform::SinglePage && challenge.is_none() {
        return Err(OAuthError::challenge_required());
    }
    if form
        .get("prompt")
        .is_some_and(|prompt| prompt.split(' ').any(|word| word == "none"))
    {
        return Err(OAuthError::login_required());
    }
    Ok(challenge)
}

fn accept(
    sandbox: &Sandbox,
    asked: &Asked,
    form: &Form,
    challenge: Option<Challenge>,
) -> Result<GraphResponse, OAuthError> {
    let scope = form.need("scope")?;
    let user = sign_in_page::signed_in(sandbox, form.get("username"), form.get("password"))?;
    let whom = match form.get("consent") {
        Some("organization") if user.is_administrator() => ConsentFor::Organization,
        Some("organization") => return Err(OAuthError::admin_consent_required(scope)),
        _ => ConsentFor::Person,
    };
    token::consent(sandbox, &asked.client, &user, scope, whom)?;
    let authorization = Authorization {
        client: asked.client.app_id,
        user: user.id,
        scope: scope.to_owned(),
        redirect_uri: form.get("redirect_uri").map(str::to_owned),
        platform: asked.platform,
        challenge,
        nonce: form.get("nonce").map(str::to_owned),
    };
    let code = sandbox.entra.codes.issue(sandbox, authorization);
    let session = sandbox.entropy.uuid().to_string();
    let client_info = (form.get("client_info") == Some("1")).then(|| claims::client_info(&sandbox.tenant, user.id));
    let mut fields = vec![("code", code.as_str())];
    if let Some(client_info) = &client_info {
        fields.push(("client_info", client_info));
    }
    fields.push(("session_state", &session));
    Ok(asked.target.send(&fields))
}

fn page(asked: &Asked, form: &Form, problem: Option<&OAuthError>) -> GraphResponse {
    sign_in_page::sign_in(&SignInForm {
        application: &asked.client.name,
        permissions: form.get("scope").unwrap_or_default(),
        problem: problem.map(OAuthError::description),
        form,
    })
}
