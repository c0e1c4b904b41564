//! What a client sends to the identity provider.
//!
//! Owns the reading of forms and HTTP Basic (RFC 6749 §2.3.1). Unknown fields are kept and ignored; an empty field
//! counts as absent. No field is ever logged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::entra::error::{OAuthError, Trace};

/// A request to the identity provider.
#[derive(Debug)]
pub struct LoginRequest {
    /// HTTP method.
    pub method: Method,
    /// Path segments, the tenant first.
    pub segments: Vec<String>,
    /// Decoded query.
    pub query: Vec<(String, String)>,
    /// Request headers.
    pub headers: HeaderMap,
    /// Request body.
    pub body: Bytes,
    /// `scheme://host` as the client addressed it.
    pub base_url: String,
    /// Ids and time of the exchange.
    pub trace: Trace,
}

/// A decoded form.
pub struct Form(Vec<(String, String)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// The client id that a login request names, in its form or by HTTP Basic; nothing is checked.
#[must_use]
pub fn client_of(headers: &HeaderMap, body: &[u8]) -> Option<Uuid> {
    let in_form = url::form_urlencoded::parse(body)
        .find(|(name, _)| name == "client_id")
        .map(|(_, value)| value.into_owned());
    let by_basic = || {
        let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        let client = decoded.split_once(':')?.0.to_owned();
        scheme.eq_ignore_ascii_case("basic").then_some(client)
    };
    in_form.or_else(by_basic)?.parse().ok()
}

/// Fields that decide and may stand once only.
const SINGLE: [&str; 9] = [
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "device_code",
    "refresh_token",
    "client_assertion",
    "code",
    "redirect_uri",
];

impl Form {
    /// Decodes the body of a request.
    ///
    /// # Errors
    /// AADSTS9002313 when the body is not a form, AADSTS9000411 when a deciding field is given twice.
    pub fn parse(request: &LoginRequest) -> Result<Self, OAuthError> {
        let content_type = request
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let is_form = content_type.is_none_or(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form && !request.body.is_empty() {
            return Err(OAuthError::malformed_request());
        }
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        for name in SINGLE {
            if fields.iter().filter(|(field, _)| field == name).count() > 1 {
                return Err(OAuthError::duplicate_parameter(name));
            }
        }
        Ok(Self(fields))
    }

    /// The query and, behind it, the form of a posted request: what a page was opened with and what was typed in.
    ///
    /// # Errors
    /// As [`Form::parse`].
    pub fn with_query(request: &LoginRequest) -> Result<Self, OAuthError> {
        let mut fields = request.query.clone();
        if request.method == Method::POST {
            fields.extend(Self::parse(request)?.0);
        }
        Ok(Self(fields))
    }

    /// Every field, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A field that is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// AADSTS900144.
    pub fn need(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing_parameter(name))
    }
}

/// Client id and secret as the client presented them.
#[derive(Debug)]
pub struct Presented {
    /// The client id, unchecked.
    pub client_id: String,
    /// The secret, if one was presented.
    pub secret: Option<secrecy::SecretString>,
    /// The assertion that was presented in place of a secret.
    pub assertion: Option<secrecy::SecretString>,
}

impl Presented {
    /// Reads the form, else HTTP Basic.
    ///
    /// # Errors
    /// AADSTS900144 when there is no client id.
    pub fn read(request: &LoginRequest, form: &Form) -> Result<Self, OAuthError> {
        let basic = basic(&request.headers);
        let client_id = form
            .get("client_id")
            .map(str::to_owned)
            .or_else(|| Some(basic.as_ref()?.0.clone()));
        let secret = form
            .get("client_secret")
            .map(str::to_owned)
            .or(basic.map(|(_, secret)| secret));
        Ok(Self {
            client_id: client_id.ok_or_else(|| OAuthError::missing_parameter("client_id"))?,
            secret: secret
                .filter(|secret| !secret.is_empty())
                .map(secrecy::SecretString::from),
            assertion: form.get("client_assertion").map(secrecy::SecretString::from),
        })
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    let field = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((field(user), field(password)))
}

/// The client's own id of an exchange: header, query or form field.
#[must_use]
pub fn correlation_id(headers: &HeaderMap, query: &[(String, String)]) -> Option<Uuid> {
    let header = headers.get("client-request-id").and_then(|value| value.to_str().ok());
    let query = query
        .iter()
        .find(|(name, _)| name == "client-request-id")
        .map(|(_, value)| value.as_str());
    header.or(query).and_then(|value| value.parse().ok())
}
