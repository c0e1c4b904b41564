//! What can go wrong while connecting, told by what the administrator can do about it.
//!
//! Never holds a secret or a token.

use guichet_domain::finding::Finding;

use crate::{
    catalogue::{self, Language},
    doctor::Problem,
    plan::StepId,
    progress::Waiting,
};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration asks for something that can't be. Correct the field.
    #[error("{field}: {problem}")]
    Desired {
        /// The field below `[connect]`.
        field: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// The master key can't be had.
    #[error("the master key can't be used: {origin}: {detail}")]
    KeyUnusable {
        /// Where it should come from.
        origin: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// Another master key sealed the secret.
    #[error(
        "the secret was sealed with another master key than the {origin}: give the key that was in use then, or run \
         `guichet connect apply` to make a new secret"
    )]
    WrongKey {
        /// Where the key in use comes from.
        origin: String,
    },
    /// A sealed secret was altered, or belongs to another record.
    #[error(
        "the sealed secret `{purpose}` is damaged: restore the database from a backup, or run `guichet connect apply` \
         to make a new secret"
    )]
    SealDamaged {
        /// The purpose for which it should open.
        purpose: String,
    },
    /// A newer program sealed it.
    #[error("the sealed secret `{purpose}` has format {version}, this program knows format 1: run the newer Guichet")]
    SealVersion {
        /// The purpose for which it should open.
        purpose: String,
        /// The format's number.
        version: u8,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: nothing was sealed, try again")]
    NoRandomness,
    /// The administrator pasted the secret's id.
    #[error(
        "this is the secret's id, not its value: the portal shows both side by side and the value only once; make a \
         new client secret and copy its value"
    )]
    SecretIsId,
    /// The administrator pasted nothing.
    #[error("the client secret is empty: copy its value")]
    SecretEmpty,
    /// The administrator signed in to another tenant, or the token is for another one.
    #[error(
        "tenant `{configured}` is configured, but {whose} is for tenant {found}: correct `tenant`, or sign in there"
    )]
    TenantMismatch {
        /// As configured.
        configured: String,
        /// As found.
        found: String,
        /// What names the other tenant.
        whose: &'static str,
    },
    /// A certificate can't be used.
    #[error("{origin}: {detail}")]
    Certificate {
        /// The file, or the credential's id.
        origin: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The application lacks the right to give itself a new credential.
    #[error(
        "the application may not change its own credential ({source}): grant it the application permission \
         Application.ReadWrite.OwnedBy and make it its own owner; or have an administrator sign in for \
         `guichet connect rotate`; or set `credential = \"certificate\"`, which renews itself without a permission"
    )]
    SelfRotationNotAllowed {
        /// What Graph said.
        source: guichet_graph::Error,
    },
    /// There is no application to give a new credential.
    #[error("nothing is connected here, or the recorded application is gone: run `guichet connect apply` first")]
    NotConnected,
    /// The data directory belongs to another tenant.
    #[error(
        "this data directory is connected to tenant {recorded}, not {configured}: correct `tenant`, or use a data \
         directory of its own"
    )]
    OtherTenant {
        /// The tenant that is recorded.
        recorded: String,
        /// The tenant that is configured.
        configured: String,
    },
    /// Several applications have the wanted name, and none is recorded.
    #[error(
        "{} applications are named `{name}` ({}): rename all but the right one in the portal, or choose another \
         `application.name`",
        app_ids.len(),
        app_ids.join(", ")
    )]
    ApplicationAmbiguous {
        /// The display name.
        name: String,
        /// Their application ids.
        app_ids: Vec<String>,
    },
    /// The signed-in administrator may not do this.
    #[error("the signed-in administrator may not do this step ({step:?}): sign in as {role} ({source})")]
    NotAllowed {
        /// The step.
        step: StepId,
        /// The directory roles that suffice.
        role: &'static str,
        /// What Graph said.
        source: guichet_graph::Error,
    },
    /// A wait used up its bound.
    #[error(
        "{} (waited {seconds} s, last seen: {last}): run `guichet connect apply` again in a few minutes, it continues \
         here",
        catalogue::waiting(*reason, Language::English)
    )]
    StillWaiting {
        /// The step.
        step: StepId,
        /// What was being waited for.
        reason: Waiting,
        /// How long.
        seconds: u64,
        /// What was seen last.
        last: String,
    },
    /// Something that the catalogue explains; [`Error::findings`] gives the words.
    #[error("{}", diagnosed(problems))]
    Diagnosed {
        /// One problem or several, never none.
        problems: Vec<Problem>,
    },
    /// Graph or the sign-in service refused for another reason.
    #[error("step {step:?}: {source}")]
    Graph {
        /// The step.
        step: StepId,
        /// What happened.
        source: guichet_graph::Error,
    },
    /// The administrator's sign-in failed.
    #[error("the administrator's sign-in failed: {0}")]
    SignIn(guichet_graph::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
}

impl Error {
    /// The error as findings in the reader's language; empty where the message is all there is.
    pub fn findings(&self, language: Language) -> Vec<Finding> {
        match self {
            Self::Diagnosed { problems } => problems.iter().map(|p| catalogue::finding(p, language)).collect(),
            _ => Vec::new(),
        }
    }
}

fn diagnosed(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let finding = catalogue::finding(problem, Language::English);
        format!(
            "{}: {} {} [{}]",
            finding.code, finding.title, finding.fix, finding.evidence
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}
