//! Which lines become which part.
//!
//! Owns the decision over the whole mail: what follows an introduction, answers between quoted lines,
//! answers below a quote. Invariant: the parts cover the text from its first byte to its last.

use std::ops::Range;

use super::{
    Circumstances, Part, PartKind,
    introduction::{self, Introduction, after_blanks, is_rule},
    lines::Line,
    signature, words,
};
use crate::bounds::MAX_DIVIDED_LINES;

/// Lines of a quote above an answer that stay in sight: so much may be the question that is answered.
const SHORT_QUOTE: usize = 6;

/// Bytes of a text that points to answers below it: a greeting, a sentence or two, a name.
const MAX_POINTER: usize = 400;

/// Divides a text of `length` bytes.
pub(super) fn divide(lines: &[Line<'_>], length: usize, circumstances: Circumstances) -> Vec<Part> {
    if lines.len() > MAX_DIVIDED_LINES {
        return parts(&[], &[], length);
    }
    let found = scan(lines, circumstances);
    let kinds = judge(lines, &found);
    parts(lines, &kinds, length)
}

/// What the lines hold.
#[derive(Default)]
struct Found {
    /// Quoted lines with what introduces them.
    quotes: Vec<Quote>,
    /// From here on everything is history.
    history: Option<usize>,
    /// From here on everything is a forwarded mail.
    forward: Option<usize>,
}

struct Quote {
    range: Range<usize>,
    introduced: bool,
}

fn scan(lines: &[Line<'_>], circumstances: Circumstances) -> Found {
    let mut found = Found::default();
    let mut index = 0;
    while index < lines.len() {
        let line = &lines[index];
        if line.depth > 0 {
            let end = quote_end(lines, index);
            if circumstances.forwards || introduction::is_forward(lines, index, circumstances) {
                found.forward = Some(index);
                break;
            }
            let certain = lines[index..end].iter().any(|line| line.cited);
            if certain || (circumstances.answers && !circumstances.marks_are_vague) {
                found.quotes.push(Quote {
                    range: index..end,
                    introduced: false,
                });
            }
            index = end;
            continue;
        }
        match introduction::at(lines, index, circumstances) {
            None => index += 1,
            Some(Introduction::Forward) => {
                found.forward = Some(index);
                break;
            }
            Some(Introduction::History { body, alone }) => {
                let first = after_blanks(lines, body);
                let quoted = lines.get(first).is_some_and(|line| line.depth > 0);
                if !quoted && !alone {
                    index += 1;
                } else if circumstances.forwards {
                    found.forward = Some(index);
                    break;
                } else if quoted {
                    let end = quote_end(lines, first);
                    found.quotes.push(Quote {
                        range: index..end,
                        introduced: true,
                    });
                    index = end;
                } else {
                    found.history = Some(index);
                    break;
                }
            }
        }
    }
    found
}

/// The line after a quote; empty lines within it belong to it.
fn quote_end(lines: &[Line<'_>], start: usize) -> usize {
    let mut end = start;
    for (index, line) in lines.iter().enumerate().skip(start) {
        if line.depth > 0 {
            end = index + 1;
        } else if !line.is_blank() {
            break;
        }
    }
    end
}

fn judge(lines: &[Line<'_>], found: &Found) -> Vec<PartKind> {
    let mut kinds = vec![PartKind::New; lines.len()];
    let mut end = found.history.or(found.forward).unwrap_or(lines.len());
    if found.forward.is_none() {
        kinds[end..].fill(PartKind::Quoted);
    }
    // From the end back to where the author's own text ends. A signature may stand on both sides of a quote.
    let mut signatures = 2;
    let mut above = found.quotes.as_slice();
    loop {
        end -= lines[..end].iter().rev().take_while(|line| line.is_blank()).count();
        let Some((quote, before)) = above.split_last() else {
            break;
        };
        if quote.range.end == end && found.forward.is_none() {
            kinds[quote.range.clone()].fill(PartKind::Quoted);
            end = quote.range.start;
            above = before;
        } else if let Some(start) = sign(lines, &mut kinds, quote.range.end..end, true, &mut signatures) {
            end = start;
        } else {
            break;
        }
    }
    if above.is_empty()
        && let Some(start) = sign(lines, &mut kinds, 0..end, false, &mut signatures)
    {
        end = start;
    }
    let hides_answers = found.history.is_some() && points_below(lines, end);
    if hides_answers || !has_own(lines, &found.quotes, 0..end) {
        return vec![PartKind::New; lines.len()];
    }
    // An answer below one long quote, and nothing above it. Several quotes, or text on both sides, are
    // an answer line by line, in which the quotes are the questions.
    if let [quote] = above
        && quote.introduced
        && quote.range.len() > SHORT_QUOTE
        && !has_own(lines, &[], 0..quote.range.start)
    {
        kinds[quote.range.clone()].fill(PartKind::Quoted);
    }
    kinds
}

/// Whether a short text says that the answers stand below, where nothing marks them: as long ones do so
/// in passing, and say more than that.
fn points_below(lines: &[Line<'_>], end: usize) -> bool {
    let length: usize = lines[..end].iter().map(|line| line.text.len()).sum();
    length <= MAX_POINTER
        && lines[..end]
            .iter()
            .any(|line| words::points_below(&line.text.to_lowercase()))
}

/// Marks the signature at the end of these lines; where it begins.
fn sign(
    lines: &[Line<'_>],
    kinds: &mut [PartKind],
    range: Range<usize>,
    after_quote: bool,
    left: &mut usize,
) -> Option<usize> {
    *left = left.checked_sub(1)?;
    let start = range.start + signature::start(&lines[range.clone()], after_quote)?;
    kinds[start..range.end].fill(PartKind::Signature);
    Some(start)
}

/// Whether any of these lines holds text that is not quoted; `quotes` in ascending order.
fn has_own(lines: &[Line<'_>], quotes: &[Quote], range: Range<usize>) -> bool {
    let mut quotes = quotes.iter().peekable();
    range.into_iter().any(|index| {
        while quotes.next_if(|quote| quote.range.end <= index).is_some() {}
        let quoted = quotes.peek().is_some_and(|quote| quote.range.contains(&index));
        !quoted && !lines[index].text.is_empty() && !is_rule(&lines[index].text)
    })
}

/// Empty lines belong to what stands before them.
fn parts(lines: &[Line<'_>], kinds: &[PartKind], length: usize) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    let mut begun: Option<(PartKind, usize)> = None;
    for (line, kind) in lines.iter().zip(kinds) {
        match begun {
            Some((current, start)) if current != *kind && !line.is_blank() => {
                out.push(Part {
                    kind: current,
                    length: line.start - start,
                });
                begun = Some((*kind, line.start));
            }
            Some(_) => {}
            None => begun = Some((*kind, 0)),
        }
    }
    let (kind, start) = begun.unwrap_or((PartKind::New, 0));
    if length > start {
        out.push(Part {
            kind,
            length: length - start,
        });
    }
    out
}
