//! How much a mailbox may send (contract §4).
//!
//! Owns the judgement before a mail is accepted. A mail that is refused counts nothing; one above the rate is accepted
//! and leaves later.

use http::StatusCode;

use crate::mail::mailbox::Mailbox;
use crate::mail::message::Seconds;
use crate::mail::transport::Transport;
use crate::odata::error::ODataError;

impl Transport {
    /// Accepts a mail with so many recipients and bytes, and says when it leaves.
    ///
    /// # Errors
    /// `ErrorExceededMessageLimit` above the recipients of a day, `ErrorQuotaExceeded` when the mailbox is full.
    pub fn admit(
        &self,
        mailbox: &mut Mailbox,
        recipients: usize,
        bytes: usize,
        now: Seconds,
    ) -> Result<Seconds, ODataError> {
        let settings = self.settings();
        let refused = |status: u16, code: &'static str, message: &'static str| {
            ODataError::new(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
                code,
                message,
            )
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let is_full = |quota: u64| mailbox.used_bytes().saturating_add(bytes) > quota;
        if mailbox.delivery.quota_bytes.is_some_and(is_full) {
            return Err(refused(
                settings.over_quota_status,
                "ErrorQuotaExceeded",
                "The mailbox has exceeded its storage quota., Cannot send mail: the message store has reached its maximum size.",
            ));
        }
        let count = u32::try_from(recipients).unwrap_or(u32::MAX);
        let sent = &mut mailbox.delivery.sent;
        let of_day = sent.recipients_of_day(now) + u64::from(count);
        if settings.recipients_per_day.is_some_and(|most| of_day > u64::from(most)) {
            return Err(refused(
                settings.over_limit_status,
                "ErrorExceededMessageLimit",
                "Cannot send mail. Daily Message/Recipient limit exceeded.",
            ));
        }
        Ok(sent.note(now, count, settings.messages_per_minute))
    }
}
