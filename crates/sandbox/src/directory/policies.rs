//! What the tenant's administrators decided about sign-in and credentials.
//!
//! Owns the switches that make Entra refuse a request which is right in itself: conditional access, security defaults,
//! rules for secrets, other clouds, and how long new objects take to arrive everywhere. The control interface sets
//! them; a tenant starts without any. It never decides about permissions.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Objects under way at once; the oldest count as arrived.
const MAX_UNDER_WAY: usize = 10_000;

/// The switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// Seconds until a new application, principal, secret or consent is known everywhere.
    pub replication_lag_seconds: u64,
    /// What conditional access blocks (AADSTS53003).
    pub blocked: Vec<Block>,
    /// Security defaults: sign-ins that cannot do a second factor are refused (AADSTS530035).
    pub security_defaults: bool,
    /// Tenants (id or domain) that live in another cloud, with that cloud's login host.
    pub other_clouds: BTreeMap<String, String>,
    /// Whether clients that announce `xms_cc: ["CP1"]` get tokens of a day.
    pub long_lived_tokens: bool,
    /// Whether secrets may be added.
    pub secrets_allowed: bool,
    /// Longest life of a new secret in days.
    pub secret_max_days: Option<u32>,
    /// What a certificate that nobody registered is answered with; both forms are reported.
    pub unknown_certificate: UnknownCertificate,
    /// How often the same request may be repeated within five minutes (AADSTS50196); none is unlimited.
    pub identical_requests: Option<u32>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            replication_lag_seconds: 0,
            blocked: Vec::new(),
            security_defaults: false,
            other_clouds: BTreeMap::new(),
            long_lived_tokens: true,
            secrets_allowed: true,
            secret_max_days: None,
            unknown_certificate: UnknownCertificate::KeyNotFound,
            identical_requests: None,
        }
    }
}

/// A conditional access policy: both parts must fit, an absent one fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Client id of an application.
    #[serde(default)]
    pub application: Option<Uuid>,
    /// Object id of a user; a block that names one spares applications that act for themselves.
    #[serde(default)]
    pub user: Option<Uuid>,
}

/// The two reported refusals of an unregistered certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownCertificate {
    /// The form of today's documentation.
    #[serde(rename = "700027")]
    KeyNotFound,
    /// The older form.
    #[serde(rename = "50012")]
    NotAuthorized,
}

impl Policies {
    /// Whether conditional access stands in the way.
    #[must_use]
    pub fn blocks(&self, application: Uuid, user: Option<Uuid>) -> bool {
        self.blocked.iter().any(|block| {
            let fits_application = block.application.is_none_or(|own| own == application);
            let fits_user = block.user.is_none_or(|own| Some(own) == user);
            fits_application && fits_user
        })
    }

    /// The login host of the cloud where a tenant lives that is not here.
    #[must_use]
    pub fn cloud_of(&self, tenant: &str) -> Option<&str> {
        let found = self
            .other_clouds
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(tenant));
        found.map(|(_, host)| host.as_str())
    }
}

/// When new objects become known everywhere.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Arrivals(HashMap<String, Timestamp>);

impl Arrivals {
    /// Notes a new object; without a lag it has arrived at once.
    pub fn note(&mut self, id: impl Into<String>, now: Timestamp, lag_seconds: u64) {
        if lag_seconds == 0 {
            return;
        }
        self.0.retain(|_, at| *at > now);
        if self.0.len() >= MAX_UNDER_WAY {
            self.0.clear();
        }
        let lag = SignedDuration::from_secs(i64::try_from(lag_seconds).unwrap_or(i64::MAX));
        self.0.insert(id.into(), now.checked_add(lag).unwrap_or(Timestamp::MAX));
    }

    /// Whether an object has arrived.
    #[must_use]
    pub fn contain(&self, id: &str, now: Timestamp) -> bool {
        self.0.get(id).is_none_or(|at| *at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_arrives_after_the_lag() {
        let mut arrivals = Arrivals::default();
        let now = Timestamp::UNIX_EPOCH;
        arrivals.note("a", now, 10);
        arrivals.note("b", now, 0);
        assert!(!arrivals.contain("a", now));
        assert!(arrivals.contain("b", now));
        assert!(arrivals.contain("a", now + SignedDuration::from_secs(10)));
    }

    #[test]
    fn a_block_that_names_a_user_spares_the_application_itself() {
        let (application, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut policies = Policies {
            blocked: vec![Block {
                application: None,
                user: Some(user),
            }],
            ..Policies::default()
        };
        assert!(policies.blocks(application, Some(user)));
        assert!(!policies.blocks(application, None));
        policies.blocked[0] = Block {
            application: Some(application),
            user: None,
        };
        assert!(policies.blocks(application, None));
        assert!(!policies.blocks(user, Some(user)));
    }
}
