//! What transport carries: bytes, who gets them, who hears of failures, and why a recipient did not get them.
//!
//! Owns these records only. An empty sender is the null return path of RFC 5321 §4.5.5: nobody is told of its fate.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Where a mail on its way comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrival {
    /// Put in by the control interface: bytes stay exactly as they are and are not judged for junk.
    AsIs,
    /// By SMTP: trace headers were already added by the server.
    Smtp,
    /// Sent by a mailbox of the tenant.
    Sent,
    /// Made by Exchange itself: reports, automatic replies, what rules forward.
    System,
}

/// A mail and its envelope.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// Who hears of failures; empty for nobody.
    pub mail_from: String,
    pub recipients: Vec<String>,
    #[serde(with = "raw_bytes")]
    pub bytes: Bytes,
    pub arrival: Arrival,
    /// How many automatic steps lie behind it.
    pub generation: u8,
    /// Whether the sender wants to hear of success.
    pub delivery_receipt: bool,
    /// Whether a rule or a forwarding address sent it on.
    pub forwarded: bool,
}

impl Envelope {
    /// A mail that Exchange made while it handled another.
    #[must_use]
    pub fn derived(&self, mail_from: String, recipients: Vec<String>, bytes: Bytes) -> Self {
        Self {
            mail_from,
            recipients,
            bytes,
            arrival: Arrival::System,
            generation: self.generation.saturating_add(1),
            delivery_receipt: false,
            forwarded: false,
        }
    }

    /// The same mail for some of its recipients.
    #[must_use]
    pub fn only_for(&self, recipients: Vec<String>) -> Self {
        Self {
            recipients,
            ..self.clone()
        }
    }
}

/// Why a recipient did not get a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// SMTP reply code; 4xx may pass, 5xx will not.
    pub code: u16,
    /// Enhanced status code, such as `5.1.10`.
    pub status: String,
    /// What follows both in the reply.
    pub text: String,
    /// The server outside that said so.
    pub remote: Option<String>,
}

impl Failure {
    /// A failure inside the tenant.
    #[must_use]
    pub fn own(code: u16, status: &str, text: impl Into<String>) -> Self {
        Self {
            code,
            status: status.to_owned(),
            text: text.into(),
            remote: None,
        }
    }

    /// The address is in a domain of the tenant, and nobody has it.
    #[must_use]
    pub fn unknown_recipient(address: &str) -> Self {
        Self::own(
            550,
            "5.1.10",
            format!("RESOLVER.ADR.RecipientNotFound; Recipient {address} not found by SMTP address lookup"),
        )
    }

    /// The mailbox holds no more.
    #[must_use]
    pub fn mailbox_full() -> Self {
        Self::own(
            554,
            "5.2.2",
            "mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception with message Cannot open mailbox.",
        )
    }

    /// The mail goes round in a circle.
    #[must_use]
    pub fn loop_detected() -> Self {
        Self::own(554, "5.4.14", "Hop count exceeded - possible mail loop ATTR34")
    }

    /// The tenant lets no rule forward to the outside (outbound spam policy).
    #[must_use]
    pub fn forwarding_refused() -> Self {
        Self::own(
            550,
            "5.7.520",
            "Access denied, Your organization does not allow external forwarding. Please contact your administrator for further assistance. AS(7555)",
        )
    }

    /// It was tried for as long as mails are kept.
    #[must_use]
    pub fn expired(last: &Self) -> Self {
        Self {
            code: 550,
            status: "4.4.7".to_owned(),
            text: format!("QUEUE.Expired; message expired; last error: {}", last.reply()),
            remote: last.remote.clone(),
        }
    }

    /// Whether it is worth trying again.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The reply as a server writes it.
    #[must_use]
    pub fn reply(&self) -> String {
        format!("{} {} {}", self.code, self.status, self.text)
    }
}

/// Bytes of a mail as base64 in saved state.
pub mod raw_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes them.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Reads them.
    ///
    /// # Errors
    /// When they are not base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}
