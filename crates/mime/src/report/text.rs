//! Where a report's own words end and the returned mail begins.
//!
//! Owns the split of the shown text. The returned mail must not be read as the report: it may hold
//! any address and any sentence.

use crate::ParsedMail;

/// Bytes of text that are read as a report; the longest real ones list hundreds of recipients.
const MAX_REPORT: usize = 256 * 1024;

/// The two halves of the shown text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Split<'a> {
    /// What the mail system says.
    pub(super) report: &'a str,
    /// The mail that it returns, or its headers; empty if it is attached or left out.
    pub(super) original: &'a str,
}

impl<'a> Split<'a> {
    pub(super) fn of(mail: &'a ParsedMail) -> Self {
        let text = clip(&mail.text);
        let mut said_something = false;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let trimmed = line.trim();
            if said_something && begins_original(line, trimmed) {
                return Self {
                    report: &text[..at],
                    original: &mail.text[at..],
                };
            }
            said_something |= trimmed.len() > 3;
            at += line.len();
        }
        Self {
            report: text,
            original: "",
        }
    }
}

fn clip(text: &str) -> &str {
    let mut end = text.len().min(MAX_REPORT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// How a returned mail is announced, in lower case.
const NAMES: &[&str] = &[
    "original message",
    "original mail",
    "returned message",
    "message text follows",
    "unsent message",
    "message header",
    "copy of the message",
    "copy of your message",
    "copy of the original",
    "bounced e-mail",
    "bounced email",
    "original header",
    "message follows",
];

fn begins_original(line: &str, trimmed: &str) -> bool {
    if ["Return-Path:", "Return-path:", "Received:"]
        .iter()
        .any(|field| line.starts_with(field))
    {
        return true;
    }
    if trimmed.len() > 200 {
        return false;
    }
    let lower = trimmed.to_lowercase();
    if !NAMES.iter().any(|name| lower.contains(name)) || lower.contains("transcript") {
        return false;
    }
    let framed = lower.starts_with(['-', '=', '|', '#', '*', '+', '_']);
    framed || lower.ends_with(':') || lower.contains("follow") || lower.contains("copy of")
}
