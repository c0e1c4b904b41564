//! The organisation and its domains.
//!
//! Owns the form. Of the organisation's settings only those are kept that change something here.

use serde_json::{Value, json};

use crate::exchange::cmdlets::{Context, Outcome, Output, limited};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;

pub fn config(context: &Context<'_>, _: &Parameters) -> Outcome {
    let tenant = context.tenant;
    let initial = tenant.initial_domain();
    Ok(Output::one(json!({
        "Name": initial,
        "Identity": initial,
        "Id": initial,
        "DisplayName": tenant.display_name,
        "Guid": tenant.id,
        "ExternalDirectoryOrganizationId": tenant.id,
        "OrganizationId": initial,
        "DefaultDomain": tenant.domain,
        "IsDehydrated": false,
        "SendFromAliasEnabled": context.exchange.sends_from_alias(),
        "SmtpActionableMessagesEnabled": true,
        "EwsEnabled": Value::Null,
        "OAuth2ClientProfileEnabled": true,
        "WhenCreatedUTC": tenant.created_at.to_string(),
        "IsValid": true,
    })))
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    if let Some(enabled) = parameters.flag("SendFromAliasEnabled")? {
        context.exchange.set_sends_from_alias(enabled);
    }
    Ok(Output::nothing())
}

pub fn accepted_domains(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let show = |name: &str, initial: bool| {
        json!({
            "Name": name,
            "Identity": name,
            "Id": name,
            "DomainName": name,
            "DomainType": "Authoritative",
            "Default": !initial,
            "InitialDomain": initial,
            "MatchSubDomains": false,
            "AuthenticationType": "Managed",
            "IsValid": true,
        })
    };
    let domain = &context.tenant.domain;
    let initial = context.tenant.initial_domain();
    let mut domains = vec![show(domain, false)];
    if !initial.eq_ignore_ascii_case(domain) {
        domains.push(show(&initial, true));
    }
    if let Some(identity) = parameters.text("Identity")? {
        domains.retain(|shown| {
            shown["Name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(&identity))
        });
        if domains.is_empty() {
            return Err(Failure::not_found(&identity));
        }
    }
    limited(parameters, domains)
}
