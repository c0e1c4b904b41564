//! What is taken in of the mail that was there before a mailbox was connected.
//!
//! Invariant: mail that arrives after connecting is always taken in, whatever the choice.

use guichet_graph::MessageSummary;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

/// The choice, in the configuration `new`, `unread`, `everything` or a date such as `2026-01-31`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Import {
    /// Nothing. A full mailbox stays as it is.
    #[default]
    New,
    /// What is unread in the followed folders.
    Unread,
    /// What arrived since this time.
    Since(Timestamp),
    /// All that is in the followed folders.
    Everything,
}

impl Import {
    /// What our clock and Microsoft's may differ by when they tell new mail from old.
    const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);

    /// Whether a listed mail is taken in by a mailbox that was connected at `connected_at`. What is not told speaks
    /// for the mail: better one too many than one lost.
    pub(crate) fn takes(self, mail: &MessageSummary, connected_at: Timestamp) -> bool {
        let Some(received_at) = mail.received_at else {
            return true;
        };
        if received_at >= connected_at - Self::CLOCK_DIFFERENCE {
            return true;
        }
        match self {
            Self::New => false,
            Self::Unread => mail.is_read != Some(true),
            Self::Since(begin) => received_at >= begin,
            Self::Everything => true,
        }
    }
}

impl TryFrom<String> for Import {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let at_midnight = |date: Date| date.to_zoned(TimeZone::UTC).map(|begin| begin.timestamp());
        match text.as_str() {
            "new" => Ok(Self::New),
            "unread" => Ok(Self::Unread),
            "everything" => Ok(Self::Everything),
            date => date.parse().and_then(at_midnight).map(Self::Since).map_err(|_| {
                format!("`{text}` is none of `new`, `unread`, `everything`, and no date such as `2026-01-31`")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(received_at: Option<Timestamp>, is_read: Option<bool>) -> MessageSummary {
        let mut mail = MessageSummary::new("m".to_owned());
        (mail.received_at, mail.is_read) = (received_at, is_read);
        mail
    }

    fn import(text: &str) -> Result<Import, String> {
        text.to_owned().try_into()
    }

    const CHOICES: [&str; 4] = ["new", "unread", "everything", "2026-03-01"];

    #[test]
    fn old_mail_is_taken_as_the_choice_says() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let connected = at("2026-03-02T12:00:00Z").unwrap();
        let taken = |received_at, is_read| {
            let mail = mail(received_at, is_read);
            CHOICES.map(|choice| import(choice).unwrap().takes(&mail, connected))
        };
        assert_eq!(
            taken(at("2026-02-28T23:59:59Z"), Some(true)),
            [false, false, true, false]
        );
        assert_eq!(
            taken(at("2026-02-28T23:59:59Z"), Some(false)),
            [false, true, true, false]
        );
        assert_eq!(
            taken(at("2026-03-01T00:00:00Z"), Some(true)),
            [false, false, true, true]
        );
        assert_eq!(taken(at("2026-02-28T23:59:59Z"), None), [false, true, true, false]);
    }

    #[test]
    fn new_mail_is_always_taken() {
        let connected = "2026-03-02T12:00:00Z".parse().unwrap();
        let clock_is_late = connected - SignedDuration::from_mins(2);
        for received_at in [Some(connected), Some(clock_is_late), None] {
            for choice in CHOICES {
                let mail = mail(received_at, Some(true));
                assert!(
                    import(choice).unwrap().takes(&mail, connected),
                    "{choice} {received_at:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_choice_is_named_with_the_choices() {
        for bad in ["all", "", "2026-02-30", "yesterday"] {
            let told = import(bad).unwrap_err();
            assert!(
                told.contains(&format!("`{bad}`")) && told.contains("everything"),
                "{told}"
            );
        }
    }
}
