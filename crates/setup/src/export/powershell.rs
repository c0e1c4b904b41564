//! The procedure as a script for PowerShell, the only one that reaches Exchange Online too.
//!
//! Owns the literals of its header; the rest of the script is a template.

use super::{Source, list, mail_roles, quote};

const TEMPLATE: &str = include_str!("powershell.ps1");

pub(super) fn render(source: Source<'_>) -> String {
    source.fill(TEMPLATE, quote::powershell, &|key| {
        let literal = match key {
            "name-filter" => {
                let name = quote::odata(&source.desired.application.name);
                quote::powershell(&format!("displayName eq {name}"))
            }
            "group-filter" => quote::powershell(&format!("Name -eq {}", quote::odata(&source.scope_name()))),
            "mail-roles" => list(mail_roles(), quote::powershell, ", "),
            "mailboxes" => list(source.mailboxes(), quote::powershell, ", "),
            "ranges" => {
                let ranges: Vec<_> = source.ranges.iter().map(ToString::to_string).collect();
                list(ranges.iter().map(String::as_str), quote::powershell, ", ")
            }
            _ => return None,
        };
        Some(literal)
    })
}
