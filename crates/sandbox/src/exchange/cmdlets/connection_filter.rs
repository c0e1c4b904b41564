//! `-HostedConnectionFilterPolicy` cmdlets: the one policy of the organisation.
//!
//! Owns nothing but the form; limits are those of the filter.

use serde_json::{Value, json};

use crate::exchange::cmdlets::{Context, Outcome, Output};
use crate::exchange::connection_filter::{self, ConnectionFilter};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;

fn show(filter: &ConnectionFilter) -> Value {
    json!({
        "Name": "Default",
        "Identity": "Default",
        "Id": "Default",
        "IsDefault": true,
        "AdminDisplayName": filter.description,
        "IPAllowList": filter.allow,
        "IPBlockList": filter.block,
        "EnableSafeList": filter.safe_list,
        "DirectoryBasedEdgeBlockMode": "Default",
        "IsValid": true,
    })
}

fn named(identity: &str) -> Result<(), Failure> {
    if identity.eq_ignore_ascii_case("Default") {
        Ok(())
    } else {
        Err(Failure::not_found(identity))
    }
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    if let Some(identity) = parameters.text("Identity")? {
        named(&identity)?;
    }
    Ok(Output::one(show(&context.exchange.connection_filter())))
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    named(&parameters.need("Identity")?)?;
    if parameters.has("ConfigurationXmlRaw") || parameters.has("MakeDefault") {
        return Err(Failure::unsupported("-ConfigurationXmlRaw and -MakeDefault"));
    }
    let allow = parameters.list_change("IPAllowList")?;
    let block = parameters.list_change("IPBlockList")?;
    let safe_list = parameters.flag("EnableSafeList")?;
    let description = parameters.text("AdminDisplayName")?;
    context.exchange.change_connection_filter(|filter| {
        let mut changed = filter.clone();
        for (name, list, change) in [
            ("IPAllowList", &mut changed.allow, &allow),
            ("IPBlockList", &mut changed.block, &block),
        ] {
            let Some(change) = change else { continue };
            let entries = change.apply(list);
            connection_filter::check(&entries).map_err(|reason| {
                Failure::binding(format!(
                    "Cannot process argument transformation on parameter '{name}'. Cannot convert value to type \"Microsoft.Exchange.Data.MultiValuedProperty`1[Microsoft.Exchange.Data.IPRange]\". Error: \"{reason}\""
                ))
            })?;
            *list = entries;
        }
        changed.safe_list = safe_list.unwrap_or(changed.safe_list);
        changed.description = description.clone().unwrap_or(changed.description);
        Ok(changed)
    })?;
    Ok(Output::nothing())
}
