//! Address ranges as the connection filter's allow list takes them.
//!
//! Owns the rules of one entry and of the whole list. Never asks which of them a tenant has. Source of the rules:
//! Exchange Online's `Set-HostedConnectionFilterPolicy`.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The widest range that the connection filter takes.
pub const WIDEST_PREFIX: u8 = 24;

/// The most entries that the allow list holds.
pub const MOST_ENTRIES: usize = 1273;

/// An IPv4 range of at most 256 addresses: `203.0.113.0/28`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: Ipv4Addr,
    prefix: u8,
}

/// Why a text is no entry of the allow list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARange {
    /// Neither an address nor a range.
    #[error("`{0}` is not an IPv4 range: expected 203.0.113.0/28 or 203.0.113.7")]
    Shape(String),
    /// IPv6.
    #[error("`{0}` is IPv6: the connection filter takes IPv4 only")]
    Ipv6(String),
    /// Wider than the connection filter takes.
    #[error("`{0}` is wider than /24: the connection filter takes /24 to /32; list its /24 ranges")]
    TooWide(String),
    /// The address is not the first one of the range.
    #[error("`{given}` has bits beyond its prefix: the range is {meant}")]
    HostBits {
        /// As given.
        given: String,
        /// The range that holds it.
        meant: AddressRange,
    },
}

impl AddressRange {
    /// Reads one entry.
    ///
    /// # Errors
    /// [`NotARange`] naming what is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, NotARange> {
        let (address, prefix) = split(text)?;
        if prefix < WIDEST_PREFIX {
            return Err(NotARange::TooWide(text.trim().to_owned()));
        }
        let meant = Self {
            first: masked(address, prefix),
            prefix,
        };
        if meant.first != address {
            let given = text.trim().to_owned();
            return Err(NotARange::HostBits { given, meant });
        }
        Ok(meant)
    }

    /// Reads a published range of any width; a wide one is cut into its /24 ranges.
    ///
    /// # Errors
    /// [`NotARange`] if it is no IPv4 range, or wider than the whole list could hold.
    pub fn parse_wide(text: &str) -> Result<Vec<Self>, NotARange> {
        let (address, prefix) = split(text)?;
        if prefix >= WIDEST_PREFIX {
            let first = masked(address, prefix);
            return Ok(vec![Self { first, prefix }]);
        }
        let count = 1_u32 << (WIDEST_PREFIX - prefix);
        if usize::try_from(count).map_or(true, |count| count > MOST_ENTRIES) {
            return Err(NotARange::TooWide(text.trim().to_owned()));
        }
        let start = u32::from(masked(address, prefix));
        let piece = |at: u32| Self {
            first: Ipv4Addr::from(start + (at << 8)),
            prefix: WIDEST_PREFIX,
        };
        Ok((0..count).map(piece).collect())
    }

    /// Whether every address of the other range lies in this one.
    pub fn covers(&self, other: Self) -> bool {
        other.prefix >= self.prefix && self.contains(other.first)
    }

    /// Whether the address lies in the range.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        masked(address, self.prefix) == self.first
    }
}

fn split(text: &str) -> Result<(Ipv4Addr, u8), NotARange> {
    let text = text.trim();
    let shape = || NotARange::Shape(text.to_owned());
    if text.contains(':') {
        return Err(NotARange::Ipv6(text.to_owned()));
    }
    let (address, prefix) = match text.split_once('/') {
        None => (text, 32),
        Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            (address, prefix.parse().map_err(|_| shape())?)
        }
        Some(_) => return Err(shape()),
    };
    let address = address.parse().map_err(|_| shape())?;
    if prefix > 32 {
        return Err(shape());
    }
    Ok((address, prefix))
}

fn masked(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    Ipv4Addr::from(u32::from(address) & mask)
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            32 => write!(f, "{}", self.first),
            prefix => write!(f, "{}/{prefix}", self.first),
        }
    }
}

impl FromStr for AddressRange {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        Self::parse(text)
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_that_the_connection_filter_takes() {
        for (text, shown) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            (" 203.0.113.16/28 ", "203.0.113.16/28"),
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
        ] {
            assert_eq!(AddressRange::parse(text).map(|r| r.to_string()).as_deref(), Ok(shown));
        }
        for (text, told) in [
            ("2001:db8::/32", "IPv4 only"),
            ("203.0.112.0/23", "/24 to /32"),
            ("203.0.113.5/28", "203.0.113.0/28"),
            ("203.0.113.0/33", "is not an IPv4 range"),
            ("203.0.113.0/+8", "is not an IPv4 range"),
            ("203.0.113", "is not an IPv4 range"),
            ("", "is not an IPv4 range"),
        ] {
            let error = AddressRange::parse(text).expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_wide_range_is_cut_into_pieces_that_cover_it() {
        let pieces = AddressRange::parse_wide("198.51.100.0/22").expect("a range");
        let shown: Vec<_> = pieces.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "198.51.100.0/24",
                "198.51.101.0/24",
                "198.51.102.0/24",
                "198.51.103.0/24"
            ]
        );
        assert!(matches!(
            AddressRange::parse_wide("0.0.0.0/0"),
            Err(NotARange::TooWide(_))
        ));
        assert!(matches!(
            AddressRange::parse_wide("10.0.0.0/8"),
            Err(NotARange::TooWide(_))
        ));
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_read_again(address: u32, prefix in WIDEST_PREFIX..=32) {
            let first = masked(Ipv4Addr::from(address), prefix);
            let range = AddressRange { first, prefix };
            proptest::prop_assert_eq!(AddressRange::parse(&range.to_string()), Ok(range));
            proptest::prop_assert!(range.contains(Ipv4Addr::from(address)));
        }
    }
}
