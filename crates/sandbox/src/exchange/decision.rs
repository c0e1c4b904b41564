//! What an application reaches.
//!
//! Owns the documented evaluation (contract §7): grants of RBAC for Applications count for the mailboxes of their
//! scope; access policies limit only what Entra granted, first by denial, then by restriction. Only direct members of
//! a group count. The union of both is taken where mail is judged.

use uuid::Uuid;

use crate::directory::ExchangeRules;
use crate::directory::tenant::{Objects, Tenant};
use crate::exchange::recipient::MailboxSubject;
use crate::exchange::roles;
use crate::exchange::rules::{AccessRight, ResourceScope, Rules};

/// Judges one application and one mailbox by these rules.
#[must_use]
pub fn decide(tenant: &Tenant, rules: &Rules, app_id: Uuid, principal: Option<Uuid>, mailbox: Uuid) -> ExchangeRules {
    if rules.are_silent() {
        return ExchangeRules::default();
    }
    let objects = tenant.read();
    ExchangeRules {
        granted: principal.map_or_else(Vec::new, |principal| {
            granted(tenant, &objects, rules, principal, mailbox)
        }),
        blocked: is_blocked(rules, app_id, mailbox),
    }
}

/// Permissions by RBAC for Applications.
fn granted(tenant: &Tenant, objects: &Objects, rules: &Rules, principal: Uuid, mailbox: Uuid) -> Vec<&'static str> {
    // Assignments die with Entra's principal.
    if objects.service_principal(principal).is_none() {
        return Vec::new();
    }
    let mut granted = Vec::new();
    let own = rules
        .assignments
        .iter()
        .filter(|held| held.enabled && held.principal == principal);
    for assignment in own.filter(|held| is_in_scope(tenant, objects, rules, held.scope, mailbox)) {
        let role = roles::find(&assignment.role);
        for permission in role.into_iter().flat_map(|role| role.permissions) {
            if !granted.contains(permission) {
                granted.push(*permission);
            }
        }
    }
    granted
}

/// Whether a mailbox lies in a scope.
#[must_use]
pub fn is_in_scope(tenant: &Tenant, objects: &Objects, rules: &Rules, scope: ResourceScope, mailbox: Uuid) -> bool {
    match scope {
        ResourceScope::Organization => true,
        ResourceScope::Group(id) => rules.group(id).is_some_and(|group| group.members.contains(&mailbox)),
        ResourceScope::Unit(id) => rules.unit(id).is_some_and(|unit| unit.members.contains(&mailbox)),
        ResourceScope::Custom(id) => {
            // That a scope is exclusive keeps nobody else out: exclusive scopes do not restrict applications.
            rules.scope(id).is_some_and(|scope| {
                objects
                    .user_by_id(mailbox)
                    .is_some_and(|user| scope.filter.matches(&MailboxSubject { tenant, user, rules }))
            })
        }
    }
}

/// Whether access policies keep an application from a mailbox.
#[must_use]
pub fn is_blocked(rules: &Rules, app_id: Uuid, mailbox: Uuid) -> bool {
    let own = || rules.policies.iter().filter(move |policy| policy.app_id == app_id);
    let matches = |target: Uuid| {
        target == mailbox
            || rules
                .group(target)
                .is_some_and(|group| group.members.contains(&mailbox))
    };
    if own().any(|policy| policy.right == AccessRight::DenyAccess && matches(policy.target)) {
        return true;
    }
    let mut restricts = own()
        .filter(|policy| policy.right == AccessRight::RestrictAccess)
        .peekable();
    restricts.peek().is_some() && !restricts.any(|policy| matches(policy.target))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::exchange::rules::{AccessPolicy, Group};

    const APP: Uuid = Uuid::from_u128(1);
    const INSIDE: Uuid = Uuid::from_u128(2);
    const OUTSIDE: Uuid = Uuid::from_u128(3);
    const GROUP: Uuid = Uuid::from_u128(4);

    fn rules(rights: &[(AccessRight, Uuid)]) -> Rules {
        let group = Group {
            id: GROUP,
            name: "Team".to_owned(),
            display_name: "Team".to_owned(),
            description: None,
            alias: "team".to_owned(),
            address: None,
            security: true,
            members: vec![INSIDE],
            created_at: Timestamp::UNIX_EPOCH,
        };
        let policies = rights.iter().map(|(right, target)| AccessPolicy {
            id: Uuid::nil(),
            app_id: APP,
            target: *target,
            right: *right,
            description: String::new(),
        });
        Rules {
            groups: vec![group],
            policies: policies.collect(),
            ..Rules::default()
        }
    }

    #[test]
    fn policies_are_judged_in_the_documented_order() {
        use AccessRight::{DenyAccess, RestrictAccess};
        let blocked = |rights: &[(AccessRight, Uuid)], mailbox| is_blocked(&rules(rights), APP, mailbox);
        assert!(!blocked(&[], INSIDE));
        assert!(!blocked(&[(RestrictAccess, GROUP)], INSIDE));
        assert!(blocked(&[(RestrictAccess, GROUP)], OUTSIDE));
        assert!(blocked(&[(DenyAccess, GROUP)], INSIDE));
        assert!(!blocked(&[(DenyAccess, GROUP)], OUTSIDE));
        assert!(blocked(&[(RestrictAccess, GROUP), (DenyAccess, INSIDE)], INSIDE));
        assert!(!blocked(&[(RestrictAccess, GROUP), (RestrictAccess, OUTSIDE)], OUTSIDE));
        assert!(!is_blocked(
            &rules(&[(RestrictAccess, GROUP)]),
            Uuid::from_u128(9),
            OUTSIDE
        ));
    }
}
