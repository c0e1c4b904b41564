//! Step 5: least privilege by RBAC for Applications: Exchange lets the application into the listed
//! mailboxes and no others.
//!
//! Owns the management scope of our application, found again by its name, and the two role
//! assignments within it. Never touches another scope, and never takes a role away that the
//! configuration does not give up. Does nothing where access is tenant-wide.

use std::collections::BTreeSet;

use guichet_domain::EmailAddress;
use guichet_graph::{AppScope, ExchangeAssignment, ExchangeRole, ServicePrincipal};

use super::{Run, refused, replicated};
use crate::{
    Change, Connect, Desired, Error,
    plan::{StepId, Why},
};

const STEP: StepId = StepId::Scope;
/// Exchange's names of the roles that give what Mail.ReadWrite and Mail.Send give.
const ROLES: [&str; 2] = ["Application Mail.ReadWrite", "Application Mail.Send"];
/// The same for MailboxSettings.Read, which is optional.
const SETTINGS: &str = "Application MailboxSettings.Read";
/// In OPATH, the filter language of recipients.
const PROPERTY: &str = "PrimarySmtpAddress";

/// What Exchange has for our application.
#[derive(Default)]
pub(crate) struct Observed {
    scope: Option<AppScope>,
    roles: Vec<ExchangeRole>,
    assignments: Vec<ExchangeAssignment>,
}

impl Observed {
    fn role_id(&self, name: &str) -> Option<&str> {
        let found = self
            .roles
            .iter()
            .find(|role| role.display_name.eq_ignore_ascii_case(name));
        found.map(|role| role.id.as_str())
    }

    fn has(&self, role: &str) -> bool {
        let (Some(scope), Some(role)) = (&self.scope, self.role_id(role)) else {
            return false;
        };
        self.assignments.iter().any(|assignment| {
            assignment.role_definition_id.eq_ignore_ascii_case(role)
                && assignment.app_scope_id.as_deref() == Some(scope.id.as_str())
        })
    }

    /// Assignments of our roles for anything else than our scope, with the role's name.
    fn too_wide(&self) -> impl Iterator<Item = (&'static str, &ExchangeAssignment)> {
        self.assignments.iter().filter_map(|assignment| {
            let is = |role: &&&str| {
                let id = self.role_id(role);
                id.is_some_and(|id| assignment.role_definition_id.eq_ignore_ascii_case(id))
            };
            let role = ROLES.iter().chain([&SETTINGS]).find(is)?;
            let ours = self.scope.as_ref().map(|scope| scope.id.as_str());
            let wide = assignment.app_scope_id.as_deref() != ours || ours.is_none();
            wide.then_some((*role, assignment))
        })
    }
}

pub(crate) async fn observe(
    connect: &Connect,
    desired: &Desired,
    principal: Option<&ServicePrincipal>,
) -> Result<Observed, Error> {
    let Some(principal) = principal.filter(|_| desired.is_scoped()) else {
        return Ok(Observed::default());
    };
    let administrator = &connect.administrator;
    let name = scope_name(principal);
    let scopes = administrator.app_scopes().await.map_err(refused(STEP))?;
    Ok(Observed {
        scope: scopes
            .into_iter()
            .find(|scope| scope.display_name.eq_ignore_ascii_case(&name)),
        roles: administrator.exchange_roles().await.map_err(refused(STEP))?,
        assignments: administrator
            .exchange_assignments(&principal.id)
            .await
            .map_err(refused(STEP))?,
    })
}

pub(crate) fn changes(desired: &Desired, observed: &Observed) -> Vec<Change> {
    if !desired.is_scoped() {
        return Vec::new();
    }
    let name = &desired.application.name;
    let wanted = listed(&wanted(desired));
    let mut changes = Vec::new();
    match &observed.scope {
        None => changes.push(Change::add(STEP, name, wanted, Why::ScopeMissing)),
        Some(scope) => {
            if !holds(scope, desired) {
                let from = addresses(scope.filter()).map_or_else(|| scope.filter().to_owned(), |set| listed(&set));
                changes.push(Change::replace(STEP, name, from, wanted, Why::ScopeDiffers));
            }
        }
    }
    let missing = roles(desired).filter(|role| !observed.has(role));
    changes.extend(missing.map(|role| Change::add(STEP, name, role, Why::RoleMissing)));
    if desired.access.remove_tenant_wide_grants {
        let wide = observed.too_wide();
        changes.extend(wide.map(|(role, _)| Change::remove(STEP, name, role, Why::RoleTooWide)));
    }
    changes
}

/// Makes Exchange let the application into the listed mailboxes.
pub(crate) async fn apply(run: Run<'_>, principal: &ServicePrincipal) -> Result<Vec<Change>, Error> {
    let Run { connect, desired, .. } = run;
    let mut observed = observe(connect, desired, Some(principal)).await?;
    let changes = changes(desired, &observed);
    if changes.is_empty() {
        return Ok(changes);
    }
    let administrator = &connect.administrator;
    let filter = filter(&desired.mailboxes);
    let scope = match observed.scope.take() {
        None => {
            let created = administrator.create_app_scope(&scope_name(principal), &filter).await;
            created.map_err(refused(STEP))?
        }
        Some(scope) => {
            if !holds(&scope, desired) {
                let updated = administrator.update_app_scope(&scope.id, &filter).await;
                updated.map_err(refused(STEP))?;
            }
            scope
        }
    };
    observed.scope = Some(scope.clone());
    for role in roles(desired) {
        if observed.has(role) {
            continue;
        }
        let id = observed.role_id(role).ok_or_else(|| no_such_role(role))?;
        // Exchange learns of a new service principal later than the directory.
        replicated!(
            run,
            STEP,
            administrator.assign_exchange_role(&principal.id, id, &scope.id)
        );
    }
    if desired.access.remove_tenant_wide_grants {
        for (_, assignment) in observed.too_wide() {
            let removed = administrator.remove_exchange_assignment(&assignment.id).await;
            removed.map_err(refused(STEP))?;
        }
    }
    Ok(changes)
}

impl Observed {
    /// What [`remove`] removes, in words of Exchange.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        let roles = ROLES.into_iter().chain([SETTINGS]).filter(|role| self.has(role));
        roles.chain(self.scope.iter().map(|scope| scope.display_name.as_str()))
    }
}

/// Removes our scope and the assignments within it.
pub(crate) async fn remove(connect: &Connect, observed: &Observed) -> Result<(), Error> {
    let Some(scope) = &observed.scope else {
        return Ok(());
    };
    let within = observed.assignments.iter();
    for assignment in within.filter(|assignment| assignment.app_scope_id.as_deref() == Some(scope.id.as_str())) {
        let removed = connect.administrator.remove_exchange_assignment(&assignment.id).await;
        removed.map_err(refused(STEP))?;
    }
    let deleted = connect.administrator.delete_app_scope(&scope.id).await;
    deleted.map_err(refused(STEP))
}

fn no_such_role(role: &str) -> Error {
    Error::Graph {
        step: STEP,
        source: guichet_graph::Error::new(
            guichet_graph::Class::Invalid,
            "find Exchange role",
            "role_not_in_tenant",
            format!("Exchange lists no role `{role}`"),
        ),
    }
}

fn roles(desired: &Desired) -> impl Iterator<Item = &'static str> {
    let settings = desired.access.read_mailbox_settings.then_some(SETTINGS);
    ROLES.into_iter().chain(settings)
}

/// One scope for each application, so that two integrations in one tenant do not share one.
fn scope_name(principal: &ServicePrincipal) -> String {
    format!("guichet-{}", principal.app_id.to_ascii_lowercase())
}

fn wanted(desired: &Desired) -> BTreeSet<String> {
    desired
        .mailboxes
        .iter()
        .map(|address| address.as_str().to_ascii_lowercase())
        .collect()
}

fn listed(addresses: &BTreeSet<String>) -> String {
    addresses.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn holds(scope: &AppScope, desired: &Desired) -> bool {
    addresses(scope.filter()).is_some_and(|found| found == wanted(desired))
}

/// The recipients with these primary addresses.
fn filter(mailboxes: &[EmailAddress]) -> String {
    let one = |address: &EmailAddress| format!("{PROPERTY} -eq '{}'", address.as_str().replace('\'', "''"));
    mailboxes.iter().map(one).collect::<Vec<_>>().join(" -or ")
}

/// The addresses of a filter of the form that [`filter`] makes, whatever parentheses Exchange has put
/// around its parts; `None` for any other filter.
fn addresses(filter: &str) -> Option<BTreeSet<String>> {
    let flat: String = filter
        .chars()
        .filter(|c| !matches!(c, '(' | ')') && !c.is_whitespace())
        .collect();
    let flat = flat.to_ascii_lowercase();
    let start = format!("{}-eq'", PROPERTY.to_ascii_lowercase());
    flat.split("'-or")
        .map(|part| {
            let address = part.trim_end_matches('\'').strip_prefix(&start)?;
            Some(address.replace("''", "'"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(addresses: &[&str]) -> BTreeSet<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn filter_is_read_back_however_exchange_writes_it() {
        let mailboxes: Vec<EmailAddress> = ["Support@contoso.example", "o'hara@contoso.example"]
            .map(|address| EmailAddress::parse(address).expect("an address"))
            .into();
        let wanted = set(&["support@contoso.example", "o'hara@contoso.example"]);
        let text = filter(&mailboxes);
        assert_eq!(addresses(&text), Some(wanted.clone()), "{text}");
        let parts: Vec<String> = text.split(" -or ").map(|part| format!("({part})")).collect();
        assert_eq!(addresses(&format!("({})", parts.join(" -or "))), Some(wanted));
    }

    #[test]
    fn other_filters_are_not_taken_for_ours() {
        for filter in [
            "",
            "PrimarySmtpAddress -ne 'a@b.example'",
            "Department -eq 'support'",
            "PrimarySmtpAddress -eq 'a@b.example' -or Department -eq 'sales'",
        ] {
            assert_eq!(addresses(filter), None, "{filter}");
        }
    }
}
