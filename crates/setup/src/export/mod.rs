//! The administrator's procedure as a script or as portal steps, for administrators who do not hand over a sign-in.
//!
//! Owns what the exported texts do and say. Pure: it asks nobody, and never holds a secret. Invariant: every value from
//! the configuration stands in a script as a quoted literal, whatever it holds, and every script looks before it
//! creates.

mod azure_cli;
mod portal;
mod powershell;
mod quote;
mod terraform;
mod words;

use guichet_domain::AddressRange;
use url::Url;

use crate::{
    Desired, Error, Language,
    credential::CredentialKind,
    permissions::{self, Kind},
};

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A script for PowerShell 7 with the modules Microsoft.Graph and `ExchangeOnlineManagement`.
    PowerShell,
    /// A script for bash with the Azure CLI.
    AzureCli,
    /// A configuration for Terraform with the provider azuread.
    Terraform,
    /// Numbered steps in the portals.
    Portal,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::PowerShell, Self::AzureCli, Self::Terraform, Self::Portal];
}

/// Writes the procedure that brings about `desired`. `ranges` are the addresses for the connection filter's allow list.
///
/// # Errors
/// [`Error::Desired`] if the configuration can't be brought about.
pub fn export(desired: &Desired, ranges: &[AddressRange], format: Format, language: Language) -> Result<String, Error> {
    desired.validate()?;
    if desired.application.credential != CredentialKind::Secret {
        return Err(Error::Desired {
            field: "application.credential",
            problem: "an export makes a client secret: set `secret`, or let `connect apply` make the certificate"
                .to_owned(),
        });
    }
    if desired.application.self_rotation {
        return Err(Error::Desired {
            field: "application.self_rotation",
            problem:
                "an export does not make the application its own owner: leave it out, or let `connect apply` do it"
                    .to_owned(),
        });
    }
    let source = Source {
        desired,
        ranges,
        language,
    };
    Ok(match format {
        Format::PowerShell => powershell::render(source),
        Format::AzureCli => azure_cli::render(source),
        Format::Terraform => terraform::render(source),
        Format::Portal => portal::render(source),
    })
}

/// What is rendered.
#[derive(Clone, Copy)]
struct Source<'a> {
    desired: &'a Desired,
    ranges: &'a [AddressRange],
    language: Language,
}

impl Source<'_> {
    /// A base address without the slash at its end.
    fn base(url: &Url) -> &str {
        url.as_str().trim_end_matches('/')
    }

    fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.desired.mailboxes.iter().map(guichet_domain::EmailAddress::as_str)
    }

    /// Name of the group and of the management scope that hold the listed mailboxes; Exchange takes 64 characters.
    fn scope_name(&self) -> String {
        let name: String = self.desired.application.name.chars().take(50).collect();
        format!("{} mailboxes", name.trim())
    }

    /// A value that all scripts know, not quoted yet.
    fn value(&self, key: &str) -> Option<String> {
        let desired = self.desired;
        let application = &desired.application;
        let value = match key {
            "tenant" => desired.tenant.clone(),
            "authority" => Self::base(&desired.authority).to_owned(),
            "graph" => Self::base(&desired.graph).to_owned(),
            "name" => application.name.clone(),
            "audience" => application.account_types.sign_in_audience().to_owned(),
            "redirect" => application.redirect_text().to_owned(),
            "secret-description" => application.secret_description.clone(),
            "microsoft-graph" => permissions::GRAPH_APP_ID.to_owned(),
            "mail-read-write-id" => permissions::MAIL_READ_WRITE.id.to_owned(),
            "mail-send-id" => permissions::MAIL_SEND.id.to_owned(),
            "user-read-id" => permissions::USER_READ.id.to_owned(),
            "scope-name" => self.scope_name(),
            _ => return None,
        };
        Some(value)
    }

    /// What stands in a template at `@@key@@`: for `#key` a comment; else the script's own literal, a number, a quoted
    /// value, or a quoted sentence.
    fn fill(&self, template: &str, quote: fn(&str) -> String, own: &dyn Fn(&str) -> Option<String>) -> String {
        let sentence = |key: &str| words::text(key).map(|text| text.get(self.language).to_owned());
        fill(template, |key| match key {
            "secret-days" => Some(self.desired.application.secret_lifetime_days.to_string()),
            "most-entries" => Some(guichet_domain::allow_list::MOST_ENTRIES.to_string()),
            _ => match key.strip_prefix('#') {
                Some(comment) => sentence(comment),
                None => own(key)
                    .or_else(|| self.value(key).map(|value| quote(&value)))
                    .or_else(|| sentence(key).map(|sentence| quote(&sentence))),
            },
        })
    }
}

/// The ids of the application permissions for mail.
fn mail_roles() -> impl Iterator<Item = &'static str> {
    permissions::ROLES.iter().map(|permission| permission.id)
}

/// What the registration asks Microsoft Graph for, as Graph writes it.
fn resource_access() -> serde_json::Value {
    let entries = permissions::ALL.iter().map(|permission| {
        let kind = match permission.kind {
            Kind::Role => "Role",
            Kind::Scope => "Scope",
        };
        serde_json::json!({ "id": permission.id, "type": kind })
    });
    entries.collect()
}

fn list<'a>(values: impl Iterator<Item = &'a str>, quote: fn(&str) -> String, separator: &str) -> String {
    values.map(quote).collect::<Vec<_>>().join(separator)
}

/// Replaces each `@@key@@`. What a value holds is not looked at again. A key that nobody knows stays, so that it is
/// seen; a test renders every template.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("@@") {
        filled.push_str(before);
        let known = after
            .split_once("@@")
            .and_then(|(key, behind)| value(key).map(|value| (value, behind)));
        match known {
            Some((value, behind)) => {
                filled.push_str(&value);
                rest = behind;
            }
            None => {
                filled.push_str("@@");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}
