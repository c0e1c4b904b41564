//! Whether a person or a machine wrote a mail: the first guard against answering a machine.
//!
//! Sources: RFC 3834 (Auto-Submitted), RFC 2076 and RFC 2919/2369 (Precedence, List-*), RFC 3464
//! (delivery reports), RFC 8098 (read reports), MS-OXCMAIL (X-Auto-Response-Suppress).

use serde::{Deserialize, Serialize};

use crate::EmailAddress;

/// Header that marks what Guichet itself sent. Exchange strips `Auto-Submitted` from what is sent
/// through Graph, so a header of our own is needed to know our mail when it comes back.
pub const OWN_HEADER: &str = "X-Guichet-Message";

/// What the guard looks at. Header names are compared without regard to case.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Top-level headers in order: name and unfolded value.
    pub headers: &'a [(String, String)],
    /// Media type of the whole mail, lower case, for example `multipart/report`.
    pub content_type: &'a str,
    /// Value of the `report-type` parameter, lower case; empty if none.
    pub report_type: &'a str,
    /// The address in `From`, if one could be read.
    pub from: Option<&'a EmailAddress>,
    /// Addresses of our own mailboxes.
    pub own_addresses: &'a [EmailAddress],
    /// What the content shows beyond the headers, with the reason: many delivery reports and vacation notices carry no
    /// header that says so.
    pub content: Option<(Author, String)>,
}

/// Who wrote the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Nothing speaks against a person.
    Person,
    /// A vacation notice, ticket acknowledgement or other automatic answer.
    AutoReply,
    /// A delivery or read report.
    Report,
    /// A mailing list or bulk sender.
    List,
    /// Our own message, come back.
    Own,
}

impl Author {
    /// The text under which the author is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::AutoReply => "auto_reply",
            Self::Report => "report",
            Self::List => "list",
            Self::Own => "own",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Person, Self::AutoReply, Self::Report, Self::List, Self::Own]
            .into_iter()
            .find(|a| a.as_str() == text)
    }
}

/// The guard's verdict; stored with the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Who wrote it.
    pub author: Author,
    /// Whether the mail may be answered automatically. A person may always answer by hand.
    pub may_auto_answer: bool,
    /// What led to the verdict, in words.
    pub reasons: Vec<String>,
}

/// Classifies the author of a mail. Every rule that matches is listed; the gravest decides.
pub fn classify(evidence: &Evidence<'_>) -> Verdict {
    let mut reasons = Vec::new();
    let mut author = Author::Person;
    let mut found = |who: Author, why: String| {
        if rank(who) > rank(author) {
            author = who;
        }
        reasons.push(why);
    };
    for (name, value) in evidence.headers {
        let lower = name.to_ascii_lowercase();
        let value = value.trim();
        let folded = value.to_ascii_lowercase();
        match lower.as_str() {
            "auto-submitted" if !folded.is_empty() && !folded.starts_with("no") => {
                found(Author::AutoReply, format!("Auto-Submitted is `{value}` (RFC 3834)"));
            }
            "precedence" if ["bulk", "junk", "list"].contains(&folded.as_str()) => {
                let who = if folded == "list" {
                    Author::List
                } else {
                    Author::AutoReply
                };
                found(who, format!("Precedence is `{value}` (RFC 2076)"));
            }
            "list-id" | "list-unsubscribe" | "list-post" => {
                found(Author::List, format!("{name} is present (RFC 2369, RFC 2919)"));
            }
            "x-auto-response-suppress" if ["all", "autoreply", "oof"].iter().any(|v| listed(&folded, v)) => {
                found(Author::AutoReply, format!("X-Auto-Response-Suppress is `{value}`"));
            }
            "x-autoreply" | "x-autorespond" | "x-autoresponder" => {
                found(Author::AutoReply, format!("{name} is present"));
            }
            "return-path" if folded == "<>" => {
                found(Author::Report, "the return path is empty (RFC 5321)".to_owned());
            }
            own if own.eq_ignore_ascii_case(OWN_HEADER) => {
                found(Author::Own, format!("{OWN_HEADER} is present: we sent it"));
            }
            _ => {}
        }
    }
    if let Some((author, why)) = &evidence.content {
        found(*author, why.clone());
    }
    if evidence.content_type == "multipart/report" {
        found(
            Author::Report,
            format!("the mail is a report of type `{}`", evidence.report_type),
        );
    }
    if let Some(from) = evidence.from {
        if evidence.own_addresses.contains(from) {
            found(Author::Own, format!("it comes from our own address {from}"));
        }
        if let Some(role) = machine_role(from.local_part()) {
            found(Author::AutoReply, format!("`{role}` addresses are machines"));
        }
    }
    Verdict {
        author,
        may_auto_answer: author == Author::Person,
        reasons,
    }
}

const fn rank(author: Author) -> u8 {
    match author {
        Author::Person => 0,
        Author::List => 1,
        Author::AutoReply => 2,
        Author::Report => 3,
        Author::Own => 4,
    }
}

fn listed(value: &str, wanted: &str) -> bool {
    value.split([',', ';']).any(|part| part.trim() == wanted)
}

fn machine_role(local_part: &str) -> Option<&'static str> {
    const ROLES: [&str; 7] = [
        "mailer-daemon",
        "postmaster",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "bounce",
    ];
    ROLES.into_iter().find(|role| {
        local_part
            .strip_prefix(role)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '.', '_', '=']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[(&str, &str)], from: &str) -> Verdict {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let own = [EmailAddress::parse("support@contoso.example").expect("address")];
        let from = EmailAddress::parse(from).ok();
        classify(&Evidence {
            headers: &headers,
            content_type: "text/plain",
            report_type: "",
            from: from.as_ref(),
            own_addresses: &own,
            content: None,
        })
    }

    #[test]
    fn ordinary_mail_is_from_a_person() {
        let v = verdict(
            &[("Auto-Submitted", "no"), ("Return-Path", "<a@fabrikam.example>")],
            "a@fabrikam.example",
        );
        assert_eq!(
            (v.author, v.may_auto_answer, v.reasons.len()),
            (Author::Person, true, 0)
        );
    }

    #[test]
    fn machines_are_recognised() {
        for (name, value, author) in [
            ("Auto-Submitted", "auto-replied (vacation)", Author::AutoReply),
            ("PRECEDENCE", "Bulk", Author::AutoReply),
            ("List-Id", "<news.fabrikam.example>", Author::List),
            ("X-Auto-Response-Suppress", "DR, OOF", Author::AutoReply),
            ("Return-Path", "<>", Author::Report),
            ("x-guichet-message", "1", Author::Own),
        ] {
            let v = verdict(&[(name, value)], "a@fabrikam.example");
            assert_eq!((v.author, v.may_auto_answer), (author, false), "{name}: {value}");
        }
    }

    #[test]
    fn own_and_role_addresses_are_recognised_but_not_look_alikes() {
        assert_eq!(verdict(&[], "Support@contoso.example").author, Author::Own);
        assert_eq!(verdict(&[], "no-reply@fabrikam.example").author, Author::AutoReply);
        assert_eq!(verdict(&[], "bouncer@fabrikam.example").author, Author::Person);
    }

    #[test]
    fn what_the_content_shows_counts_like_a_header() {
        let headers = [("Subject".to_owned(), "failure notice".to_owned())];
        let evidence = |content| Evidence {
            headers: &headers,
            content_type: "text/plain",
            report_type: "",
            from: None,
            own_addresses: &[],
            content,
        };
        let told = classify(&evidence(Some((
            Author::Report,
            "it reports a failed delivery".to_owned(),
        ))));
        assert_eq!((told.author, told.may_auto_answer), (Author::Report, false));
        assert_eq!(told.reasons, ["it reports a failed delivery"]);
        assert!(classify(&evidence(None)).may_auto_answer);
    }
}
