//! Delivery status fields (RFC 3464): one block of them for each recipient.
//!
//! Owns their reading from `message/delivery-status` parts and from texts in which such blocks
//! stand in the open. Lenient: blocks may be split by stray blank lines, and the fields of one
//! recipient may stand in two blocks.

use crate::{
    ParsedMail,
    report::{
        Action, MAX_DIAGNOSTIC, MAX_RECIPIENTS, RecipientReport,
        phase::Phase,
        reason::{self, Clue},
        reply,
        status::{self, EnhancedStatus},
    },
};

/// What is gathered about one recipient before it is judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) address: String,
    pub(super) action: Option<Action>,
    /// The `Status` field.
    pub(super) status: Option<EnhancedStatus>,
    /// Words of the server, without the type in front.
    pub(super) diagnostic: String,
    /// The type of the diagnostic, such as `smtp` or `x-unix`, in lower case.
    pub(super) kind: String,
    /// What the report says around the address; read where the diagnostic is silent.
    pub(super) context: String,
}

impl Entry {
    /// Draws the conclusions. `report` is the whole text of the report, for transcripts in it; `common`
    /// is as much of it as may be taken to speak of this recipient.
    pub(super) fn judge(self, report: &str, common: &str) -> RecipientReport {
        let said = if self.diagnostic.is_empty() {
            &self.context
        } else {
            &self.diagnostic
        };
        let said = one_line(said);
        let context = one_line(&self.context);
        let status = self.own_status(&said, &context, common);
        let reply = reply::code(&said)
            .or_else(|| reply::code(&self.diagnostic))
            .or_else(|| reply::code(&self.context))
            .filter(|code| self.action == Some(Action::Delivered) || *code >= 400);
        let phase = Phase::of(&self.diagnostic)
            .or_else(|| Phase::of(&self.context))
            .or_else(|| Phase::in_transcript(report, &self.diagnostic));
        let reason = reason::of(&Clue {
            said: &said,
            context: &context,
            report: common,
            kind: &self.kind,
            status,
            reply,
            phase,
        });
        let action = self.action.unwrap_or(match status {
            Some(EnhancedStatus { class: 2, .. }) => Action::Delivered,
            _ => Action::Failed,
        });
        RecipientReport {
            address: self.address,
            action,
            status,
            reply,
            reason,
            diagnostic: said.chars().take(MAX_DIAGNOSTIC).collect(),
        }
    }

    /// The code in the remote server's own words says more than the `Status` that the reporting
    /// server made of it.
    fn own_status(&self, said: &str, context: &str, common: &str) -> Option<EnhancedStatus> {
        let refusal = |text: &str| {
            let codes = status::all(text);
            let last = codes
                .iter()
                .rev()
                .find(|status| status.class != 2 || self.action == Some(Action::Delivered));
            last.copied()
        };
        let in_words = refusal(said);
        match (in_words, self.status) {
            (Some(words), Some(field)) if words.is_vague() && !field.is_vague() => Some(field),
            (Some(words), _) => Some(words),
            (None, Some(field)) if !field.is_vague() => Some(field),
            (None, field) => refusal(context).or(field).or_else(|| refusal(common)),
        }
    }
}

/// All white space becomes one space, and repeated codes of a reply in several lines are kept: they
/// do no harm.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The recipients that the mail's fields tell of.
pub(super) fn read(mail: &ParsedMail, report: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for part in &mail.attachments {
        let kind = part.content_type.as_str();
        if matches!(kind, "message/delivery-status" | "message/global-delivery-status") {
            entries.extend(blocks(&String::from_utf8_lossy(&part.bytes)));
        }
    }
    if entries.is_empty() {
        entries = blocks(report);
        entries.retain(|entry| !entry.address.is_empty());
    }
    entries.truncate(MAX_RECIPIENTS);
    entries
}

/// The fields that speak of a recipient.
const FIELDS: &[&str] = &[
    "final-recipient",
    "original-recipient",
    "x-actual-recipient",
    "action",
    "status",
    "diagnostic-code",
    "remote-mta",
];

fn blocks(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut block: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            close(&mut block, &mut entries);
        } else if line.starts_with([' ', '\t'])
            && let Some((_, value)) = block.last_mut()
        {
            value.push(' ');
            value.push_str(line.trim());
        } else if let Some((name, value)) = line.trim_start().split_once(':') {
            let name = name.trim().to_ascii_lowercase();
            if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                block.push((name, value.trim().to_owned()));
            }
        } else if let Some((name, value)) = block.last_mut()
            && name == "diagnostic-code"
        {
            // A server broke its line and did not indent the rest.
            value.push(' ');
            value.push_str(line.trim());
        }
    }
    close(&mut block, &mut entries);
    entries
}

fn close(block: &mut Vec<(String, String)>, entries: &mut Vec<Entry>) {
    let fields = std::mem::take(block);
    let strong = fields
        .iter()
        .filter(|(name, _)| FIELDS.contains(&name.as_str()))
        .count();
    let has = |wanted: &str| fields.iter().any(|(name, _)| name == wanted);
    let about_recipient = has("final-recipient") || has("original-recipient") || has("diagnostic-code");
    if !about_recipient || (strong < 2 && !has("diagnostic-code")) {
        return;
    }
    let entry = entry(&fields);
    match entries.last_mut() {
        // A block that names nobody goes on with the one before it.
        Some(last) if entry.address.is_empty() && last.diagnostic.is_empty() => {
            last.diagnostic = entry.diagnostic;
            last.kind = entry.kind;
            last.action = last.action.or(entry.action);
            last.status = last.status.or(entry.status);
        }
        _ => entries.push(entry),
    }
}

fn entry(fields: &[(String, String)]) -> Entry {
    let value = |wanted: &str| {
        fields
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let (kind, diagnostic) = value("diagnostic-code").map(typed).unwrap_or_default();
    let address = ["final-recipient", "x-actual-recipient", "original-recipient"]
        .into_iter()
        .filter_map(|name| value(name).map(address))
        .find(|address| address.contains('@'))
        .unwrap_or_default();
    // Some servers put what they know behind the code, in brackets.
    let comment = value("status")
        .and_then(|status| status.split_once('('))
        .map(|(_, comment)| comment);
    Entry {
        address,
        action: value("action").and_then(action),
        status: value("status").and_then(EnhancedStatus::first_in),
        diagnostic: if diagnostic.is_empty() {
            comment.unwrap_or_default().trim_end_matches(')').to_owned()
        } else {
            diagnostic
        },
        kind,
        context: comment.unwrap_or_default().to_owned(),
    }
}

/// `smtp; 550 …` as its type and text; without a type the whole is the text.
fn typed(value: &str) -> (String, String) {
    match value.split_once(';') {
        Some((kind, text)) if kind.len() <= 40 && !kind.trim().contains(' ') => {
            (kind.trim().to_ascii_lowercase(), text.trim().to_owned())
        }
        _ => (String::new(), value.to_owned()),
    }
}

fn address(value: &str) -> String {
    let text = value.split_once(';').map_or(value, |(_, address)| address);
    text.trim().trim_matches(['<', '>', '"', '\'']).to_owned()
}

fn action(value: &str) -> Option<Action> {
    let word = value.split([' ', '(', ';']).next()?.trim().to_ascii_lowercase();
    match word.as_str() {
        "failed" | "failure" | "expired" => Some(Action::Failed),
        "delayed" => Some(Action::Delayed),
        "delivered" | "relayed" | "expanded" => Some(Action::Delivered),
        _ => None,
    }
}
