//! The folders of mailboxes.

use serde_json::{Value, json};

use super::{Answer, FakeTenant, State, error, find_user};

impl FakeTenant {
    pub(super) fn folder(&self, state: &mut State, claims: &Value, user: &str, rest: &[&str]) -> Answer {
        let roles = claims["roles"].as_array().cloned().unwrap_or_default();
        let Some(user) = find_user(state, user) else {
            return error(404, "ErrorInvalidUser", "The requested user is invalid.");
        };
        let address = user["userPrincipalName"].as_str().unwrap();
        if !roles.contains(&json!("Mail.ReadWrite")) && !super::exchange::opens(state, &claims["oid"], address) {
            return error(
                403,
                "ErrorAccessDenied",
                "Access is denied. Check credentials and try again.",
            );
        }
        if state.mailbox_lag > 0 {
            state.mailbox_lag -= 1;
            return error(
                403,
                "ErrorAccessDenied",
                "Access is denied. Check credentials and try again.",
            );
        }
        let name = user["userPrincipalName"].as_str().unwrap();
        if let Some((status, code, message)) = state.mailbox_errors.get(name) {
            return error(*status, code, message);
        }
        let all: Vec<Value> = std::iter::once("Inbox")
            .chain(state.folders.iter().copied())
            .map(|folder| json!({ "id": format!("{name}/{folder}"), "displayName": folder }))
            .collect();
        match rest {
            [] => (200, json!({ "value": all })),
            [wanted] => {
                let found = all
                    .into_iter()
                    .find(|folder| folder["id"] == *wanted || (*wanted == "inbox" && folder["displayName"] == "Inbox"));
                found.map_or_else(
                    || {
                        error(
                            404,
                            "ErrorItemNotFound",
                            "The specified object was not found in the store.",
                        )
                    },
                    |folder| (200, folder),
                )
            }
            other => panic!("a mailbox was asked for {other:?}"),
        }
    }
}
