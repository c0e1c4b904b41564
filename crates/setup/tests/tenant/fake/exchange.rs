//! Exchange's RBAC for Applications: scopes, assignments, and which mailboxes they open.

use http::Method;
use serde_json::{Value, json};

use super::{Answer, FakeTenant, State, error, new_id};

const ROLES: [(&str, &str); 2] = [
    ("cccccccc-0000-4000-8000-00000000000a", "Application Mail.ReadWrite"),
    ("cccccccc-0000-4000-8000-00000000000b", "Application Mail.Send"),
];

impl FakeTenant {
    pub(super) fn exchange_roles(&self, state: &mut State, method: &Method, path: &[&str], body: &Value) -> Answer {
        match (method.as_str(), path) {
            ("GET", ["roleDefinitions"]) => {
                let shown = ROLES.map(|(id, name)| json!({ "id": id, "displayName": name }));
                (200, json!({ "value": shown }))
            }
            ("GET", ["customAppScopes"]) => (200, json!({ "value": state.app_scopes })),
            ("GET", ["roleAssignments"]) => (200, json!({ "value": state.exchange_assignments })),
            ("POST", ["customAppScopes"]) => {
                let taken = state
                    .app_scopes
                    .iter()
                    .any(|scope| scope["displayName"] == body["displayName"]);
                if taken {
                    return error(400, "Request_BadRequest", "The name is already being used.");
                }
                let mut scope = body.clone();
                scope["id"] = json!(new_id(state));
                state.app_scopes.push(scope.clone());
                (201, scope)
            }
            ("PATCH", ["customAppScopes", id]) => {
                let found = state.app_scopes.iter_mut().find(|scope| scope["id"] == *id);
                let Some(scope) = found else {
                    return error(404, "Request_ResourceNotFound", "There is no such scope.");
                };
                // Exchange writes filters in its own hand.
                let filter = body["customAttributes"]["RecipientFilter"].as_str().unwrap();
                scope["customAttributes"]["RecipientFilter"] = json!(format!("({filter})"));
                (204, Value::Null)
            }
            ("POST", ["roleAssignments"]) => {
                let id = body["principalId"].as_str().unwrap().rsplit('/').next().unwrap();
                if !state.principals.iter().any(|principal| principal["id"] == id) {
                    return error(404, "Request_ResourceNotFound", "The service principal does not exist.");
                }
                let same = |other: &Value| {
                    ["principalId", "roleDefinitionId", "appScopeId"]
                        .iter()
                        .all(|name| other[*name] == body[*name])
                };
                if state.exchange_assignments.iter().any(same) {
                    return error(400, "Request_BadRequest", "The assignment exists already.");
                }
                let mut assignment = body.clone();
                assignment["id"] = json!(new_id(state));
                state.exchange_assignments.push(assignment.clone());
                (201, assignment)
            }
            ("DELETE", ["customAppScopes", id]) => {
                if state
                    .exchange_assignments
                    .iter()
                    .any(|assignment| assignment["appScopeId"] == *id)
                {
                    return error(400, "Request_BadRequest", "The scope is in use.");
                }
                state.app_scopes.retain(|scope| scope["id"] != *id);
                (204, Value::Null)
            }
            ("DELETE", ["roleAssignments", id]) => {
                state.exchange_assignments.retain(|assignment| assignment["id"] != *id);
                (204, Value::Null)
            }
            other => panic!("Exchange was asked for {other:?}"),
        }
    }
}

/// Whether Exchange lets a service principal read this mailbox.
pub(super) fn opens(state: &State, principal: &Value, address: &str) -> bool {
    let principal = format!("/ServicePrincipals/{}", principal.as_str().unwrap_or_default());
    state.exchange_assignments.iter().any(|assignment| {
        let scope = state
            .app_scopes
            .iter()
            .find(|scope| scope["id"] == assignment["appScopeId"]);
        let filter = scope.and_then(|scope| scope["customAttributes"]["RecipientFilter"].as_str());
        assignment["principalId"] == principal.as_str()
            && assignment["roleDefinitionId"] == ROLES[0].0
            && filter.is_some_and(|filter| filter.contains(&format!("'{address}'")))
    })
}
