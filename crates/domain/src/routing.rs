//! Which queue a mail goes to: routes match the addresses a mail was sent to.

use serde::{Deserialize, Serialize};

use crate::EmailAddress;

/// A route: address pattern to queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Unique name, shown wherever the route decided something.
    pub name: String,
    /// `support@contoso.example`, `*@contoso.example` or `*`.
    pub address: AddressPattern,
    /// Languages of the mail that it is for; any if empty. Mail whose language is not clear matches no
    /// route that names languages.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Queue of conversations that matching mail goes to.
    pub queue: String,
    /// Priority given to new conversations: 0 is the highest, 9 the lowest.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// For how many days after its close a conversation takes replies.
    #[serde(default = "default_window_days")]
    pub threading_window_days: u16,
}

const fn default_priority() -> u8 {
    5
}

/// Days after close within which a reply reopens a conversation, unless the route says otherwise.
pub const DEFAULT_WINDOW_DAYS: u16 = 30;

const fn default_window_days() -> u16 {
    DEFAULT_WINDOW_DAYS
}

/// A language: two or three lower-case letters, as of ISO 639.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language(String);

/// The text is no language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language: expected a code such as `en` or `fr`")]
pub struct NotALanguage(pub String);

impl Language {
    /// Parses a code; capitals are allowed.
    ///
    /// # Errors
    /// [`NotALanguage`] for anything else, regions such as `en-GB` included.
    pub fn parse(text: &str) -> Result<Self, NotALanguage> {
        let code = text.trim().to_ascii_lowercase();
        if (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(Self(code))
        } else {
            Err(NotALanguage(text.to_owned()))
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Language {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Pattern over addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressPattern {
    /// Exactly this address; `local+tag@domain` matches as well.
    Address(EmailAddress),
    /// Any address of the domain.
    Domain(String),
    /// Any address.
    Any,
}

/// The text is no address pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address pattern: expected local@domain, *@domain or *")]
pub struct NotAPattern(pub String);

impl AddressPattern {
    /// Parses `local@domain`, `*@domain` or `*`.
    ///
    /// # Errors
    /// [`NotAPattern`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let bad = || NotAPattern(text.to_owned());
        match text.trim() {
            "*" => Ok(Self::Any),
            other => match other.strip_prefix("*@") {
                Some(domain) if !domain.is_empty() && !domain.contains(['@', '*', ' ']) => {
                    Ok(Self::Domain(domain.to_lowercase()))
                }
                Some(_) => Err(bad()),
                None if other.contains('*') => Err(bad()),
                None => EmailAddress::parse(other).map(Self::Address).map_err(|_| bad()),
            },
        }
    }

    /// How exactly the pattern matches; `None` if not at all. Greater is more exact.
    fn exactness(&self, address: &EmailAddress) -> Option<u8> {
        match self {
            Self::Address(wanted) if wanted == address => Some(3),
            Self::Address(wanted) if wanted.domain() == address.domain() => {
                let (base, _) = address.local_part().split_once('+')?;
                (base == wanted.local_part()).then_some(2)
            }
            Self::Domain(domain) if domain == address.domain() => Some(1),
            Self::Any => Some(0),
            Self::Address(_) | Self::Domain(_) => None,
        }
    }
}

impl std::fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => write!(f, "*@{domain}"),
            Self::Any => f.write_str("*"),
        }
    }
}

impl Serialize for AddressPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where a mail goes and why; stored with the conversation and the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteDecision {
    /// Name of the route; `None` if no route matched and the default queue was taken.
    pub route: Option<String>,
    /// The queue.
    pub queue: String,
    /// 0 (highest) to 9.
    pub priority: u8,
    /// Threading window in days.
    pub threading_window_days: u16,
    /// Why, in words.
    pub reason: String,
}

/// Queue for mail that no route matches. Nothing is ever left without a queue.
pub const DEFAULT_QUEUE: &str = "default";

/// Chooses the route of a mail.
///
/// `recipients` are the addresses of To and Cc in order; `mailbox` is where it arrived and is tried
/// last, because it also holds for Bcc and redirected mail. The most exact pattern wins; among
/// equals the route that names the mail's language, then the earlier recipient, then the earlier route.
pub fn route(
    routes: &[Route],
    recipients: &[EmailAddress],
    mailbox: &EmailAddress,
    language: Option<&Language>,
) -> RouteDecision {
    let mut best: Option<((u8, bool), &Route, &EmailAddress)> = None;
    for address in recipients.iter().chain(std::iter::once(mailbox)) {
        for candidate in routes {
            let speaks = language.is_some_and(|language| candidate.languages.contains(language));
            if !candidate.languages.is_empty() && !speaks {
                continue;
            }
            let Some(exactness) = candidate.address.exactness(address) else {
                continue;
            };
            let fit = (exactness, speaks);
            if best.is_none_or(|(so_far, ..)| fit > so_far) {
                best = Some((fit, candidate, address));
            }
        }
    }
    match best {
        Some(((_, speaks), route, address)) => RouteDecision {
            route: Some(route.name.clone()),
            queue: route.queue.clone(),
            priority: route.priority,
            threading_window_days: route.threading_window_days,
            reason: match language.filter(|_| speaks) {
                Some(language) => format!(
                    "{address} matches `{}` of route `{}`, which is for `{language}`",
                    route.address, route.name
                ),
                None => format!("{address} matches `{}` of route `{}`", route.address, route.name),
            },
        },
        None => RouteDecision {
            route: None,
            queue: DEFAULT_QUEUE.to_owned(),
            priority: default_priority(),
            threading_window_days: DEFAULT_WINDOW_DAYS,
            reason: format!("no route matches the recipients or {mailbox}: default queue"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("address")
    }

    fn a_route(name: &str, pattern: &str) -> Route {
        Route {
            name: name.into(),
            address: AddressPattern::parse(pattern).expect("pattern"),
            languages: Vec::new(),
            queue: format!("{name}-queue"),
            priority: 5,
            threading_window_days: 30,
        }
    }

    #[test]
    fn most_exact_pattern_wins_whatever_the_order() {
        let routes = [
            a_route("any", "*"),
            a_route("domain", "*@contoso.example"),
            a_route("one", "a@contoso.example"),
        ];
        let name = |to: &str| route(&routes, &[address(to)], &address("box@fabrikam.example"), None).route;
        assert_eq!(name("a@contoso.example").as_deref(), Some("one"));
        assert_eq!(name("a+tag@contoso.example").as_deref(), Some("one"));
        assert_eq!(name("b@contoso.example").as_deref(), Some("domain"));
        assert_eq!(name("b@else.example").as_deref(), Some("any"));
    }

    #[test]
    fn blind_copy_is_routed_by_the_mailbox() {
        let routes = [a_route("one", "a@contoso.example")];
        let decided = route(
            &routes,
            &[address("list@else.example")],
            &address("a@contoso.example"),
            None,
        );
        assert_eq!(decided.route.as_deref(), Some("one"));
    }

    #[test]
    fn without_a_route_there_is_still_a_queue() {
        assert_eq!(
            route(&[], &[], &address("a@contoso.example"), None).queue,
            DEFAULT_QUEUE
        );
    }

    #[test]
    fn language_decides_among_equally_exact_routes_only() {
        let language = |code: &str| Language::parse(code).expect("language");
        let french = Route {
            languages: vec![language("fr"), language("FR")],
            ..a_route("french", "a@contoso.example")
        };
        let french_any = Route {
            languages: vec![language("fr")],
            ..a_route("french-any", "*")
        };
        let routes = [
            a_route("one", "a@contoso.example"),
            french,
            french_any,
            a_route("any", "*"),
        ];
        let name = |to: &str, code: Option<&str>| {
            let language = code.map(language);
            route(
                &routes,
                &[address(to)],
                &address("box@fabrikam.example"),
                language.as_ref(),
            )
            .route
        };
        assert_eq!(name("a@contoso.example", Some("fr")).as_deref(), Some("french"));
        assert_eq!(name("a@contoso.example", Some("de")).as_deref(), Some("one"));
        assert_eq!(name("a@contoso.example", None).as_deref(), Some("one"));
        assert_eq!(name("b@contoso.example", Some("fr")).as_deref(), Some("french-any"));
        assert_eq!(name("b@contoso.example", None).as_deref(), Some("any"));
    }

    #[test]
    fn what_is_no_code_is_no_language() {
        for bad in ["", "f", "en-GB", "French", "fr1"] {
            assert!(Language::parse(bad).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn nonsense_patterns_are_refused() {
        for bad in ["", "a*@b", "*@", "*@*", "*@a@b", "nobody"] {
            assert!(AddressPattern::parse(bad).is_err(), "{bad} was accepted");
        }
    }
}
