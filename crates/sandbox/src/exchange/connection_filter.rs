//! The hosted connection filter policy: which servers' mail is always taken, and whose is refused.
//!
//! Owns the entries and their limits (contract §7): single addresses, IPv4 ranges of at most 256 addresses, IPv4
//! networks from /24 to /32, single IPv6 addresses, at most 1,273 entries a list. The allow list beats the block list.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// Entries of one list.
pub const MAX_ENTRIES: usize = 1_273;
/// Addresses of one range.
const MAX_RANGE: u32 = 256;
/// Networks from this prefix on.
const MIN_PREFIX: u32 = 24;

/// The one policy, `Default`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFilter {
    /// Entries as written.
    pub allow: Vec<String>,
    /// Entries as written.
    pub block: Vec<String>,
    /// Whether Microsoft's own safe list counts.
    pub safe_list: bool,
    /// Description.
    pub description: String,
}

/// What the policy says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its mail skips the filters.
    Allowed,
    /// Its mail is refused.
    Blocked,
    /// Nothing.
    Unknown,
}

/// First and last address.
type Range = (IpAddr, IpAddr);

impl ConnectionFilter {
    /// Judges a server.
    #[must_use]
    pub fn judge(&self, server: IpAddr) -> Verdict {
        let within = |list: &[String]| {
            list.iter()
                .filter_map(|entry| parse(entry).ok())
                .any(|(first, last)| first <= server && server <= last && first.is_ipv4() == server.is_ipv4())
        };
        if within(&self.allow) {
            Verdict::Allowed
        } else if within(&self.block) {
            Verdict::Blocked
        } else {
            Verdict::Unknown
        }
    }
}

/// Checks a whole list.
///
/// # Errors
/// What is wrong with it.
pub fn check(list: &[String]) -> Result<(), String> {
    if list.len() > MAX_ENTRIES {
        return Err(format!("the list has more than {MAX_ENTRIES} entries"));
    }
    list.iter().try_for_each(|entry| parse(entry).map(|_| ()))
}

/// Reads an entry.
///
/// # Errors
/// What is wrong with it.
pub fn parse(entry: &str) -> Result<Range, String> {
    let bad = || {
        format!(
            "'{entry}' isn't a valid IP address, an address range of at most {MAX_RANGE} addresses, or a CIDR range from /{MIN_PREFIX} to /32"
        )
    };
    let v4 = |text: &str| text.trim().parse::<Ipv4Addr>().map_err(|_| bad());
    if let Some((address, prefix)) = entry.split_once('/') {
        let address = u32::from(v4(address)?);
        let prefix: u32 = prefix.trim().parse().map_err(|_| bad())?;
        if !(MIN_PREFIX..=32).contains(&prefix) {
            return Err(bad());
        }
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
        let first = address & !hosts;
        return Ok((Ipv4Addr::from(first).into(), Ipv4Addr::from(first | hosts).into()));
    }
    if let Some((first, last)) = entry.split_once('-') {
        let (first, last) = (v4(first)?, v4(last)?);
        let size = u32::from(last).checked_sub(u32::from(first)).ok_or_else(bad)?;
        if size >= MAX_RANGE {
            return Err(bad());
        }
        return Ok((first.into(), last.into()));
    }
    let address: IpAddr = entry.trim().parse().map_err(|_| bad())?;
    Ok((address, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documented_entries_are_taken() {
        for good in [
            "192.0.2.1",
            "192.0.2.0/24",
            "192.0.2.7/32",
            "192.0.2.0-192.0.2.255",
            "2001:db8::1",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "mail.example",
            "192.0.2.0/23",
            "192.0.2.0/33",
            "192.0.2.0/x",
            "192.0.2.0-192.0.3.0",
            "192.0.2.9-192.0.2.1",
            "2001:db8::/64",
            "2001:db8::1-2001:db8::2",
            "192.0.2",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let full = vec!["192.0.2.1".to_owned(); MAX_ENTRIES];
        assert!(check(&full).is_ok());
        assert!(check(&vec!["192.0.2.1".to_owned(); MAX_ENTRIES + 1]).is_err());
    }

    #[test]
    fn allowing_beats_blocking() {
        let filter = ConnectionFilter {
            allow: vec!["192.0.2.5".to_owned()],
            block: vec!["192.0.2.0/24".to_owned()],
            ..ConnectionFilter::default()
        };
        assert_eq!(filter.judge(Ipv4Addr::new(192, 0, 2, 5).into()), Verdict::Allowed);
        assert_eq!(filter.judge(Ipv4Addr::new(192, 0, 2, 6).into()), Verdict::Blocked);
        assert_eq!(filter.judge(Ipv4Addr::new(192, 0, 3, 6).into()), Verdict::Unknown);
    }
}
