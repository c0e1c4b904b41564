//! What a mailbox says about itself: language, time zone, working hours, automatic replies.
//!
//! Owns the state behind `mailboxSettings` and the question whether automatic replies are on. It sends nothing:
//! transport reads [`AutomaticReplies`] when a mail arrives. What the mailbox is for (`userPurpose`) is the directory's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($(#[$member_doc])* $variant),+ }

        impl $name {
            /// As Graph spells it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads Graph's spelling; case does not matter.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|member| member.as_str().eq_ignore_ascii_case(word.trim()))
            }
        }
    };
}

words! {
    /// Whether automatic replies are sent.
    ReplyStatus {
        /// Never.
        Disabled = "disabled",
        /// Until switched off.
        AlwaysEnabled = "alwaysEnabled",
        /// Between two moments.
        Scheduled = "scheduled",
    }
}

words! {
    /// Who outside the organisation gets automatic replies.
    ExternalAudience {
        /// Nobody.
        None = "none",
        /// Those in the mailbox's contacts.
        ContactsOnly = "contactsOnly",
        /// Everybody.
        All = "all",
    }
}

words! {
    /// Who gets meeting messages when there is a delegate.
    DelegateDelivery {
        /// The delegate, and the owner for information.
        WithInformation = "sendToDelegateAndInformationToPrincipal",
        /// Both.
        WithPrincipal = "sendToDelegateAndPrincipal",
        /// The delegate.
        Alone = "sendToDelegateOnly",
    }
}

/// Automatic ("out of office") replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticReplies {
    /// Whether they are sent.
    pub status: ReplyStatus,
    /// Who outside gets them.
    pub external_audience: ExternalAudience,
    /// Beginning, when scheduled.
    pub start: Timestamp,
    /// End, when scheduled.
    pub end: Timestamp,
    /// HTML for senders of the organisation; empty means no reply.
    pub internal_message: String,
    /// HTML for all others; empty means no reply.
    pub external_message: String,
}

impl AutomaticReplies {
    /// Whether replies are sent at this moment.
    #[must_use]
    pub fn active_at(&self, now: Timestamp) -> bool {
        match self.status {
            ReplyStatus::Disabled => false,
            ReplyStatus::AlwaysEnabled => true,
            ReplyStatus::Scheduled => self.start <= now && now < self.end,
        }
    }
}

/// Hours of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Days in lower case.
    pub days: Vec<String>,
    /// `08:00:00.0000000`
    pub start: String,
    /// `17:00:00.0000000`
    pub end: String,
    /// A `timeZoneBase` as the client wrote it.
    pub time_zone: Value,
}

/// All of `mailboxSettings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxSettings {
    /// Automatic replies.
    pub automatic_replies: AutomaticReplies,
    /// Name of a time zone, as in [`crate::mail::time_zones`].
    pub time_zone: String,
    /// Locale, such as `en-US`.
    pub locale: String,
    /// .NET date pattern.
    pub date_format: String,
    /// .NET time pattern.
    pub time_format: String,
    /// Meeting messages.
    pub delegate_delivery: DelegateDelivery,
    /// Hours of work.
    pub working_hours: WorkingHours,
}

impl Default for MailboxSettings {
    fn default() -> Self {
        let start = "2026-01-01T00:00:00Z".parse().unwrap_or_default();
        let end = "2026-01-02T00:00:00Z".parse().unwrap_or_default();
        Self {
            automatic_replies: AutomaticReplies {
                status: ReplyStatus::Disabled,
                external_audience: ExternalAudience::All,
                start,
                end,
                internal_message: String::new(),
                external_message: String::new(),
            },
            time_zone: "UTC".to_owned(),
            locale: "en-US".to_owned(),
            date_format: "yyyy-MM-dd".to_owned(),
            time_format: "HH:mm".to_owned(),
            delegate_delivery: DelegateDelivery::Alone,
            working_hours: WorkingHours {
                days: ["monday", "tuesday", "wednesday", "thursday", "friday"]
                    .map(str::to_owned)
                    .to_vec(),
                start: "08:00:00.0000000".to_owned(),
                end: "17:00:00.0000000".to_owned(),
                time_zone: json!({"name": "UTC"}),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduled_replies_are_active_between_their_moments_only() {
        let mut replies = MailboxSettings::default().automatic_replies;
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let noon = at("2026-01-01T12:00:00Z");
        assert!(!replies.active_at(noon));
        replies.status = ReplyStatus::Scheduled;
        assert!(replies.active_at(noon) && replies.active_at(replies.start));
        assert!(!replies.active_at(replies.end) && !replies.active_at(at("2025-12-31T23:59:59Z")));
        replies.status = ReplyStatus::AlwaysEnabled;
        assert!(replies.active_at(at("2030-01-01T00:00:00Z")));
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(ReplyStatus::from_word("Scheduled"), Some(ReplyStatus::Scheduled));
        assert_eq!(
            ExternalAudience::from_word("contactsonly"),
            Some(ExternalAudience::ContactsOnly)
        );
        assert_eq!(DelegateDelivery::from_word("nobody"), None);
    }
}
