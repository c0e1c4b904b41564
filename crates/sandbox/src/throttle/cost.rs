//! What a Graph request uses: which limits it falls under, and its price in resource units.
//!
//! Owns the price list of directory requests (Microsoft Graph throttling limits, "Identity and access"): a base price
//! by resource, one less for `$select` and for a `$top` below 20, one more for `$expand`, never less than one.

use http::Method;
use uuid::Uuid;

/// `$top` below which a list is cheaper.
const SMALL_PAGE: u32 = 20;

/// Which limits a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// A mailbox, by its user's object id.
    Mailbox(Uuid),
    /// `/subscriptions`.
    Subscriptions,
    /// Directory objects.
    Identity,
    /// The envelope of a batch, whose parts are counted one by one.
    Batch,
    /// Nothing but the limit of the application.
    Other,
}

/// What a request uses.
#[derive(Debug, Clone)]
pub struct Work {
    /// Which limits.
    pub area: Area,
    /// HTTP method.
    pub method: Method,
    /// Bytes of its body.
    pub bytes: u64,
    /// Price in resource units; 0 outside the directory.
    pub units: u32,
}

impl Work {
    /// Measures a request: segments after the edition.
    #[must_use]
    pub fn measure(area: Area, method: &Method, segments: &[String], query: &[(String, String)], bytes: usize) -> Self {
        let units = match area {
            Area::Identity => price(method, segments, query),
            _ => 0,
        };
        Self {
            area,
            method: method.clone(),
            bytes: bytes as u64,
            units,
        }
    }

    /// Whether its bytes count as upload.
    #[must_use]
    pub fn is_upload(&self) -> bool {
        matches!(self.method, Method::POST | Method::PATCH | Method::PUT)
    }
}

fn price(method: &Method, segments: &[String], query: &[(String, String)]) -> u32 {
    let words: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let base = if *method == Method::GET {
        match words.as_slice() {
            ["groups", _, "transitivemembers", ..] => 5,
            ["domains", _, "domainnamereferences", ..] => 4,
            ["contracts" | "groups", ..] => 3,
            ["applications"] | ["users"] | ["me", "memberof" | "transitivememberof", ..] => 2,
            ["applications", _, "extensionproperties", ..] => 2,
            ["users", _, "memberof" | "transitivememberof", ..] => 2,
            _ => 1,
        }
    } else {
        match words.last().copied() {
            Some("checkmembergroups" | "ismemberof") => 4,
            Some("getbyids" | "getobjectsbyid") => 3,
            Some("getmembergroups") => 2,
            _ => 1,
        }
    };
    let option = |name: &str| query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let small = option("$top").is_some_and(|(_, top)| top.parse::<u32>().is_ok_and(|top| top < SMALL_PAGE));
    let dearer = base + u32::from(option("$expand").is_some());
    let cheaper = u32::from(option("$select").is_some()) + u32::from(small);
    dearer.saturating_sub(cheaper).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::paths::{query_pairs, segments};

    fn units(method: &Method, path: &str, query: &str) -> u32 {
        Work::measure(Area::Identity, method, &segments(path), &query_pairs(query), 0).units
    }

    #[test]
    fn prices_follow_the_list() {
        for (method, path, query, expected) in [
            (Method::GET, "/users", "", 2),
            (Method::GET, "/users", "$select=id", 1),
            (Method::GET, "/users", "$select=id&$top=5", 1),
            (Method::GET, "/users", "%24expand=manager", 3),
            (Method::GET, "/users", "$top=20", 2),
            (Method::GET, "/users/a", "", 1),
            (Method::GET, "/applications", "", 2),
            (Method::GET, "/groups/a/transitiveMembers", "", 5),
            (Method::POST, "/applications", "", 1),
            (Method::POST, "/users/a/checkMemberGroups", "", 4),
        ] {
            assert_eq!(units(&method, path, query), expected, "{method} {path}?{query}");
        }
    }
}
