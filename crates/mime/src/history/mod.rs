//! What of a mail is new, what is a signature, and what is repeated from earlier mails.
//!
//! Owns the division of a text and of sanitised HTML into parts. Never changes or drops anything: the
//! parts in their order are the whole. Invariant: in doubt a part is new, since hiding what somebody
//! wrote is worse than showing what is known; a mail without any new text is new as a whole.
//! A forwarded mail is content, however it is marked.

mod attribution;
mod divide;
mod header_block;
mod html_lines;
mod introduction;
mod lines;
mod signature;
mod words;

use crate::{ParsedMail, subject};

/// What a part of a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// What the author wrote in this mail, forwarded mail and inline quotes included.
    New,
    /// Who the author is, or what the mail was sent from.
    Signature,
    /// Repeated from earlier mails.
    Quoted,
}

impl PartKind {
    /// The stable name under which it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Signature => "signature",
            Self::Quoted => "quoted",
        }
    }
}

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is; two parts in a row are never of one kind.
    pub kind: PartKind,
    /// Its length in bytes, never zero; it ends between characters.
    pub length: usize,
}

/// What else is known of the mail that is divided.
#[derive(Clone, Copy, Debug)]
struct Circumstances {
    /// Its headers say that it answers another mail.
    answers: bool,
    /// Its subject says that it is forwarded.
    forwards: bool,
    /// `>` before a line may stand for an indentation.
    marks_are_vague: bool,
}

impl ParsedMail {
    /// The parts of [`text`](Self::text), in order and without gaps. Empty for an empty text.
    #[must_use]
    pub fn text_parts(&self) -> Vec<Part> {
        let circumstances = self.circumstances(self.text_from_html);
        divide::divide(&lines::of_text(&self.text), self.text.len(), circumstances)
    }

    /// The parts of the mail's HTML as [`sanitise`](crate::sanitise) returned it, in order and without
    /// gaps. One part alone may leave elements open, or close some that it did not open.
    #[must_use]
    pub fn html_parts(&self, sanitised: &str) -> Vec<Part> {
        divide::divide(
            &html_lines::of_html(sanitised),
            sanitised.len(),
            self.circumstances(true),
        )
    }

    fn circumstances(&self, marks_are_vague: bool) -> Circumstances {
        let mark = subject::first_mark(&self.subject);
        Circumstances {
            answers: !self.in_reply_to.is_empty() || !self.references.is_empty() || mark == Some(subject::Mark::Answer),
            forwards: mark == Some(subject::Mark::Forward),
            marks_are_vague,
        }
    }
}
