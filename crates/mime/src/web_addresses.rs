//! Addresses of links and images in HTML: which ones may stand.
//!
//! Owns the decision by scheme. Never resolves or fetches anything. Invariant: an address that is
//! returned is without control characters and of a scheme that runs nothing.

use url::Url;

use crate::bounds::MAX_ATTRIBUTE;

/// Whether a value, read as browsers read addresses, names a script.
pub(crate) fn names_script(value: &str) -> bool {
    let bare: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect();
    ["javascript:", "vbscript:", "data:"]
        .iter()
        .any(|scheme| bare.contains(scheme))
}

/// An address without the blanks and controls that browsers ignore.
fn bare(address: &str) -> String {
    address.trim().chars().filter(|c| !c.is_control()).collect()
}

fn has_scheme(address: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| {
        address
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// A link's address if it leads to a page, a person or a telephone.
pub(crate) fn link(address: &str) -> Option<String> {
    let address = bare(address);
    has_scheme(&address, &["http://", "https://", "mailto:", "tel:"])
        .then_some(address)
        .filter(|address| Url::parse(address).is_ok())
}

/// Where an image comes from.
pub(crate) enum Source {
    /// From the mail itself.
    Embedded(String),
    /// From elsewhere.
    Remote(String),
}

/// An image's address, if it is one that may be shown. SVG is left out: it may hold scripts.
pub(crate) fn source(address: &str) -> Option<Source> {
    const PICTURES: [&str; 5] = [
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
        "data:image/gif;base64,",
        "data:image/webp;base64,",
    ];
    let address = bare(address);
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | ' ' | '%');
    if has_scheme(&address, &["cid:"]) {
        Some(Source::Embedded(address))
    } else if has_scheme(&address, &PICTURES) {
        let (_, data) = address.split_once(',')?;
        data.chars().all(base64).then_some(Source::Embedded(address))
    } else if has_scheme(&address, &["http://", "https://"]) {
        (address.len() <= MAX_ATTRIBUTE).then_some(Source::Remote(address))
    } else if address.starts_with("//") {
        (address.len() <= MAX_ATTRIBUTE).then(|| Source::Remote(format!("https:{address}")))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_known_schemes_only() {
        for address in [
            "javascript:alert(1)",
            "java\nscript:x",
            " data:text/html,x",
            "vbscript:x",
            "/relative",
            "file:///x",
        ] {
            assert_eq!(link(address), None, "{address}");
        }
        assert_eq!(link(" https://x.example/").as_deref(), Some("https://x.example/"));
    }
}
