//! The operations, by area.
//!
//! Owns one row each: method, path with placeholders, status, source. Words in braces are filled with real objects by
//! the test that checks the rows.

/// Whether an operation works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works as documented.
    Done,
    /// It is refused with 501 and this reason.
    Refused(&'static str),
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// HTTP method.
    pub method: &'static str,
    /// Path below `/v1.0`, or below the login host in its area.
    pub path: &'static str,
    /// Whether it works.
    pub status: Status,
    /// Section of the contract or id of an example.
    pub source: &'static str,
}

const fn done(method: &'static str, path: &'static str, source: &'static str) -> Operation {
    Operation {
        method,
        path,
        status: Status::Done,
        source,
    }
}

const fn refused(method: &'static str, path: &'static str, reason: &'static str) -> Operation {
    Operation {
        method,
        path,
        status: Status::Refused(reason),
        source: "–",
    }
}

/// Area of the login service, whose paths are below the login host.
pub const LOGIN: &str = "Entra ID: tokens and discovery";

/// Area of Exchange's administration, whose paths are below the host too; `/beta/roleManagement/exchange` belongs to it,
/// which `/v1.0` does not have.
pub const EXCHANGE: &str = "Exchange's administration";

/// Every area with its operations.
pub const AREAS: &[(&str, &[Operation])] = &[
    (LOGIN, ENTRA),
    ("Applications and service principals", APPLICATIONS),
    ("Consent", CONSENT),
    ("Users and the organisation", PEOPLE),
    ("Folders", FOLDERS),
    ("Messages", MESSAGES),
    ("Attachments", ATTACHMENTS),
    ("Change notifications and batches", NOTIFICATIONS),
    (EXCHANGE, EXCHANGE_ADMIN),
    (BETA, EXCHANGE_ROLES),
    ("Groups and directory roles", GROUPS),
    ("Not there", ABSENT),
];

/// Area whose paths are below `/beta` only.
pub const BETA: &str = "Roles of Exchange (beta only)";

const EXCHANGE_ROLES: &[Operation] = &[
    done("GET", "/roleManagement/exchange/customAppScopes", "§7"),
    done("POST", "/roleManagement/exchange/customAppScopes", "§7"),
    done("GET", "/roleManagement/exchange/roleAssignments", "§7"),
    done("POST", "/roleManagement/exchange/roleAssignments", "§7"),
    done("GET", "/roleManagement/exchange/roleDefinitions", "§7"),
];

const ENTRA: &[Operation] = &[
    done(
        "POST",
        "/{tenant}/oauth2/v2.0/token",
        "§1.1, oauth-token-client-secret__01, oauth-token-certificate__01",
    ),
    done("POST", "/{tenant}/oauth2/token", "§1.1 (older form with `resource`)"),
    done("POST", "/{tenant}/oauth2/v2.0/devicecode", "§1.3"),
    done("GET", "/devicelogin", "§1.3"),
    done(
        "GET",
        "/{tenant}/oauth2/v2.0/authorize",
        "§1, authorization code with PKCE",
    ),
    done("GET", "/{tenant}/adminconsent", "§6"),
    done("GET", "/{tenant}/v2.0/adminconsent", "§6"),
    done(
        "GET",
        "/common/discovery/instance",
        "§1.4, oauth-instance-discovery__01",
    ),
    done(
        "GET",
        "/{tenant}/v2.0/.well-known/openid-configuration",
        "§1.4, oauth-openid-configuration__01",
    ),
    done(
        "GET",
        "/{tenant}/.well-known/openid-configuration",
        "§1.4, recorded/entra_openid_configuration_graphv1.json",
    ),
    done("GET", "/{tenant}/discovery/v2.0/keys", "§1.4"),
    done("GET", "/{tenant}/discovery/keys", "§1.4"),
    done("GET", "/common/userrealm/{user}", "clients.md"),
    refused("GET", "/{tenant}/oauth2/v2.0/logout", "there are no browser sessions"),
];

const APPLICATIONS: &[Operation] = &[
    done("GET", "/applications", "application-list__01"),
    done("GET", "/applications/$count", "application-list__02"),
    done("POST", "/applications", "application-post-applications__01"),
    done("GET", "/applications/delta", "application-delta__01"),
    done("GET", "/applications/{application}", "application-get__01"),
    done("GET", "/applications(appId='{appId}')", "§6"),
    done("PATCH", "/applications/{application}", "application-update__01"),
    done(
        "PATCH",
        "/applications(uniqueName='{name}')",
        "§6 (creates with `Prefer: create-if-missing`)",
    ),
    done("DELETE", "/applications/{application}", "application-delete__01"),
    done(
        "POST",
        "/applications/{application}/addPassword",
        "application-addpassword__01",
    ),
    done(
        "POST",
        "/applications/{application}/removePassword",
        "application-removepassword__01",
    ),
    done("POST", "/applications/{application}/addKey", "application-addkey__01"),
    done(
        "POST",
        "/applications/{application}/removeKey",
        "application-removekey__01",
    ),
    done("GET", "/applications/{application}/owners", "§6"),
    done("POST", "/applications/{application}/owners/$ref", "§6"),
    done("DELETE", "/applications/{application}/owners/{owner}/$ref", "§6"),
    done(
        "GET",
        "/applications/{application}/federatedIdentityCredentials",
        "§1.1",
    ),
    done(
        "POST",
        "/applications/{application}/federatedIdentityCredentials",
        "application-post-federatedidentitycredentials__01",
    ),
    refused(
        "GET",
        "/applications/{application}/extensionProperties",
        "directory extensions",
    ),
    refused(
        "POST",
        "/applications/{application}/setVerifiedPublisher",
        "verified publishers",
    ),
    done("GET", "/servicePrincipals", "serviceprincipal-list__01"),
    done("GET", "/servicePrincipals/$count", "serviceprincipal-list__02"),
    done(
        "POST",
        "/servicePrincipals",
        "serviceprincipal-post-serviceprincipals__01",
    ),
    done("GET", "/servicePrincipals/delta", "serviceprincipal-delta__01"),
    done(
        "GET",
        "/servicePrincipals/{servicePrincipal}",
        "serviceprincipal-get__01",
    ),
    done("GET", "/servicePrincipals(appId='{appId}')", "§6"),
    done(
        "PATCH",
        "/servicePrincipals/{servicePrincipal}",
        "serviceprincipal-update__01",
    ),
    done(
        "DELETE",
        "/servicePrincipals/{servicePrincipal}",
        "serviceprincipal-delete__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/addPassword",
        "serviceprincipal-addpassword__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/removePassword",
        "serviceprincipal-removepassword__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/addKey",
        "serviceprincipal-addkey__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/removeKey",
        "serviceprincipal-removekey__01",
    ),
    done("GET", "/servicePrincipals/{servicePrincipal}/owners", "§6"),
    done("POST", "/servicePrincipals/{servicePrincipal}/owners/$ref", "§6"),
    done(
        "DELETE",
        "/servicePrincipals/{servicePrincipal}/owners/{owner}/$ref",
        "§6",
    ),
    done("GET", "/servicePrincipals/{servicePrincipal}/memberOf", "§6"),
    refused(
        "GET",
        "/servicePrincipals/{servicePrincipal}/synchronization",
        "provisioning of accounts",
    ),
    done("GET", "/directory/deletedItems/microsoft.graph.application", "§6"),
    done("GET", "/directory/deletedItems/microsoft.graph.servicePrincipal", "§6"),
    done("GET", "/directory/deletedItems/{deleted}", "§6"),
    done("POST", "/directory/deletedItems/{deleted}/restore", "§6"),
    done("DELETE", "/directory/deletedItems/{deleted}", "§6"),
];

const CONSENT: &[Operation] = &[
    done(
        "GET",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo",
        "serviceprincipal-list-approleassignedto__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo",
        "serviceprincipal-post-approleassignedto__01",
    ),
    done(
        "DELETE",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}",
        "serviceprincipal-delete-approleassignedto__01",
    ),
    done(
        "GET",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignments",
        "serviceprincipal-list-approleassignments__01",
    ),
    done(
        "POST",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignments",
        "serviceprincipal-post-approleassignments__01",
    ),
    done(
        "DELETE",
        "/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}",
        "serviceprincipal-delete-approleassignments__01",
    ),
    done(
        "GET",
        "/servicePrincipals/{servicePrincipal}/oauth2PermissionGrants",
        "serviceprincipal-list-oauth2permissiongrants__01",
    ),
    done(
        "GET",
        "/users/{user}/appRoleAssignments",
        "user-list-approleassignments__01",
    ),
    done(
        "GET",
        "/users/{user}/oauth2PermissionGrants",
        "user-list-oauth2permissiongrants__01",
    ),
    done("GET", "/oauth2PermissionGrants", "oauth2permissiongrant-list__01"),
    done("POST", "/oauth2PermissionGrants", "oauth2permissiongrant-post__01"),
    done(
        "GET",
        "/oauth2PermissionGrants/delta",
        "oauth2permissiongrant-delta__01",
    ),
    done(
        "GET",
        "/oauth2PermissionGrants/{grant}",
        "oauth2permissiongrant-get__01",
    ),
    done(
        "PATCH",
        "/oauth2PermissionGrants/{grant}",
        "oauth2permissiongrant-update__01",
    ),
    done(
        "DELETE",
        "/oauth2PermissionGrants/{grant}",
        "oauth2permissiongrant-delete__01",
    ),
];

const PEOPLE: &[Operation] = &[
    done("GET", "/users", "§6"),
    done("GET", "/users/$count", "§6"),
    done("GET", "/users/delta", "§6"),
    done("GET", "/users/{user}", "user-get__01"),
    done("PATCH", "/users/{user}", "§6 (password and accountEnabled)"),
    refused("POST", "/users", "use the control interface"),
    refused("DELETE", "/users/{user}", "removing users through Graph"),
    done("GET", "/users/{user}/licenseDetails", "user-list-licensedetails__01"),
    done("GET", "/users/{user}/memberOf", "§6"),
    refused("GET", "/users/{user}/manager", "the organisation chart"),
    done("GET", "/users/{user}/mailboxSettings", "user-get-mailboxsettings__01"),
    done(
        "PATCH",
        "/users/{user}/mailboxSettings",
        "user-update-mailboxsettings__01",
    ),
    done(
        "GET",
        "/users/{user}/mailboxSettings/automaticRepliesSetting",
        "user-get-mailboxsettings__02",
    ),
    done(
        "GET",
        "/users/{user}/mailboxSettings/workingHours",
        "user-get-mailboxsettings__03",
    ),
    done("GET", "/organization", "organization-list__01"),
    done("GET", "/domains", "domain-list__01"),
    done("GET", "/domains/contoso.example", "domain-get__01"),
    done(
        "GET",
        "/domains/contoso.example/serviceConfigurationRecords",
        "domain-list-serviceconfigurationrecords__01",
    ),
    done("GET", "/subscribedSkus", "subscribedsku-list__01"),
    done("GET", "/directoryRoles", "§6"),
];

const FOLDERS: &[Operation] = &[
    done("GET", "/users/{user}/mailFolders", "user-list-mailfolders__01"),
    done("POST", "/users/{user}/mailFolders", "user-post-mailfolders__01"),
    done("GET", "/users/{user}/mailFolders/delta", "mailfolder-delta__01"),
    done("GET", "/users/{user}/mailFolders/{folder}", "mailfolder-get__01"),
    done("PATCH", "/users/{user}/mailFolders/{folder}", "mailfolder-update__01"),
    done("DELETE", "/users/{user}/mailFolders/{folder}", "mailfolder-delete__01"),
    done("POST", "/users/{user}/mailFolders/{folder}/move", "mailfolder-move__01"),
    done("POST", "/users/{user}/mailFolders/{folder}/copy", "mailfolder-copy__01"),
    done(
        "GET",
        "/users/{user}/mailFolders/{folder}/childFolders",
        "mailfolder-list-childfolders__01",
    ),
    done(
        "POST",
        "/users/{user}/mailFolders/{folder}/childFolders",
        "mailfolder-post-childfolders__01",
    ),
    done(
        "GET",
        "/users/{user}/mailFolders/{folder}/messages",
        "mailfolder-list-messages__01",
    ),
    done(
        "POST",
        "/users/{user}/mailFolders/{folder}/messages",
        "mailfolder-post-messages__01",
    ),
    done(
        "GET",
        "/users/{user}/mailFolders/{folder}/messages/delta",
        "delta-query-messages__02, message-delta__01",
    ),
    done("POST", "/users/{user}/mailFolders/{folder}/permanentDelete", "§2.4"),
    done("GET", "/users/{user}/mailFolders/inbox/messageRules", "§2"),
    done("POST", "/users/{user}/mailFolders/inbox/messageRules", "§2"),
];

const MESSAGES: &[Operation] = &[
    done(
        "GET",
        "/users/{user}/messages",
        "user-list-messages__01, query-parameters__03",
    ),
    done(
        "GET",
        "/users/{user}/messages?$search=\"pizza\"",
        "§2.2, search-query-parameter__01",
    ),
    done("GET", "/users/{user}/messages/$count", "§2.2"),
    done("POST", "/users/{user}/messages", "user-post-messages__01"),
    done("GET", "/users/{user}/messages/{message}", "message-get__01"),
    done("PATCH", "/users/{user}/messages/{message}", "message-update__01"),
    done("DELETE", "/users/{user}/messages/{message}", "message-delete__01"),
    done("POST", "/users/{user}/messages/{message}/permanentDelete", "§2.5"),
    done("GET", "/users/{user}/messages/{message}/$value", "message-get__04"),
    done("POST", "/users/{user}/messages/{message}/move", "message-move__01"),
    done("POST", "/users/{user}/messages/{message}/copy", "message-copy__01"),
    done(
        "POST",
        "/users/{user}/messages/{message}/createReply",
        "message-createreply__01",
    ),
    done(
        "POST",
        "/users/{user}/messages/{message}/createReplyAll",
        "message-createreplyall__01",
    ),
    done(
        "POST",
        "/users/{user}/messages/{message}/createForward",
        "message-createforward__01",
    ),
    done("POST", "/users/{user}/messages/{message}/reply", "message-reply__01"),
    done(
        "POST",
        "/users/{user}/messages/{message}/replyAll",
        "message-replyall__01",
    ),
    done(
        "POST",
        "/users/{user}/messages/{message}/forward",
        "message-forward__01",
    ),
    done("POST", "/users/{user}/messages/{draft}/send", "message-send__01"),
    done("POST", "/users/{user}/sendMail", "user-sendmail__01"),
    done(
        "POST",
        "/users/{user}/translateExchangeIds",
        "user-translateexchangeids__01",
    ),
    refused(
        "POST",
        "/users/{user}/messages/{message}/markAsJunk",
        "junk reports: move the message",
    ),
];

const ATTACHMENTS: &[Operation] = &[
    done(
        "GET",
        "/users/{user}/messages/{message}/attachments",
        "message-list-attachments__01",
    ),
    done("GET", "/users/{user}/messages/{message}/attachments/$count", "§2.6"),
    done(
        "POST",
        "/users/{user}/messages/{draft}/attachments",
        "message-post-attachments__01",
    ),
    done(
        "GET",
        "/users/{user}/messages/{message}/attachments/{attachment}",
        "attachment-get__01",
    ),
    done(
        "GET",
        "/users/{user}/messages/{message}/attachments/{attachment}/$value",
        "attachment-get__06",
    ),
    done(
        "DELETE",
        "/users/{user}/messages/{message}/attachments/{attachment}",
        "attachment-delete__01",
    ),
    done(
        "POST",
        "/users/{user}/messages/{draft}/attachments/createUploadSession",
        "attachment-createuploadsession__01",
    ),
];

const NOTIFICATIONS: &[Operation] = &[
    done("GET", "/subscriptions", "subscription-list__01"),
    done("POST", "/subscriptions", "subscription-post-subscriptions__01"),
    done("GET", "/subscriptions/{subscription}", "subscription-get__01"),
    done("PATCH", "/subscriptions/{subscription}", "subscription-update__01"),
    done(
        "POST",
        "/subscriptions/{subscription}/reauthorize",
        "webhooks-lifecycle__02",
    ),
    done("DELETE", "/subscriptions/{subscription}", "subscription-delete__01"),
    done("POST", "/$batch", "§2.7, graph-batch-2025__01"),
];

const EXCHANGE_ADMIN: &[Operation] = &[
    done(
        "POST",
        "/adminapi/beta/{tenant}/InvokeCommand",
        "§7 (the cmdlets named there), exo-admin-invokecommand__01",
    ),
    done(
        "POST",
        "/adminapi/v2.0/{tenant}/OrganizationConfig",
        "§7 (preview), exo-admin-v2-organizationconfig__01",
    ),
    done("POST", "/adminapi/v2.0/{tenant}/AcceptedDomain", "§7 (preview)"),
    done("POST", "/adminapi/v2.0/{tenant}/Mailbox", "§7 (preview)"),
    done(
        "POST",
        "/adminapi/v2.0/{tenant}/DistributionGroupMember",
        "§7 (preview)",
    ),
];

const GROUPS: &[Operation] = &[
    done("GET", "/groups", "§7"),
    done("GET", "/groups/$count", "§7"),
    done("POST", "/groups", "§7 (plain security groups)"),
    done("GET", "/groups/{group}", "§7"),
    done("PATCH", "/groups/{group}", "§7"),
    done("GET", "/groups/{group}/members", "§7"),
    done("POST", "/groups/{group}/members/$ref", "§7"),
    done("DELETE", "/groups/{group}", "§7"),
    done("GET", "/roleManagement/directory/roleDefinitions", "§7"),
    done("GET", "/roleManagement/directory/roleAssignments", "§7"),
    done("POST", "/roleManagement/directory/roleAssignments", "§7"),
];

const ABSENT: &[Operation] = &[
    refused("GET", "/sites", "SharePoint"),
    refused("GET", "/drives", "OneDrive"),
    refused("GET", "/teams", "Teams"),
    refused("GET", "/chats", "Teams"),
    refused("GET", "/reports", "usage reports"),
    refused("GET", "/auditLogs", "audit logs"),
    refused(
        "GET",
        "/identity",
        "conditional access through Graph: use the control interface",
    ),
    refused("GET", "/policies", "policies through Graph: use the control interface"),
    refused("GET", "/security", "Defender"),
    refused("GET", "/$metadata", "the schema document"),
];
