//! From bytes to a normalised mail.
//!
//! Owns the assembly. Never fails and never panics; departures from the standards are recorded.
//! Invariant: time and memory are bounded by the size of the input (see [`crate::bounds`]).

use std::borrow::Cow;

use crate::{
    Deviation, ParsedMail, Person, Protection, Scheme, addresses, attachments, body,
    bounds::MAX_PEOPLE,
    date,
    deviations::{Deviations, label},
    headers::Fields,
    meeting, protection, references, structure, tnef, words,
};

/// Headers that may stand once in a mail (RFC 5322 3.6, RFC 2045).
const SINGLE: [&str; 14] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "message-id",
    "in-reply-to",
    "references",
    "subject",
    "date",
    "content-type",
    "content-transfer-encoding",
    "mime-version",
];

/// Reads a mail as it was received, envelope lines or none, any line ends.
pub fn parse(raw: &[u8]) -> ParsedMail {
    let mut deviations = Deviations::default();
    if raw.trim_ascii().is_empty() {
        deviations.note(Deviation::Empty);
    }
    if raw.contains(&0) {
        deviations.note(Deviation::NulBytes);
    }
    let raw = line_ends(raw, &mut deviations);
    let parts = structure::walk(&raw, &mut deviations);
    let no_fields = Fields::default();
    let fields = parts.first().map_or(&no_fields, |root| &root.fields);
    let mut mail = ParsedMail::default();
    read_headers(fields, &mut mail, &mut deviations);
    if let Some(root) = parts.first() {
        mail.content_type = words::one_line(&root.content_type.value);
        let report_type = root.content_type.get("report-type").unwrap_or_default();
        mail.report_type = words::one_line(report_type).to_lowercase();
    }
    let signed = signed_content(&parts, &mut mail.protection, &mut deviations);
    let inner = signed
        .as_deref()
        .map(|content| structure::walk(content, &mut deviations));
    let parts = inner.unwrap_or(parts);
    protection::of_parts(&parts, &mut mail.protection);
    let mut body = body::read(&parts, &mut deviations);
    protection::of_text(&body.text, &mut mail.protection);
    let attached = attachments::read(&parts, &body, &mut deviations);
    let wanted = body.text.trim().is_empty() && body.html.as_deref().unwrap_or_default().trim().is_empty();
    let (attached, shown) = tnef::unpack(attached, wanted, attachments::content_ids_in, &mut deviations);
    if let Some(shown) = shown {
        body.text_from_html |= shown.text_from_html;
        body.text = shown.text;
        body.html = shown.html;
    }
    mail.attachments = attached;
    mail.meeting = meeting::read(&parts, &mut deviations);
    mail.shown_parts = body.shown.len();
    mail.text = body.text;
    mail.text_from_html = body.text_from_html;
    mail.html = body.html;
    mail.deviations = deviations.into_vec();
    mail
}

/// The content of signed data in which the whole mail is wrapped, out of all its layers.
fn signed_content(
    parts: &[structure::Part<'_>],
    protection: &mut Protection,
    deviations: &mut Deviations,
) -> Option<Vec<u8>> {
    let mut content = protection::unwrap(parts, 0, deviations)?;
    protection.signed = Some(Scheme::Smime);
    for layer in 1.. {
        let inner = structure::walk(&content, &mut Deviations::default());
        let Some(next) = protection::unwrap(&inner, layer, deviations) else {
            break;
        };
        content = next;
    }
    Some(content)
}

/// Notes line ends other than CRLF. A mail with carriage returns alone is rewritten, since nothing
/// in it would be a line.
fn line_ends<'a>(raw: &'a [u8], deviations: &mut Deviations) -> Cow<'a, [u8]> {
    let (mut feeds, mut returns, mut both) = (0_usize, 0_usize, 0_usize);
    let mut previous = 0;
    for &byte in raw {
        feeds += usize::from(byte == b'\n');
        returns += usize::from(byte == b'\r');
        both += usize::from(byte == b'\n' && previous == b'\r');
        previous = byte;
    }
    if feeds != both || returns != both {
        deviations.note(Deviation::BareLineEnds);
    }
    if feeds == 0 && returns > 1 {
        return Cow::Owned(raw.iter().map(|&b| if b == b'\r' { b'\n' } else { b }).collect());
    }
    Cow::Borrowed(raw)
}

fn read_headers(fields: &Fields, mail: &mut ParsedMail, deviations: &mut Deviations) {
    if fields.0.is_empty() {
        deviations.note(Deviation::NoHeaders);
    }
    for field in &fields.0 {
        let name = label(&field.name.to_ascii_lowercase());
        if std::str::from_utf8(&field.value).is_err() {
            deviations.note(Deviation::UnencodedHeader { name: name.clone() });
        }
        if SINGLE.contains(&name.as_str()) && fields.all(&name).nth(1).is_some() {
            deviations.note(Deviation::DuplicateHeader { name });
        }
        mail.headers.push((field.name.clone(), words::decode(&field.value)));
    }

    mail.from = people(fields, "from", deviations);
    mail.sender = people(fields, "sender", deviations);
    mail.reply_to = people(fields, "reply-to", deviations);
    mail.to = people(fields, "to", deviations);
    mail.cc = people(fields, "cc", deviations);
    mail.bcc = people(fields, "bcc", deviations);
    if mail
        .from
        .iter()
        .all(|person| person.address.is_empty() && person.name.is_empty())
    {
        deviations.note(Deviation::MissingFrom);
    }

    mail.subject = fields.first("subject").map(words::decode).unwrap_or_default();
    mail.date = fields.all("date").find_map(date::parse);
    if mail.date.is_none() {
        deviations.note(match fields.first("date") {
            Some(_) => Deviation::InvalidDate,
            None => Deviation::MissingDate,
        });
    }

    let (own, own_cut) = references::ids(fields.all("message-id"));
    mail.message_id = own.into_iter().next();
    if mail.message_id.is_none() {
        deviations.note(Deviation::MissingMessageId);
    }
    let (in_reply_to, replies_cut) = references::ids(fields.all("in-reply-to"));
    let (references, references_cut) = references::ids(fields.all("references"));
    mail.in_reply_to = in_reply_to;
    mail.references = references;
    if own_cut || replies_cut || references_cut {
        deviations.note(Deviation::TooManyReferences);
    }
}

/// The people of every header of this name: several are not allowed and are one list all the same.
fn people(fields: &Fields, name: &str, deviations: &mut Deviations) -> Vec<Person> {
    let mut out: Vec<Person> = Vec::new();
    for value in fields.all(name) {
        let (people, flaws) = addresses::parse(value);
        if flaws.without_address {
            deviations.note(Deviation::InvalidAddress { name: name.to_owned() });
        }
        if flaws.too_many || out.len() + people.len() > MAX_PEOPLE {
            deviations.note(Deviation::TooManyPeople { name: name.to_owned() });
        }
        let room = MAX_PEOPLE - out.len();
        out.extend(people.into_iter().take(room));
    }
    out
}
