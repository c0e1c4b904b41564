//! Identifiers. Each kind of thing has its own type, so that one can never be passed for another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

use crate::ports::{Clock, Entropy};

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new, time-ordered id (UUID version 7).
            pub fn generate(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(clock, entropy))
            }

            /// Wraps an id that was generated earlier.
            pub const fn from_uuid(value: Uuid) -> Self {
                Self(value)
            }

            /// The id as a UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    )+};
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is: it is opaque to us.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The text, byte for byte as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

uuid_id! {
    /// One connection to one Microsoft 365 tenant by one application.
    IntegrationId,
    /// A client credential (secret, certificate, federated) of an integration.
    CredentialId,
    /// A mailbox that Guichet serves.
    MailboxId,
    /// A folder of a mailbox that Guichet follows with a cursor of its own.
    FolderId,
    /// A conversation: what an agent works on.
    ConversationId,
    /// A message of a conversation, inbound or outbound.
    MessageId,
    /// An attachment of a message.
    AttachmentId,
    /// A job in the outbox.
    JobId,
    /// A key that a client of the HTTP API presents.
    ApiKeyId,
}

text_id! {
    /// Graph's immutable id of a message: it survives moves inside its mailbox. With the mailbox
    /// it is the key of a receipt.
    ImmutableId,
    /// Graph's id of a mail folder, or a well-known name such as `inbox`.
    GraphFolderId,
    /// Graph's id of a subscription.
    SubscriptionId,
    /// Content address of a blob: 64 lower-case hexadecimal digits of SHA-256.
    BlobId,
}

/// An RFC 5322 Message-ID without its angle brackets. Evidence, never a key: mails without one
/// and mails that share one are ordinary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InternetMessageId(String);

impl InternetMessageId {
    /// Trims white space and one pair of angle brackets. `None` if nothing is left.
    pub fn parse(raw: &str) -> Option<Self> {
        let trimmed = raw.trim();
        let inner = trimmed.strip_prefix('<').unwrap_or(trimmed);
        let inner = inner.strip_suffix('>').unwrap_or(inner).trim();
        (!inner.is_empty()).then(|| Self(inner.to_owned()))
    }

    /// The id without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as it stands in a header: `<id>`.
    pub fn bracketed(&self) -> String {
        format!("<{}>", self.0)
    }
}

impl fmt::Display for InternetMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// UUID version 7 from the ports, so that a simulation draws the same ids again.
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_loses_brackets_and_space_only() {
        let id = InternetMessageId::parse(" <a b@c> \r\n").map(|i| i.as_str().to_owned());
        assert_eq!(id.as_deref(), Some("a b@c"));
        assert_eq!(InternetMessageId::parse("<>"), None);
        assert_eq!(InternetMessageId::parse("  "), None);
    }
}
