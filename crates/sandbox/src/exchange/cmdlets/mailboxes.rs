//! `-Mailbox` and `-Recipient` cmdlets.
//!
//! Owns how mailboxes are shown to administrators and which of their properties can be set. A new mailbox is a new
//! user; a removed one is soft-deleted and stays in the directory.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind, MailboxProfile};
use crate::directory::model::User;
use crate::directory::seed;
use crate::directory::tenant::{Objects, Tenant};
use crate::exchange::cmdlets::{Context, Outcome, Output, groups, limited};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::{ListChange, Parameters};
use crate::exchange::recipient::{self, MailboxSubject, RecipientId};
use crate::exchange::restriction::{PROPERTIES, Restriction};

/// Parameters of the cmdlets that look.
pub const LOOK: &[&str] = &[
    "Identity",
    "ResultSize",
    "RecipientTypeDetails",
    "Filter",
    "Anr",
    "SoftDeletedMailbox",
    "ExternalDirectoryObjectId",
    "UserPrincipalName",
    "PrimarySmtpAddress",
    "Properties",
    "PropertySets",
];
/// Parameters of `Set-Mailbox`; what the sandbox knows nothing of is unknown to it.
pub const CHANGE: &[&str] = &[
    "DisplayName",
    "EmailAddresses",
    "GrantSendOnBehalfTo",
    "ForwardingAddress",
    "ForwardingSmtpAddress",
    "DeliverToMailboxAndForward",
    "Type",
    "HiddenFromAddressListsEnabled",
    "CustomAttribute1",
    "CustomAttribute2",
    "CustomAttribute3",
    "CustomAttribute4",
    "CustomAttribute5",
    "CustomAttribute6",
    "CustomAttribute7",
    "CustomAttribute8",
    "CustomAttribute9",
    "CustomAttribute10",
    "CustomAttribute11",
    "CustomAttribute12",
    "CustomAttribute13",
    "CustomAttribute14",
    "CustomAttribute15",
    "Office",
    "Force",
];
/// Aliases of one mailbox, as Exchange Online bounds them.
const MAX_ALIASES: usize = 400;

fn addresses(user: &User) -> Vec<String> {
    let primary = user.mail.iter().map(|mail| format!("SMTP:{mail}"));
    let aliases = user.mailbox.aliases.iter().map(|alias| format!("smtp:{alias}"));
    primary.chain(aliases).collect()
}

/// A mailbox as a recipient.
pub fn show_recipient(tenant: &Tenant, user: &User) -> Value {
    let alias = recipient::alias(user);
    let mut shown = json!({
        "Name": alias,
        "Identity": alias,
        "Id": alias,
        "Alias": alias,
        "DisplayName": user.display_name,
        "PrimarySmtpAddress": user.mail,
        "EmailAddresses": addresses(user),
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": user.mailbox.kind.recipient_type_details(),
        "DistinguishedName": recipient::distinguished_name(tenant, alias),
        "Guid": user.id,
        "ExternalDirectoryObjectId": user.id,
        "WindowsLiveID": user.user_principal_name,
        "WhenCreatedUTC": user.created_at.to_string(),
        "IsValid": true,
    });
    for (name, value) in &user.mailbox.attributes {
        shown[name] = value.as_str().into();
    }
    shown
}

fn show(context: &Context<'_>, objects: &Objects, user: &User) -> Value {
    let mut shown = show_recipient(context.tenant, user);
    let profile = &user.mailbox;
    let rules = context.exchange.rules();
    let name_of = |id: Uuid| match objects.user_by_id(id) {
        Some(other) => recipient::alias(other).to_owned(),
        None => rules
            .group(id)
            .map_or_else(|| id.to_string(), |group| group.name.clone()),
    };
    let further = json!({
        "UserPrincipalName": user.user_principal_name,
        "MicrosoftOnlineServicesID": user.user_principal_name,
        "ExchangeGuid": user.id,
        "IsMailboxEnabled": true,
        "IsShared": profile.kind == MailboxKind::Shared,
        "IsResource": matches!(profile.kind, MailboxKind::Room | MailboxKind::Equipment),
        "ResourceType": match profile.kind {
            MailboxKind::Room => json!("Room"),
            MailboxKind::Equipment => json!("Equipment"),
            MailboxKind::User | MailboxKind::Shared => Value::Null,
        },
        "IsSoftDeletedByRemove": profile.condition == MailboxCondition::SoftDeleted,
        "AccountDisabled": !user.account_enabled,
        "SKUAssigned": profile.licensed && profile.kind == MailboxKind::User,
        "GrantSendOnBehalfTo": profile.send_on_behalf.iter().map(|id| name_of(*id)).collect::<Vec<_>>(),
        "ForwardingAddress": profile.forwarding.recipient.map(name_of),
        "ForwardingSmtpAddress": profile.forwarding.address.as_ref().map(|address| format!("smtp:{address}")),
        "DeliverToMailboxAndForward": profile.forwarding.keep_copy,
        "HiddenFromAddressListsEnabled": profile
            .attributes
            .get("HiddenFromAddressListsEnabled")
            .is_some_and(|hidden| hidden == "True"),
        "ProhibitSendQuota": "49.5 GB (53,150,220,288 bytes)",
        "MaxSendSize": "35 MB (36,700,160 bytes)",
        "MaxReceiveSize": "36 MB (37,748,736 bytes)",
    });
    if let (Value::Object(shown), Value::Object(further)) = (&mut shown, further) {
        shown.extend(further);
    }
    shown
}

/// Mailboxes that the parameters choose.
fn chosen<'a>(context: &Context<'_>, parameters: &Parameters, objects: &'a Objects) -> Result<Vec<&'a User>, Failure> {
    let identities = [
        "Identity",
        "ExternalDirectoryObjectId",
        "UserPrincipalName",
        "PrimarySmtpAddress",
    ];
    let soft_deleted = parameters.flag("SoftDeletedMailbox")?.unwrap_or(false);
    let lives = |user: &User| {
        let profile = &user.mailbox;
        let gone = profile.condition == MailboxCondition::SoftDeleted;
        user.mail.is_some() && profile.condition != MailboxCondition::OnPremises && gone == soft_deleted
    };
    for name in identities {
        if let Some(identity) = parameters.text(name)? {
            let id = recipient::mailbox(context.tenant, objects, &identity)?;
            let user = objects.user_by_id(id).filter(|user| lives(user));
            return user.map(|user| vec![user]).ok_or_else(|| Failure::not_found(&identity));
        }
    }
    let kinds = parameters.list("RecipientTypeDetails")?;
    let kinds: Vec<&str> = kinds.iter().flat_map(|kind| kind.split(',')).map(str::trim).collect();
    let start = parameters.text("Anr")?.map(|text| text.to_lowercase());
    let filter = match parameters.text("Filter")? {
        Some(text) => Some(Restriction::parse(&text).map_err(|reason| {
            Failure::binding(format!(
                "Cannot bind parameter 'Filter' to the target. Exception setting \"Filter\": \"Invalid filter syntax: {reason}.\""
            ))
        })?),
        None => None,
    };
    let rules = context.exchange.rules();
    let tenant = context.tenant;
    let users = objects.users().filter(|user| lives(user)).filter(|user| {
        let kind = user.mailbox.kind.recipient_type_details();
        let named = start.as_ref().is_none_or(|start| {
            user.display_name.to_lowercase().starts_with(start)
                || user.user_principal_name.to_lowercase().starts_with(start)
        });
        named
            && (kinds.is_empty() || kinds.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind)))
            && filter.as_ref().is_none_or(|filter| {
                filter.matches(&MailboxSubject {
                    tenant,
                    user,
                    rules: &rules,
                })
            })
    });
    Ok(users.collect())
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let objects = context.tenant.read();
    let users = chosen(context, parameters, &objects)?;
    let shown = users.into_iter().map(|user| show(context, &objects, user));
    limited(parameters, shown.collect())
}

pub fn recipients(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    if let Some(identity) = parameters.text("Identity")?
        && let Ok(group) = recipient::group(context.tenant, &rules, &identity)
    {
        return Ok(Output::one(groups::show(context.tenant, group)));
    }
    let objects = context.tenant.read();
    let users = chosen(context, parameters, &objects)?;
    let mut shown: Vec<Value> = users
        .into_iter()
        .map(|user| show_recipient(context.tenant, user))
        .collect();
    let narrowed = ["Identity", "RecipientTypeDetails", "Filter", "Anr", "UserPrincipalName"];
    if !narrowed.iter().any(|name| parameters.has(name)) {
        let mailed = rules.groups.iter().filter(|group| group.address.is_some());
        shown.extend(mailed.map(|group| groups::show(context.tenant, group)));
    }
    limited(parameters, shown)
}

/// Refuses an address of another domain or one that is taken.
pub fn check_address(context: &Context<'_>, address: &str, except: Option<Uuid>) -> Result<(), Failure> {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    let accepted = domain.is_some_and(|domain| {
        domain.eq_ignore_ascii_case(&context.tenant.domain)
            || domain.eq_ignore_ascii_case(&context.tenant.initial_domain())
    });
    if !accepted || address.starts_with('@') || address.contains(char::is_whitespace) {
        return Err(Failure::invalid(format!(
            "You can't use the domain because it's not an accepted domain for your organization: \"{address}\"."
        )));
    }
    if groups::is_taken(context, address, except) {
        return Err(Failure::exists(format!(
            "The proxy address \"SMTP:{address}\" is already being used by another recipient."
        )));
    }
    Ok(())
}

pub fn create(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let name = parameters.need("Name")?;
    let flag = |name: &str| parameters.flag(name).map(|flag| flag == Some(true));
    let kind = match (flag("Shared")?, flag("Room")?, flag("Equipment")?) {
        (true, false, false) => MailboxKind::Shared,
        (false, true, false) => MailboxKind::Room,
        (false, false, true) => MailboxKind::Equipment,
        (false, false, false) => MailboxKind::User,
        _ => {
            return Err(Failure::binding(
                "Parameter set cannot be resolved using the specified named parameters.".to_owned(),
            ));
        }
    };
    let alias = parameters.text("Alias")?.filter(|alias| !alias.is_empty());
    let alias = alias.unwrap_or_else(|| crate::exchange::graph_groups::nickname(&name));
    let written = parameters
        .text("PrimarySmtpAddress")?
        .or(parameters.text("MicrosoftOnlineServicesID")?);
    let address = written.unwrap_or_else(|| format!("{alias}@{}", context.tenant.domain));
    check_address(context, &address, None)?;
    let display_name = parameters.text("DisplayName")?.unwrap_or_else(|| name.clone());
    let user = seed::add_mail_user(context.tenant, &address, Some(&display_name), None);
    let user = user.ok_or_else(|| {
        Failure::exists(format!(
            "The proxy address \"SMTP:{address}\" is already being used by another recipient."
        ))
    })?;
    if let Some(made) = context.tenant.write().user_mut(user.id) {
        made.mailbox.kind = kind;
        made.account_enabled = kind == MailboxKind::User;
    }
    context.sandbox.mail.create_mailbox(user.id, &address, &display_name);
    let objects = context.tenant.read();
    let shown = objects.user_by_id(user.id).map(|user| show(context, &objects, user));
    Ok(Output::many(shown.into_iter().collect()))
}

/// What becomes of the addresses, `SMTP:` and `smtp:` prefixes aside; the primary one stays.
fn aliases(user: &User, change: &ListChange) -> Result<Vec<String>, Failure> {
    let bare = |entry: &String| match entry.split_once(':') {
        Some(("SMTP", address)) if !user.mail.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(address)) => {
            Err(Failure::unsupported("changing the primary address of a mailbox"))
        }
        Some((kind, address)) if kind.eq_ignore_ascii_case("smtp") => Ok(address.to_owned()),
        Some(_) => Err(Failure::unsupported("addresses of other kinds than SMTP")),
        None => Ok(entry.clone()),
    };
    let all = |entries: &[String]| entries.iter().map(bare).collect::<Result<Vec<String>, Failure>>();
    let bare = ListChange {
        replace: change.replace.as_deref().map(all).transpose()?,
        add: all(&change.add)?,
        remove: all(&change.remove)?,
    };
    let aliases = bare.apply(&user.mailbox.aliases);
    if aliases.len() > MAX_ALIASES {
        return Err(Failure::invalid(format!(
            "A mailbox can't have more than {MAX_ALIASES} proxy addresses."
        )));
    }
    Ok(aliases)
}

pub fn change(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let rules = context.exchange.rules();
    let (id, mut profile, new_aliases) = {
        let objects = context.tenant.read();
        let id = recipient::mailbox(context.tenant, &objects, &parameters.need("Identity")?)?;
        let user = objects
            .user_by_id(id)
            .ok_or_else(|| Failure::not_found(&id.to_string()))?;
        let change = parameters.list_change("EmailAddresses")?;
        let new_aliases = change.map(|change| aliases(user, &change)).transpose()?;
        let mut profile = user.mailbox.clone();
        let resolve =
            |identity: &String| recipient::any(context.tenant, &objects, &rules, identity).map(RecipientId::id);
        if let Some(change) = parameters.list_change("GrantSendOnBehalfTo")? {
            let ids = |names: &[String]| names.iter().map(resolve).collect::<Result<Vec<Uuid>, Failure>>();
            if let Some(names) = &change.replace {
                profile.send_on_behalf = ids(names)?;
            }
            let gone = ids(&change.remove)?;
            profile.send_on_behalf.retain(|known| !gone.contains(known));
            for new in ids(&change.add)? {
                if !profile.send_on_behalf.contains(&new) {
                    profile.send_on_behalf.push(new);
                }
            }
        }
        if parameters.has("ForwardingAddress") {
            let target = parameters.text("ForwardingAddress")?.filter(|text| !text.is_empty());
            profile.forwarding.recipient = target.as_ref().map(resolve).transpose()?;
        }
        (id, profile, new_aliases)
    };
    for alias in new_aliases.iter().flatten() {
        check_address(context, alias, Some(id))?;
    }
    plain(parameters, &mut profile)?;
    let display_name = parameters.text("DisplayName")?;
    let mut objects = context.tenant.write();
    if let Some(new_aliases) = new_aliases {
        objects.set_aliases(id, &new_aliases).map_err(|taken| {
            Failure::exists(format!(
                "The proxy address \"smtp:{taken}\" is already being used by another recipient."
            ))
        })?;
    }
    if let Some(user) = objects.user_mut(id) {
        profile.aliases = std::mem::take(&mut user.mailbox.aliases);
        user.mailbox = profile;
        user.display_name = display_name.unwrap_or_else(|| user.display_name.clone());
    }
    Ok(Output::nothing())
}

/// Properties that need no look-up.
fn plain(parameters: &Parameters, profile: &mut MailboxProfile) -> Result<(), Failure> {
    if parameters.has("ForwardingSmtpAddress") {
        let address = parameters.text("ForwardingSmtpAddress")?.unwrap_or_default();
        let address = match address.split_once(':') {
            Some((kind, address)) if kind.eq_ignore_ascii_case("smtp") => address.to_owned(),
            _ => address,
        };
        if !address.is_empty() && !address.contains('@') {
            return Err(Failure::invalid(format!(
                "The address \"{address}\" isn't a valid SMTP address."
            )));
        }
        profile.forwarding.address = Some(address).filter(|address| !address.is_empty());
    }
    if let Some(keep) = parameters.flag("DeliverToMailboxAndForward")? {
        profile.forwarding.keep_copy = keep;
    }
    if let Some(kind) = parameters.text("Type")? {
        profile.kind = match kind.to_ascii_lowercase().as_str() {
            "regular" => MailboxKind::User,
            "shared" => MailboxKind::Shared,
            "room" => MailboxKind::Room,
            "equipment" => MailboxKind::Equipment,
            _ => {
                return Err(Failure::binding(format!(
                    "Cannot process argument transformation on parameter 'Type'. Cannot convert value \"{kind}\". Specify one of: Regular, Room, Equipment, Shared."
                )));
            }
        };
    }
    if let Some(hidden) = parameters.flag("HiddenFromAddressListsEnabled")? {
        let text = if hidden { "True" } else { "False" };
        profile
            .attributes
            .insert("HiddenFromAddressListsEnabled".to_owned(), text.to_owned());
    }
    let texts = PROPERTIES
        .iter()
        .filter(|name| name.starts_with("CustomAttribute") || **name == "Office");
    for name in texts.filter(|name| parameters.has(name)) {
        match parameters.text(name)?.filter(|text| !text.is_empty()) {
            Some(text) => profile.attributes.insert((*name).to_owned(), text),
            None => profile.attributes.remove(*name),
        };
    }
    Ok(())
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let id = {
        let objects = context.tenant.read();
        recipient::mailbox(context.tenant, &objects, &parameters.need("Identity")?)?
    };
    if let Some(user) = context.tenant.write().user_mut(id) {
        user.mailbox.condition = MailboxCondition::SoftDeleted;
    }
    Ok(Output::nothing())
}
