//! Where history or a forwarded mail begins.
//!
//! Owns the judgement over attributions, header blocks, lines of dashes and what the HTML says. Never
//! decides what becomes of the lines after it.

use super::{
    Circumstances,
    attribution::{self, Weight},
    header_block,
    lines::{Hint, Line},
    words,
};

/// What begins with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Introduction {
    /// A forwarded mail, which is content.
    Forward,
    /// An earlier mail.
    History {
        /// The first line of the earlier mail itself.
        body: usize,
        /// Whether it is history even where nothing marks it as quoted.
        alone: bool,
    },
}

/// What begins with this line of the author's own, if anything does.
pub(super) fn at(lines: &[Line<'_>], index: usize, circumstances: Circumstances) -> Option<Introduction> {
    let line = &lines[index];
    if line.is_blank() {
        return None;
    }
    if let Some(found) = announced(lines, index, circumstances) {
        return Some(found);
    }
    if is_rule(&line.text) {
        let next = after_blanks(lines, index + 1);
        let block = header_block::at(lines, next);
        let marked = line.hint == Hint::History || lines.get(next).is_some_and(|line| line.hint == Hint::History);
        if block.complete || (marked && block.labelled >= 2) {
            return Some(Introduction::History {
                body: block.end,
                alone: true,
            });
        }
        return None;
    }
    let block = header_block::at(lines, index);
    let marked = line.hint == Hint::History && block.labelled >= 2;
    if marked || (block.complete && circumstances.answers && !is_announced(lines, index)) {
        return Some(Introduction::History {
            body: block.end,
            alone: true,
        });
    }
    let (weight, body) = attribution::at(lines, index).or_else(|| {
        // What the HTML calls an attribution is one in any language.
        (line.hint == Hint::Attribution).then_some((Weight::Light, index + 1))
    })?;
    Some(Introduction::History {
        body,
        alone: weight == Weight::Full && circumstances.answers,
    })
}

/// Whether the author leads over to this line, as to a mail that is shown for its own sake.
fn is_announced(lines: &[Line<'_>], index: usize) -> bool {
    let before = lines[..index].iter().rev().find(|line| !line.is_blank());
    before.is_some_and(|line| line.text.ends_with([':', '：']))
}

/// Whether a quote is a forwarded mail, as Apple Mail quotes those.
pub(super) fn is_forward(lines: &[Line<'_>], index: usize, circumstances: Circumstances) -> bool {
    announced(lines, index, circumstances) == Some(Introduction::Forward)
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, `Begin forwarded message:`.
fn announced(lines: &[Line<'_>], index: usize, circumstances: Circumstances) -> Option<Introduction> {
    /// Longer ones are sentences.
    const MAX_WORDS: usize = 60;
    let text = &*lines[index].text;
    /// Bytes of an attribution between dashes.
    const MAX_LENGTH: usize = 400;
    let framed = text.starts_with("--") && text.ends_with("--") && text.len() <= MAX_LENGTH;
    let words = text.trim_matches(|c: char| c == '-' || c.is_whitespace());
    if words.is_empty() {
        return None;
    }
    if framed && attribution::weigh(words) == Some(Weight::Full) {
        return Some(Introduction::History {
            body: index + 1,
            alone: circumstances.answers,
        });
    }
    if !(framed || text.ends_with([':', '：'])) || words.chars().count() > MAX_WORDS {
        return None;
    }
    let block = header_block::at(lines, after_blanks(lines, index + 1));
    let lower = words.to_lowercase();
    if words::says_forwarded(&lower) && block.known >= 1 {
        return Some(Introduction::Forward);
    }
    let original = framed && words::says_original(&lower) && block.known >= 1;
    (original || (framed && block.complete)).then_some(Introduction::History {
        body: block.end,
        alone: true,
    })
}

/// The next line with text.
pub(super) fn after_blanks(lines: &[Line<'_>], from: usize) -> usize {
    let blanks = lines.iter().skip(from).take_while(|line| line.is_blank()).count();
    (from + blanks).min(lines.len())
}

/// A line that is drawn, as Outlook draws one before the headers of the earlier mail.
pub(super) fn is_rule(text: &str) -> bool {
    text.chars().count() >= 4 && text.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '─'))
}
