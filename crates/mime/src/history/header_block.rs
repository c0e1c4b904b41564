//! Blocks of labelled lines that repeat the headers of another mail.
//!
//! Owns their recognition: who, when, and to whom or about what, in any order. Never looks at what
//! surrounds them.

use super::{
    attribution,
    lines::Line,
    words::{self, Role},
};

/// Lines of a block, those of long recipient lists included.
const MAX_LINES: usize = 16;
/// Characters of a label.
const MAX_LABEL: usize = 25;

/// How many labelled lines of a header block stand from here on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Lines with a label that we know.
    pub(super) known: usize,
    /// Lines of the form `label: value`.
    pub(super) labelled: usize,
    /// Who, when, and to whom or about what are all there.
    pub(super) complete: bool,
    /// The line after the last labelled one.
    pub(super) end: usize,
}

/// The block that begins with this line; nothing in it if the line has no label.
pub(super) fn at(lines: &[Line<'_>], index: usize) -> Block {
    let mut block = Block {
        end: index,
        ..Block::default()
    };
    let (mut from, mut date, mut aim) = (false, false, false);
    let (mut blanks, mut continued) = (0, 0);
    for (count, line) in lines[index..].iter().take(MAX_LINES).enumerate() {
        if line.is_blank() {
            blanks += 1;
            // Some programs put every header into a paragraph of its own.
            if blanks > 1 || count == 0 {
                break;
            }
            continue;
        }
        if line.depth != lines[index].depth {
            break;
        }
        let Some((label, value)) = label(&line.text) else {
            continued += 1;
            if count == 0 || blanks > 0 || continued > 6 {
                break;
            }
            continue;
        };
        let role = words::role(&label);
        // After a blank line, other labels belong to the text.
        if blanks > 0 && role.is_none() {
            break;
        }
        blanks = 0;
        block.labelled += 1;
        block.end = index + count + 1;
        let Some(role) = role else { continue };
        block.known += 1;
        from |= role == Role::From && !value.is_empty();
        date |= role == Role::Date && (attribution::has_day(value) || attribution::has_time(value));
        aim |= matches!(role, Role::To | Role::Subject);
        block.complete = from && date && aim;
    }
    block
}

/// Label, lower case, and value of a labelled line. Stars are the bold type of HTML turned into text.
fn label(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start_matches(['*', '|', ' ']);
    let at = line.find([':', '：'])?;
    let colon = line[at..].chars().next()?;
    let label = line[..at].trim_matches(|c: char| c == '*' || c.is_whitespace());
    let plain = !label.is_empty() && label.chars().count() <= MAX_LABEL && label.split_whitespace().count() <= 3;
    let value = line[at + colon.len_utf8()..].trim_matches(|c: char| c == '*' || c.is_whitespace());
    (plain && !value.starts_with("//")).then(|| (label.to_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::lines::of_text;

    #[test]
    fn blocks_are_complete_in_their_languages() {
        for (from, date, to, subject) in [
            ("From", "Sent", "To", "Subject"),
            ("De", "Envoyé", "À", "Objet"),
            ("Von", "Gesendet", "An", "Betreff"),
            ("De", "Enviado", "Para", "Asunto"),
            ("Da", "Inviato", "A", "Oggetto"),
            ("Van", "Verzonden", "Aan", "Onderwerp"),
            ("De", "Enviada em", "Para", "Assunto"),
            ("差出人", "送信日時", "宛先", "件名"),
        ] {
            let text =
                format!("{from} : Ada\n{date} : 4.3.2025 10:12\n{to} : a@b.example;\n c@d.example\n{subject} : x\n\ny");
            let block = at(&of_text(&text), 0);
            assert_eq!((block.known, block.complete, block.end), (4, true, 5), "{from}");
        }
    }

    #[test]
    fn bold_labels_and_paragraphs_are_read() {
        let text = "*From:* Ada\n\n*Date:* 4.3.2025\n\n*Subject:* x\n\nName: y";
        let block = at(&of_text(text), 0);
        assert_eq!((block.known, block.complete, block.end), (3, true, 5));
    }

    #[test]
    fn other_labels_are_counted_and_no_more() {
        let block = at(&of_text("Name: Ada\nOrder: 4711\nFrom: Berlin"), 0);
        assert_eq!((block.known, block.labelled, block.complete), (1, 3, false));
        assert_eq!(
            at(&of_text("http://contoso.example"), 0),
            Block {
                end: 0,
                ..Block::default()
            }
        );
    }
}
