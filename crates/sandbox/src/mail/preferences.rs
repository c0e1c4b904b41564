//! The `Prefer` header of a mail request.
//!
//! Owns its syntax and which preferences count for mail (contract §2.2); unknown ones are ignored, as RFC 7240 says.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};
use jiff::tz::TimeZone;

use crate::mail::body::HtmlSafety;
use crate::mail::ids::IdForm;
use crate::mail::message::BodyKind;
use crate::mail::time_zones;
use crate::server::paths::{GraphRequest, GraphResponse};

/// What the client prefers.
#[derive(Debug, Clone)]
pub struct Preferences {
    pub form: IdForm,
    pub body: Option<BodyKind>,
    pub safety: HtmlSafety,
    /// `outlook.timezone`: its canonical name and rules. Mail times are UTC whatever it says; it shows in values that
    /// carry a time zone of their own.
    pub time_zone: Option<PreferredZone>,
    /// `return=minimal`
    pub minimal: bool,
    /// `odata.maxpagesize`
    pub max_page: Option<usize>,
    applied: Vec<String>,
}

/// A time zone that the client prefers.
#[derive(Debug, Clone)]
pub struct PreferredZone {
    /// Canonical name.
    pub name: String,
    pub rules: TimeZone,
    /// The preference as the client wrote it.
    pub written: String,
}

/// The header that names the preferences which were honoured.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

impl Preferences {
    /// Reads the preferences of a request.
    #[must_use]
    pub fn of(request: &GraphRequest) -> Self {
        Self::parse(&request.header_list("prefer"))
    }

    /// Nothing but a form of ids.
    #[must_use]
    pub fn with_form(form: IdForm) -> Self {
        Self {
            form,
            ..Self::parse("")
        }
    }

    fn parse(header: &str) -> Self {
        let mut found = Self {
            form: IdForm::Default,
            body: None,
            safety: HtmlSafety::Sanitised,
            time_zone: None,
            minimal: false,
            max_page: None,
            applied: Vec::new(),
        };
        for preference in split(header) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let value = value.trim().trim_matches('"').trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "idtype" if value.eq_ignore_ascii_case("immutableid") => {
                    found.form = IdForm::Immutable;
                    found.applied.push(preference.to_owned());
                }
                "outlook.body-content-type" => {
                    found.body = match value.to_ascii_lowercase().as_str() {
                        "text" => Some(BodyKind::Text),
                        "html" => Some(BodyKind::Html),
                        _ => continue,
                    };
                    found.applied.push(preference.to_owned());
                }
                "outlook.allow-unsafe-html" => {
                    found.safety = HtmlSafety::AsWritten;
                    found.applied.push(preference.to_owned());
                }
                "outlook.timezone" => {
                    found.time_zone = time_zones::zone(value).map(|(name, rules)| PreferredZone {
                        name,
                        rules,
                        written: preference.to_owned(),
                    });
                }
                "return" if value.eq_ignore_ascii_case("minimal") => found.minimal = true,
                "odata.maxpagesize" | "maxpagesize" => {
                    found.max_page = value.parse().ok().filter(|size| *size > 0);
                }
                _ => {}
            }
        }
        found
    }

    /// The answer to a write: without its body where the client asked for the least.
    #[must_use]
    pub fn acknowledge_write(&self, response: GraphResponse) -> GraphResponse {
        if !self.minimal {
            return self.acknowledge(response, &[]);
        }
        let mut bare = GraphResponse::empty(StatusCode::NO_CONTENT);
        bare.headers = response.headers;
        bare.headers.remove(CONTENT_TYPE);
        self.acknowledge(bare, &["return=minimal"])
    }

    /// Adds `Preference-Applied` where anything was applied; `more` goes first.
    #[must_use]
    pub fn acknowledge(&self, response: GraphResponse, more: &[&str]) -> GraphResponse {
        let applied: Vec<&str> = more
            .iter()
            .copied()
            .chain(self.applied.iter().map(String::as_str))
            .collect();
        if applied.is_empty() {
            response
        } else {
            response.with_header(PREFERENCE_APPLIED, &applied.join(", "))
        }
    }
}

/// Splits at commas and semicolons outside quotes.
fn split(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, character) in header.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => {
                parts.push(header[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(header[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_preferences_are_all_read() {
        let found = Preferences::parse(
            "IdType=\"ImmutableId\", outlook.body-content-type=\"text\"; odata.maxpagesize=7, x=\"a,b\"",
        );
        assert_eq!(found.form, IdForm::Immutable);
        assert_eq!(found.body, Some(BodyKind::Text));
        assert_eq!(found.max_page, Some(7));
        assert_eq!(found.applied.len(), 2);
        assert_eq!(Preferences::parse("").form, IdForm::Default);
    }
}
