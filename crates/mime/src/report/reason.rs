//! Why a mail was not delivered.
//!
//! Owns the reasons and the rules that lead to them: first the words of the server that refused,
//! since codes are used loosely, then the enhanced status, then the reply code. The order of the
//! rules is part of them: what is particular comes before what is general.

mod languages;
mod words;

use crate::report::{Permanence, phase::Phase, status::EnhancedStatus};

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nobody has the address.
    UserUnknown,
    /// The domain does not exist.
    HostUnknown,
    /// The domain says that it takes no mail (RFC 7505).
    NoMailService,
    /// The recipient has another address now.
    Moved,
    /// The mailbox is full.
    MailboxFull,
    /// The account is disabled, locked or idle.
    MailboxDisabled,
    /// The recipient's filter refused it, in the words for an unknown user.
    Filtered,
    /// It is larger than the recipient takes.
    TooLarge,
    /// It is taken for spam.
    Spam,
    /// It is taken for a virus.
    Virus,
    /// SPF, DKIM or DMARC did not pass.
    AuthenticationFailed,
    /// The sending server or its network is not welcome.
    Blocked,
    /// The sender's address is not welcome.
    SenderRejected,
    /// The server does not relay for us.
    RelayDenied,
    /// Too much at once.
    RateLimited,
    /// The content or form breaks a rule of the recipient.
    Policy,
    /// It could not be delivered in time.
    Expired,
    /// The network or the name service failed.
    Network,
    /// The recipient's system failed.
    System,
    /// A program that delivers mail failed.
    Mailer,
    /// The servers did not understand each other.
    Protocol,
    /// The report does not say.
    Unknown,
}

impl Reason {
    /// The text under which the reason is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserUnknown => "user_unknown",
            Self::HostUnknown => "host_unknown",
            Self::NoMailService => "no_mail_service",
            Self::Moved => "moved",
            Self::MailboxFull => "mailbox_full",
            Self::MailboxDisabled => "mailbox_disabled",
            Self::Filtered => "filtered",
            Self::TooLarge => "too_large",
            Self::Spam => "spam",
            Self::Virus => "virus",
            Self::AuthenticationFailed => "authentication_failed",
            Self::Blocked => "blocked",
            Self::SenderRejected => "sender_rejected",
            Self::RelayDenied => "relay_denied",
            Self::RateLimited => "rate_limited",
            Self::Policy => "policy",
            Self::Expired => "expired",
            Self::Network => "network",
            Self::System => "system",
            Self::Mailer => "mailer",
            Self::Protocol => "protocol",
            Self::Unknown => "unknown",
        }
    }

    pub(super) const fn permanence(self) -> Permanence {
        match self {
            Self::UserUnknown | Self::HostUnknown | Self::NoMailService | Self::Moved => Permanence::Hard,
            _ => Permanence::Soft,
        }
    }
}

/// What there is to judge by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clue<'a> {
    /// The server's words in one line.
    pub(super) said: &'a str,
    /// What the report says around the address.
    pub(super) context: &'a str,
    /// All that the report says, for what it says of every recipient.
    pub(super) report: &'a str,
    /// The type of the diagnostic.
    pub(super) kind: &'a str,
    pub(super) status: Option<EnhancedStatus>,
    pub(super) reply: Option<u16>,
    pub(super) phase: Option<Phase>,
}

/// The reason for a clue.
pub(super) fn of(clue: &Clue<'_>) -> Reason {
    let said = clue.said.to_lowercase();
    let own = own_words(&said);
    // What a delivery program prints is about files and programs, not about people.
    if clue.kind == "x-unix" {
        return match by_words(own) {
            Some(Reason::MailboxFull) => Reason::MailboxFull,
            _ => Reason::Mailer,
        };
    }
    let reason = by_words(own)
        .or_else(|| address_rejected(own, clue.status))
        .or_else(|| clue.status.and_then(by_status))
        .or_else(|| by_words(&said))
        .or_else(|| by_words(&clue.context.to_lowercase()))
        .or_else(|| clue.reply.and_then(by_reply))
        .or_else(|| by_words(&super::fields::one_line(clue.report).to_lowercase()))
        .unwrap_or(Reason::Unknown);
    let definite = names_user_status(clue.status) || DEFINITE.iter().any(|words| own.contains(words));
    // An answer without a code for the address, to nobody knows which command: filters give it as well, and an address
    // that is good must not be taken for dead.
    let unproven = clue.reply.is_some() && clue.status.is_none_or(EnhancedStatus::is_vague);
    match (reason, clue.phase) {
        (Reason::UserUnknown, None) if unproven => Reason::Filtered,
        (Reason::UserUnknown, Some(Phase::Content)) if !definite => Reason::Filtered,
        // A code of policy with the words for an unknown user: a filter hides what it does.
        (Reason::UserUnknown, _) if !definite && clue.status.is_some_and(|status| status.subject == 7) => {
            Reason::Filtered
        }
        (Reason::UserUnknown | Reason::HostUnknown, Some(Phase::Sender)) => Reason::SenderRejected,
        (Reason::UserUnknown | Reason::HostUnknown, Some(Phase::Connection)) => Reason::Blocked,
        (Reason::Unknown, Some(Phase::Connection)) => Reason::Blocked,
        (Reason::Unknown, Some(Phase::Sender)) => Reason::SenderRejected,
        (Reason::Unknown, Some(Phase::Content)) => Reason::Policy,
        (reason, _) => reason,
    }
}

/// Sentences that speak of an account and not just of a refusal.
const DEFINITE: &[&str] = &["doesn't have a", "to reach does not exist", "account does not exist"];

/// Postfix says this of any refused recipient: the code or the words after it tell why.
fn address_rejected(own: &str, status: Option<EnhancedStatus>) -> Option<Reason> {
    let of_address = status.is_none_or(|status| status.subject == 1);
    (of_address && own.contains("address rejected")).then_some(Reason::UserUnknown)
}

/// A server that gives the code for an unknown address means it, whenever it says so.
fn names_user_status(status: Option<EnhancedStatus>) -> bool {
    status.is_some_and(|status| status.subject == 1 && matches!(status.detail, 1 | 10 | 351))
}

/// The words of the innermost server, where one quotes the other.
fn own_words(said: &str) -> &str {
    const QUOTES: &[&str] = &[
        "error 550-'",
        "error 554-'",
        "error 553-'",
        " said: ",
        " -> ",
        "remote server returned '",
    ];
    QUOTES
        .iter()
        .filter_map(|quote| said.rfind(quote).map(|at| at + quote.len()))
        .max()
        .and_then(|at| said.get(at..))
        .filter(|rest| rest.len() > 8)
        .unwrap_or(said)
}

fn by_words(lower: &str) -> Option<Reason> {
    words::WORDS
        .iter()
        .chain(languages::WORDS)
        .find(|(_, words)| words.iter().any(|word| says(lower, word)))
        .map(|(reason, _)| *reason)
}

/// Whether a text holds a phrase; ` * ` in it stands for a name or an address, which is a few words at most.
fn says(lower: &str, phrase: &str) -> bool {
    /// Bytes between the two halves: the longest address (RFC 5321) in brackets would not fit, but hardly anybody's.
    const BETWEEN: usize = 100;
    let Some((begin, end)) = phrase.split_once(" * ") else {
        return lower.contains(phrase);
    };
    lower.match_indices(begin).any(|(at, _)| {
        let rest = &lower[at + begin.len()..];
        let near = &rest[..rest.floor_char_boundary(rest.len().min(BETWEEN + end.len()))];
        let sentence = near.split(". ").next().unwrap_or(near);
        sentence.starts_with([' ', ':', '(', '<']) && sentence.contains(end)
    })
}

/// RFC 3463, RFC 7372, RFC 7505 and the registry of enhanced status codes; details beyond 99 are
/// Exchange Online's.
fn by_status(status: EnhancedStatus) -> Option<Reason> {
    let EnhancedStatus { class, subject, detail } = status;
    if class == 2 {
        return None;
    }
    let reason = match (subject, detail) {
        (1, 1 | 3 | 351) => Reason::UserUnknown,
        (1, 10) => Reason::UserUnknown,
        (1, 2) | (4, 4) => Reason::HostUnknown,
        (1, 6) => Reason::Moved,
        (1, 7 | 8) => Reason::SenderRejected,
        (2, 1) | (7, 13) => Reason::MailboxDisabled,
        (2, 2) => Reason::MailboxFull,
        (2, 3) | (3, 4) => Reason::TooLarge,
        (3, 1) => Reason::System,
        (3, _) => Reason::System,
        (4, 1 | 2 | 7) => Reason::Expired,
        (4, _) => Reason::Network,
        (5, _) => Reason::Protocol,
        (6, _) => Reason::Policy,
        (7, 20..=26) => Reason::AuthenticationFailed,
        (7, 27) => Reason::SenderRejected,
        (7, 500..=599) => Reason::AuthenticationFailed,
        (7, 600..=699) => Reason::Blocked,
        (7, _) => Reason::Policy,
        _ => return None,
    };
    Some(reason)
}

/// RFC 5321 4.2.3.
fn by_reply(code: u16) -> Option<Reason> {
    match code {
        550 | 553 => None,
        551 => Some(Reason::Moved),
        552 => Some(Reason::MailboxFull),
        421 | 450..=452 => Some(Reason::Expired),
        500..=504 => Some(Reason::Protocol),
        _ => None,
    }
}
