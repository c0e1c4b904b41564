//! `/organization`, `/domains`, `/subscribedSkus` and `/directoryRoles`: what the tenant is and has bought.
//!
//! Owns read-only descriptions. Nothing here can be changed through Graph.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::licences;
use crate::directory::listing::{self, Kind};
use crate::directory::model::{EXCHANGE_ADMINISTRATOR, time};
use crate::directory::tenant::Tenant;
use crate::directory::{authority, role_assignments};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// `/organization/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn organization(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_ORGANIZATION)?;
    let kind = Kind {
        context: "organization",
        type_name: "microsoft.graph.organization",
        defaults: None,
    };
    let entity = json!({
        "id": tenant.id,
        "deletedDateTime": null,
        "assignedPlans": [{
            "assignedDateTime": time(tenant.created_at),
            "capabilityStatus": "Enabled",
            "service": "exchange",
            "servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
        }],
        "businessPhones": [],
        "city": null,
        "country": null,
        "countryLetterCode": "FR",
        "createdDateTime": time(tenant.created_at),
        "defaultUsageLocation": null,
        "displayName": tenant.display_name,
        "isMultipleDataLocationsForServicesEnabled": null,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": null,
        "onPremisesSyncEnabled": null,
        "partnerTenantType": null,
        "postalCode": null,
        "preferredLanguage": "en",
        "privacyProfile": null,
        "provisionedPlans": [
            {"capabilityStatus": "Enabled", "provisioningStatus": "Success", "service": "exchange"},
        ],
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": null,
        "street": null,
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": false,
                "isInitial": true,
                "name": tenant.initial_domain(),
                "type": "Managed",
            },
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": true,
                "isInitial": false,
                "name": tenant.domain,
                "type": "Managed",
            },
        ],
    });
    answer(request, kind, vec![entity], segments)
}

/// `/domains/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn domains(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_DOMAINS)?;
    let kind = Kind {
        context: "domains",
        type_name: "microsoft.graph.domain",
        defaults: None,
    };
    let domain = |name: &str, initial: bool| {
        json!({
            "authenticationType": "Managed",
            "availabilityStatus": null,
            "id": name,
            "isAdminManaged": true,
            "isDefault": !initial,
            "isInitial": initial,
            "isRoot": true,
            "isVerified": true,
            "passwordNotificationWindowInDays": 14,
            "passwordValidityPeriodInDays": i32::MAX,
            "state": null,
            "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        })
    };
    if let [name, records] = segments
        && records.eq_ignore_ascii_case("serviceConfigurationRecords")
    {
        return service_records(tenant, request, name);
    }
    let entities = vec![domain(&tenant.domain, false), domain(&tenant.initial_domain(), true)];
    answer(request, kind, entities, segments)
}

/// The DNS records by which mail of a domain reaches the tenant.
fn service_records(tenant: &Tenant, request: &GraphRequest, name: &str) -> Result<GraphResponse, ODataError> {
    let known = [tenant.domain.clone(), tenant.initial_domain()];
    let name = known
        .iter()
        .find(|domain| domain.eq_ignore_ascii_case(name))
        .ok_or_else(|| ODataError::directory_not_found(name))?;
    let record = |kind: &str, id: u128, further: Value| {
        let mut record = json!({
            "@odata.type": format!("#microsoft.graph.domainDns{kind}Record"),
            "id": uuid::Uuid::from_u128(id),
            "isOptional": false,
            "label": name,
            "recordType": kind,
            "supportedService": "Email",
            "ttl": 3600,
        });
        for (property, value) in further.as_object().into_iter().flatten() {
            record[property.as_str()] = value.clone();
        }
        record
    };
    let exchange = format!("{}.mail.protection.outlook.com", name.replace('.', "-"));
    let text = "v=spf1 include:spf.protection.outlook.com -all";
    let records = [
        record("Mx", 1, json!({"mailExchange": exchange, "preference": 0})),
        record("Txt", 2, json!({"text": text})),
    ];
    let kind = Kind {
        context: "serviceConfigurationRecords",
        type_name: "microsoft.graph.domainDnsRecord",
        defaults: None,
    };
    listing::collection(request, kind, records.into_iter())
}

/// `/subscribedSkus/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn subscribed_skus(
    tenant: &Tenant,
    request: &GraphRequest,
    segments: &[String],
) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_SUBSCRIBED_SKUS)?;
    let kind = Kind {
        context: "subscribedSkus",
        type_name: "microsoft.graph.subscribedSku",
        defaults: None,
    };
    answer(request, kind, licences::subscribed(tenant), segments)
}

/// `/directoryRoles/<segments>`: the activated roles.
///
/// # Errors
/// The refusal as Graph words it.
pub fn directory_roles(request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_DOMAINS)?;
    let kind = Kind {
        context: "directoryRoles",
        type_name: "microsoft.graph.directoryRole",
        defaults: None,
    };
    answer(
        request,
        kind,
        role_assignments::ROLES
            .iter()
            .filter_map(|(id, _)| directory_role(*id))
            .collect(),
        segments,
    )
}

/// An activated directory role as Graph shows it; nothing for a role the tenant does not know.
#[must_use]
pub fn directory_role(id: Uuid) -> Option<Value> {
    let (id, name) = role_assignments::ROLES.iter().find(|(known, _)| *known == id)?;
    let description = match *id {
        EXCHANGE_ADMINISTRATOR => "May manage all aspects of the Exchange product.",
        _ => "May manage everything in the tenant.",
    };
    Some(json!({
        "id": id,
        "deletedDateTime": null,
        "description": description,
        "displayName": name,
        "roleTemplateId": id,
    }))
}

/// Directory roles as they stand among other directory objects.
#[must_use]
pub fn roles_as_objects(held: &[Uuid]) -> Vec<Value> {
    let roles = held.iter().filter_map(|id| directory_role(*id));
    roles
        .map(|mut role| {
            role["@odata.type"] = "#microsoft.graph.directoryRole".into();
            role
        })
        .collect()
}

fn answer(
    request: &GraphRequest,
    kind: Kind,
    entities: Vec<Value>,
    segments: &[String],
) -> Result<GraphResponse, ODataError> {
    if request.method != Method::GET {
        return Err(ODataError::unsupported(format!("changing {}", kind.context)));
    }
    match segments {
        [] => listing::collection(request, kind, entities.into_iter()),
        [count] if count.eq_ignore_ascii_case("$count") => listing::collection(request, kind, entities.into_iter()),
        [id] => {
            let same = |entity: &&Value| entity["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id));
            let entity = entities
                .iter()
                .find(same)
                .ok_or_else(|| ODataError::directory_not_found(id))?;
            listing::entity(request, StatusCode::OK, kind, entity)
        }
        [_, rest, ..] => Err(ODataError::unsupported(format!("{rest} of {}", kind.context))),
    }
}
