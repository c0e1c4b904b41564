//! Check: does the notification endpoint answer as Microsoft wants it to?
//!
//! Owns the question that Microsoft asks before it makes a subscription: a token, to be sent back as plain text
//! within ten seconds. It is asked from this machine, which may reach less or more than Microsoft does. Never
//! posts a notification.
//!
//! Source: learn.microsoft.com, "Receive change notifications through webhooks".

use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, TransportErrorKind};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use jiff::SignedDuration;
use url::Url;
use uuid::Uuid;

use super::{Code, DoctorContext, Problem, diagnose};

/// Microsoft gives up after this time.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// The token comes back and nothing else.
const BODY: BodyLimit = BodyLimit::bytes(16 * 1024);

/// Nothing where mailboxes are polled, or where the check is switched off.
pub(super) async fn check(context: &DoctorContext) -> Option<Problem> {
    let endpoint = context.notification_url.as_ref()?;
    if !context.options.probe_endpoint {
        return None;
    }
    let subject = diagnose::host(endpoint);
    let mut id = [0; 16];
    context.entropy.fill(&mut id);
    let token = format!("Validation: asked by guichet doctor, id {}", Uuid::from_bytes(id));
    let asked_at = context.time.now();
    let sent = context.transport.send(request(endpoint, &token), BODY).await;
    let took = context.time.now().duration_since(asked_at);
    let (code, evidence) = match sent {
        Err(error) => {
            let code = match error.kind {
                TransportErrorKind::Dns => Code::EndpointDns,
                TransportErrorKind::Connect | TransportErrorKind::Closed => Code::EndpointConnect,
                TransportErrorKind::Tls => Code::EndpointTls,
                TransportErrorKind::Timeout => Code::EndpointTimeout,
                TransportErrorKind::BodyTooLarge | TransportErrorKind::Invalid => Code::EndpointForeign,
            };
            (code, error.to_string())
        }
        Ok(answer) => match deviation(&answer, &token) {
            Some(deviation) => (Code::EndpointForeign, deviation),
            None => {
                let code = if took > ANSWER_WITHIN {
                    Code::EndpointTimeout
                } else {
                    Code::EndpointOk
                };
                (code, format!("validated in {} ms", took.as_millis()))
            }
        },
    };
    Some(Problem::new(code, subject, evidence).with("url", endpoint))
}

fn request(endpoint: &Url, token: &str) -> HttpRequest {
    let mut url = endpoint.clone();
    url.query_pairs_mut().append_pair("validationToken", token);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    HttpRequest {
        method: Method::POST,
        url,
        headers,
        body: Bytes::new(),
    }
}

/// Why Microsoft would not accept this answer.
fn deviation(answer: &HttpResponse, token: &str) -> Option<String> {
    if answer.status != StatusCode::OK {
        return Some(format!("HTTP {} in place of 200", answer.status.as_u16()));
    }
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or("none");
    if !kind.to_ascii_lowercase().starts_with("text/plain") {
        return Some(format!("content type {kind} in place of text/plain"));
    }
    (answer.body != token.as_bytes()).then(|| "HTTP 200 with something else than the token that was sent".to_owned())
}
