//! Who may do what in a mailbox.
//!
//! Owns the mapping from application permissions and delegated scopes to mail operations (contract §2 and §5). An
//! application reaches every mailbox of the tenant; a signed-in user only their own.

use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::mail::refusal;
use crate::odata::error::ODataError;

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Send,
    Settings,
    SettingsWrite,
}

/// How much of a message the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Full,
    /// Mail.ReadBasic: no body, preview, attachments or extended properties.
    Basic,
}

/// Lets the caller through or answers 403.
pub fn check(caller: &Caller, mailbox_owner: Uuid, access: Access) -> Result<Depth, ODataError> {
    match caller.kind {
        CallerKind::App => {}
        CallerKind::Delegated if caller.user_id == Some(mailbox_owner) => {}
        CallerKind::Delegated | CallerKind::Anonymous => return Err(refusal::access_denied()),
    }
    let full: &[&str] = match access {
        Access::Read => &["Mail.Read", "Mail.ReadWrite"],
        Access::Write => &["Mail.ReadWrite"],
        Access::Send => &["Mail.Send"],
        Access::Settings => &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
        Access::SettingsWrite => &["MailboxSettings.ReadWrite"],
    };
    if caller.may(full) {
        return Ok(Depth::Full);
    }
    if access == Access::Read && caller.may(&["Mail.ReadBasic", "Mail.ReadBasic.All"]) {
        return Ok(Depth::Basic);
    }
    Err(refusal::access_denied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(kind: CallerKind, permissions: &[&str], user: Option<Uuid>) -> Caller {
        let held: Vec<String> = permissions.iter().map(|name| (*name).to_owned()).collect();
        let mut caller = Caller::anonymous();
        caller.kind = kind;
        caller.user_id = user;
        caller.roles.clone_from(&held);
        caller.scopes = held;
        caller
    }

    #[test]
    fn each_operation_needs_its_own_permission() {
        let owner = Uuid::from_u128(1);
        let reader = caller(CallerKind::App, &["Mail.Read"], None);
        assert_eq!(check(&reader, owner, Access::Read).unwrap(), Depth::Full);
        assert!(check(&reader, owner, Access::Write).is_err());
        assert!(check(&reader, owner, Access::Send).is_err());
        let writer = caller(CallerKind::App, &["Mail.ReadWrite"], None);
        assert!(check(&writer, owner, Access::Read).is_ok() && check(&writer, owner, Access::Write).is_ok());
        assert!(check(&writer, owner, Access::Send).is_err());
        let basic = caller(CallerKind::App, &["Mail.ReadBasic.All"], None);
        assert_eq!(check(&basic, owner, Access::Read).unwrap(), Depth::Basic);
        assert!(check(&caller(CallerKind::App, &[], None), owner, Access::Read).is_err());
    }

    #[test]
    fn a_signed_in_user_reaches_only_the_own_mailbox() {
        let owner = Uuid::from_u128(1);
        assert!(
            check(
                &caller(CallerKind::Delegated, &["Mail.Read"], Some(owner)),
                owner,
                Access::Read
            )
            .is_ok()
        );
        let stranger = caller(CallerKind::Delegated, &["Mail.Read"], Some(Uuid::from_u128(2)));
        assert!(check(&stranger, owner, Access::Read).is_err());
        assert!(
            check(
                &caller(CallerKind::Anonymous, &["Mail.Read"], None),
                owner,
                Access::Read
            )
            .is_err()
        );
    }
}
