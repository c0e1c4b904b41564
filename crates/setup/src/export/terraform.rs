//! The procedure as a configuration for Terraform's provider azuread.
//!
//! Owns what the provider wants otherwise than Graph. Never touches Exchange, for which there is no provider; the
//! configuration says so.

use uuid::Uuid;

use super::{Source, list, quote};
use crate::Cloud;

const TEMPLATE: &str = include_str!("terraform.tf");

pub(super) fn render(source: Source<'_>) -> String {
    let desired = source.desired;
    source.fill(TEMPLATE, quote::hcl, &|key| {
        let literal = match key {
            // The provider refuses an address without a path and without a slash.
            "redirect" => quote::hcl(desired.application.redirect_uri.as_str()),
            "mailboxes" => list(source.mailboxes(), quote::hcl, ", "),
            "tenant-comment" => desired.tenant.clone(),
            // The provider takes an id only; of a domain's tenant Terraform asks it.
            "tenant-default" if Uuid::parse_str(&desired.tenant).is_ok() => {
                format!("\n  default     = {}", quote::hcl(&desired.tenant))
            }
            "tenant-default" => String::new(),
            "environment" => quote::hcl(environment(desired.graph.host_str())),
            _ => return None,
        };
        Some(literal)
    })
}

/// The provider's name of the cloud.
fn environment(graph: Option<&str>) -> &'static str {
    match graph.and_then(Cloud::of_graph) {
        Some(Cloud::GccHigh) => "usgovernmentl4",
        Some(Cloud::Dod) => "usgovernmentl5",
        Some(Cloud::China) => "china",
        Some(Cloud::Global) | None => "global",
    }
}
