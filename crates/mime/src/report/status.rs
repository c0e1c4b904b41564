//! Enhanced status codes (RFC 3463): `5.1.1`.
//!
//! Owns their reading from fields and from the middle of sentences.

use std::fmt;

/// An enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    /// 2 success, 4 for now, 5 for good.
    pub class: u8,
    /// What it is about: address, mailbox, system, network, protocol, content, policy.
    pub subject: u16,
    /// More closely.
    pub detail: u16,
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl EnhancedStatus {
    /// Whether it says no more than its class.
    pub(super) fn is_vague(self) -> bool {
        self.subject == 0 && self.detail == 0
    }

    /// The first code of a text, if any.
    #[must_use]
    pub fn first_in(text: &str) -> Option<Self> {
        all(text).into_iter().next()
    }
}

/// Every code in a text, in order. Version numbers and addresses have more or fewer numbers, or go on.
pub(super) fn all(text: &str) -> Vec<EnhancedStatus> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let free = at == 0 || !continues(bytes[at - 1]);
        if free
            && matches!(bytes[at], b'2' | b'4' | b'5')
            && let Some((status, end)) = read(bytes, at)
        {
            found.push(status);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// What a code may not be glued to: part of an address, a version or a word.
fn continues(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'_' | b'=')
}

fn read(bytes: &[u8], at: usize) -> Option<(EnhancedStatus, usize)> {
    let class = bytes[at] - b'0';
    let (subject, end) = number(bytes, at + 1)?;
    let (detail, end) = number(bytes, end)?;
    let goes_on = match bytes.get(end) {
        Some(b'.') => bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        Some(byte) => byte.is_ascii_alphanumeric(),
        None => false,
    };
    let status = EnhancedStatus { class, subject, detail };
    (!goes_on).then_some((status, end))
}

/// `.` and one to three digits.
fn number(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    if bytes.get(at) != Some(&b'.') {
        return None;
    }
    let digits = bytes[at + 1..]
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=3).contains(&digits) {
        return None;
    }
    let end = at + 1 + digits;
    let value = bytes[at + 1..end]
        .iter()
        .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_sentences() {
        for (text, code) in [
            ("550 5.1.1 user unknown", "5.1.1"),
            ("(#5.5.0)", "5.5.0"),
            ("550-5.7.26 The MAIL FROM domain", "5.7.26"),
            ("550-'5.2.2 <a@b>... Mailbox Full'", "5.2.2"),
            ("4.4.7 (unable to deliver)", "4.4.7"),
        ] {
            assert_eq!(
                EnhancedStatus::first_in(text).map(|s| s.to_string()).as_deref(),
                Some(code),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_and_versions_are_no_codes() {
        for text in [
            "[192.0.2.4]",
            "5.1.1.1",
            "Exim 4.72",
            "v5.0.2",
            "mx5.1.1x",
            "4.56.55555",
            "ID=4.1",
        ] {
            assert_eq!(EnhancedStatus::first_in(text), None, "{text}");
        }
    }
}
