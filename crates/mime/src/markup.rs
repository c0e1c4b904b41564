//! HTML as a flat stream of tags and text.
//!
//! Owns the use of the tokenizer. Never builds a tree, so depth costs nothing. Invariant: what
//! stands in elements that hold no text for people (script, style, title) is not reported.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind::{self, Rawtext, Rcdata, ScriptData},
    },
};

/// One piece of HTML.
pub(crate) enum Piece<'a> {
    /// A start tag; name and attribute names are lower case.
    Open {
        name: &'a str,
        attributes: &'a [(String, String)],
    },
    /// An end tag.
    Close { name: &'a str },
    /// Text with its character references resolved.
    Text(&'a str),
}

/// Reports the pieces of `html` in order.
pub(crate) fn read(html: &str, report: impl FnMut(Piece<'_>)) {
    let sink = Sink(RefCell::new(State { report, hidden: None }));
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    // Fed again when it pauses for a script or an encoding, both of which are nothing to us.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    let _ = tokenizer.feed(&input);
    tokenizer.end();
}

struct State<F> {
    report: F,
    /// The element whose text is skipped.
    hidden: Option<String>,
}

struct Sink<F>(RefCell<State<F>>);

impl<F: FnMut(Piece<'_>)> TokenSink for Sink<F> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => state.tag(&tag),
            Token::CharacterTokens(text) => {
                if state.hidden.is_none() {
                    (state.report)(Piece::Text(&text));
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl<F: FnMut(Piece<'_>)> State<F> {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if tag.kind == TagKind::EndTag {
            match self.hidden.as_deref() {
                Some(hidden) if hidden == name => self.hidden = None,
                Some(_) => {}
                None => (self.report)(Piece::Close { name }),
            }
            return TokenSinkResult::Continue;
        }
        if let Some((kind, hidden)) = raw_text(name) {
            if hidden {
                self.hidden = Some(name.to_owned());
            }
            return TokenSinkResult::RawData(kind);
        }
        self.hidden = None;
        let attributes: Vec<(String, String)> = tag
            .attrs
            .iter()
            .map(|attr| (attr.name.local.to_string(), attr.value.to_string()))
            .collect();
        (self.report)(Piece::Open {
            name,
            attributes: &attributes,
        });
        TokenSinkResult::Continue
    }
}

/// Elements whose content is not markup, and whether it is hidden from people.
fn raw_text(name: &str) -> Option<(RawKind, bool)> {
    match name {
        "script" => Some((ScriptData, true)),
        "style" | "iframe" | "noembed" | "noframes" => Some((Rawtext, true)),
        "title" => Some((Rcdata, true)),
        "xmp" => Some((Rawtext, false)),
        "textarea" => Some((Rcdata, false)),
        _ => None,
    }
}

/// Escapes text for use between tags.
pub(crate) fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            '\0' => {}
            _ => out.push(c),
        }
    }
}

/// Escapes and appends an attribute with its leading blank.
pub(crate) fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            '\0' => {}
            _ => out.push(c),
        }
    }
    out.push('"');
}
