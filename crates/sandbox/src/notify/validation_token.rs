//! The token that vouches for rich notifications.
//!
//! Owns its claims (contract §3): made for the subscribing application, by the publisher of change notifications,
//! issued by the tenant. `iat` and `nbf` lie five minutes back, as in every token of the tenant.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::entropy::Entropy;

/// The publisher of change notifications, the same for every tenant.
const PUBLISHER: Uuid = uuid!("0bf30f3b-4a52-48df-9a82-234910c4a086");
/// How far `iat` and `nbf` lie back, in seconds.
const BACK_DATED: i64 = 300;
/// From `iat` to `exp`, in seconds, as in the documented example.
const LIFE: i64 = 29_100;

/// The claims of a token for `audience`.
#[must_use]
pub fn claims(audience: &str, tenant: Uuid, now: Timestamp, entropy: &Entropy) -> Value {
    let issued = now.as_second() - BACK_DATED;
    let issuer = format!("https://sts.windows.net/{tenant}/");
    let (mut aio, mut uti) = ([0_u8; 24], [0_u8; 16]);
    entropy.fill(&mut aio);
    entropy.fill(&mut uti);
    json!({
        "aud": audience,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFE,
        "aio": STANDARD.encode(aio),
        "appid": PUBLISHER,
        "appidacr": "2",
        "idp": issuer,
        "tid": tenant,
        "uti": URL_SAFE_NO_PAD.encode(uti),
        "ver": "1.0",
    })
}
