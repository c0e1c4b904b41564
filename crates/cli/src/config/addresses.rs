//! `[addresses]`: the ranges from which mail is sent into the tenant by SMTP, by region.
//!
//! Owns the rules of the whole list; a single range is checked by its type.

use std::collections::{BTreeMap, BTreeSet};

use guichet_domain::{AddressRange, allow_list::MOST_ENTRIES};
use serde::Deserialize;

/// `[addresses]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// IPv4 ranges by the name of a region.
    pub regions: BTreeMap<String, Vec<AddressRange>>,
}

impl Addresses {
    /// The ranges of all regions, sorted, each once.
    pub fn all(&self) -> Vec<AddressRange> {
        let ranges: BTreeSet<_> = self.regions.values().flatten().copied().collect();
        ranges.into_iter().collect()
    }

    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
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
