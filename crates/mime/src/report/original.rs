//! The mail that a report is about.
//!
//! Owns the look for its headers: in an attached message or header block, or in the text behind the
//! report.

use crate::{ParsedMail, references};

/// What is known of the reported mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// Its `Message-ID`, without angle brackets.
    pub message_id: Option<String>,
    /// Addresses in its `To` and `Cc`.
    pub recipients: Vec<String>,
    /// Its subject; empty if unknown.
    pub subject: String,
}

/// Bytes of a returned mail that are read: headers stand in front.
const MAX_HEADERS: usize = 128 * 1024;

impl Original {
    pub(super) fn find(mail: &ParsedMail, behind_report: &str) -> Self {
        let attached = mail.attachments.iter().find(|attachment| {
            matches!(
                attachment.content_type.as_str(),
                "message/rfc822"
                    | "message/global"
                    | "text/rfc822-headers"
                    | "message/global-headers"
                    | "message/partial"
            )
        });
        let found = match attached {
            Some(attachment) => Self::of(&attachment.bytes[..attachment.bytes.len().min(MAX_HEADERS)]),
            None => Self::of_text(behind_report),
        };
        match found.message_id {
            Some(_) => found,
            // Reports answer the mail they are about.
            None => Self {
                message_id: mail.in_reply_to.first().or(mail.references.last()).cloned(),
                ..found
            },
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let parsed = crate::parse(bytes);
        let people = parsed.to.iter().chain(&parsed.cc);
        Self {
            message_id: parsed.message_id,
            recipients: people
                .map(|person| person.address.clone())
                .filter(|address| address.contains('@'))
                .collect(),
            subject: parsed.subject,
        }
    }

    /// Headers in a text may be indented or follow a line of dashes.
    fn of_text(text: &str) -> Self {
        let mut block = String::new();
        let mut inside = false;
        for line in text.lines() {
            let margin = line.len() - line.trim_start().len();
            let is_field = line.trim_start().split_once(':').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
            if !inside && !is_field {
                continue;
            }
            inside = true;
            if line.trim().is_empty() || block.len() > MAX_HEADERS {
                break;
            }
            block.push_str(if is_field && margin < 8 {
                line.trim_start()
            } else {
                line
            });
            block.push('\n');
        }
        if block.is_empty() {
            return Self::default();
        }
        block.push('\n');
        let mut found = Self::of(block.as_bytes());
        if found.message_id.is_none() {
            let id = block.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case("message-id").then_some(value)
            });
            found.message_id = id.and_then(|value| references::id(value.as_bytes()));
        }
        found
    }
}
