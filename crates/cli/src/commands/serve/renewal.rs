//! Renews the credential before it expires, as the application itself.
//!
//! Owns when it is looked whether it is time. Never touches a credential that is not due, and never asks for a person.
//! Invariant: whatever goes wrong, or whenever it is dropped, the credential in use stays in use
//! until a successor has given a token.

use std::{sync::Arc, time::Duration};

use guichet_domain::ports::Clock;
use guichet_setup::{Error, Language, Replaced, Rotated, Silent, Vault, is_due};
use guichet_store::Store;
use jiff::{SignedDuration, Timestamp};

use crate::{
    commands::connect,
    config::Config,
    failure::{Exit, Failure},
    system::SystemClock,
    wiring,
};

/// Pause between two looks. A credential is due days before it expires, so nothing hurries.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Pause where the application lacks the right: only an administrator changes that.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// How long a renewal may take; most of it is the wait until the sign-in service knows the new one.
const MAX_RENEWAL: Duration = Duration::from_secs(180);
/// Several nodes need not do it at the same time. A little longer than a renewal takes.
const TURN: &str = "renew the credential";
const TURN_LASTS: SignedDuration = SignedDuration::from_secs(240);

/// When the credential's age is looked at again.
pub(super) struct Renewal {
    next: Timestamp,
}

impl Renewal {
    pub const fn new() -> Self {
        Self {
            next: Timestamp::UNIX_EPOCH,
        }
    }

    /// Looks if it is time to, and renews what is due. What stands in the way is logged: `doctor` tells
    /// the administrator that the credential expires.
    pub async fn look(&mut self, config: &Config, store: &Store, vault: &Arc<Vault>, owner: &str) {
        let now = SystemClock.now();
        if now < self.next {
            return;
        }
        self.next = now + LOOK_EVERY;
        let renewing = tokio::time::timeout(MAX_RENEWAL, renew(config, store, vault, owner, now));
        let ended = renewing.await.unwrap_or_else(|_| {
            let title = format!("it took longer than {} s", MAX_RENEWAL.as_secs());
            Err(Refused::Other(Failure::new(Exit::Unreachable, title, RUN)))
        });
        match ended {
            Ok(None) => {}
            Ok(Some(rotated)) => tracing::info!(
                key_id = %rotated.key_id,
                expires_at = %rotated.expires_at,
                "the credential was due and has a successor"
            ),
            Err(Refused::NotAllowed(error)) => {
                self.next = now + ASK_AGAIN;
                tracing::debug!(%error, "the credential is due, and the application may not renew it");
            }
            Err(Refused::Other(failure)) => {
                tracing::warn!(error = %failure.title, fix = %failure.fix, "the credential is due and was not renewed");
            }
        }
    }
}

const RUN: &str = "it is tried again within the hour; or run `guichet connect rotate`";

enum Refused {
    /// The application lacks the right; an administrator has it.
    NotAllowed(Error),
    Other(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::SelfRotationNotAllowed { .. } => Self::NotAllowed(error),
            other => {
                let mut failure = connect::failure(&other, Language::English);
                if failure.fix.is_empty() {
                    RUN.clone_into(&mut failure.fix);
                }
                Self::Other(failure)
            }
        }
    }
}

async fn renew(
    config: &Config,
    store: &Store,
    vault: &Arc<Vault>,
    owner: &str,
    now: Timestamp,
) -> Result<Option<Rotated>, Refused> {
    let (_, credential) = wiring::integration(config, store).await?;
    // Almost always the end: nobody signs in to find out that nothing is due.
    if !is_due(&credential, now) {
        return Ok(None);
    }
    let turn = store.take_turn(TURN, owner, now, now + TURN_LASTS).await;
    if !turn.map_err(Failure::from)? {
        return Ok(None);
    }
    let desired = config.desired();
    let transport = wiring::transport(config)?;
    let own = wiring::own_sign_in(config, store, vault).await?;
    let connect = wiring::signed_in(own, &desired, transport, store, vault, &|_| {}).await?;
    // What replaces it is proven by then, and other nodes take it up within seconds.
    Ok(connect.rotate_if_due(&desired, Replaced::Removed, &Silent).await?)
}
