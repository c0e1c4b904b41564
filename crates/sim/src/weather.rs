//! What goes wrong, and when.
//!
//! Owns the troubles of a storm: the faults ordered of the tenant, and how often a node fails by itself. All of it is
//! drawn from the seed, and all of it is over when the storm is.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    dice::Dice,
    people::World,
    ports::Odds,
    run::Order,
    tenant::{Asked, NODES, Tenant},
};

/// How often a node fails.
pub fn odds(dice: &Dice) -> Odds {
    let sometimes = |most: u64| if dice.chance(6_000) { dice.between(1, most) } else { 0 };
    Odds {
        death: sometimes(60),
        standstill: sometimes(100),
        store_refusal: sometimes(150),
        store_silence: sometimes(150),
        unreachable: sometimes(300),
        broken_answer: sometimes(300),
        skew: sometimes(3_000),
    }
}

/// Lets troubles happen until people stop.
pub async fn storm(world: Arc<World>) -> Asked<()> {
    let dice = Dice::new(world.seed, "weather");
    for _ in 0..dice.below(5) {
        let rule = fault(&dice);
        world.trace.note(format_args!("fault {rule}"));
        world.tenant.order("POST", "/faults", &rule).await?;
    }
    for _ in 0..dice.below(3) {
        let rule = mishap(&dice);
        world.trace.note(format_args!("mishap {rule}"));
        world.tenant.order("POST", "/notifications/faults", &rule).await?;
    }
    if dice.chance(3_000) {
        let limits = json!({"enabled": true});
        world.tenant.order("POST", "/throttling", &limits).await?;
    }
    if dice.chance(4_000) {
        let behaviour = behaviour(&dice);
        world.trace.note(format_args!("behaviour {behaviour}"));
        world.tenant.order("PATCH", "/mail/behaviour", &behaviour).await?;
    }
    loop {
        world.time.sleep(dice.pause(3_000, 60_000)).await;
        if world.time.now() >= world.until {
            return Ok(());
        }
        let (path, body) = event(&dice, &world);
        world.trace.note(format_args!("order {path} {body}"));
        world.tenant.order("POST", path, &body).await?;
    }
}

/// Posts orders one after the other.
pub async fn carry_out(world: Arc<World>, orders: &'static [Order]) -> Asked<()> {
    let began = world.time.now();
    for order in orders {
        world.time.until(began + Duration::from_secs(order.at)).await;
        world.trace.note(format_args!("order {} {}", order.path, order.body));
        let mut body: Value = serde_json::from_str(order.body)?;
        if order.path == "/faults" {
            body["application"] = NODES.into();
        }
        world.tenant.order("POST", order.path, &body).await?;
    }
    Ok(())
}

/// Ends everything that was ordered.
pub async fn clear_up(tenant: &Tenant) -> Asked<()> {
    tenant.order("DELETE", "/faults", &json!({})).await?;
    tenant.order("DELETE", "/notifications/faults", &json!({})).await?;
    tenant.order("POST", "/throttling", &json!({"enabled": false})).await?;
    tenant
        .order("PATCH", "/mail/behaviour", &json!({"delta_token_life": null}))
        .await?;
    Ok(())
}

/// A rule for requests of the nodes.
fn fault(dice: &Dice) -> Value {
    let places = [
        "",
        "/messages",
        "delta",
        "/send",
        "createreply",
        "/attachments",
        "$value",
        "$batch",
        "token",
        "subscriptions",
        "filter",
    ];
    let place = dice.pick(&places).copied().unwrap_or_default();
    // What a broken proxy says to questions about the reply, and to links that the nodes have stored.
    let (place, odd) = match dice.below(12) {
        0 => ("createreply", Some(json!({"kind": "garbage"}))),
        1 => ("isdraft", Some(json!({"kind": "garbage"}))),
        2 => ("deltatoken", Some(json!({"kind": "garbage"}))),
        3 => ("deltatoken", Some(json!({"kind": "status", "status": 400}))),
        4 => ("skiptoken", Some(json!({"kind": "status", "status": 404}))),
        5 => ("", Some(json!({"kind": "status", "status": 403}))),
        _ => (place, None),
    };
    let action = odd.unwrap_or_else(|| ordinary(dice));
    let mut rule = json!({
        "application": NODES,
        "probability": 0.01 * dice.between(1, 20) as f64,
        "seed": dice.below(1 << 53),
        "times": 0,
        "action": action,
    });
    if !place.is_empty() {
        rule["path_contains"] = place.into();
    }
    rule
}

/// What servers say that are busy or broken.
fn ordinary(dice: &Dice) -> Value {
    let retry_after = dice.chance(5_000).then(|| dice.between(1, 30));
    let after_effect = dice.chance(4_000);
    match dice.below(9) {
        0 => json!({"kind": "status", "status": 429, "retry_after": retry_after.unwrap_or(3)}),
        1 => json!({"kind": "status", "status": 503, "retry_after": retry_after, "after_effect": after_effect}),
        2 => json!({"kind": "status", "status": 500, "after_effect": after_effect}),
        3 => json!({"kind": "status", "status": 504, "after_effect": after_effect}),
        4 => json!({"kind": "gateway_page", "status": 502, "after_effect": after_effect}),
        5 => json!({"kind": "cut_before"}),
        6 => json!({"kind": "cut_after"}),
        7 => json!({"kind": "latency", "milliseconds": 200, "jitter_milliseconds": 6000}),
        _ => json!({"kind": "claims_challenge"}),
    }
}

/// A rule for notifications.
fn mishap(dice: &Dice) -> Value {
    let action = match dice.below(4) {
        0 => json!({"kind": "lose"}),
        1 => json!({"kind": "duplicate", "copies": dice.between(1, 4)}),
        2 => json!({"kind": "delay", "seconds": dice.between(1, 90)}),
        _ => json!({"kind": "swap", "seconds": dice.between(5, 60)}),
    };
    json!({"times": 0, "probability": 0.1 * dice.between(1, 10) as f64, "action": action})
}

/// How the tenant does what is reported in several forms.
fn behaviour(dice: &Dice) -> Value {
    let codes = [
        "SyncStateNotFound",
        "resyncRequired",
        "SyncStateInvalid",
        "ResyncChangesApplyDifferences",
    ];
    json!({
        "gone_code": dice.pick(&codes),
        "gone_location": dice.chance(5_000),
        "empty_delta_pages": dice.chance(5_000),
        "delta_token_life": dice.chance(5_000).then(|| dice.between(20, 200)),
    })
}

/// Something that happens once.
fn event(dice: &Dice, world: &World) -> (&'static str, Value) {
    let mailbox = dice.pick(&world.tenant.mailboxes);
    let place = json!({"mailbox": mailbox, "folder": "inbox"});
    match dice.below(6) {
        0 => ("/delta/expire", place),
        1 => ("/delta/replay", place),
        2 => (
            "/tokens/revoke",
            json!({"application": NODES, "challenge": dice.chance(5_000)}),
        ),
        3 => ("/notifications/duplicate", json!({"times": dice.between(1, 5)})),
        4 => ("/notifications/lifecycle", json!({"event": "missed"})),
        _ => {
            let events = ["subscriptionRemoved", "reauthorizationRequired"];
            ("/notifications/lifecycle", json!({"event": dice.pick(&events)}))
        }
    }
}
