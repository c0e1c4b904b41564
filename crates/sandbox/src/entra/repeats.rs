//! How often the same client asks for the same token.
//!
//! Owns the count behind AADSTS50196. It counts only while the tenant's policies or its throttle limit repeats, by the
//! tenant's clock. A refused request does not count, so that a client that slows down gets on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::jwt;
use crate::state::Sandbox;

/// The span in which repeats count, unless the throttle says another.
const SPAN: SignedDuration = SignedDuration::from_secs(300);
/// Different requests remembered at once.
const MAX_REQUESTS: usize = 4096;
/// Fields that make two requests the same.
const IDENTITY: [&str; 6] = [
    "grant_type",
    "client_id",
    "scope",
    "resource",
    "username",
    "refresh_token",
];

/// Requests and when they came.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<HashMap<Vec<u8>, VecDeque<Timestamp>>>);

/// Counts a request.
///
/// # Errors
/// AADSTS50196 above the tenant's limit.
pub fn count(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<(), OAuthError> {
    let by_policy = sandbox.tenant.policies().identical_requests;
    let by_throttle = sandbox.throttle.sign_in_loop();
    let (limit, span) = match (by_policy, by_throttle) {
        (Some(limit), _) => (u64::from(limit), SPAN),
        (None, Some(limit)) => (limit.limit, SignedDuration::from_secs(i64::from(limit.seconds))),
        (None, None) => return Ok(()),
    };
    let mut identity = request.segments.join("/");
    for name in IDENTITY {
        identity.push('\n');
        identity.push_str(form.get(name).unwrap_or_default());
    }
    let key = jwt::sha256(identity.as_bytes());
    let now = sandbox.clock.now();
    let mut all = sandbox.entra.repeats.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_REQUESTS && !all.contains_key(&key) {
        all.clear();
    }
    let times = all.entry(key).or_default();
    while times.front().is_some_and(|at| now.duration_since(*at) >= span) {
        times.pop_front();
    }
    if times.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(OAuthError::looping());
    }
    times.push_back(now);
    Ok(())
}
