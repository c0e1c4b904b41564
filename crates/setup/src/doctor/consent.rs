//! Check: does the token carry what is needed, and no more?

use guichet_graph::TokenClaims;

use super::{Code, Problem};
use crate::{Desired, permissions, steps::token::missing};

pub(super) fn check(claims: &TokenClaims, desired: Option<&Desired>) -> Vec<Problem> {
    let wanted = desired.map_or_else(|| permissions::ALL.to_vec(), Desired::permissions);
    let optional = desired.map_or_else(Vec::new, Desired::optional_permissions);
    let app_id = claims.appid.as_deref().unwrap_or_default();
    let evidence = format!("roles in the token: {}", listed(&claims.roles));
    let (lacking, missing): (Vec<&str>, Vec<&str>) = missing(&wanted, claims)
        .into_iter()
        .partition(|name| optional.iter().any(|permission| permission.name == *name));
    let is_mail = |role: &&String| permissions::ROLES.iter().any(|needed| needed.name == **role);
    let (mail, others): (Vec<&String>, Vec<&String>) = claims.roles.iter().partition(is_mail);
    let is_excess = |role: &&String| !optional.iter().any(|permission| permission.name == **role);
    let excess: Vec<&String> = others.into_iter().filter(is_excess).collect();
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
    if !lacking.is_empty() {
        let problem = Problem::new(Code::ConsentMissingOptional, app_id, &evidence);
        problems.push(problem.with("permissions", &lacking.join(", ")));
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
