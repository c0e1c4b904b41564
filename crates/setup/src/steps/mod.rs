//! The steps of connecting, one file each: observe, compare, change.
//!
//! Owns what `plan` and `apply` share: each step's `changes` is a pure comparison that both use, so
//! that a plan promises what apply does. Never goes on after an error: the next run continues.

pub(crate) mod activation;
pub(crate) mod application;
pub(crate) mod certificate;
pub(crate) mod consent;
pub(crate) mod federated;
pub(crate) mod mailboxes;
pub(crate) mod owner;
pub(crate) mod principal;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod tenant;
pub(crate) mod token;

use guichet_graph::{Class, Error as GraphError};

use crate::{Connect, Desired, Error, Progress, plan::StepId, progress::Patience};

/// What every step of one `apply` works with.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub connect: &'a Connect,
    pub desired: &'a Desired,
    pub progress: &'a dyn Progress,
}

impl<'a> Run<'a> {
    pub(crate) fn patience(&self, step: StepId) -> Patience<'a> {
        Patience::new(self.connect.time.as_ref(), self.progress, step)
    }
}

/// An error of Graph's directory, in the words of the step.
pub(crate) fn refused(step: StepId) -> impl Fn(GraphError) -> Error {
    move |source| {
        if source.class == Class::Denied && source.transport.is_none() {
            let role = match step {
                // Source: "Grant tenant-wide admin consent to an application".
                StepId::Consent => "Privileged Role Administrator or Global Administrator",
                StepId::Scope => "Exchange Administrator, with RoleManagement.ReadWrite.Exchange consented",
                StepId::Mailboxes => "Directory Readers, or any role that may read users",
                _ => "Cloud Application Administrator or Application Administrator",
            };
            Error::NotAllowed { step, role, source }
        } else {
            Error::Graph { step, source }
        }
    }
}

/// Repeats a call about a directory object that was just created, while the directory says that
/// there is no such object: a new object takes seconds to be visible on every server.
macro_rules! replicated {
    ($run:expr, $step:expr, $call:expr) => {{
        let mut patience = $run.patience($step);
        loop {
            match $call.await {
                Ok(value) => break value,
                Err(error) if $crate::steps::is_lag(&error) => {
                    let last = $crate::doctor::evidence(&error);
                    patience
                        .pause($crate::progress::Waiting::DirectoryReplication, &last)
                        .await?;
                }
                Err(error) => return Err($crate::steps::refused($step)(error)),
            }
        }
    }};
}
pub(crate) use replicated;

/// Whether the failure is what a missing replica answers: 404, or 400 that names a reference which
/// can't be resolved yet.
pub(crate) fn is_lag(error: &GraphError) -> bool {
    let unresolved = error.status == Some(400) && {
        let message = error.message.to_ascii_lowercase();
        message.contains("does not exist") || message.contains("not found") || message.contains("does not reference")
    };
    error.is_not_found() || unresolved
}
