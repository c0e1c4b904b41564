//! The parts of a message: new text, signature, history.
//!
//! Owns the cutting of a message's text at the recorded lengths. Never drops anything: the parts in
//! their order are the whole, and a record that does not fit gives one part.

use guichet_store::{ContentPart, PartKind};
use serde::Serialize;
use utoipa::ToSchema;

/// A stretch of a message.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MessagePart {
    /// `new` (written in this message), `signature`, or `quoted` (repeated from earlier messages).
    #[schema(example = "new")]
    pub kind: &'static str,
    pub content: String,
}

impl MessagePart {
    /// Cuts a text; it is new as a whole where nothing is recorded.
    pub(super) fn cut(text: &str, parts: &[ContentPart]) -> Vec<Self> {
        let part = |kind, content: &str| Self {
            kind: match kind {
                PartKind::New => "new",
                PartKind::Signature => "signature",
                PartKind::Quoted => "quoted",
            },
            content: content.to_owned(),
        };
        let mut cut = Vec::with_capacity(parts.len());
        let mut rest = text;
        for recorded in parts {
            let Some((content, after)) = rest.split_at_checked(recorded.length) else {
                rest = text;
                break;
            };
            cut.push(part(recorded.kind, content));
            rest = after;
        }
        match rest {
            "" => cut,
            _ => vec![part(PartKind::New, text)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, parts: &[(PartKind, usize)]) -> Vec<(&'static str, String)> {
        let parts: Vec<ContentPart> = parts
            .iter()
            .map(|&(kind, length)| ContentPart { kind, length })
            .collect();
        let cut = MessagePart::cut(text, &parts);
        cut.into_iter().map(|part| (part.kind, part.content)).collect()
    }

    #[test]
    fn text_is_cut_at_the_recorded_lengths() {
        assert_eq!(
            cut("aé> b", &[(PartKind::New, 3), (PartKind::Quoted, 3)]),
            [("new", "aé".to_owned()), ("quoted", "> b".to_owned())]
        );
        assert_eq!(cut("", &[]), []);
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_the_text_whole() {
        for parts in [
            &[][..],
            &[(PartKind::Quoted, 2)],
            &[(PartKind::Quoted, 3), (PartKind::New, 9)],
            &[(PartKind::Quoted, 4)],
        ] {
            assert_eq!(cut("aé> b", parts), [("new", "aé> b".to_owned())], "{parts:?}");
        }
    }
}
