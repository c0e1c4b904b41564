//! The token endpoint's own throttle.
//!
//! Owns two limits: requests of one client, above which the answer is a bare 429, and equal requests, which the
//! endpoint calls a loop. Polling with a device code and redeeming an authorization code are no loops.

use aws_lc_rs::digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::throttle::Throttle;

/// How the token endpoint refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    /// 429 in plain text with `Retry-After`.
    TooMany(u64),
    /// AADSTS50196.
    Loop,
}

impl Throttle {
    /// Counts a request for a token; `form` gives its fields by name.
    #[must_use]
    pub fn sign_in<'a>(&self, form: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Option<SignInRefusal> {
        if !self.is_enabled() {
            return None;
        }
        let client = form("client_id")?.parse::<Uuid>().ok()?;
        let mut state = self.lock();
        let settings = state.settings.clone();
        let all = &settings.sign_ins;
        let over = state.sign_ins.get(client, all.seconds, now).add(1, all.limit, now);
        if let Some(wait) = over {
            state.refused += 1;
            return Some(SignInRefusal::TooMany(wait));
        }
        if !matches!(form("grant_type"), Some("client_credentials" | "refresh_token")) {
            return None;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(client.as_bytes());
        for name in ["grant_type", "scope", "resource", "refresh_token"] {
            context.update(form(name).unwrap_or_default().as_bytes());
            context.update(&[0]);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        let equal = &settings.sign_in_loop;
        let over = state.loops.get(key, equal.seconds, now).add(1, equal.limit, now);
        over.map(|_| {
            state.refused += 1;
            SignInRefusal::Loop
        })
    }
}
