//! At which point of the SMTP conversation a server said no.
//!
//! Owns the reading of what mail programs write about it. It matters since an unknown user is one
//! only where the recipient was named: the same words in answer to the content are a filter's.

/// The command that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connection,
    Sender,
    Recipient,
    Content,
}

/// Words and what they tell, in lower case.
const WORDS: &[(&str, Phase)] = &[
    ("in reply to end of data", Phase::Content),
    ("in reply to data", Phase::Content),
    ("after end of data", Phase::Content),
    ("after end of message", Phase::Content),
    ("for text command", Phase::Content),
    ("our final data", Phase::Content),
    ("our data", Phase::Content),
    ("after data", Phase::Content),
    ("[data]", Phase::Content),
    ("data send", Phase::Content),
    ("failed after i sent the message", Phase::Content),
    ("(data", Phase::Content),
    ("in reply to rcpt", Phase::Recipient),
    ("after rcpt to", Phase::Recipient),
    ("our rcpt to", Phase::Recipient),
    ("after rcpt", Phase::Recipient),
    ("rcpt command", Phase::Recipient),
    ("[rcpt_to]", Phase::Recipient),
    ("smtp:rcpt", Phase::Recipient),
    ("does not like recipient", Phase::Recipient),
    ("server has rejected address", Phase::Recipient),
    ("in reply to mail", Phase::Sender),
    ("after mail from", Phase::Sender),
    ("our mail from", Phase::Sender),
    ("[mail_from]", Phase::Sender),
    ("but sender was rejected", Phase::Sender),
    ("rejected mail from", Phase::Sender),
    ("after initial connection", Phase::Connection),
    ("while receiving the initial server greeting", Phase::Connection),
    ("refused to talk to me", Phase::Connection),
    ("in reply to ehlo", Phase::Connection),
    ("in reply to helo", Phase::Connection),
    ("after ehlo", Phase::Connection),
    ("after helo", Phase::Connection),
];

impl Phase {
    /// What a sentence says of it.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let lower = super::fields::one_line(text).to_lowercase();
        WORDS
            .iter()
            .find(|(words, _)| lower.contains(words))
            .map(|(_, phase)| *phase)
    }

    fn of_command(line: &str) -> Option<Self> {
        let command = line.trim_start().to_ascii_uppercase();
        [
            ("RCPT", Self::Recipient),
            ("MAIL", Self::Sender),
            ("DATA", Self::Content),
            ("BDAT", Self::Content),
            ("EHLO", Self::Connection),
            ("HELO", Self::Connection),
        ]
        .into_iter()
        .find(|(word, _)| command.starts_with(word))
        .map(|(_, phase)| phase)
    }

    /// What a transcript in the report shows: the command before the answer that is quoted, in the
    /// two usual spellings (`>>>` and `<<<`), or a line that names the command alone.
    pub(super) fn in_transcript(report: &str, diagnostic: &str) -> Option<Self> {
        let quoted = essence(diagnostic);
        let mut command = None;
        let mut last = None;
        let mut alone = None;
        for line in report.lines() {
            let trimmed = line.trim();
            let spoken = trimmed.strip_prefix(">>>").or_else(|| trimmed.strip_prefix("Sent <<<"));
            let heard = trimmed
                .strip_prefix("<<<")
                .or_else(|| trimmed.strip_prefix("Received >>>"));
            if let Some(spoken) = spoken {
                command = Self::of_command(spoken).or(command);
            } else if let Some(heard) = heard {
                if !heard.trim_start().starts_with(['4', '5']) {
                    continue;
                }
                last = command;
                let heard = essence(heard);
                if !quoted.is_empty() && !heard.is_empty() && (quoted.contains(&heard) || heard.contains(&quoted)) {
                    return command;
                }
            } else if trimmed.len() <= 20 && alone.is_none() {
                alone = ["DATA", "RCPT TO", "MAIL FROM"]
                    .contains(&trimmed)
                    .then(|| Self::of_command(trimmed))
                    .flatten();
            }
        }
        last.or(alone)
    }
}

/// Letters and digits alone, so that line breaks and brackets do not matter.
fn essence(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(120)
        .collect()
}
