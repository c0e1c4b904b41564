//! Check: how long does the client secret live?

use guichet_store::records::Credential;
use jiff::{Timestamp, tz::TimeZone};

use super::{Code, Problem};
use crate::credential::CredentialKind;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Nothing of a federated credential, which has no end of its own.
pub(super) fn check(credential: &Credential, now: Timestamp) -> Option<Problem> {
    if CredentialKind::of(credential) == CredentialKind::Federated {
        return None;
    }
    let seconds = credential.expires_at.duration_since(now).as_secs();
    let code = match seconds {
        ..=0 => Code::SecretExpired,
        1..=DAY_SECONDS => Code::SecretExpires1,
        s if s <= 7 * DAY_SECONDS => Code::SecretExpires7,
        s if s <= 14 * DAY_SECONDS => Code::SecretExpires14,
        s if s <= 30 * DAY_SECONDS => Code::SecretExpires30,
        _ => Code::SecretValid,
    };
    let evidence = format!(
        "{} id {} expires at {}",
        credential.kind, credential.key_id, credential.expires_at
    );
    let problem = Problem::new(code, &credential.key_id, evidence)
        .with("days", &(seconds / DAY_SECONDS))
        .with("date", &credential.expires_at.to_zoned(TimeZone::UTC).date());
    Some(problem)
}
