//! Check: does the token carry what is needed, and no more?

use guichet_graph::TokenClaims;

use super::{Code, Problem};
use crate::{Desired, permissions, steps::token::missing};

pub(super) fn check(claims: &TokenClaims, desired: Option<&Desired>) -> Vec<Problem> {
    let wanted = desired.map_or(&permissions::ALL[..], Desired::permissions);
    let app_id = claims.appid.as_deref().unwrap_or_default();
    let evidence = format!("roles in the token: {}", listed(&claims.roles));
    let missing = missing(wanted, claims);
    let is_mail = |role: &&String| permissions::ROLES.iter().any(|needed| needed.name == **role);
    let (mail, excess): (Vec<&String>, Vec<&String>) = claims.roles.iter().partition(is_mail);
    let mut problems = Vec::new();
    if !missing.is_empty() {
        // Without one of them half of the work goes on, and which half matters to who reads.
        let code = match missing.as_slice() {
            ["Mail.ReadWrite"] => Code::ConsentMissingRead,
            ["Mail.Send"] => Code::ConsentMissingSend,
            _ => Code::ConsentMissing,
        };
        let problem = Problem::new(code, app_id, &evidence);
        problems.push(problem.with("permissions", &missing.join(", ")));
    }
    if desired.is_some_and(Desired::is_scoped) && !mail.is_empty() {
        let names = mail.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
        problems.push(Problem::new(Code::ScopeDefeated, app_id, &evidence).with("permissions", &names));
    }
    if !excess.is_empty() {
        let names = excess.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
        problems.push(Problem::new(Code::ConsentExcess, app_id, &evidence).with("permissions", &names));
    }
    if problems.is_empty() {
        problems.push(Problem::new(Code::ConsentOk, app_id, evidence));
    }
    problems
}

fn listed(roles: &[String]) -> String {
    if roles.is_empty() {
        "none".to_owned()
    } else {
        roles.join(", ")
    }
}
