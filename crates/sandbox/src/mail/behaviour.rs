//! What can be switched about the mailboxes of a tenant: where Microsoft's own behaviour is reported in several
//! forms, or changes from day to day.
//!
//! Owns the switches and their checks. They are set by the control interface and apply from the next request on.

use serde::{Deserialize, Serialize};

/// Codes that a lost delta state is reported under (contract §2.3); any spelling of them by case is one more.
const GONE_CODES: [&str; 6] = [
    "SyncStateNotFound",
    "ResyncRequired",
    "InvalidSyncStateData",
    "SyncStateInvalid",
    "ResyncChangesApplyDifferences",
    "ResyncChangesUploadDifferences",
];

/// The switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailBehaviour {
    /// Whether answers without `$select` carry `@microsoft.graph.tips`.
    pub tips: bool,
    /// Messages that one search finds at most: 1,000 today, 250 in 2021.
    pub search_results: usize,
    /// The code of the 410 that a delta token ends in.
    pub gone_code: String,
    /// Whether that 410 names a fresh URL in `Location`.
    pub gone_location: bool,
    /// Seconds after which a delta or skip token expires; never when absent.
    pub delta_token_life: Option<i64>,
    /// Whether every first page of a delta round is empty and leads to the next.
    pub empty_delta_pages: bool,
}

impl Default for MailBehaviour {
    fn default() -> Self {
        Self {
            tips: false,
            search_results: 1_000,
            gone_code: GONE_CODES[0].to_owned(),
            gone_location: false,
            delta_token_life: None,
            empty_delta_pages: false,
        }
    }
}

impl MailBehaviour {
    /// What is wrong with the values, for people.
    pub fn check(&self) -> Result<(), String> {
        if !GONE_CODES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&self.gone_code))
        {
            return Err(format!(
                "'{}' is none of {} in any case",
                self.gone_code,
                GONE_CODES.join(", ")
            ));
        }
        if self.search_results == 0 {
            return Err("search_results must be at least 1".to_owned());
        }
        if self.delta_token_life.is_some_and(|life| life < 0) {
            return Err("delta_token_life cannot be negative".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_taken_in_any_case_and_invented_ones_refused() {
        let with = |code: &str| MailBehaviour {
            gone_code: code.to_owned(),
            ..MailBehaviour::default()
        };
        assert!(with("syncstatenotfound").check().is_ok() && with("resyncRequired").check().is_ok());
        assert!(with("Vanished").check().is_err() && with("").check().is_err());
    }
}
