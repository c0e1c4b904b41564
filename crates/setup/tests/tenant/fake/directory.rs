//! The directory: applications, service principals, grants, users.

use guichet_graph::Time;
use http::Method;
use serde_json::{Value, json};

use super::{Answer, FakeTenant, State, TENANT, error, find_user, new_id};

impl FakeTenant {
    pub(super) fn directory(
        &self,
        state: &mut State,
        method: &Method,
        path: &[&str],
        filter: &str,
        body: &Value,
    ) -> Answer {
        match (method.as_str(), path) {
            ("GET", ["organization"]) => {
                let id = state.organization.unwrap_or(TENANT);
                (200, json!({ "value": [{ "id": id, "displayName": "Contoso" }] }))
            }
            ("GET", ["applications"]) => listed(state, |state| &state.applications, filter),
            ("GET", ["servicePrincipals"]) => listed(state, |state| &state.principals, filter),
            ("GET", ["oauth2PermissionGrants"]) => listed(state, |state| &state.grants, filter),
            ("GET", ["users", user]) => match find_user(state, user) {
                Some(user) => (200, user),
                None => not_found(user),
            },
            ("POST", ["applications"]) => self.create_application(state, body),
            ("POST", ["servicePrincipals"]) => {
                let application = state.applications.iter().find(|a| a["appId"] == body["appId"]).cloned();
                match application {
                    Some(application) if !is_hidden(state, &application["id"]) => {
                        if state
                            .principals
                            .iter()
                            .any(|principal| principal["appId"] == body["appId"])
                        {
                            return bad_request("The service principal cannot be created because it already exist.");
                        }
                        let id = new_id(state);
                        let principal = json!({ "id": id, "appId": body["appId"], "accountEnabled": true });
                        hide(state, &principal["id"]);
                        state.principals.push(principal.clone());
                        (201, principal)
                    }
                    _ => bad_request("The appId does not reference a valid application object."),
                }
            }
            ("DELETE", ["servicePrincipals", id]) => {
                state.principals.retain(|principal| principal["id"] != *id);
                state.assignments.retain(|assignment| assignment["principalId"] != *id);
                state.grants.retain(|grant| grant["clientId"] != *id);
                (204, Value::Null)
            }
            (_, ["applications", id, rest @ ..]) => self.application(state, method, id, rest, body),
            ("GET", ["servicePrincipals", id, "appRoleAssignments"]) => {
                if is_hidden(state, &json!(id)) {
                    return not_found(id);
                }
                let held = state
                    .assignments
                    .iter()
                    .filter(|assignment| assignment["principalId"] == *id);
                (200, json!({ "value": held.collect::<Vec<_>>() }))
            }
            ("DELETE", ["servicePrincipals", _, "appRoleAssignments", id]) => {
                state.assignments.retain(|assignment| assignment["id"] != *id);
                (204, Value::Null)
            }
            ("POST", ["servicePrincipals", _, "appRoleAssignedTo"]) => self.assign(state, body),
            ("POST", ["oauth2PermissionGrants"]) => {
                if is_hidden(state, &body["clientId"]) {
                    return not_found("principal");
                }
                let same =
                    |grant: &&Value| grant["clientId"] == body["clientId"] && grant["resourceId"] == body["resourceId"];
                if state.grants.iter().find(same).is_some() {
                    return error(
                        409,
                        "Request_MultipleObjectsWithSameKeyValue",
                        "Permission entry already exists.",
                    );
                }
                let mut grant = body.clone();
                grant["id"] = json!(new_id(state));
                hide(state, &grant["id"]);
                state.grants.push(grant.clone());
                (201, grant)
            }
            ("PATCH", ["oauth2PermissionGrants", id]) => {
                let grant = state.grants.iter_mut().find(|grant| grant["id"] == *id).unwrap();
                grant["scope"] = body["scope"].clone();
                (204, Value::Null)
            }
            other => panic!("the tenant was asked for {other:?}, which connecting does not need"),
        }
    }

    fn create_application(&self, state: &mut State, body: &Value) -> Answer {
        assert!(body.get("passwordCredentials").is_none(), "Graph refuses secrets here");
        let mut application = body.clone();
        application["id"] = json!(new_id(state));
        application["appId"] = json!(new_id(state));
        application["passwordCredentials"] = json!([]);
        application["keyCredentials"] = json!([]);
        hide(state, &application["id"]);
        state.applications.push(application.clone());
        (201, application)
    }

    fn application(&self, state: &mut State, method: &Method, id: &str, rest: &[&str], body: &Value) -> Answer {
        let hidden = is_hidden(state, &json!(id));
        let position = state
            .applications
            .iter()
            .position(|application| application["id"] == id);
        let (Some(position), false) = (position, hidden) else {
            return not_found(id);
        };
        match (method.as_str(), rest) {
            ("GET", []) => (200, state.applications[position].clone()),
            ("DELETE", []) => {
                state.applications.remove(position);
                (204, Value::Null)
            }
            ("PATCH", []) => {
                for (name, value) in body.as_object().unwrap() {
                    state.applications[position][name] = value.clone();
                }
                (204, Value::Null)
            }
            ("GET", ["owners"]) => {
                let owners = state.applications[position]["owners"].as_array().cloned();
                (200, json!({ "value": owners.unwrap_or_default() }))
            }
            ("POST", ["owners", "$ref"]) => {
                let owner = body["@odata.id"].as_str().unwrap().rsplit('/').next().unwrap();
                if is_hidden(state, &json!(owner)) {
                    return not_found(owner);
                }
                let owner = json!({ "id": owner });
                let application = &mut state.applications[position];
                if application.get("owners").is_none() {
                    application["owners"] = json!([]);
                }
                let owners = application["owners"].as_array_mut().unwrap();
                if owners.contains(&owner) {
                    return bad_request("One or more added object references already exist for 'owners'.");
                }
                owners.push(owner);
                (204, Value::Null)
            }
            ("POST", ["addPassword"]) => {
                if let Some(code) = state.password_error {
                    return error(400, code, "Credential does not conform to the policy.");
                }
                let key_id = new_id(state);
                let value = format!("{}~value.{}", &key_id[..3], state.ids);
                let lag = state.lag.secret;
                state.secrets.insert(key_id.clone(), (value.clone(), lag));
                let mut password = json!({
                    "keyId": key_id,
                    "displayName": body["passwordCredential"]["displayName"],
                    "startDateTime": self.time.now().to_string(),
                    "endDateTime": body["passwordCredential"]["endDateTime"],
                    "hint": value[..3],
                });
                let list = state.applications[position]["passwordCredentials"]
                    .as_array_mut()
                    .unwrap();
                list.push(password.clone());
                password["secretText"] = json!(value);
                (200, password)
            }
            ("POST", ["removePassword"]) => {
                let list = state.applications[position]["passwordCredentials"]
                    .as_array_mut()
                    .unwrap();
                let before = list.len();
                list.retain(|password| password["keyId"] != body["keyId"]);
                if list.len() == before {
                    return bad_request("No password credential found with keyId.");
                }
                (204, Value::Null)
            }
            other => panic!("the application was asked for {other:?}"),
        }
    }

    fn assign(&self, state: &mut State, body: &Value) -> Answer {
        if is_hidden(state, &body["principalId"]) {
            return not_found("principal");
        }
        let same = |assignment: &&Value| {
            assignment["principalId"] == body["principalId"] && assignment["appRoleId"] == body["appRoleId"]
        };
        if state.assignments.iter().find(same).is_some() {
            return bad_request("Permission being assigned already exists on the object");
        }
        let mut assignment = body.clone();
        assignment["id"] = json!(new_id(state));
        state.assignments.push(assignment.clone());
        state.consent_lag = state.lag.consent;
        state.mailbox_lag = state.lag.mailbox;
        (201, assignment)
    }
}

fn not_found(what: &str) -> Answer {
    let message =
        format!("Resource '{what}' does not exist or one of its queried reference-property objects are not present.");
    error(404, "Request_ResourceNotFound", &message)
}

fn bad_request(message: &str) -> Answer {
    error(400, "Request_BadRequest", message)
}

/// `name eq 'value'`, the only filter that connecting needs.
fn listed(state: &mut State, which: fn(&State) -> &Vec<Value>, filter: &str) -> Answer {
    let (name, value) = filter.split_once(" eq ").expect("a filter with eq");
    let value = value.trim_matches('\'').replace("''", "'");
    let found: Vec<Value> = which(state)
        .iter()
        .filter(|object| object[name] == *value)
        .cloned()
        .collect();
    let visible: Vec<Value> = found
        .into_iter()
        .filter(|object| !is_hidden(state, &object["id"]))
        .collect();
    (200, json!({ "value": visible }))
}

/// Whether the object is still too new to be seen. Each question brings it nearer.
fn is_hidden(state: &mut State, id: &Value) -> bool {
    match id.as_str().and_then(|id| state.hidden.get_mut(id)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

/// A new object is not on every server at once.
fn hide(state: &mut State, id: &Value) {
    let lag = state.lag.directory;
    state.hidden.insert(id.as_str().unwrap().to_owned(), lag);
}
