//! `[addresses]`: the ranges from which mail is sent into the tenant by SMTP, by region.
//!
//! Owns the rules of the whole list; a single range is checked by its type. Reads the platform's published list from a
//! file, never from the network: what is allowed must not change unseen.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::PathBuf,
};

use guichet_domain::{AddressRange, allow_list::MOST_ENTRIES};
use guichet_setup::profile::Selection;
use serde::Deserialize;
use url::Url;

/// A published list has some hundred entries of some hundred bytes.
pub const LARGEST_FILE: u64 = 4 << 20;

/// `[addresses]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// IPv4 ranges by the name of a region.
    pub regions: BTreeMap<String, Vec<AddressRange>>,
    /// The platform's published list, JSON; what the profile selects of it is added to `regions`.
    pub file: Option<PathBuf>,
    /// Where the platform publishes the list; `guichet connect ranges` fetches it into `file`.
    pub url: Option<Url>,
    /// Regions of the file that count; all of them if none is listed.
    pub only: BTreeSet<String>,
}

impl Addresses {
    /// The ranges of all regions, sorted, each once.
    pub fn all(&self) -> Vec<AddressRange> {
        let ranges: BTreeSet<_> = self.regions.values().flatten().copied().collect();
        ranges.into_iter().collect()
    }

    /// The same with the ranges of the file among its regions.
    pub(super) fn with_file(&self, selection: &Selection) -> Result<Self, (&'static str, String)> {
        let mut all = self.clone();
        let Some(file) = &self.file else { return Ok(all) };
        let wrong = |problem: String| ("addresses.file", format!("{}: {problem}", file.display()));
        let mut text = String::new();
        let opened = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
        opened
            .take(LARGEST_FILE)
            .read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        let published = selection.read(&text).map_err(|error| wrong(error.to_string()))?;
        if let Some(region) = self.only.iter().find(|region| !published.contains_key(*region)) {
            let known: Vec<_> = published.keys().map(String::as_str).collect();
            let problem = format!("`{region}` is not in the file; it has {}", known.join(", "));
            return Err(("addresses.only", problem));
        }
        for (region, ranges) in published {
            if self.only.is_empty() || self.only.contains(&region) {
                let listed = all.regions.entry(region).or_default();
                let new: Vec<_> = ranges.into_iter().filter(|range| !listed.contains(range)).collect();
                listed.extend(new);
            }
        }
        all.check()?;
        Ok(all)
    }

    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.file.is_none() && !self.only.is_empty() {
            return Err(("addresses.only", "it selects from `file`, which is not set".to_owned()));
        }
        if let (Some(url), None) = (&self.url, &self.file) {
            let problem = format!("{url} is fetched into `file`, which is not set");
            return Err(("addresses.url", problem));
        }
        if let Some(url) = self
            .url
            .as_ref()
            .filter(|url| url.scheme() != "https" && !super::is_loopback(url))
        {
            let problem = format!("{url} is not https: anybody on the way could add addresses");
            return Err(("addresses.url", problem));
        }
        for (region, ranges) in &self.regions {
            let mut seen = BTreeSet::new();
            if let Some(twice) = ranges.iter().find(|range| !seen.insert(**range)) {
                return Err(("addresses.regions", format!("{twice} is listed twice in `{region}`")));
            }
        }
        let count = self.all().len();
        if count > MOST_ENTRIES {
            let problem = format!("{count} ranges, the connection filter's allow list takes {MOST_ENTRIES}");
            return Err(("addresses.regions", problem));
        }
        Ok(())
    }
}
