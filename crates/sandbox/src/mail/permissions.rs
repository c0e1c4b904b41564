//! Who may do what in a mailbox.
//!
//! Owns the mapping from application permissions and delegated scopes to mail operations (contract §2 and §5). An
//! application reaches every mailbox of the tenant that Exchange's rules leave it; a signed-in user their own, and
//! shared ones.

use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::directory::Directory;
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
///
/// What an application reaches is the union of Entra's grants, as far as no access policy blocks them, and of the
/// grants of Exchange, which no token shows (contract §7).
pub fn check(
    directory: &dyn Directory,
    caller: &Caller,
    mailbox_owner: Uuid,
    access: Access,
) -> Result<Depth, ODataError> {
    match caller.kind {
        CallerKind::App => {
            let rules = directory.exchange_rules(caller, mailbox_owner);
            let by_entra = depth(access, |names| caller.may(names));
            let allowed = by_entra.filter(|_| !rules.blocked);
            let by_exchange = depth(access, |names| rules.granted.iter().any(|held| names.contains(held)));
            match (allowed, by_exchange) {
                (Some(Depth::Full), _) | (_, Some(Depth::Full)) => Ok(Depth::Full),
                (Some(Depth::Basic), _) | (_, Some(Depth::Basic)) => Ok(Depth::Basic),
                (None, None) if by_entra.is_some() => Err(refusal::access_policy()),
                (None, None) => Err(refusal::access_denied()),
            }
        }
        CallerKind::Delegated if caller.user_id == Some(mailbox_owner) => {
            let own = depth(access, |names| caller.may(names));
            own.or_else(|| shared_depth(caller, access))
                .ok_or_else(refusal::access_denied)
        }
        CallerKind::Delegated => shared(directory, caller, mailbox_owner, access),
        CallerKind::Anonymous => Err(refusal::access_denied()),
    }
}

/// Like [`check`] for reading by a subscription, whose refusal is worded by another service.
pub fn check_subscription(
    directory: &dyn Directory,
    caller: &Caller,
    mailbox_owner: Uuid,
) -> Result<Depth, ODataError> {
    let in_token = depth(Access::Read, |names| caller.may(names)).is_some();
    if caller.kind == CallerKind::App && !in_token && !directory.subscriptions_by_exchange_grant() {
        return Err(refusal::access_denied());
    }
    check(directory, caller, mailbox_owner, Access::Read).map_err(|error| {
        if in_token && caller.kind == CallerKind::App {
            refusal::subscription_blocked()
        } else {
            error
        }
    })
}

/// How much these permissions open, if anything.
fn depth(access: Access, may: impl Fn(&[&str]) -> bool) -> Option<Depth> {
    let full: &[&str] = match access {
        Access::Read => &["Mail.Read", "Mail.ReadWrite"],
        Access::Write => &["Mail.ReadWrite"],
        Access::Send => &["Mail.Send"],
        Access::Settings => &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
        Access::SettingsWrite => &["MailboxSettings.ReadWrite"],
    };
    if may(full) {
        return Some(Depth::Full);
    }
    let basic = access == Access::Read && may(&["Mail.ReadBasic", "Mail.ReadBasic.All"]);
    basic.then_some(Depth::Basic)
}

/// What the scopes for shared mailboxes open; they include one's own.
fn shared_depth(caller: &Caller, access: Access) -> Option<Depth> {
    let full: &[&str] = match access {
        Access::Read => &["Mail.Read.Shared", "Mail.ReadWrite.Shared"],
        Access::Write => &["Mail.ReadWrite.Shared"],
        Access::Send => &["Mail.Send.Shared"],
        Access::Settings | Access::SettingsWrite => &[],
    };
    if caller.may(full) {
        return Some(Depth::Full);
    }
    let basic = access == Access::Read && caller.may(&["Mail.ReadBasic.Shared"]);
    basic.then_some(Depth::Basic)
}

/// A signed-in user in another's mailbox: a scope for shared mailboxes, and a right on this one.
fn shared(
    directory: &dyn Directory,
    caller: &Caller,
    mailbox_owner: Uuid,
    access: Access,
) -> Result<Depth, ODataError> {
    let depth = shared_depth(caller, access).ok_or_else(refusal::access_denied)?;
    let person = caller.user_id.ok_or_else(refusal::access_denied)?;
    let may_send = || access == Access::Send && directory.send_right(person, mailbox_owner).is_some();
    if directory.may_open(person, mailbox_owner) || may_send() {
        Ok(depth)
    } else {
        Err(refusal::access_denied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{ExchangeRules, UserRef};

    /// A directory whose Exchange says one thing of every application.
    #[derive(Debug, Default)]
    struct Says(ExchangeRules);

    impl Directory for Says {
        fn user(&self, _: &str) -> Option<UserRef> {
            None
        }
        fn user_by_address(&self, _: &str) -> Option<UserRef> {
            None
        }
        fn tenant_id(&self) -> Uuid {
            Uuid::nil()
        }
        fn exchange_rules(&self, _: &Caller, _: Uuid) -> ExchangeRules {
            self.0.clone()
        }
        fn may_open(&self, person: Uuid, _: Uuid) -> bool {
            person == Uuid::from_u128(2)
        }
    }

    fn check(caller: &Caller, owner: Uuid, access: Access) -> Result<Depth, ODataError> {
        super::check(&Says::default(), caller, owner, access)
    }

    #[test]
    fn grants_of_entra_and_exchange_add_up_and_policies_limit_the_first() {
        let owner = Uuid::from_u128(1);
        let says = |granted: &[&'static str], blocked| {
            Says(ExchangeRules {
                granted: granted.to_vec(),
                blocked,
            })
        };
        let judge = |says: &Says, roles: &[&str], access| {
            super::check(says, &caller(CallerKind::App, roles, None), owner, access).map_err(|error| error.message)
        };
        let open = says(&[], false);
        let scoped = says(&["Mail.Read"], false);
        assert_eq!(judge(&scoped, &[], Access::Read), Ok(Depth::Full));
        assert!(judge(&scoped, &[], Access::Write).is_err());
        assert_eq!(judge(&scoped, &["Mail.ReadBasic.All"], Access::Read), Ok(Depth::Full));
        assert_eq!(
            judge(&says(&["Mail.ReadBasic"], false), &[], Access::Read),
            Ok(Depth::Basic)
        );
        assert_eq!(judge(&open, &["Mail.Read"], Access::Read), Ok(Depth::Full));
        let blocked = judge(&says(&[], true), &["Mail.Read"], Access::Read).unwrap_err();
        assert!(blocked.contains("[RAOP]"), "{blocked}");
        assert_eq!(
            judge(&says(&["Mail.Read"], true), &["Mail.Read"], Access::Read),
            Ok(Depth::Full)
        );
        let missing = judge(&says(&[], true), &[], Access::Read).unwrap_err();
        assert!(!missing.contains("[RAOP]"), "{missing}");
    }

    #[test]
    fn a_shared_mailbox_needs_a_shared_scope_and_a_right() {
        let owner = Uuid::from_u128(1);
        let person = |scopes: &[&str], id| caller(CallerKind::Delegated, scopes, Some(Uuid::from_u128(id)));
        assert_eq!(
            check(&person(&["Mail.Read.Shared"], 2), owner, Access::Read).unwrap(),
            Depth::Full
        );
        assert!(check(&person(&["Mail.Read"], 2), owner, Access::Read).is_err());
        assert!(check(&person(&["Mail.Read.Shared"], 3), owner, Access::Read).is_err());
        assert!(check(&person(&["Mail.Read.Shared"], 2), owner, Access::Write).is_err());
        assert!(check(&person(&["Mail.Read.Shared"], 1), owner, Access::Read).is_ok());
    }

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
