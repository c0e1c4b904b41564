//! `/organization`, `/domains`, `/subscribedSkus` and `/directoryRoles`: what the tenant is and has bought.
//!
//! Owns read-only descriptions. Nothing here can be changed through Graph.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::directory::authority;
use crate::directory::listing::{self, Kind};
use crate::directory::model::{EXCHANGE_PLAN, GLOBAL_ADMINISTRATOR, SKU_ID, time};
use crate::directory::tenant::Tenant;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// How many licences the tenant owns.
const LICENCES: usize = 100;

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
            "servicePlanId": EXCHANGE_PLAN,
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
    let entities = vec![domain(&tenant.domain, false), domain(&tenant.initial_domain(), true)];
    answer(request, kind, entities, segments)
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
    let consumed = tenant.read().users().filter(|user| user.is_licensed()).count();
    let entity = json!({
        "accountId": tenant.id,
        "accountName": tenant.display_name,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": consumed,
        "id": format!("{}_{SKU_ID}", tenant.id),
        "prepaidUnits": {"enabled": LICENCES.max(consumed), "lockedOut": 0, "suspended": 0, "warning": 0},
        "servicePlans": service_plans(),
        "skuId": SKU_ID,
        "skuPartNumber": "EXCHANGESTANDARD",
        "subscriptionIds": [],
    });
    answer(request, kind, vec![entity], segments)
}

/// `/directoryRoles/<segments>`: the one activated role.
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
    answer(request, kind, vec![global_administrator()], segments)
}

/// The activated Global Administrator role as Graph shows it.
#[must_use]
pub fn global_administrator() -> Value {
    json!({
        "id": GLOBAL_ADMINISTRATOR,
        "deletedDateTime": null,
        "description": "May manage everything in the tenant.",
        "displayName": "Global Administrator",
        "roleTemplateId": GLOBAL_ADMINISTRATOR,
    })
}

/// What the tenant's licence contains.
#[must_use]
pub fn service_plans() -> Value {
    json!([{
        "appliesTo": "User",
        "provisioningStatus": "Success",
        "servicePlanId": EXCHANGE_PLAN,
        "servicePlanName": "EXCHANGE_S_STANDARD",
    }])
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
