//! A person at the sign-in page, in a process of their own: `python/person.py`.
//!
//! Owns the call of that program and the reading of the address it ends at.

use std::{error::Error, process::Command};

use openidconnect::url::Url;
use serde_json::Value;

/// Signs the tenant's owner in; gives the address where the browser would go next.
pub fn sign_in(tenant: &Value, page: &str, code: Option<&str>) -> Result<String, Box<dyn Error>> {
    let word = |pointer: &str| tenant.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/person.py");
    let done = Command::new("python3")
        .args([program, page, word("/owner/name"), word("/owner/password"), "accept"])
        .args(code)
        .output()?;
    if !done.status.success() {
        return Err(format!("the sign-in page refused: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
