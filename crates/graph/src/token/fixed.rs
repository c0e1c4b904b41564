//! A source that has one token and no way to get another: the signed-in administrator of a set-up
//! run, whose token outlives the run.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{AccessToken, GET_TOKEN, TokenSource};
use crate::class::Class;
use crate::endpoints::Resource;
use crate::error::{Error, Result};

/// Gives the same token until it is refused.
#[derive(Debug)]
pub struct FixedToken {
    token: Mutex<Option<AccessToken>>,
}

impl FixedToken {
    /// A source of this token.
    pub fn new(token: AccessToken) -> Self {
        Self {
            token: Mutex::new(Some(token)),
        }
    }
}

#[async_trait]
impl TokenSource for FixedToken {
    async fn token(&self, _resource: Resource) -> Result<AccessToken> {
        let held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or_else(|| {
            Error::new(
                Class::Reauthorise,
                GET_TOKEN,
                "signed_out",
                "the sign-in is no longer accepted; sign in again",
            )
        })
    }

    fn invalidate(&self, _resource: &Resource, refused: &AccessToken) {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|token| token.is(refused)) {
            *held = None;
        }
    }
}
