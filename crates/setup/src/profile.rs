//! Profiles: what the registration must look like for the program that will use it. Data, so that others can be added.
//!
//! Owns the shape of a profile, the built-in ones, and the reading of a platform's published address ranges. Reads no
//! file and asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use guichet_domain::AddressRange;
use serde::Deserialize;
use url::Url;

use crate::{AccountTypes, Error, permissions};

const BUILT_IN: [(&str, &str); 2] = [
    ("guichet", include_str!("../profiles/guichet.toml")),
    ("genesys-cloud", include_str!("../profiles/genesys-cloud.toml")),
];

/// What a program needs of the registration that it uses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Who may sign in with the application.
    pub account_types: AccountTypes,
    /// Redirect address of the web platform.
    pub redirect_uri: Url,
    /// Permissions of Microsoft Graph by name; today always the three of the procedure.
    pub permissions: BTreeSet<String>,
    /// Which of the published address ranges count.
    #[serde(default)]
    pub ranges: Selection,
}

/// Which entries of a platform's published list count. An empty set takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Services, such as `smtp`.
    pub services: BTreeSet<String>,
    /// Directions as the platform sees them, such as `outbound`.
    pub directions: BTreeSet<String>,
}

/// One entry of the list; whatever else it has is not looked at.
#[derive(Deserialize)]
struct Entry {
    cidr: Option<String>,
    service: Option<String>,
    region: Option<String>,
    direction: Option<String>,
}

#[derive(Deserialize)]
struct Published {
    entities: Vec<Entry>,
}

impl Profile {
    /// A built-in profile.
    ///
    /// # Errors
    /// [`Error::Desired`] that lists the known names.
    pub fn named(name: &str) -> Result<Self, Error> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(text),
            None => {
                let known: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                Err(wrong(format!(
                    "`{name}` is not known: use {}, or the path of a file that ends in .toml",
                    known.join(" or ")
                )))
            }
        }
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`Error::Desired`] naming what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let profile: Self = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        let wanted: BTreeSet<String> = permissions::ALL.iter().map(|p| p.name.to_owned()).collect();
        if profile.permissions != wanted {
            let names: Vec<_> = wanted.into_iter().collect();
            return Err(wrong(format!(
                "permissions must be exactly {}; others can't be granted yet",
                names.join(", ")
            )));
        }
        Ok(profile)
    }
}

impl Selection {
    /// The IPv4 ranges of a published list, `{"entities": [{"cidr", "service", "region", "direction"}]}`, by region. Entries
    /// that are no IPv4 range are passed over: the allow list could not take them.
    ///
    /// # Errors
    /// [`Error::Desired`] if the text is no such list, or if no entry counts.
    pub fn read(&self, text: &str) -> Result<BTreeMap<String, Vec<AddressRange>>, Error> {
        let refuse = |problem: String| Error::Desired {
            field: "addresses.file",
            problem,
        };
        let published: Published = serde_json::from_str(text).map_err(|error| {
            refuse(format!(
                "it is no list of address ranges (expected `entities`): {error}"
            ))
        })?;
        let mut regions: BTreeMap<String, BTreeSet<AddressRange>> = BTreeMap::new();
        for entry in &published.entities {
            let counts =
                takes(&self.services, entry.service.as_deref()) && takes(&self.directions, entry.direction.as_deref());
            let ranges = entry.cidr.as_deref().map(AddressRange::parse_wide);
            if let (true, Some(Ok(ranges))) = (counts, ranges) {
                let region = entry.region.as_deref().filter(|region| !region.is_empty());
                regions
                    .entry(region.unwrap_or("unnamed").to_owned())
                    .or_default()
                    .extend(ranges);
            }
        }
        if regions.is_empty() {
            let services: Vec<_> = self.services.iter().map(String::as_str).collect();
            return Err(refuse(format!(
                "none of its {} entries is an IPv4 range of the service {}",
                published.entities.len(),
                services.join(", ")
            )));
        }
        let sorted = |(region, ranges): (String, BTreeSet<_>)| (region, ranges.into_iter().collect());
        Ok(regions.into_iter().map(sorted).collect())
    }
}

/// Platforms differ in how they write the words; what is not said counts.
fn takes(wanted: &BTreeSet<String>, found: Option<&str>) -> bool {
    wanted.is_empty() || found.is_none_or(|found| wanted.iter().any(|word| word.eq_ignore_ascii_case(found)))
}

const fn wrong(problem: String) -> Error {
    Error::Desired {
        field: "profile",
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_are_read_under_their_own_names() {
        for (name, _) in BUILT_IN {
            assert_eq!(Profile::named(name).expect("valid").name, name);
        }
        let hosted = Profile::named("genesys-cloud").expect("valid");
        assert_eq!(hosted.account_types, AccountTypes::AnyOrganisation);
        assert_eq!(hosted.redirect_uri.as_str(), "http://localhost/");
    }

    #[test]
    fn bad_profiles_are_refused_with_what_to_write() {
        let error = Profile::named("genesis").expect_err("unknown").to_string();
        for told in ["genesis", "guichet", "genesys-cloud", ".toml"] {
            assert!(error.contains(told), "{error}");
        }
        let (_, text) = BUILT_IN[0];
        for (from, to, told) in [
            ("\"Mail.Send\", ", "", "Mail.Send"),
            ("account_types", "acount_types", "acount_types"),
            ("single-tenant", "everybody", "everybody"),
        ] {
            let error = Profile::parse(&text.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn published_ranges_are_read_leniently_and_only_those_that_count() {
        let text = r#"{ "pageSize": 4, "entities": [
            { "cidr": "203.0.113.0/28", "service": "SMTP", "region": "eu-west-1", "direction": "outbound", "new": 1 },
            { "cidr": "203.0.113.0/28", "service": "smtp", "region": "eu-west-1" },
            { "cidr": "198.51.100.0/23", "service": "smtp", "region": "us-east-1", "direction": "both" },
            { "cidr": "192.0.2.0/24", "service": "data-actions", "region": "eu-west-1", "direction": "outbound" },
            { "cidr": "192.0.2.7/32", "service": "smtp", "region": "eu-west-1", "direction": "inbound" },
            { "cidr": "2001:db8::/48", "service": "smtp", "region": "eu-west-1" },
            { "service": "smtp" },
            { "cidr": "192.0.2.9/32" }
        ] }"#;
        let selection = Profile::named("genesys-cloud").expect("valid").ranges;
        let regions = selection.read(text).expect("a list");
        let shown = |region: &str| -> Vec<String> { regions[region].iter().map(ToString::to_string).collect() };
        assert_eq!(shown("eu-west-1"), ["203.0.113.0/28"]);
        assert_eq!(shown("us-east-1"), ["198.51.100.0/24", "198.51.101.0/24"]);
        assert_eq!(shown("unnamed"), ["192.0.2.9"]);
        let error = selection.read("{}").expect_err("no list").to_string();
        assert!(
            error.contains("addresses.file") && error.contains("entities"),
            "{error}"
        );
        let error = selection.read(r#"{"entities":[]}"#).expect_err("empty").to_string();
        assert!(error.contains("smtp"), "{error}");
    }
}
