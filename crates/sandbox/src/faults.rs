//! Faults that tests order: answers, cuts and delays.
//!
//! Owns the rules and which of them is due. It never looks into a request beyond method, path and query. At most
//! [`MAX_RULES`] rules stand at once. Rules are tried in order of creation; delays add up, and of the other actions the
//! first that is due happens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::odata::error::{ODataError, Stamp};
use crate::server::paths::GraphResponse;

/// Rules at once: a test that needs more has lost sight of them.
const MAX_RULES: usize = 256;

/// When a fault happens and what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The normalised, decoded path starts with this (without case).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// Path and decoded query contain this (without case).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// The method is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The first match that counts, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many matches from there; absent means one, 0 means all.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    pub action: Action,
}

fn one() -> u64 {
    1
}

/// What a rule does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answers in place of the service.
    Status(StatusFault),
    /// Breaks the connection and does nothing.
    CutBefore,
    /// Does what was asked and breaks the connection instead of answering.
    CutAfter,
    /// Waits before anything else.
    Latency {
        /// How long.
        milliseconds: u64,
    },
}

/// An answer in place of the service's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusFault {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`: seconds or an HTTP date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Value>,
    /// Graph's error code; the usual one of the status when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Graph's message; the usual one of the status when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Further headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The whole body in place of an error document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What happens to one request.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Wait first.
    pub latency: Option<Duration>,
    /// Then this.
    pub effect: Option<Effect>,
}

/// The part of a verdict that changes the answer.
#[derive(Debug, Clone)]
pub enum Effect {
    /// See [`Action::Status`].
    Status(StatusFault),
    /// See [`Action::CutBefore`].
    CutBefore,
    /// See [`Action::CutAfter`].
    CutAfter,
}

/// The rules that stand.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Rules>);

#[derive(Debug, Default)]
struct Rules {
    next_id: u64,
    rules: Vec<Standing>,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    rule: Rule,
    matches: u64,
    hits: u64,
}

impl Faults {
    fn with<T>(&self, work: impl FnOnce(&mut Rules) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a rule and gives its id.
    ///
    /// # Errors
    /// Text for the control interface when the rule cannot be carried out.
    pub fn add(&self, rule: Rule) -> Result<u64, String> {
        if let Action::Status(fault) = &rule.action {
            fault.check()?;
        }
        if rule.nth == 0 {
            return Err("nth counts from 1".to_owned());
        }
        self.with(|rules| {
            if rules.rules.len() >= MAX_RULES {
                return Err(format!("at most {MAX_RULES} rules: delete some first"));
            }
            rules.next_id += 1;
            let id = rules.next_id;
            rules.rules.push(Standing {
                id,
                rule,
                matches: 0,
                hits: 0,
            });
            Ok(id)
        })
    }

    /// All rules with how often each has matched and happened.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        self.with(|rules| {
            let shown = rules.rules.iter().map(|standing| {
                json!({
                    "id": standing.id,
                    "rule": standing.rule,
                    "matches": standing.matches,
                    "hits": standing.hits,
                })
            });
            shown.collect()
        })
    }

    /// Removes one rule, or all; gives how many went.
    pub fn remove(&self, id: Option<u64>) -> usize {
        self.with(|rules| {
            let before = rules.rules.len();
            rules.rules.retain(|standing| id.is_some_and(|id| standing.id != id));
            before - rules.rules.len()
        })
    }

    /// What happens to this request; counts it.
    #[must_use]
    pub fn judge(&self, method: &Method, path: &str, raw_query: &str) -> Verdict {
        self.with(|rules| {
            let mut verdict = Verdict::default();
            if rules.rules.is_empty() {
                return verdict;
            }
            let path = path.to_lowercase();
            let query = percent_decode_str(raw_query).decode_utf8_lossy().to_lowercase();
            let whole = if query.is_empty() {
                path.clone()
            } else {
                format!("{path}?{query}")
            };
            for standing in &mut rules.rules {
                if !standing.rule.matches(method, &path, &whole) {
                    continue;
                }
                standing.matches += 1;
                let due = standing.matches >= standing.rule.nth
                    && (standing.rule.times == 0 || standing.hits < standing.rule.times);
                if !due {
                    continue;
                }
                let effect = match &standing.rule.action {
                    Action::Latency { milliseconds } => {
                        let wait = Duration::from_millis(*milliseconds);
                        verdict.latency = Some(verdict.latency.unwrap_or_default().saturating_add(wait));
                        standing.hits += 1;
                        continue;
                    }
                    Action::Status(fault) => Effect::Status(fault.clone()),
                    Action::CutBefore => Effect::CutBefore,
                    Action::CutAfter => Effect::CutAfter,
                };
                if verdict.effect.is_none() {
                    standing.hits += 1;
                    verdict.effect = Some(effect);
                }
            }
            verdict
        })
    }
}

impl Rule {
    fn matches(&self, method: &Method, path: &str, whole: &str) -> bool {
        let method_fits = self
            .method
            .as_ref()
            .is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted));
        let prefix_fits = self
            .path_prefix
            .as_ref()
            .is_none_or(|prefix| path.starts_with(&prefix.to_lowercase()));
        let text_fits = self
            .path_contains
            .as_ref()
            .is_none_or(|text| whole.contains(&text.to_lowercase()));
        method_fits && prefix_fits && text_fits
    }
}

impl StatusFault {
    fn check(&self) -> Result<(), String> {
        if !(200..=599).contains(&self.status) {
            return Err(format!(
                "{} is not a status a server may answer: give 200 to 599",
                self.status
            ));
        }
        for (name, value) in &self.headers {
            if HeaderName::try_from(name.as_str()).is_err() || HeaderValue::from_str(value).is_err() {
                return Err(format!("'{name}' is not a usable header"));
            }
        }
        match &self.retry_after {
            None | Some(Value::String(_)) => Ok(()),
            Some(Value::Number(number)) if number.is_u64() => Ok(()),
            Some(other) => Err(format!("retry_after is {other}: give seconds or an HTTP date")),
        }
    }

    /// The answer as Graph gives it.
    #[must_use]
    pub fn graph_response(&self, stamp: &Stamp) -> GraphResponse {
        let (code, message) = usual(self.status);
        let code = self.code.clone().unwrap_or_else(|| code.to_owned());
        let message = self.message.clone().unwrap_or_else(|| message.to_owned());
        let mut response = ODataError::new(self.status_code(), code, message).render(stamp);
        self.finish(&mut response);
        response
    }

    /// The answer as the identity provider gives it.
    #[must_use]
    pub fn login_response(&self) -> GraphResponse {
        let mut response = if self.status == 429 {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            GraphResponse::bytes(self.status_code(), text, "Too Many Requests".into())
        } else {
            let document = json!({
                "error": self.code.as_deref().unwrap_or("temporarily_unavailable"),
                "error_description": self.message.as_deref()
                    .unwrap_or("AADSTS90033: A transient error has occurred. Please try again."),
                "error_codes": [90_033],
            });
            GraphResponse::json(self.status_code(), &document)
        };
        self.finish(&mut response);
        response
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn finish(&self, response: &mut GraphResponse) {
        if let Some(body) = &self.body {
            response.body = body.clone().into();
        }
        let headers: &mut HeaderMap = &mut response.headers;
        let retry_after = match &self.retry_after {
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
            None => None,
        };
        if let Some(Ok(value)) = retry_after.map(|text| HeaderValue::from_str(&text)) {
            headers.insert(RETRY_AFTER, value);
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
    }
}

/// The code and message that usually come with a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => (
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        ),
        403 => (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ),
        404 => ("ErrorItemNotFound", "The specified object was not found in the store."),
        409 => (
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
        ),
        410 => (
            "SyncStateNotFound",
            "The sync state generation is not found; generation=1;[highest=0].",
        ),
        412 => (
            "ErrorIrresolvableConflict",
            "The change key passed in the request does not match the current change key for the item.",
        ),
        429 => (
            "ApplicationThrottled",
            "Application is over its MailboxConcurrency limit.",
        ),
        500 => (
            "ErrorInternalServerError",
            "An internal server error occurred. The operation failed.",
        ),
        502 => ("BadGateway", "The upstream server failed to fulfil the request."),
        503 => (
            "ServiceUnavailable",
            "The service is unavailable. Please try again later.",
        ),
        504 => ("UnknownError", ""),
        _ => ("UnknownError", "An error ordered by a test."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: Value) -> Rule {
        serde_json::from_value(value).expect("a rule")
    }

    #[test]
    fn a_rule_happens_from_the_nth_match_and_so_often() {
        let faults = Faults::default();
        let rule = rule(json!({"path_contains": "/messages", "nth": 2, "times": 2, "action": {"kind": "cut_before"}}));
        faults.add(rule).expect("a good rule");
        let happened: Vec<bool> = (0..5)
            .map(|_| {
                faults
                    .judge(&Method::GET, "/v1.0/users/a/Messages", "")
                    .effect
                    .is_some()
            })
            .collect();
        assert_eq!(happened, [false, true, true, false, false]);
        assert!(faults.judge(&Method::GET, "/v1.0/users/a", "").effect.is_none());
    }

    #[test]
    fn the_query_can_be_matched_decoded() {
        let faults = Faults::default();
        let rule =
            rule(json!({"path_contains": "$deltatoken", "times": 0, "action": {"kind": "status", "status": 410}}));
        faults.add(rule).expect("a good rule");
        let verdict = faults.judge(&Method::GET, "/v1.0/x/delta", "%24deltatoken=abc");
        assert!(matches!(verdict.effect, Some(Effect::Status(fault)) if fault.status == 410));
    }

    #[test]
    fn delays_add_up_and_leave_room_for_another_action() {
        let faults = Faults::default();
        for action in [
            json!({"kind": "latency", "milliseconds": 2}),
            json!({"kind": "latency", "milliseconds": 3}),
            json!({"kind": "cut_after"}),
        ] {
            faults.add(rule(json!({"action": action}))).expect("a good rule");
        }
        let verdict = faults.judge(&Method::POST, "/x", "");
        assert_eq!(verdict.latency, Some(Duration::from_millis(5)));
        assert!(matches!(verdict.effect, Some(Effect::CutAfter)));
    }

    #[test]
    fn impossible_rules_are_refused() {
        let faults = Faults::default();
        assert!(
            faults
                .add(rule(json!({"action": {"kind": "status", "status": 99}})))
                .is_err()
        );
        assert!(
            faults
                .add(rule(json!({"nth": 0, "action": {"kind": "cut_before"}})))
                .is_err()
        );
    }
}
