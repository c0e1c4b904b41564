//! The page where a person finishes a device sign-in.
//!
//! Owns one small HTML form that works without scripts and can be posted by a test: `user_code`, `username`,
//! `password`, `action` (`accept` or `decline`). Whoever signs in consents to what the program asks for.

use http::{HeaderValue, Method, StatusCode};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::directory::model::User;
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::token;
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

/// Shows the form or takes it in.
#[must_use]
pub fn answer(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    match request.method {
        Method::GET => {
            let code = request
                .query
                .iter()
                .find(|(name, _)| matches!(name.as_str(), "user_code" | "otc" | "code"));
            page(StatusCode::OK, &form(code.map_or("", |(_, value)| value), None))
        }
        Method::POST => match submit(sandbox, request) {
            Ok(text) => page(StatusCode::OK, &format!("<p role=\"status\">{}</p>", escaped(&text))),
            Err((code, text)) => page(StatusCode::BAD_REQUEST, &form(&code, Some(&text))),
        },
        _ => GraphResponse::empty(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn submit(sandbox: &Sandbox, request: &LoginRequest) -> Result<String, (String, String)> {
    let fields = Form::parse(request).map_err(|error| (String::new(), error.description()))?;
    let code = fields.get("user_code").unwrap_or_default().to_owned();
    let refused = |text: String| (code.clone(), text);
    let now = sandbox.clock.now();
    let waiting = sandbox.entra.device_codes.waiting(&code, now);
    let (client, scope) =
        waiting.ok_or_else(|| refused("That code didn't work. Check the code and try again.".to_owned()))?;
    if fields.get("action") == Some("decline") {
        sandbox.entra.device_codes.decide(&code, None, now);
        return Ok(format!(
            "You have declined to sign in to {}. You may close this window.",
            client.name
        ));
    }
    let user = signed_in(sandbox, fields.get("username"), fields.get("password"))
        .map_err(|error| refused(error.description()))?;
    token::consent(sandbox, &client, &user, &scope).map_err(|error| refused(error.description()))?;
    if !sandbox.entra.device_codes.decide(&code, Some(user.id), now) {
        return Err(refused("That code was used already.".to_owned()));
    }
    Ok(format!(
        "You have signed in to the {} application on your device. You may now close this window.",
        client.name
    ))
}

fn signed_in(sandbox: &Sandbox, name: Option<&str>, password: Option<&str>) -> Result<User, OAuthError> {
    let name = name.unwrap_or_default().trim();
    let objects = sandbox.tenant.read();
    let user = objects
        .user(name)
        .ok_or_else(|| OAuthError::unknown_user(name, &sandbox.tenant.display_name))?;
    let right = user.password.as_ref().is_some_and(|own| {
        own.expose_secret()
            .as_bytes()
            .ct_eq(password.unwrap_or_default().as_bytes())
            .into()
    });
    match (right, user.account_enabled) {
        (true, true) => Ok(user.clone()),
        (true, false) => Err(OAuthError::disabled_user()),
        (false, _) => Err(OAuthError::wrong_password()),
    }
}

fn form(code: &str, problem: Option<&str>) -> String {
    let problem = problem.map_or_else(String::new, |text| format!("<p role=\"alert\">{}</p>", escaped(text)));
    format!(
        r#"{problem}<form method="post" action="/devicelogin">
<p><label>Code <input name="user_code" value="{}" autocomplete="off" required></label></p>
<p><label>User name <input name="username" type="text" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button name="action" value="accept">Sign in</button> <button name="action" value="decline">Cancel</button></p>
</form>"#,
        escaped(code)
    )
}

fn page(status: StatusCode, content: &str) -> GraphResponse {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in to your account</title></head>\n<body><h1>Enter code to allow access</h1>\n{content}\n</body></html>\n"
    );
    let mut response = GraphResponse::bytes(
        status,
        HeaderValue::from_static("text/html; charset=utf-8"),
        html.into(),
    );
    response
        .headers
        .insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
