//! What users have licences for, and what the tenant has bought.
//!
//! Owns the subscriptions (SKUs) with their service plans and how Graph shows them on users, as licence details and
//! among the tenant's subscriptions. A plan of the kind EXCHANGE_S_FOUNDATION gives no mailbox.

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::directory::model::{User, time};
use crate::directory::tenant::Tenant;

/// How many licences of each kind the tenant owns.
const LICENCES: usize = 100;

/// A service plan.
#[derive(Debug)]
pub struct Plan {
    id: Uuid,
    name: &'static str,
    service: &'static str,
}

/// A subscription.
#[derive(Debug)]
pub struct Sku {
    id: Uuid,
    part_number: &'static str,
    plans: &'static [Plan],
}

/// Exchange Online Plan 1.
pub static STANDARD: Sku = Sku {
    id: uuid!("4b9405b0-7788-4568-add1-99614e613b69"),
    part_number: "EXCHANGESTANDARD",
    plans: &[Plan {
        id: uuid!("9aaf7827-d63c-4b61-89c3-182f06f82e5c"),
        name: "EXCHANGE_S_STANDARD",
        service: "exchange",
    }],
};

/// A free subscription that names Exchange and gives no mailbox.
pub static FOUNDATION: Sku = Sku {
    id: uuid!("f30db892-07e9-47e9-837c-80727f46fd3d"),
    part_number: "FLOW_FREE",
    plans: &[Plan {
        id: uuid!("113feb6c-3fe4-4440-bddc-54d774bf0318"),
        name: "EXCHANGE_S_FOUNDATION",
        service: "exchange",
    }],
};

/// The subscriptions a user has a licence for.
#[must_use]
pub fn of(user: &User) -> Vec<&'static Sku> {
    if user.foundation_only {
        return vec![&FOUNDATION];
    }
    if user.is_licensed() && !user.guest {
        vec![&STANDARD]
    } else {
        Vec::new()
    }
}

/// `assignedLicenses` of a user.
#[must_use]
pub fn assigned_licenses(user: &User) -> Value {
    of(user)
        .iter()
        .map(|sku| json!({"disabledPlans": [], "skuId": sku.id}))
        .collect()
}

/// `assignedPlans` of a user.
#[must_use]
pub fn assigned_plans(user: &User) -> Value {
    let plans = of(user).into_iter().flat_map(|sku| sku.plans);
    plans
        .map(|plan| {
            json!({
                "assignedDateTime": time(user.created_at),
                "capabilityStatus": "Enabled",
                "service": plan.service,
                "servicePlanId": plan.id,
            })
        })
        .collect()
}

/// `provisionedPlans` of a user.
#[must_use]
pub fn provisioned_plans(user: &User) -> Value {
    let plans = of(user).into_iter().flat_map(|sku| sku.plans);
    plans
        .map(|plan| json!({"capabilityStatus": "Enabled", "provisioningStatus": "Success", "service": plan.service}))
        .collect()
}

/// `licenseDetails` of a user.
#[must_use]
pub fn details(user: &User) -> Vec<Value> {
    let details = of(user).into_iter().map(|sku| {
        json!({
            "id": format!("{}_{}", user.id, sku.id),
            "servicePlans": service_plans(sku),
            "skuId": sku.id,
            "skuPartNumber": sku.part_number,
        })
    });
    details.collect()
}

/// `subscribedSkus` of the tenant.
#[must_use]
pub fn subscribed(tenant: &Tenant) -> Vec<Value> {
    let objects = tenant.read();
    let skus = [&STANDARD, &FOUNDATION].into_iter().map(|sku| {
        let consumed = objects
            .users()
            .filter(|user| of(user).iter().any(|held| held.id == sku.id))
            .count();
        json!({
            "accountId": tenant.id,
            "accountName": tenant.display_name,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": consumed,
            "id": format!("{}_{}", tenant.id, sku.id),
            "prepaidUnits": {"enabled": LICENCES.max(consumed), "lockedOut": 0, "suspended": 0, "warning": 0},
            "servicePlans": service_plans(sku),
            "skuId": sku.id,
            "skuPartNumber": sku.part_number,
            "subscriptionIds": [],
        })
    });
    skus.collect()
}

fn service_plans(sku: &Sku) -> Value {
    sku.plans
        .iter()
        .map(|plan| {
            json!({
                "appliesTo": "User",
                "provisioningStatus": "Success",
                "servicePlanId": plan.id,
                "servicePlanName": plan.name,
            })
        })
        .collect()
}
