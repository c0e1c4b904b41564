//! Which properties of a message an answer shows.
//!
//! Owns the names of `$select` and the default set: everything but `uniqueBody` and `internetMessageHeaders`, which
//! come only when asked for (contract §2.1).

use crate::mail::refusal;
use crate::odata::error::ODataError;

macro_rules! properties {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A property of a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Property { $($variant),+ }

        impl Property {
            /// All of them.
            pub const ALL: &[Property] = &[$(Property::$variant),+];

            /// As Graph spells it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Property::$variant => $name),+ }
            }
        }
    };
}

properties! {
    CreatedDateTime = "createdDateTime",
    LastModifiedDateTime = "lastModifiedDateTime",
    ChangeKey = "changeKey",
    Categories = "categories",
    ReceivedDateTime = "receivedDateTime",
    SentDateTime = "sentDateTime",
    HasAttachments = "hasAttachments",
    InternetMessageId = "internetMessageId",
    Subject = "subject",
    BodyPreview = "bodyPreview",
    Importance = "importance",
    ParentFolderId = "parentFolderId",
    ConversationId = "conversationId",
    ConversationIndex = "conversationIndex",
    IsDeliveryReceiptRequested = "isDeliveryReceiptRequested",
    IsReadReceiptRequested = "isReadReceiptRequested",
    IsRead = "isRead",
    IsDraft = "isDraft",
    WebLink = "webLink",
    InferenceClassification = "inferenceClassification",
    Body = "body",
    UniqueBody = "uniqueBody",
    Sender = "sender",
    From = "from",
    ToRecipients = "toRecipients",
    CcRecipients = "ccRecipients",
    BccRecipients = "bccRecipients",
    ReplyTo = "replyTo",
    Flag = "flag",
    InternetMessageHeaders = "internetMessageHeaders",
}

/// The bit of everything that only meeting messages have.
const MEETING: u64 = 1 << 63;
/// Derived types whose properties may be named in `$select`.
const MEETING_TYPES: [&str; 3] = [
    "microsoft.graph.eventMessage",
    "microsoft.graph.eventMessageRequest",
    "microsoft.graph.eventMessageResponse",
];

/// A set of properties; `id` and the etag are always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection(u64);

impl Selection {
    /// What comes without `$select`.
    #[must_use]
    pub fn default_set() -> Self {
        let all = Property::ALL.iter().fold(0, |bits, property| bits | bit(*property));
        Self((all & !bit(Property::UniqueBody) & !bit(Property::InternetMessageHeaders)) | MEETING)
    }

    /// Reads `$select`; 400 for a name nobody knows.
    pub fn parse(names: Option<&[String]>) -> Result<Self, ODataError> {
        let Some(names) = names else {
            return Ok(Self::default_set());
        };
        let mut bits = 0;
        for name in names {
            let head = name.split('/').next().unwrap_or(name);
            if let Some(property) = Property::ALL
                .iter()
                .find(|property| property.name().eq_ignore_ascii_case(head))
            {
                bits |= bit(*property);
            } else if MEETING_TYPES.iter().any(|known| known.eq_ignore_ascii_case(head)) && name.contains('/') {
                bits |= MEETING;
            } else if head == "*" {
                bits |= Self::default_set().0;
            } else if !["id", "attachments", "singleValueExtendedProperties", "@odata.etag"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(head))
            {
                return Err(refusal::unknown_name(name, "message"));
            }
        }
        Ok(Self(bits))
    }

    /// Whether what only meeting messages have is shown.
    #[must_use]
    pub fn has_meeting(self) -> bool {
        self.0 & MEETING != 0
    }

    /// Whether `property` is shown.
    #[must_use]
    pub fn has(self, property: Property) -> bool {
        self.0 & bit(property) != 0
    }

    /// Leaves out what a caller with Mail.ReadBasic may not see.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self(self.0 & !bit(Property::Body) & !bit(Property::UniqueBody) & !bit(Property::BodyPreview))
    }
}

fn bit(property: Property) -> u64 {
    1 << (property as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_leaves_out_what_must_be_asked_for() {
        let set = Selection::parse(None).unwrap();
        assert!(
            set.has(Property::Body) && !set.has(Property::UniqueBody) && !set.has(Property::InternetMessageHeaders)
        );
    }

    #[test]
    fn names_ignore_case_and_unknown_ones_are_refused() {
        let set = Selection::parse(Some(&[
            "ID".to_owned(),
            "Subject".to_owned(),
            "from/emailAddress".to_owned(),
        ]))
        .unwrap();
        assert!(set.has(Property::Subject) && set.has(Property::From) && !set.has(Property::Body));
        assert!(Selection::parse(Some(&["sbuject".to_owned()])).is_err());
    }
}
