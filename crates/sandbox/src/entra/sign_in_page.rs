//! The pages where a person signs in.
//!
//! Owns small HTML forms that work without scripts and can be posted by a test. The device page takes `user_code`,
//! `username`, `password`, `action` (`accept` or `decline`). Whoever signs in consents to what the program asks for.

use http::{HeaderValue, Method, StatusCode};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::directory::model::User;
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::token::{self, ConsentFor};
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

/// Heading of the device page.
const DEVICE: &str = "Enter code to allow access";

/// A page to sign in to an application and consent to what it asks for.
#[derive(Debug)]
pub struct SignInForm<'a> {
    /// Name of the application.
    pub application: &'a str,
    /// What it asks for, separated by spaces.
    pub permissions: &'a str,
    /// Why the last attempt failed.
    pub problem: Option<String>,
    /// What the page was opened with; it goes back with the answer.
    pub form: &'a Form,
}

/// Fields that a person fills in and that are not carried along.
const TYPED: [&str; 4] = ["username", "password", "action", "consent"];

/// Shows the page; with a problem its status is 400.
#[must_use]
pub fn sign_in(asked: &SignInForm<'_>) -> GraphResponse {
    let problem = asked.problem.as_deref().map_or_else(String::new, alert);
    let carried: String = asked
        .form
        .fields()
        .filter(|(name, _)| !TYPED.contains(name))
        .map(|(name, value)| {
            let (name, value) = (escaped(name), escaped(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
        })
        .collect();
    let permissions: String = asked
        .permissions
        .split_whitespace()
        .map(|name| format!("<li>{}</li>\n", escaped(name)))
        .collect();
    let name = asked.form.get("username").or_else(|| asked.form.get("login_hint"));
    let content = format!(
        r#"{problem}<p>{} asks for these permissions:</p>
<ul>
{permissions}</ul>
<form method="post" action="?">
{carried}<p><label>User name <input name="username" type="text" value="{}" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><label><input name="consent" type="checkbox" value="organization"> Consent on behalf of your organization</label></p>
<p><button name="action" value="accept">Sign in and accept</button> <button name="action" value="decline">Cancel</button></p>
</form>"#,
        escaped(asked.application),
        escaped(name.unwrap_or_default()),
    );
    let status = match asked.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    page(status, "Sign in", &content)
}

/// A refusal that may not be sent to the address the request names.
#[must_use]
pub fn refusal(error: &OAuthError) -> GraphResponse {
    page(
        StatusCode::BAD_REQUEST,
        "Sorry, but we're having trouble signing you in.",
        &alert(&error.description()),
    )
}

fn alert(text: &str) -> String {
    format!("<p role=\"alert\">{}</p>", escaped(text))
}

/// Shows the form or takes it in.
#[must_use]
pub fn answer(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    match request.method {
        Method::GET => {
            let code = request
                .query
                .iter()
                .find(|(name, _)| matches!(name.as_str(), "user_code" | "otc" | "code"));
            page(StatusCode::OK, DEVICE, &form(code.map_or("", |(_, value)| value), None))
        }
        Method::POST => match submit(sandbox, request) {
            Ok(text) => page(
                StatusCode::OK,
                DEVICE,
                &format!("<p role=\"status\">{}</p>", escaped(&text)),
            ),
            Err((code, text)) => page(StatusCode::BAD_REQUEST, DEVICE, &form(&code, Some(&text))),
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
    token::consent(sandbox, &client, &user, &scope, ConsentFor::Person)
        .map_err(|error| refused(error.description()))?;
    if !sandbox.entra.device_codes.decide(&code, Some(user.id), now) {
        return Err(refused("That code was used already.".to_owned()));
    }
    Ok(format!(
        "You have signed in to the {} application on your device. You may now close this window.",
        client.name
    ))
}

/// The user with this name and password.
///
/// # Errors
/// AADSTS50034, 50126 or 50057.
pub fn signed_in(sandbox: &Sandbox, name: Option<&str>, password: Option<&str>) -> Result<User, OAuthError> {
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
    let problem = problem.map_or_else(String::new, alert);
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

fn page(status: StatusCode, heading: &str, content: &str) -> GraphResponse {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in to your account</title></head>\n<body><h1>{}</h1>\n{content}\n</body></html>\n",
        escaped(heading)
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

/// Text for HTML, attributes included.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
