//! The words of HTML that may stand in a shown mail.
//!
//! Owns the lists and what the tags mean for one another. Invariant: nothing on the lists loads,
//! runs or submits anything by itself, but for `img`, whose source is decided apart.

/// Tags that may stand in a shown mail.
#[rustfmt::skip] // one tag a line says no more
pub(crate) const TAGS: [&str; 62] = [
    "a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
    "wbr",
];

/// Attributes that may stand on any of them. `href`, `src` and the withheld source are decided apart.
#[rustfmt::skip]
pub(crate) const ATTRIBUTES: [&str; 22] = [
    "align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "color", "colspan", "dir", "face", "height",
    "lang", "nowrap", "reversed", "rowspan", "size", "start", "style", "title", "type", "valign", "width",
];

/// The tag of this name, if it may stand.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    TAGS.iter().find(|tag| **tag == name).copied()
}

/// Tags that may stand in tables only.
pub(crate) fn is_table_part(name: &str) -> bool {
    matches!(
        name,
        "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "caption" | "colgroup" | "col"
    )
}

/// Tags that end an open paragraph.
pub(crate) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "blockquote"
            | "center"
            | "div"
            | "dl"
            | "dd"
            | "dt"
            | "figcaption"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "li"
            | "ol"
            | "p"
            | "pre"
            | "table"
            | "ul"
    )
}
