//! How the tenant's transport behaves where Microsoft's behaviour is customisable, or not certain.
//!
//! Owns the switches and their bounds; the control interface reads and changes them. Limits are those of contract §4.

use serde::{Deserialize, Serialize};

/// Recipients of one mail that Microsoft lets an administrator choose at most.
const MOST_RECIPIENTS: usize = 1_000;
/// Largest mail that Microsoft lets an administrator choose.
const MOST_BYTES: usize = 150 * 1024 * 1024;

/// The switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransportSettings {
    /// Mails a mailbox sends in a minute; further ones leave later (30 at Microsoft). None: no limit.
    pub messages_per_minute: Option<u32>,
    /// Recipients a mailbox sends to in 24 hours. None: no limit.
    pub recipients_per_day: Option<u32>,
    /// Recipients of one mail.
    pub recipients_per_message: usize,
    /// Largest mail that is sent or taken by SMTP.
    pub max_message_bytes: usize,
    /// HTTP status of `ErrorExceededMessageLimit`: reported as 400, 403 and 429.
    pub over_limit_status: u16,
    /// HTTP status of `ErrorQuotaExceeded`: not documented; 507 is Graph's documented status of a full store.
    pub over_quota_status: u16,
    /// Whether rules and forwarding addresses may send to the outside; Microsoft's default is no.
    pub external_forwarding: bool,
    /// Whether `X-Auto-Response-Suppress: All` also silences non-delivery reports, as MS-OXCMAIL has it; `NDR` does.
    pub all_suppresses_reports: bool,
    /// Whether `user+tag@domain` reaches `user@domain`.
    pub plus_addressing: bool,
    /// Seconds until the sender hears that a mail is late.
    pub delay_notice_after_seconds: u32,
    /// Seconds until a mail that cannot be handed over is given up.
    pub expire_after_seconds: u32,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            messages_per_minute: None,
            recipients_per_day: Some(10_000),
            recipients_per_message: MOST_RECIPIENTS,
            max_message_bytes: 35 * 1024 * 1024,
            over_limit_status: 429,
            over_quota_status: 507,
            external_forwarding: false,
            all_suppresses_reports: false,
            plus_addressing: true,
            delay_notice_after_seconds: 4 * 3600,
            expire_after_seconds: 24 * 3600,
        }
    }
}

impl TransportSettings {
    /// Whether Microsoft would take these.
    ///
    /// # Errors
    /// What is wrong, with the fix.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MOST_RECIPIENTS).contains(&self.recipients_per_message) {
            return Err(format!(
                "recipients_per_message must lie between 1 and {MOST_RECIPIENTS}"
            ));
        }
        if !(1..=MOST_BYTES).contains(&self.max_message_bytes) {
            return Err(format!("max_message_bytes must lie between 1 and {MOST_BYTES}"));
        }
        if ![400, 403, 429].contains(&self.over_limit_status) {
            return Err("over_limit_status is one of 400, 403, 429".to_owned());
        }
        if !(400..600).contains(&self.over_quota_status) {
            return Err("over_quota_status is an error status between 400 and 599".to_owned());
        }
        if self.messages_per_minute == Some(0) {
            return Err("messages_per_minute is at least 1, or null for no limit".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_microsoft_has_are_taken() {
        assert!(TransportSettings::default().check().is_ok());
        for wrong in [
            r#"{"recipients_per_message": 1001}"#,
            r#"{"max_message_bytes": 999999999}"#,
            r#"{"over_limit_status": 200}"#,
            r#"{"over_quota_status": 302}"#,
            r#"{"messages_per_minute": 0}"#,
        ] {
            let settings: TransportSettings = serde_json::from_str(wrong).unwrap();
            assert!(settings.check().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<TransportSettings>(r#"{"unknown": 1}"#).is_err());
    }
}
