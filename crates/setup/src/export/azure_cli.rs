//! The procedure as a bash script for the Azure CLI.
//!
//! Owns the prepared requests. All of them go through `az rest`: the friendlier commands take a name that begins with
//! `-` or `@` for something else. Never touches Exchange, which az can't reach; the script says where that is done.

use serde_json::json;

use super::{Source, list, mail_roles, quote, resource_access};
use crate::permissions::{self, GRAPH_APP_ID};

const TEMPLATE: &str = include_str!("azure-cli.sh");

pub(super) fn render(source: Source<'_>) -> String {
    let application = &source.desired.application;
    source.fill(TEMPLATE, quote::bash, &|key| {
        let literal = match key {
            "mail-roles" => list(mail_roles(), quote::bash, " "),
            "permission-ids" => list(permissions::ALL.iter().map(|p| p.id), quote::bash, " "),
            "mailboxes" => source
                .mailboxes()
                .map(|mailbox| quote::bash(&quote::percent(mailbox)))
                .collect::<Vec<_>>()
                .join(" "),
            "named" => {
                let filter = quote::percent(&format!("displayName eq {}", quote::odata(&application.name)));
                quote::bash(&format!("$filter={filter}&$select=id,appId"))
            }
            "application" => quote::bash(&quote::json(&registration(source))),
            "merged" => quote::bash(&merged(source)),
            "add-password" => {
                let description = quote::json(&json!(application.secret_description));
                let body = format!(r#"{{"passwordCredential":{{"displayName":{description},"endDateTime":""#);
                quote::bash(&body)
            }
            _ => return None,
        };
        Some(literal)
    })
}

fn registration(source: Source<'_>) -> serde_json::Value {
    let application = &source.desired.application;
    json!({
        "displayName": application.name,
        "signInAudience": application.account_types.sign_in_audience(),
        "web": { "redirectUris": [application.redirect_text()] },
        "requiredResourceAccess": [{ "resourceAppId": GRAPH_APP_ID, "resourceAccess": resource_access() }],
    })
}

/// A JMESPath expression that makes the correcting request from the application as it is: what is wanted, and all that
/// was there besides. Flattening leaves out what is null.
fn merged(source: Source<'_>) -> String {
    let application = &source.desired.application;
    let audience = application.account_types.sign_in_audience();
    let redirect = json!(application.redirect_text());
    let others = permissions::ALL
        .iter()
        .map(|permission| format!("id!='{}'", permission.id))
        .collect::<Vec<_>>()
        .join(" && ");
    format!(
        "{{signInAudience:'{audience}',\
         web:{{redirectUris:[web.redirectUris[?@!={redirect}],{redirects}][]}},\
         requiredResourceAccess:[requiredResourceAccess[?resourceAppId!='{GRAPH_APP_ID}'],\
         [{{resourceAppId:'{GRAPH_APP_ID}',resourceAccess:\
         [requiredResourceAccess[?resourceAppId=='{GRAPH_APP_ID}'].resourceAccess[] | [?{others}],{ours}][]}}]][]}}",
        redirect = quote::jmespath(&redirect),
        redirects = quote::jmespath(&json!([redirect])),
        ours = quote::jmespath(&resource_access()),
    )
}
