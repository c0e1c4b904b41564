//! The way back to a client after a sign-in.
//!
//! Owns the three response modes. A target is made only from an address that its application registered.

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::entra::error::{OAuthError, Trace};
use crate::entra::sign_in_page::escaped;
use crate::server::paths::GraphResponse;

/// How the answer reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the address.
    Query,
    /// In its fragment.
    Fragment,
    /// As a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Reads the parameter; a code travels in the query unless said otherwise.
    ///
    /// # Errors
    /// AADSTS70007.
    pub fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        match text {
            None | Some("query") => Ok(Self::Query),
            Some("fragment") => Ok(Self::Fragment),
            Some("form_post") => Ok(Self::FormPost),
            Some(other) => Err(OAuthError::unsupported_response_mode(other)),
        }
    }
}

/// Where the answer goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// A registered address.
    pub uri: Url,
    /// How.
    pub mode: ResponseMode,
    /// The client's own word, given back unchanged.
    pub state: Option<String>,
}

impl Target {
    /// Sends fields, and the client's state with them.
    #[must_use]
    pub fn send(&self, fields: &[(&str, &str)]) -> GraphResponse {
        let state = self.state.as_deref().map(|state| ("state", state));
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain(state).collect();
        match self.mode {
            ResponseMode::Query => {
                let mut uri = self.uri.clone();
                uri.query_pairs_mut().extend_pairs(&fields);
                redirect(uri.as_str())
            }
            ResponseMode::Fragment => {
                let mut encoded = url::form_urlencoded::Serializer::new(String::new());
                encoded.extend_pairs(&fields);
                let mut uri = self.uri.clone();
                uri.set_fragment(Some(&encoded.finish()));
                redirect(uri.as_str())
            }
            ResponseMode::FormPost => self.posting_page(&fields),
        }
    }

    /// Sends a refusal.
    #[must_use]
    pub fn refuse(&self, error: &OAuthError, trace: &Trace) -> GraphResponse {
        let document = error.document(trace);
        let description = document["error_description"].as_str().unwrap_or_default();
        self.send(&[("error", error.name()), ("error_description", description)])
    }

    fn posting_page(&self, fields: &[(&str, &str)]) -> GraphResponse {
        let inputs: String = fields
            .iter()
            .map(|(name, value)| {
                format!(
                    "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
                    escaped(name),
                    escaped(value)
                )
            })
            .collect();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Working...</title></head>\n<body><form method=\"post\" name=\"hiddenform\" action=\"{}\">\n{inputs}<noscript><p>Script is disabled. Click Submit to continue.</p><button>Submit</button></noscript>\n</form><script>document.forms[0].submit();</script></body></html>\n",
            escaped(self.uri.as_str())
        );
        let mut response = GraphResponse::bytes(
            StatusCode::OK,
            HeaderValue::from_static("text/html; charset=utf-8"),
            html.into(),
        );
        response
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn redirect(address: &str) -> GraphResponse {
    GraphResponse::empty(StatusCode::FOUND).with_header(LOCATION, address)
}
