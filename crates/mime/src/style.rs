//! Inline styles that cannot load, cover or run anything.
//!
//! Owns the list of properties and the shape of values. Never interprets CSS: a value that is not
//! plainly harmless is dropped. Invariant: output has no URL, escape, comment or function but
//! colours, and filtering it again changes nothing.

/// Properties that change how text looks where it stands.
#[rustfmt::skip]
const PROPERTIES: [&str; 53] = [
    "background", "background-color", "border", "border-bottom", "border-bottom-color", "border-bottom-style",
    "border-bottom-width", "border-collapse", "border-color", "border-left", "border-left-color", "border-left-style",
    "border-left-width", "border-radius", "border-right", "border-right-color", "border-right-style",
    "border-right-width", "border-spacing", "border-style", "border-top", "border-top-color", "border-top-style",
    "border-top-width", "border-width", "color", "direction", "display", "font", "font-family", "font-size",
    "font-style", "font-weight", "height", "letter-spacing", "line-height", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "min-width", "padding",
    "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "white-space",
    "width",
];

/// More than the longest honest value, a list of fonts.
const MAX_VALUE: usize = 300;

/// Keeps the harmless declarations of a style attribute.
pub(crate) fn filter(style: &str) -> String {
    let mut out = String::new();
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim();
        if PROPERTIES.contains(&property.as_str()) && is_harmless(&property, value) {
            if !out.is_empty() {
                out.push(';');
            }
            out.push_str(&property);
            out.push(':');
            out.push_str(value);
        }
    }
    out
}

fn is_harmless(property: &str, value: &str) -> bool {
    let plain = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '#' | '%' | '.' | ',' | '-' | '+' | '!' | '\'' | '"' | '/' | '_' | '(' | ')'
            )
    };
    let even = |quote: char| value.matches(quote).count().is_multiple_of(2);
    let lower = value.to_ascii_lowercase();
    let negative = lower
        .split([' ', ','])
        .any(|word| word.starts_with('-') && word[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    !value.is_empty()
        && value.len() <= MAX_VALUE
        && value.chars().all(plain)
        && even('\'')
        && even('"')
        && only_colour_functions(&lower)
        && !(negative && property.starts_with("margin"))
        && !["url", "expression", "javascript", "import"]
            .iter()
            .any(|word| lower.contains(word))
        && !(property == "display" && lower.contains("contents"))
}

fn only_colour_functions(value: &str) -> bool {
    let mut pieces = value.split('(');
    let mut before = pieces.next().unwrap_or_default();
    for piece in pieces {
        let name: String = before
            .chars()
            .rev()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        // Reversed, since it is read from the bracket back.
        if !matches!(name.as_str(), "bgr" | "abgr" | "lsh" | "alsh") || !piece.contains(')') {
            return false;
        }
        before = piece;
    }
    value.matches('(').count() == value.matches(')').count()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn looks_are_kept() {
        let style = "color: #333; FONT-FAMILY:\"Segoe UI\", Arial ;background-color:rgb(1, 2,3)";
        let kept = "color:#333;font-family:\"Segoe UI\", Arial;background-color:rgb(1, 2,3)";
        assert_eq!(filter(style), kept);
        assert_eq!(filter(kept), kept);
    }

    #[test]
    fn whatever_loads_covers_or_runs_is_dropped() {
        for style in [
            "background:url(http://x.example/a.png)",
            "background:u\\72l(x)",
            "background:URL (x)",
            "width:expression(alert(1))",
            "background:image-set('a.png' 1x)",
            "position:fixed",
            "margin-top:-9999px",
            "behavior:x",
            "color:red/**/",
            "color:rgb(url(x))",
            "font-family:'x",
            "@import 'x'",
            "-moz-binding:x",
            "content:'x'",
        ] {
            assert_eq!(filter(style), "", "{style}");
        }
    }
}
