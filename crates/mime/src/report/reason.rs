//! Why a mail was not delivered.
//!
//! Owns the reasons and the rules that lead to them: first the words of the server that refused,
//! since codes are used loosely, then the enhanced status, then the reply code. The order of the
//! rules is part of them: what is particular comes before what is general.

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

/// Words of servers and their reasons, in lower case; the first that is found decides.
const WORDS: &[(Reason, &[&str])] = &[
    (
        Reason::NoMailService,
        &[
            "null mx",
            "host does not accept mail",
            "domain does not accept mail",
            "indicated no smtp service",
            "doesn't receive email",
            "does not receive email",
            "no mx record found",
            "couldn't find a mail exchanger",
            "recipient address has null mx",
        ],
    ),
    (Reason::HostUnknown, &["account or domain may not exist"]),
    (
        Reason::SenderRejected,
        &[
            "domain of sender address",
            "sender address rejected",
            "sender domain",
            "from: domain is invalid",
            "invalid sender",
            "sender verify failed",
            "unauthenticated sender",
            "return path",
            "sender rejected",
            "envelope sender",
            "valid from:",
            "email address is not verified",
            "smtp authentication",
            "use the smtp server of your isp",
        ],
    ),
    (
        Reason::AuthenticationFailed,
        &[
            "spf record",
            "spf check",
            "spf fail",
            "failed spf",
            "dmarc",
            "dkim",
            "unauthenticated email",
            "authentication check",
            "authentication information",
            "not allowed to send from",
            "sender id",
            "bad spf",
        ],
    ),
    (
        Reason::MailboxFull,
        &[
            "mailbox full",
            "mailbox is full",
            "mailbox for user is full",
            "mailfolder is full",
            "folder is full",
            "inbox is full",
            "quota",
            "out of storage",
            "not enough storage",
            "storage limit",
            "storage allocation",
            "over the storage",
            "exceeded the local limit",
            "mailbox size limit",
            "mailbox has exceeded",
            "mailbox exceed",
            "maildir is full",
            "account is full",
            "user is full",
        ],
    ),
    (
        Reason::TooLarge,
        &[
            "message too large",
            "message too big",
            "message size exceeds",
            "message is too large",
            "message is too big",
            "exceeds maximum",
            "exceeds the maximum",
            "exceeds fixed maximum",
            "recipsizelimit",
            "sendersizelimit",
            "message length exceeds",
            "max message size",
            "size limit exceeded",
        ],
    ),
    (
        Reason::RateLimited,
        &[
            "too many connections",
            "rate limit",
            "too many recipients",
            "too many messages",
            "at a rate that",
            "frequency limited",
            "connection limit",
            "connections from your",
            "throttl",
            "too many emails",
            "too many mails",
        ],
    ),
    (Reason::Virus, &["virus", "malware", "infected"]),
    (
        Reason::Blocked,
        &[
            "blacklist",
            "blocklist",
            "block list",
            "black list",
            "spamhaus",
            "spamcop",
            "barracudacentral",
            "banned sending",
            "blocked using",
            "blocked for abuse",
            "blocked by",
            "is listed in",
            "listed at",
            "client host rejected",
            "client ip",
            "reverse dns",
            "ptr record",
            "reputation",
            "temporarily deferred due to",
            "open relay",
            "host network not allowed",
            "no access from mail server",
            "ip address has been",
            "sending ip",
            "unverifyable",
            "access denied...",
        ],
    ),
    (
        Reason::Spam,
        &[
            "spam",
            "unsolicited",
            "bulk mail",
            "bulk email",
            " ube",
            "junk mail",
            "mail rejete. mail rejected",
        ],
    ),
    (
        Reason::RelayDenied,
        &[
            "relay access denied",
            "relaying denied",
            "relay denied",
            "no relaying",
            "unable to relay",
            "relay not permitted",
            "relaying is not",
            "relaying not",
            "not permitted to relay",
            "we do not relay",
            "insecure mail relay",
        ],
    ),
    (
        Reason::MailboxDisabled,
        &[
            "disabled",
            "suspended",
            "is inactive",
            "inactive user",
            "inactive account",
            "frozen",
            "temporary locked",
            "temporarily locked",
            "account is locked",
            "is blocked",
            "deactivated",
            "not active",
            "account expired",
            "expired account",
            "closed account",
        ],
    ),
    (
        Reason::Filtered,
        &[
            "recipient preferences",
            "rejected by the recipient's",
            "message filtered",
            "due to extended inactivity",
        ],
    ),
    (
        Reason::HostUnknown,
        &[
            "host unknown",
            "unknown host",
            "host not found",
            "domain not found",
            "domain name not found",
            "domain does not exist",
            "domain doesn't exist",
            "no such domain",
            "no such host",
            "unknown domain",
            "nxdomain",
            "had no relevant answers",
            "find any host",
            "domain is not reachable",
            "illegal host/domain",
            "bad destination system",
            "bad destination host",
            "unrouteable mail domain",
            "unroutable mail domain",
            "recipient domain is invalid",
            "invalid domain",
            "host or domain name not found",
        ],
    ),
    (
        Reason::Moved,
        &[
            "has moved",
            "recipient no longer",
            "user has left",
            "no longer with",
            "not our user",
            "address changed",
        ],
    ),
    (
        Reason::UserUnknown,
        &[
            "user unknown",
            "unknown user",
            "userunknown",
            "no such user",
            "no such recipient",
            "no such mailbox",
            "no such address",
            "no such account",
            "no such person",
            "user not found",
            "user not exist",
            "user does not exist",
            "user doesn't exist",
            "account does not exist",
            "account doesn't exist",
            "address does not exist",
            "address doesn't exist",
            "mailbox does not exist",
            "mailbox doesn't exist",
            "recipient does not exist",
            "to reach does not exist",
            "user doesn't have",
            "mailbox not found",
            "mailbox unavailable",
            "mailbox unknown",
            "mailbox is unavailable",
            "unknown mailbox",
            "recipient not found",
            "recipientnotfound",
            "recipnotfound",
            "recipient unknown",
            "unknown recipient",
            "unknown or illegal",
            "unknown local",
            "unknown address",
            "address unknown",
            "unknown email",
            "addressee unknown",
            "no mailbox",
            "no account by that name",
            "invalid recipient",
            "invalid mailbox",
            "invalid user",
            "invalid address",
            "invalid final delivery userid",
            "not a valid mailbox",
            "not a valid recipient",
            "not a valid user",
            "is not a registered",
            "not a known user",
            "not known at this",
            "not listed in",
            "bad destination mailbox",
            "bad recipient",
            "recipient name is not recognized",
            "recipient is not recognized",
            "address not found",
            "wasn't found at",
            "wasn’t found at",
            "couldn't be found",
            "couldn’t be found",
            "could not be found",
            "destinataire invalide",
            "utilisateur inconnu",
            "empfänger unbekannt",
            "adresse inconnue",
            "no valid recipients",
            "possibly incorrect",
            "account not found",
            "recipient address rejected: access denied",
            "not exist in directory",
            "undeliverable address",
        ],
    ),
    (
        Reason::Expired,
        &[
            "message expired",
            "queue.expired",
            "envelope expired",
            "delivery time expired",
            "timed out",
            "timeout",
            "retry time not reached",
            "did not accept our requests to connect",
            "not delivered within",
            "after multiple retries",
            "giving up",
            "could not deliver for the last",
            "could not be delivered for",
            "cannot send message for",
            "connection refused",
            "connection was refused",
            "host not reachable",
            "not responding",
            "no route to host",
            "unable to deliver this message after",
            "temporarily unavailable",
        ],
    ),
    (
        Reason::Network,
        &[
            "hop count exceeded",
            "routing loop",
            "mail loop",
            "loops back",
            "too many hops",
            "name service error",
            "name server",
            "host name lookup failure",
            "dns error",
            "establish an smtp connection",
            "connection reset",
            "lost connection",
            "network is unreachable",
            "unable to connect",
        ],
    ),
    (
        Reason::Policy,
        &[
            "policy",
            "content rejected",
            "protocol violation",
            "header error",
            "potential security",
            "security issue",
            "not accepted for",
            "multiple addresses in from",
            "media error",
            "content presents",
            "message content",
            "not rfc",
            "rfc 5322",
        ],
    ),
    (
        Reason::System,
        &[
            "insufficient disk space",
            "insufficient system",
            "system config error",
            "internal system error",
            "internal error",
            "system error",
            "system not accepting",
            "transaction failed",
            "service currently unavailable",
            "service unavailable",
            "ldap server",
            "temporary failure",
            "local error",
            "configuration error",
        ],
    ),
    (
        Reason::Mailer,
        &[
            "mailer error",
            "pipe to",
            "command output",
            "procmail",
            "maildrop",
            "exit status",
        ],
    ),
    (
        Reason::Protocol,
        &[
            "sequence of commands",
            "not implemented",
            "syntax error",
            "command unrecognized",
            "unrecognized command",
            "command not recognized",
        ],
    ),
];

fn by_words(lower: &str) -> Option<Reason> {
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|word| lower.contains(word)))
        .map(|(reason, _)| *reason)
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
