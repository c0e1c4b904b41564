//! How long the directory takes to know what was just made.
//!
//! Owns the lag: as long as it has not passed, a new application or service principal is not found by its id, no token
//! is issued to it, and a new secret is not accepted. Lists show everything at once.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::directory::tenant::Tenant;
use crate::server::paths::alternate_key;

/// The lag of a tenant; none at first.
#[derive(Debug, Default)]
pub struct Replication(AtomicU64);

impl Replication {
    /// The lag.
    #[must_use]
    pub fn lag_seconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes the lag, for objects that exist too.
    pub fn set_lag_seconds(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    /// Whether what was made at `created` is not known yet.
    #[must_use]
    pub fn hides(&self, created: Timestamp, now: Timestamp) -> bool {
        let lag = self.lag_seconds();
        lag > 0 && now.duration_since(created) < SignedDuration::from_secs(i64::try_from(lag).unwrap_or(i64::MAX))
    }

    /// Whether a path below `/applications` or `/servicePrincipals` leads to an object that is not known yet.
    #[must_use]
    pub fn hides_object(&self, tenant: &Tenant, collection: &str, id: &str) -> bool {
        if self.lag_seconds() == 0 {
            return false;
        }
        let app_id = alternate_key(id, "appid").and_then(|id| id.parse::<Uuid>().ok());
        let object_id = id.parse::<Uuid>().ok();
        let objects = tenant.read();
        let created = if collection.eq_ignore_ascii_case("applications") {
            let mut all = objects.applications.iter();
            all.find(|one| Some(one.id) == object_id || Some(one.app_id) == app_id)
                .and_then(|one| created(&one.document))
        } else {
            let mut all = objects.service_principals.iter();
            all.find(|one| Some(one.id) == object_id || Some(one.app_id) == app_id)
                .and_then(|one| created(&one.document))
        };
        created.is_some_and(|created| self.hides(created, tenant.clock.now()))
    }

    /// Whether the token endpoint does not know this application yet.
    #[must_use]
    pub fn hides_client(&self, tenant: &Tenant, client_id: &str) -> bool {
        if self.lag_seconds() == 0 {
            return false;
        }
        let objects = tenant.read();
        let principal = client_id
            .parse::<Uuid>()
            .ok()
            .and_then(|id| objects.service_principal_of(id));
        let created = principal.and_then(|principal| created(&principal.document));
        created.is_some_and(|created| self.hides(created, tenant.clock.now()))
    }
}

fn created(document: &serde_json::Map<String, serde_json::Value>) -> Option<Timestamp> {
    document.get("createdDateTime")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden_without_a_lag() {
        let replication = Replication::default();
        assert!(!replication.hides(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
        replication.set_lag_seconds(10);
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert!(replication.hides(at(0), at(9)));
        assert!(!replication.hides(at(0), at(10)));
    }
}
