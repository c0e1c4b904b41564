//! The cmdlets: names, parameters, and which function runs them.
//!
//! Owns the table. A name that is not in it is unknown to this Exchange; one that Microsoft has and the sandbox has
//! not answers so. `-WhatIf` checks the parameters and does nothing.

pub mod assignments;
mod connection_filter;
mod delegates;
mod groups;
mod inbox_rules;
mod mailboxes;
mod organization;
mod policies;
mod principals;
pub mod scopes;

use serde_json::Value;

use crate::directory::tenant::Tenant;
use crate::exchange::Exchange;
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::state::Sandbox;

/// What a cmdlet has to work with.
pub struct Context<'a> {
    /// The whole tenant.
    pub sandbox: &'a Sandbox,
    /// Its directory.
    pub tenant: &'a Tenant,
    /// Its Exchange.
    pub exchange: &'a Exchange,
}

/// What a cmdlet gives.
#[derive(Debug, Default)]
pub struct Output {
    /// Objects.
    pub value: Vec<Value>,
    /// Warnings.
    pub warnings: Vec<String>,
}

impl Output {
    fn nothing() -> Self {
        Self::default()
    }

    fn one(value: Value) -> Self {
        Self::many(vec![value])
    }

    fn many(value: Vec<Value>) -> Self {
        Self {
            value,
            warnings: Vec::new(),
        }
    }
}

type Outcome = Result<Output, Failure>;

struct Cmdlet {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    run: fn(&Context<'_>, &Parameters) -> Outcome,
}

const fn cmdlet(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    run: fn(&Context<'_>, &Parameters) -> Outcome,
) -> Cmdlet {
    Cmdlet {
        name,
        required,
        optional,
        run,
    }
}

/// Cmdlets of Microsoft's that touch mail and that the sandbox does not run.
const UNSUPPORTED: [&str; 12] = [
    "Enable-OrganizationCustomization",
    "Get-MailboxFolderPermission",
    "Get-MailboxStatistics",
    "Get-MessageTrace",
    "Get-MessageTraceV2",
    "Get-TransportRule",
    "New-InboxRule",
    "New-TransportRule",
    "Set-InboxRule",
    "Get-MailboxAutoReplyConfiguration",
    "Set-MailboxAutoReplyConfiguration",
    "Add-MailboxFolderPermission",
];

/// Every cmdlet the sandbox runs.
const CMDLETS: &[Cmdlet] = &[
    cmdlet(
        "New-ServicePrincipal",
        &["AppId"],
        &["ObjectId", "ServiceId", "DisplayName"],
        principals::create,
    ),
    cmdlet(
        "Get-ServicePrincipal",
        &[],
        &["Identity", "Organization", "ResultSize"],
        principals::list,
    ),
    cmdlet(
        "Set-ServicePrincipal",
        &["Identity"],
        &["DisplayName"],
        principals::change,
    ),
    cmdlet("Remove-ServicePrincipal", &["Identity"], &[], principals::remove),
    cmdlet(
        "Test-ServicePrincipalAuthorization",
        &["Identity"],
        &["Resource"],
        principals::test,
    ),
    cmdlet(
        "New-ManagementScope",
        &["Name"],
        &["RecipientRestrictionFilter", "Exclusive", "Force"],
        scopes::create,
    ),
    cmdlet(
        "Get-ManagementScope",
        &[],
        &["Identity", "Exclusive", "Orphan"],
        scopes::list,
    ),
    cmdlet(
        "Set-ManagementScope",
        &["Identity"],
        &["Name", "RecipientRestrictionFilter"],
        scopes::change,
    ),
    cmdlet("Remove-ManagementScope", &["Identity"], &["Force"], scopes::remove),
    cmdlet("Get-ManagementRole", &[], &["Identity", "RoleType"], assignments::roles),
    cmdlet(
        "New-ManagementRoleAssignment",
        &["Role", "App"],
        &[
            "Name",
            "CustomResourceScope",
            "RecipientAdministrativeUnitScope",
            "RecipientGroupScope",
            "Force",
        ],
        assignments::create,
    ),
    cmdlet(
        "Get-ManagementRoleAssignment",
        &[],
        &[
            "Identity",
            "Role",
            "RoleAssignee",
            "RoleAssigneeType",
            "CustomResourceScope",
            "Enabled",
        ],
        assignments::list,
    ),
    cmdlet(
        "Set-ManagementRoleAssignment",
        &["Identity"],
        &[
            "CustomResourceScope",
            "RecipientAdministrativeUnitScope",
            "RecipientGroupScope",
            "Enabled",
            "Force",
        ],
        assignments::change,
    ),
    cmdlet(
        "Remove-ManagementRoleAssignment",
        &["Identity"],
        &["Force"],
        assignments::remove,
    ),
    cmdlet(
        "New-ApplicationAccessPolicy",
        &["AppId", "PolicyScopeGroupId", "AccessRight"],
        &["Description"],
        policies::create,
    ),
    cmdlet("Get-ApplicationAccessPolicy", &[], &["Identity"], policies::list),
    cmdlet(
        "Set-ApplicationAccessPolicy",
        &["Identity"],
        &["Description"],
        policies::change,
    ),
    cmdlet("Remove-ApplicationAccessPolicy", &["Identity"], &[], policies::remove),
    cmdlet(
        "Test-ApplicationAccessPolicy",
        &["Identity", "AppId"],
        &[],
        policies::test,
    ),
    cmdlet(
        "Get-HostedConnectionFilterPolicy",
        &[],
        &["Identity"],
        connection_filter::list,
    ),
    cmdlet(
        "Set-HostedConnectionFilterPolicy",
        &["Identity"],
        &[
            "IPAllowList",
            "IPBlockList",
            "EnableSafeList",
            "AdminDisplayName",
            "ConfigurationXmlRaw",
            "MakeDefault",
        ],
        connection_filter::change,
    ),
    cmdlet(
        "New-DistributionGroup",
        &["Name"],
        &[
            "Type",
            "Alias",
            "DisplayName",
            "PrimarySmtpAddress",
            "Members",
            "Description",
            "Notes",
            "IgnoreNamingPolicy",
        ],
        groups::create,
    ),
    cmdlet(
        "Get-DistributionGroup",
        &[],
        &["Identity", "ResultSize", "RecipientTypeDetails", "Anr"],
        groups::list,
    ),
    cmdlet(
        "Set-DistributionGroup",
        &["Identity"],
        &[
            "Name",
            "DisplayName",
            "Alias",
            "PrimarySmtpAddress",
            "Description",
            "ForceUpgrade",
        ],
        groups::change,
    ),
    cmdlet(
        "Remove-DistributionGroup",
        &["Identity"],
        &["BypassSecurityGroupManagerCheck"],
        groups::remove,
    ),
    cmdlet(
        "Add-DistributionGroupMember",
        &["Identity", "Member"],
        &["BypassSecurityGroupManagerCheck"],
        groups::add_member,
    ),
    cmdlet(
        "Remove-DistributionGroupMember",
        &["Identity", "Member"],
        &["BypassSecurityGroupManagerCheck"],
        groups::remove_member,
    ),
    cmdlet(
        "Update-DistributionGroupMember",
        &["Identity"],
        &["Members", "BypassSecurityGroupManagerCheck"],
        groups::replace_members,
    ),
    cmdlet(
        "Get-DistributionGroupMember",
        &["Identity"],
        &["ResultSize"],
        groups::members,
    ),
    cmdlet("Get-Mailbox", &[], mailboxes::LOOK, mailboxes::list),
    cmdlet("Get-EXOMailbox", &[], mailboxes::LOOK, mailboxes::list),
    cmdlet("Get-Recipient", &[], mailboxes::LOOK, mailboxes::recipients),
    cmdlet("Get-EXORecipient", &[], mailboxes::LOOK, mailboxes::recipients),
    cmdlet(
        "New-Mailbox",
        &["Name"],
        &[
            "Shared",
            "Room",
            "Equipment",
            "DisplayName",
            "Alias",
            "PrimarySmtpAddress",
            "MicrosoftOnlineServicesID",
            "Password",
        ],
        mailboxes::create,
    ),
    cmdlet("Set-Mailbox", &["Identity"], mailboxes::CHANGE, mailboxes::change),
    cmdlet("Remove-Mailbox", &["Identity"], &["Force"], mailboxes::remove),
    cmdlet(
        "Add-MailboxPermission",
        &["Identity", "User", "AccessRights"],
        &["AutoMapping", "InheritanceType", "Deny"],
        delegates::add_mailbox_permission,
    ),
    cmdlet(
        "Get-MailboxPermission",
        &["Identity"],
        &["User", "Owner", "ResultSize"],
        delegates::mailbox_permissions,
    ),
    cmdlet(
        "Remove-MailboxPermission",
        &["Identity", "User", "AccessRights"],
        &["InheritanceType", "Deny"],
        delegates::remove_mailbox_permission,
    ),
    cmdlet(
        "Add-RecipientPermission",
        &["Identity", "Trustee", "AccessRights"],
        &[],
        delegates::add_recipient_permission,
    ),
    cmdlet(
        "Get-RecipientPermission",
        &[],
        &["Identity", "Trustee", "AccessRights", "ResultSize"],
        delegates::recipient_permissions,
    ),
    cmdlet(
        "Remove-RecipientPermission",
        &["Identity", "Trustee", "AccessRights"],
        &["Deny"],
        delegates::remove_recipient_permission,
    ),
    cmdlet(
        "Get-InboxRule",
        &[],
        &["Mailbox", "Identity", "ResultSize", "IncludeHidden", "BypassScopeCheck"],
        inbox_rules::list,
    ),
    cmdlet(
        "Enable-InboxRule",
        &["Identity"],
        &["Mailbox", "Force"],
        inbox_rules::enable,
    ),
    cmdlet(
        "Disable-InboxRule",
        &["Identity"],
        &["Mailbox", "Force"],
        inbox_rules::disable,
    ),
    cmdlet(
        "Remove-InboxRule",
        &["Identity"],
        &["Mailbox", "Force"],
        inbox_rules::remove,
    ),
    cmdlet("Get-OrganizationConfig", &[], &[], organization::config),
    cmdlet(
        "Set-OrganizationConfig",
        &[],
        &["SendFromAliasEnabled"],
        organization::change,
    ),
    cmdlet(
        "Get-AcceptedDomain",
        &[],
        &["Identity", "ResultSize"],
        organization::accepted_domains,
    ),
];

/// Runs a cmdlet.
///
/// # Errors
/// As Exchange words it.
pub fn run(sandbox: &Sandbox, name: &str, parameters: &Value) -> Outcome {
    let parameters = Parameters::read(parameters)?;
    let Some(cmdlet) = CMDLETS.iter().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name)) else {
        return Err(
            match UNSUPPORTED.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                Some(known) => Failure::unsupported(&format!("the cmdlet {known}")),
                None => Failure::unknown_cmdlet(name),
            },
        );
    };
    parameters.check(cmdlet.required, cmdlet.optional)?;
    if parameters.flag("WhatIf")? == Some(true) {
        return Ok(Output::nothing());
    }
    let context = Context {
        sandbox,
        tenant: &sandbox.tenant,
        exchange: &sandbox.exchange,
    };
    (cmdlet.run)(&context, &parameters)
}

/// The objects up to `-ResultSize`, with Exchange's warning when some are left out.
fn limited(parameters: &Parameters, value: Vec<Value>) -> Outcome {
    const DEFAULT: usize = 1_000;
    let size = match parameters.text("ResultSize")? {
        None => DEFAULT,
        Some(text) if text.eq_ignore_ascii_case("unlimited") => usize::MAX,
        Some(text) => text.parse().map_err(|_| {
            Failure::binding(format!(
                "Cannot process argument transformation on parameter 'ResultSize'. Cannot convert value \"{text}\" to type \"Microsoft.Exchange.Data.Unlimited\"."
            ))
        })?,
    };
    let mut output = Output::many(value);
    if output.value.len() > size {
        output.value.truncate(size);
        output.warnings.push(
            "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter."
                .to_owned(),
        );
    }
    Ok(output)
}
