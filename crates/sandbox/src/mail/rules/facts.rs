//! What inbox rules may ask of a mail that arrives.
//!
//! Owns the reading of a mail for rules, which happens once and only when a rule asks: most mailboxes have none.

use std::cell::OnceCell;

use mail_parser::{HeaderName, HeaderValue, MimeHeaders as _};

use crate::mail::body;
use crate::mail::message::{Content, Message, Person};
use crate::mail::mime;

/// Bytes of body that rules look through.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// One mail and the mailbox it came to.
#[derive(Debug)]
pub struct Facts<'a> {
    pub message: &'a Message,
    /// All addresses of the mailbox's owner, and the one that was written to.
    pub own: &'a [String],
    body: OnceCell<String>,
    headers: OnceCell<String>,
    kind: OnceCell<Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    report: Option<String>,
    is_signed: bool,
    is_encrypted: bool,
    calendar_method: Option<String>,
}

impl<'a> Facts<'a> {
    /// Looks at a mail.
    #[must_use]
    pub fn of(message: &'a Message, own: &'a [String]) -> Self {
        Self {
            message,
            own,
            body: OnceCell::new(),
            headers: OnceCell::new(),
            kind: OnceCell::new(),
        }
    }

    fn bytes(&self) -> bytes::Bytes {
        match &self.message.content {
            Content::Mime(raw) => raw.bytes(),
            Content::Draft(_) => bytes::Bytes::new(),
        }
    }

    /// Whether one of these people is the owner.
    #[must_use]
    pub fn is_addressed_to_owner(&self, people: &[Person]) -> bool {
        people
            .iter()
            .any(|person| self.own.iter().any(|own| own.eq_ignore_ascii_case(&person.address)))
    }

    /// The body as text.
    pub fn body(&self) -> &str {
        self.body.get_or_init(|| {
            let shown = body::native(self.message);
            let mut text = match shown.kind {
                crate::mail::message::BodyKind::Text => shown.content,
                crate::mail::message::BodyKind::Html => body::to_text(&shown.content),
            };
            if let Some((end, _)) = text.char_indices().find(|(at, _)| *at >= MAX_BODY) {
                text.truncate(end);
            }
            text
        })
    }

    /// The header lines, unfolded.
    pub fn headers(&self) -> &str {
        self.headers.get_or_init(|| {
            mime::header_lines(&self.bytes())
                .into_iter()
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect()
        })
    }

    /// The value of a header, trimmed, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    fn kind(&self) -> &Kind {
        self.kind.get_or_init(|| {
            let bytes = self.bytes();
            let Some(parsed) = mime::parse(&bytes) else {
                return Kind::default();
            };
            let content = parsed.content_type();
            let (main, sub) = content.map_or((String::new(), String::new()), |content| {
                (
                    content.ctype().to_ascii_lowercase(),
                    content.subtype().unwrap_or_default().to_ascii_lowercase(),
                )
            });
            let attribute = |name: &str| {
                content
                    .and_then(|content| content.attribute(name))
                    .map(str::to_ascii_lowercase)
            };
            let is_pkcs7 = main == "application" && matches!(sub.as_str(), "pkcs7-mime" | "x-pkcs7-mime");
            let smime = attribute("smime-type");
            Kind {
                report: (main == "multipart" && sub == "report").then(|| attribute("report-type").unwrap_or_default()),
                is_signed: (main == "multipart" && sub == "signed")
                    || (is_pkcs7 && smime.as_deref() == Some("signed-data")),
                is_encrypted: (main == "multipart" && sub == "encrypted")
                    || (is_pkcs7 && smime.as_deref() != Some("signed-data")),
                calendar_method: parsed.parts.iter().find_map(|part| {
                    let content = part.content_type()?;
                    (content.ctype().eq_ignore_ascii_case("text")
                        && content
                            .subtype()
                            .is_some_and(|sub| sub.eq_ignore_ascii_case("calendar")))
                    .then(|| content.attribute("method").map(str::to_ascii_lowercase))?
                }),
            }
        })
    }

    /// Whether the mail is a report of this type.
    #[must_use]
    pub fn is_report(&self, report_type: &str) -> bool {
        self.kind().report.as_deref() == Some(report_type)
    }

    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.kind().is_signed
    }

    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.kind().is_encrypted
    }

    /// `request`, `reply`, … of a meeting.
    #[must_use]
    pub fn calendar_method(&self) -> Option<&str> {
        self.kind().calendar_method.as_deref()
    }

    /// An automatic reply (RFC 3834), such as of an absent person; delivery reports are none.
    #[must_use]
    pub fn is_automatic_reply(&self) -> bool {
        let submitted = self.header("Auto-Submitted").is_some_and(|value| {
            let value = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            value == "auto-replied" || (value == "auto-generated" && self.header("In-Reply-To").is_some())
        });
        self.kind().report.is_none() && !self.is_automatic_forward() && submitted
    }

    /// Forwarded by a rule of Exchange.
    #[must_use]
    pub fn is_automatic_forward(&self) -> bool {
        self.header("X-MS-Exchange-Inbox-Rules-Loop").is_some()
            || self
                .header("Auto-Submitted")
                .is_some_and(|value| value.to_ascii_lowercase().starts_with("auto-forwarded"))
    }

    /// `normal`, `personal`, `private` or `confidential` (RFC 2156 `Sensitivity`).
    #[must_use]
    pub fn sensitivity(&self) -> &'static str {
        match self
            .header("Sensitivity")
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "personal" => "personal",
            "private" => "private",
            "company-confidential" | "confidential" => "confidential",
            _ => "normal",
        }
    }
}

/// Whether a parsed mail wants no automatic answer of this kind (`X-Auto-Response-Suppress`, MS-OXCMAIL §2.2.3.2.14).
#[must_use]
pub fn suppresses(parsed: &mail_parser::Message<'_>, kinds: &[&str]) -> bool {
    parsed
        .header(HeaderName::Other("X-Auto-Response-Suppress".into()))
        .and_then(HeaderValue::as_text)
        .is_some_and(|value| {
            value
                .split([',', ';', ' '])
                .any(|part| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(part.trim())))
        })
}
