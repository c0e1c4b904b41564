//! The form of a scenario file, version 1 (documented in `docs/sandbox.md`).
//!
//! Owns the tables and their check. Unknown keys and impossible values are refused before anything is done; where the
//! text itself is wrong the refusal names the line.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::config::Config;
use crate::directory::mailbox_profile::{MailboxCondition, MailboxKind};
use crate::faults::Rule;

/// The version this program reads.
const VERSION: u32 = 1;
/// Things of one kind in one file.
const MAX_ENTRIES: usize = 10_000;
/// Copies of one mail.
const MAX_REPEAT: u32 = 10_000;

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Version of the form.
    pub version: u32,
    /// A title.
    #[serde(default)]
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub description: String,
    /// The tenant; read when the sandbox starts only.
    #[serde(default)]
    pub tenant: Tenant,
    /// The clock.
    #[serde(default)]
    pub clock: Clock,
    /// The directory as a whole.
    #[serde(default)]
    pub directory: Directory,
    /// Changes of the limits.
    #[serde(default)]
    pub throttling: Map<String, Value>,
    /// People and shared mailboxes.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// Applications with their credentials and permissions.
    #[serde(default, rename = "application")]
    pub applications: Vec<Application>,
    /// Mails that are there from the start.
    #[serde(default, rename = "mail")]
    pub mails: Vec<Mail>,
    /// Faults that stand from the start.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Rule>,
    /// What happens later.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// What can be decided only before the tenant exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Verified domain.
    pub domain: Option<String>,
    /// Tenant id.
    pub id: Option<Uuid>,
    /// Start of the random sequence for ids and secrets.
    pub seed: Option<u64>,
    /// Mailboxes of the configuration are left out, so that only those of the file exist.
    #[serde(default)]
    pub only_these_users: bool,
}

/// The clock at the start of the scenario.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Where it is set.
    pub at: Option<Timestamp>,
    /// Whether it stands still.
    pub frozen: Option<bool>,
    /// How wrong the `Date` header is.
    pub date_skew_seconds: Option<i64>,
}

/// The directory as a whole.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// How long new objects and secrets are not seen.
    pub replication_lag_seconds: Option<u64>,
}

/// A person or shared mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Sign-in name, and mail address of one with a mailbox.
    pub address: String,
    /// Name shown to people.
    pub display_name: Option<String>,
    /// Whether there is a licence with a mailbox.
    #[serde(default = "yes")]
    pub mailbox: bool,
    /// Password of the sign-in page; none means nobody signs in as this user.
    pub password: Option<String>,
    /// Whether it is a Global Administrator.
    #[serde(default)]
    pub administrator: bool,
    /// Whether sign-in is allowed.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Kind of the mailbox.
    pub kind: Option<MailboxKind>,
    /// Whether an Exchange plan is assigned.
    pub licensed: Option<bool>,
    /// Whether the mailbox can be reached.
    pub condition: Option<MailboxCondition>,
    /// Further addresses.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// An application with its service principal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Name shown to people.
    pub name: String,
    /// Client id; drawn when absent.
    pub app_id: Option<Uuid>,
    /// Client secrets.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Certificates, in PEM.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// Granted application permissions of Microsoft Graph.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Delegated permissions of Microsoft Graph, granted for everybody.
    #[serde(default)]
    pub delegated: Vec<String>,
    /// Redirect addresses: `web`, `publicClient`, `spa`.
    #[serde(default)]
    pub redirect_uris: BTreeMap<String, Vec<String>>,
    /// Whether it signs people in without a credential.
    #[serde(default)]
    pub public_client: bool,
    /// Whether tokens are issued.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A client secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The secret itself.
    pub text: String,
    /// End of its life; two years from now when absent.
    pub expires: Option<Timestamp>,
    /// Its name.
    pub display_name: Option<String>,
}

/// A mail from outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Mailboxes it goes to.
    pub to: Vec<String>,
    /// Sender; required unless the bytes are given.
    pub from: Option<String>,
    /// Subject; `{n}` is the number of the copy.
    #[serde(default)]
    pub subject: String,
    /// Text; `{n}` is the number of the copy.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The whole mail as it came.
    pub raw: Option<String>,
    /// A file with the whole mail, relative to the scenario.
    pub file: Option<String>,
    /// Put into this folder as it is, instead of being delivered.
    pub folder: Option<String>,
    /// So many copies.
    #[serde(default = "one")]
    pub repeat: u32,
    /// The bytes of `raw` or `file`, once they are read.
    #[serde(skip)]
    pub bytes: Option<bytes::Bytes>,
}

/// Something that happens later; exactly one of the actions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How long after the scenario was loaded, by the sandbox's clock: `PT5M`.
    pub at: SignedDuration,
    /// A word for people.
    #[serde(default)]
    pub name: String,
    /// A mail arrives.
    pub mail: Option<Mail>,
    /// A fault stands from now on.
    pub fault: Option<Rule>,
    /// All faults go.
    #[serde(default)]
    pub remove_faults: bool,
    /// Limits change.
    pub throttling: Option<Map<String, Value>>,
    /// A request to the control interface.
    pub call: Option<Call>,
}

/// A request to the control interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// HTTP method; POST when absent.
    #[serde(default = "post")]
    pub method: String,
    /// Path, such as `/delta/expire`.
    pub path: String,
    /// JSON body.
    #[serde(default)]
    pub body: Option<Value>,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn post() -> String {
    "POST".to_owned()
}

impl Scenario {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Text that names the line, or the table.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Decides what must be decided before the tenant exists.
    pub fn prepare(&self, config: &mut Config) {
        let Tenant {
            domain,
            id,
            seed,
            only_these_users,
        } = &self.tenant;
        if let Some(domain) = domain {
            let old = std::mem::replace(&mut config.tenant_domain, domain.clone());
            // The mailboxes of the configuration move with the domain they belong to.
            for address in &mut config.mailboxes {
                if let Some(local) = address.strip_suffix(&format!("@{old}")) {
                    *address = format!("{local}@{domain}");
                }
            }
        }
        let named = |address: &String| self.users.iter().any(|user| user.address.eq_ignore_ascii_case(address));
        config.mailboxes.retain(|address| !only_these_users && !named(address));
        config.tenant_id = id.or(config.tenant_id);
        config.seed = seed.or(config.seed);
        if let (Some(at), Some(true)) = (self.clock.at, self.clock.frozen) {
            config.frozen_at = Some(at);
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("version is {}: this program reads {VERSION}", self.version));
        }
        let most = [
            self.users.len(),
            self.applications.len(),
            self.mails.len(),
            self.faults.len(),
            self.steps.len(),
        ];
        if most.iter().any(|count| *count > MAX_ENTRIES) {
            return Err(format!("at most {MAX_ENTRIES} tables of a kind"));
        }
        for (number, mail) in self.mails.iter().enumerate() {
            mail.check().map_err(|error| format!("mail {}: {error}", number + 1))?;
        }
        for (number, rule) in self.faults.iter().enumerate() {
            rule.check().map_err(|error| format!("fault {}: {error}", number + 1))?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            step.check().map_err(|error| format!("step {}: {error}", number + 1))?;
        }
        for user in &self.users {
            let parts = user.address.split_once('@');
            if parts.is_none_or(|(local, domain)| local.is_empty() || domain.is_empty() || domain.contains('@')) {
                return Err(format!("user: '{}' is not an address", user.address));
            }
        }
        Ok(())
    }
}

impl Mail {
    fn check(&self) -> Result<(), String> {
        if self.to.is_empty() {
            return Err("to is empty".to_owned());
        }
        if !(1..=MAX_REPEAT).contains(&self.repeat) {
            return Err(format!("repeat is 1 to {MAX_REPEAT}"));
        }
        let given = self.raw.is_some() || self.file.is_some();
        let composed =
            self.text.is_some() || self.html.is_some() || !self.subject.is_empty() || !self.headers.is_empty();
        match (given, composed) {
            _ if self.raw.is_some() && self.file.is_some() => Err("give raw or file, not both".to_owned()),
            (true, true) => Err("a whole mail has its subject, headers and text in it: leave them out".to_owned()),
            (false, _) if self.from.is_none() => Err("from is missing".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Step {
    fn check(&self) -> Result<(), String> {
        let actions = [
            self.mail.is_some(),
            self.fault.is_some(),
            self.remove_faults,
            self.throttling.is_some(),
            self.call.is_some(),
        ];
        if actions.iter().filter(|given| **given).count() != 1 {
            return Err("give exactly one of mail, fault, remove_faults, throttling, call".to_owned());
        }
        if self.at.is_negative() {
            return Err("at is before the start".to_owned());
        }
        if let Some(mail) = &self.mail {
            mail.check()?;
        }
        if let Some(fault) = &self.fault {
            fault.check()?;
        }
        if let Some(call) = &self.call {
            call.check()?;
        }
        Ok(())
    }
}

impl Call {
    fn check(&self) -> Result<(), String> {
        let known = ["POST", "PUT", "PATCH", "DELETE"];
        if !known.iter().any(|method| method.eq_ignore_ascii_case(&self.method)) {
            return Err(format!("'{}' is none of {}", self.method, known.join(", ")));
        }
        if !self.path.starts_with('/') || self.path.parse::<http::Uri>().is_err() {
            return Err(format!("'{}' is not a path of the control interface", self.path));
        }
        // Steps wait for the clock and run one after the other: one that moved it would wait for itself.
        let waits = ["/clock", "/scenario", "/reset"];
        if waits.iter().any(|path| self.path.starts_with(path)) {
            return Err(format!("a step cannot call {}", self.path));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
version = 1
name = "Everything"
[tenant]
domain = "contoso.example"
[clock]
at = "2026-03-01T00:00:00Z"
frozen = true
[[user]]
address = "support@contoso.example"
[[application]]
name = "Mailer"
secrets = [{ text = "letmein-letmein-letmein", expires = "2026-03-02T00:00:00Z" }]
permissions = ["Mail.Read"]
[[mail]]
to = ["support@contoso.example"]
from = "customer@outside.example"
subject = "Hello"
text = "Hello"
[[fault]]
path_contains = "/messages"
action = { kind = "status", status = 503, retry_after = 3 }
[[step]]
at = "PT5M"
call = { path = "/delta/expire", body = { mailbox = "support@contoso.example" } }
"#;
        let scenario = Scenario::parse(text).expect("a good file");
        assert_eq!(scenario.steps[0].at, SignedDuration::from_mins(5));
        assert_eq!(scenario.users[0].address, "support@contoso.example");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error =
            Scenario::parse("version = 1\n[[user]]\naddress = \"a@b.example\"\ncolour = 1\n").expect_err("a key");
        assert!(error.contains("line 4") && error.contains("colour"), "{error}");
    }

    #[test]
    fn impossible_files_are_refused() {
        for (text, expected) in [
            ("version = 2", "reads 1"),
            ("name = \"x\"", "version"),
            ("version = 1\n[[step]]\nat = \"PT1M\"", "exactly one"),
            (
                "version = 1\n[[step]]\nat = \"PT1M\"\nremove_faults = true\nthrottling = {}",
                "exactly one",
            ),
            (
                "version = 1\n[[step]]\nat = \"-PT1M\"\nremove_faults = true",
                "before the start",
            ),
            (
                "version = 1\n[[step]]\nat = \"PT1M\"\ncall = { path = \"/clock\" }",
                "cannot call",
            ),
            (
                "version = 1\n[[step]]\nat = \"PT1M\"\ncall = { path = \"/x\", method = \"GET\" }",
                "none of",
            ),
            ("version = 1\n[[mail]]\nto = []\nfrom = \"a@b.example\"", "empty"),
            ("version = 1\n[[mail]]\nto = [\"a@b.example\"]", "from is missing"),
            (
                "version = 1\n[[mail]]\nto = [\"a@b.example\"]\nraw = \"x\"\nsubject = \"y\"",
                "leave them out",
            ),
            (
                "version = 1\n[[fault]]\nnth = 0\naction = { kind = \"cut_after\" }",
                "count from 1",
            ),
            ("version = 1\n[[user]]\naddress = \"nobody\"", "not an address"),
        ] {
            let error = Scenario::parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
