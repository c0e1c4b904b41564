//! Reports without fields: sentences that name who was not reached, and why.
//!
//! Owns the look for recipients in a text and for what is said of each. It goes by where an address
//! stands in its line, not by which program wrote it.

use crate::{
    ParsedMail,
    report::{MAX_RECIPIENTS, Original, fields::Entry},
};

/// Lines after an address that may explain it.
const MAX_EXPLANATION: usize = 16;

/// What may stand before an address that could not be reached, at the end of it, in lower case.
const LABELS: &[&str] = &[
    "recipient:",
    "recipients:",
    "recipient address:",
    "recipient",
    "delivery failed:",
    "mail address:",
    "email address:",
    "delivered to:",
    "delivered to",
    "deliver message to:",
    "deliver message to",
    "delivering your mail to",
    "deliver mail to",
    "deliver your message to",
    "unknown user:",
    "userid:",
    "permanent errors:",
    "errors:",
    "rcpt to:",
    "rcpt:",
    "failed address:",
    "address",
    "to the following address:",
    "undeliverable to:",
    "undeliverable to",
    "addressed to:",
    "empfänger:",
    "destinataire :",
    "destinataire:",
    "destinatario:",
    "destinatário:",
    "geadresseerde:",
    "получатель:",
    "宛先:",
    "宛先：",
];

/// Words before an address that make it somebody else's, in lower case.
const OTHERS: &[&str] = &["from", "contact", "support", "sender", "reply-to", "for <"];

/// What a report without fields says, one entry for each recipient.
pub(super) fn read(mail: &ParsedMail, report: &str, original: &Original) -> Vec<Entry> {
    let mut entries = named(mail, report, Place::Own);
    let failed = failed_recipients(mail);
    if entries.len() > 1 {
        // Some reports greet the sender by address.
        let greeted = |entry: &Entry| {
            mail.to
                .iter()
                .any(|person| person.address.eq_ignore_ascii_case(&entry.address))
                && !failed
                    .iter()
                    .any(|address| address.eq_ignore_ascii_case(&entry.address))
        };
        entries.retain(|entry| !greeted(entry));
    }
    // The text is nearer to the refusal than the header: a forwarded mail has another address there.
    let missing = failed.len().saturating_sub(entries.len());
    for address in failed.into_iter().rev().take(missing).rev() {
        if !entries.iter().any(|entry| entry.address.eq_ignore_ascii_case(&address)) {
            entries.push(Entry {
                address,
                ..Entry::default()
            });
        }
    }
    if entries.is_empty() {
        entries = named(mail, report, Place::AfterCode);
    }
    if entries.is_empty() && original.recipients.is_empty() {
        entries = named(mail, report, Place::AfterTo);
    }
    if entries.is_empty() {
        entries.extend(original.recipients.iter().map(|address| Entry {
            address: address.clone(),
            ..Entry::default()
        }));
    }
    if entries.is_empty() {
        entries.push(Entry::default());
    }
    entries.truncate(MAX_RECIPIENTS);
    entries
}

/// Gives entries that come from fields what the text says of the same recipients.
pub(super) fn complete(entries: &mut [Entry], told: &[Entry]) {
    let nameless = entries.iter().filter(|entry| entry.address.is_empty()).count();
    for entry in entries {
        if entry.address.is_empty() && nameless == told.len() && nameless == 1 {
            entry.address.clone_from(&told[0].address);
        }
        if let Some(same) = told
            .iter()
            .find(|told| told.address.eq_ignore_ascii_case(&entry.address))
        {
            add(entry, &same.context);
        }
    }
}

/// Where an address counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of its line or after a label.
    Own,
    /// Also after a reply code, where senders stand as well.
    AfterCode,
    /// Also after `To:`, where a report tells of the mail that it is about and returns nothing of it.
    AfterTo,
}

fn named(mail: &ParsedMail, report: &str, place: Place) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut current: Option<(usize, usize)> = None;
    for line in report.lines() {
        let found = recipients_of(line, place);
        for (address, rest) in found.iter().copied().filter(|(address, _)| !is_own(mail, address)) {
            let index = match entries
                .iter()
                .position(|entry| entry.address.eq_ignore_ascii_case(address))
            {
                Some(index) => index,
                None if entries.len() >= MAX_RECIPIENTS => continue,
                None => {
                    entries.push(Entry {
                        address: address.to_owned(),
                        ..Entry::default()
                    });
                    entries.len() - 1
                }
            };
            add(&mut entries[index], rest);
            current = Some((index, 0));
        }
        if found.is_empty()
            && let Some((index, lines)) = &mut current
        {
            add(&mut entries[*index], line);
            *lines += usize::from(!line.trim().is_empty());
            if *lines >= MAX_EXPLANATION {
                current = None;
            }
        }
    }
    entries
}

fn add(entry: &mut Entry, line: &str) {
    let line = line.trim();
    if !line.is_empty() {
        if !entry.context.is_empty() {
            entry.context.push('\n');
        }
        entry.context.push_str(line);
    }
}

/// The mail system's own address is no recipient.
fn is_own(mail: &ParsedMail, address: &str) -> bool {
    mail.from
        .iter()
        .any(|person| person.address.eq_ignore_ascii_case(address))
}

/// Addresses that a line names as recipients, each with what follows it.
fn recipients_of(line: &str, place: Place) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (start, end) in addresses(line) {
        let before = line[..start].trim_end_matches(['<', '"', '\'', '(', ' ', '\t']);
        let plain = before
            .trim_matches([' ', '\t', '*', '-', '>', '<', '|', '#', '"', '\''])
            .to_lowercase();
        if OTHERS.iter().any(|word| plain.contains(word)) {
            continue;
        }
        let typed = ["[smtp:", "smtp:", "rfc822;"]
            .iter()
            .find_map(|kind| plain.strip_suffix(kind));
        let plain = typed.map_or(plain.as_str(), str::trim_end);
        let labelled = LABELS.iter().any(|label| plain.ends_with(label)) || (place == Place::AfterTo && plain == "to:");
        let after_code = place == Place::AfterCode && is_code(plain);
        let listed = !found.is_empty() && matches!(plain.chars().last(), Some(',' | ';'));
        let summed_up = is_code(plain) && line.trim_start().starts_with(['4', '5']) && is_summary(&line[end..]);
        if after_code || summed_up {
            found.push((&line[start..end], line));
        } else if plain.is_empty() || labelled || listed {
            found.push((&line[start..end], line[end..].trim_start_matches(['>', '"', '\'', ':'])));
        }
    }
    found
}

/// `>... User unknown`: a mail program's own line about a recipient in a transcript.
fn is_summary(rest: &str) -> bool {
    rest.trim_start_matches('>').starts_with("... ") && !rest.to_lowercase().contains("sender")
}

/// `550`, `550 5.1.1`, `550-5.1.1`.
fn is_code(text: &str) -> bool {
    text.len() <= 12
        && text.len() >= 3
        && text.starts_with(['4', '5'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.' | b'-' | b'#'))
}

/// Where addresses stand in a line.
fn addresses(line: &str) -> Vec<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, _) in line.match_indices('@') {
        let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b".!#$%&*+/=?^_`{|}~-".contains(byte);
        let local = bytes[..at].iter().rev().take_while(|byte| is_local(byte)).count();
        let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let domain = bytes[at + 1..].iter().take_while(|byte| is_domain(byte)).count();
        let mut end = at + 1 + domain;
        while end > at + 1 && matches!(bytes[end - 1], b'.' | b'-' | b'_') {
            end -= 1;
        }
        let mut start = at - local;
        // A bullet or a rule before the address is no part of it.
        while start < at && matches!(bytes[start], b'-' | b'*' | b'=' | b'/' | b'|' | b'.') {
            start += 1;
        }
        let overlaps = found.last().is_some_and(|(_, last)| start < *last);
        if start < at && end > at + 1 && !overlaps && line.is_char_boundary(start) && line.is_char_boundary(end) {
            found.push((start, end));
        }
    }
    found
}

fn failed_recipients(mail: &ParsedMail) -> Vec<String> {
    mail.headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("X-Failed-Recipients"))
        .flat_map(|(_, value)| value.split(','))
        .map(|address| address.trim().trim_matches(['<', '>']).to_owned())
        .filter(|address| address.contains('@'))
        .take(MAX_RECIPIENTS)
        .collect()
}
