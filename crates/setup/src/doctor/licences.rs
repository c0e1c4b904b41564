//! Check: why has a user no mailbox, will a mailbox stay, and under which name does it send?
//!
//! Needs the optional permission User.Read.All; without it, it says so once. A shared mailbox needs no licence, and its
//! sign-in is blocked. Invariant: it adds to what the mailbox itself says, and never says the same twice.

use guichet_graph::{Class, GraphClient, User};
use guichet_store::records::Mailbox;

use super::{Code, DoctorContext, Problem, diagnose};

/// The plan that comes with other products, counts as Exchange, and gives no mailbox. Source: Microsoft, "Product names
/// and service plan identifiers for licensing".
const FOUNDATION: &str = "113feb6c-3fe4-4440-bddc-54d774bf0318";

/// Looks at the users of these findings about mailboxes, and makes them say more.
pub(super) async fn check(
    context: &DoctorContext,
    client: &GraphClient,
    mailboxes: &[Mailbox],
    found: &mut Vec<Problem>,
) {
    let Some(desired) = context.desired.as_ref().filter(|_| !found.is_empty()) else {
        return;
    };
    if !desired.access.read_users {
        found.push(Problem::new(Code::LicencesUnseen, "", "`read_users` is off"));
        return;
    }
    let mut more = Vec::new();
    for problem in found.iter_mut() {
        if !matches!(problem.code, Code::MailboxNone | Code::MailboxOk) {
            continue;
        }
        match client.user(&problem.subject).await {
            Ok(user) => {
                more.extend(renamed(mailboxes, &problem.subject, &user));
                more.extend(judge(problem, &user));
            }
            Err(error) if error.class == Class::Denied => {
                more.push(Problem::new(Code::LicencesUnseen, "", diagnose::evidence(&error)));
                break;
            }
            // Whether there is such a user, the mailbox has said.
            Err(_) => {}
        }
    }
    found.extend(more);
}

/// Says more of a missing mailbox, or that one that opens will not stay.
fn judge(problem: &mut Problem, user: &User) -> Option<Problem> {
    if gives_mailbox(user) {
        return None;
    }
    let plans = plans(user);
    if problem.code == Code::MailboxNone {
        problem.code = Code::MailboxUnlicensed;
        problem.evidence = format!("{}; {plans}", problem.evidence);
        return None;
    }
    let lost = Problem::new(Code::MailboxLicenceLost, &problem.subject, plans);
    (user.account_enabled == Some(true)).then_some(lost)
}

fn renamed(mailboxes: &[Mailbox], address: &str, user: &User) -> Option<Problem> {
    let recorded = mailboxes.iter().find(|mailbox| mailbox.address.as_str() == address)?;
    (recorded.display_name != user.display_name).then(|| {
        let evidence = format!(
            "recorded `{}`, in the directory `{}`",
            recorded.display_name, user.display_name
        );
        Problem::new(Code::MailboxRenamed, address, evidence).with("shown", &user.display_name)
    })
}

fn gives_mailbox(user: &User) -> bool {
    user.assigned_plans.iter().any(|plan| {
        plan.service.eq_ignore_ascii_case("exchange")
            && !plan.service_plan_id.eq_ignore_ascii_case(FOUNDATION)
            && ["Enabled", "Warning", "LockedOut"]
                .iter()
                .any(|status| plan.capability_status.eq_ignore_ascii_case(status))
    })
}

fn plans(user: &User) -> String {
    let exchange = user
        .assigned_plans
        .iter()
        .filter(|plan| plan.service.eq_ignore_ascii_case("exchange"));
    let named: Vec<String> = exchange
        .map(|plan| {
            let name = if plan.service_plan_id.eq_ignore_ascii_case(FOUNDATION) {
                "EXCHANGE_S_FOUNDATION"
            } else {
                plan.service_plan_id.as_str()
            };
            format!("{name} {}", plan.capability_status)
        })
        .collect();
    if named.is_empty() {
        "no service plan of Exchange is assigned".to_owned()
    } else {
        format!("service plans of Exchange: {}", named.join(", "))
    }
}
