//! `guichet.toml`: read, checked, and turned into what the other crates take.
//!
//! Unknown keys are errors that point at the line: a misspelt key must never be ignored silently.

mod addresses;
mod profile;

pub use addresses::{Addresses, LARGEST_FILE};

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use guichet_domain::{EmailAddress, routing::Route};
use guichet_engine::{Import, Nodes};
use guichet_setup::{Cloud, Desired, DesiredAccess, DesiredApplication, cloud, doctor, profile::Profile};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::failure::{Exit, Failure};

/// Name of the environment variable that may hold the address of the database.
const DATABASE_VARIABLE: &str = "GUICHET_DATABASE";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Directory of the database, the blobs and the keys; relative to the file.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Address of a PostgreSQL database in place of the embedded one: `postgres://user:password@host:5432/name`.
    #[serde(default)]
    pub database: Option<SecretString>,
    /// The tenant and how to reach it.
    pub microsoft: Microsoft,
    /// The application registration.
    #[serde(default)]
    pub application: DesiredApplication,
    /// Which mailboxes of the tenant the application may reach.
    #[serde(default)]
    pub access: DesiredAccess,
    /// The mailboxes to serve.
    #[serde(default, rename = "mailbox")]
    pub mailboxes: Vec<MailboxEntry>,
    /// The routes, in the order in which they are tried.
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    /// The HTTP server.
    #[serde(default)]
    pub server: Server,
    /// How mail is taken in.
    #[serde(default)]
    pub sync: Sync,
    /// Where the master key is.
    #[serde(default)]
    pub keys: Keys,
    /// From where mail is sent into the tenant by SMTP.
    #[serde(default)]
    pub addresses: Addresses,
    /// How the doctor looks.
    #[serde(default)]
    pub doctor: doctor::Options,
    /// What the program that uses the application wants of it: a name, or a file beside this one.
    #[serde(default)]
    pub profile: Option<String>,
    /// Which keys the profile leaves alone.
    #[serde(skip)]
    given: profile::Given,
}

/// `[microsoft]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Microsoft {
    /// Directory (tenant) id or a domain of the tenant.
    pub tenant: String,
    /// Microsoft's cloud that the tenant is in; it has the next two addresses.
    #[serde(default)]
    cloud: Option<Cloud>,
    /// The sign-in service, where it is none of Microsoft's.
    #[serde(default)]
    authority: Option<Url>,
    /// Microsoft Graph, where it is none of Microsoft's.
    #[serde(default)]
    graph: Option<Url>,
    /// Certificate authorities that are trusted besides the system's, PEM.
    #[serde(default)]
    pub ca_files: Vec<PathBuf>,
    /// HTTP proxy; otherwise the usual environment variables are heeded.
    #[serde(default)]
    pub proxy: Option<Url>,
}

impl Microsoft {
    /// Base address of the sign-in service.
    pub fn authority(&self) -> Url {
        let cloud = self.cloud.unwrap_or(Cloud::Global);
        self.authority.clone().unwrap_or_else(|| cloud.authority())
    }

    /// Base address of Microsoft Graph.
    pub fn graph(&self) -> Url {
        let cloud = self.cloud.unwrap_or(Cloud::Global);
        self.graph.clone().unwrap_or_else(|| cloud.graph())
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        for (key, url) in [
            ("microsoft.authority", &self.authority),
            ("microsoft.graph", &self.graph),
        ] {
            let Some(url) = url else { continue };
            if let Some(cloud) = self.cloud {
                let problem = format!(
                    "`cloud = \"{}\"` has this address; leave one of the two out",
                    cloud.key()
                );
                return Err((key, problem));
            }
            if !["https", "http"].contains(&url.scheme()) || url.host_str().is_none() {
                return Err((key, format!("{url} is not an http(s) address")));
            }
            if url.scheme() == "http" && !is_loopback(url) {
                return Err((key, format!("{url} is not https: secrets would travel in clear text")));
            }
        }
        match cloud::mismatch(&self.authority(), &self.graph()) {
            Some(problem) => Err(("microsoft.graph", problem)),
            None => Ok(()),
        }
    }
}

/// `[[mailbox]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxEntry {
    /// Primary address or user principal name.
    pub address: EmailAddress,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address under which Microsoft reaches this server, https; without it mailboxes are polled.
    pub public_url: Option<Url>,
    /// Certificate chain, PEM. With `tls_key` the server speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// Private key, PEM.
    pub tls_key: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8025)),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
        }
    }
}

/// `[sync]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sync {
    /// Followed folders: well-known names or display names.
    pub folders: Vec<String>,
    /// What is taken in of the mail that was there before the mailbox was connected.
    pub import: Import,
    /// Seconds between two rounds of a folder that nothing woke; 1 to 86,400.
    pub poll_seconds: u32,
    /// The same for a folder that a live subscription wakes; 1 to 86,400.
    pub quiet_poll_seconds: u32,
    /// Whether mails are marked read after they are committed.
    pub mark_read: bool,
    /// Whether replies carry a visible reference line that finds the conversation again.
    pub reference_line: bool,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            folders: vec!["inbox".to_owned()],
            import: Import::default(),
            poll_seconds: 60,
            quiet_poll_seconds: 600,
            mark_read: true,
            reference_line: true,
        }
    }
}

/// `[keys]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// File of the master key; by default `master.key` in the data directory.
    pub master_key_file: Option<PathBuf>,
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("guichet-data")
}

impl Config {
    /// Reads and checks a file. Relative paths in it are relative to its directory.
    ///
    /// # Errors
    /// A [`Failure`] with exit code 3 that names the file, the key and the fix.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        Self::load_as(path, None)
    }

    /// The same with another profile than the file's.
    ///
    /// # Errors
    /// As for [`load`](Self::load); also for an unknown profile.
    pub fn load_as(path: &Path, profile: Option<&str>) -> Result<Self, Failure> {
        let (mut config, profile) = Self::load_without_ranges(path, profile)?;
        config.addresses = config.addresses.with_file(&profile.ranges).map_err(|(key, problem)| {
            let fix = match &config.addresses.url {
                Some(_) => format!("run `guichet connect ranges` to fetch it, or correct `{key}` in guichet.toml"),
                None => format!("correct `{key}` in guichet.toml"),
            };
            Failure::new(Exit::Configuration, format!("{key}: {problem}"), fix)
        })?;
        Ok(config)
    }

    /// The same without the platform's published ranges, whose file may not be there yet; and the profile.
    ///
    /// # Errors
    /// As for [`load_as`](Self::load_as).
    pub fn load_without_ranges(path: &Path, profile: Option<&str>) -> Result<(Self, Profile), Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let title = format!("configuration file {} can't be read: {error}", path.display());
            Failure::new(
                Exit::Configuration,
                title,
                "create it, or name another one with --config",
            )
        })?;
        let mut config = Self::parse(&text, &path.display().to_string())?;
        let base = path.parent().unwrap_or(Path::new("."));
        config.resolve(base);
        config.take_database(std::env::var(DATABASE_VARIABLE).ok());
        let profile = config.take_profile(profile, base)?;
        Ok((config, profile))
    }

    /// The address of the database from the environment, which needs not be in a file.
    fn take_database(&mut self, address: Option<String>) {
        if let Some(address) = address.filter(|address| !address.is_empty()) {
            self.database = Some(address.into());
        }
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn parse(text: &str, file: &str) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let message = error.message().trim().to_owned();
            let key = error
                .span()
                .and_then(|span| key_at(text, span.start))
                .map(|key| format!("{key}: "));
            let problem = message.lines().next().unwrap_or("not valid TOML");
            let title = format!("{file}: {}{problem}", key.unwrap_or_default());
            let fix = "correct this key; every key is described in docs/operations.md";
            let failure = Failure::new(Exit::Configuration, title, fix);
            match error.span() {
                Some(span) => failure.at(file, text, span, "here"),
                None => failure,
            }
        })?;
        config.check().map_err(|(key, problem)| {
            let title = format!("{file}: {key}: {problem}");
            let failure = Failure::new(Exit::Configuration, title, format!("correct `{key}` in {file}"));
            let name = key.rsplit('.').next().unwrap_or(key);
            match text.find(name) {
                Some(at) => failure.at(file, text, at..at + name.len(), "here"),
                None => failure,
            }
        })?;
        config.given = profile::Given::in_text(text);
        Ok(config)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.mailboxes.is_empty() {
            return Err((
                "mailbox",
                "no mailbox is listed; add a [[mailbox]] with its address".into(),
            ));
        }
        for (at, mailbox) in self.mailboxes.iter().enumerate() {
            if self
                .mailboxes
                .iter()
                .take(at)
                .any(|other| other.address == mailbox.address)
            {
                return Err(("mailbox.address", format!("{} is listed twice", mailbox.address)));
            }
        }
        for (at, route) in self.routes.iter().enumerate() {
            if self.routes.iter().take(at).any(|other| other.name == route.name) {
                return Err(("route.name", format!("route `{}` is listed twice", route.name)));
            }
            if route.priority > 9 {
                return Err(("route.priority", format!("{} is not between 0 and 9", route.priority)));
            }
        }
        for (key, seconds) in [
            ("sync.poll_seconds", self.sync.poll_seconds),
            ("sync.quiet_poll_seconds", self.sync.quiet_poll_seconds),
        ] {
            if !(1..=86_400).contains(&seconds) {
                return Err((key, format!("{seconds} is not between 1 and 86400")));
            }
        }
        if let Some(folder) = self.sync.folders.iter().find(|folder| is_outgoing(folder)) {
            let problem = format!("`{folder}` holds our own mail; only folders with incoming mail can be followed");
            return Err(("sync.folders", problem));
        }
        if self.sync.folders.is_empty() {
            return Err(("sync.folders", "no folder is listed".into()));
        }
        self.addresses.check()?;
        if self
            .database
            .as_ref()
            .is_some_and(|address| !guichet_store::is_postgres_address(address.expose_secret()))
        {
            // The value may hold a password: it is not repeated.
            let problem = "it does not begin with postgres://; leave it out for the embedded database";
            return Err(("database", problem.to_owned()));
        }
        if self.server.tls_certificate.is_some() != self.server.tls_key.is_some() {
            return Err((
                "server.tls_certificate",
                "tls_certificate and tls_key go together".into(),
            ));
        }
        if let Some(url) = &self.server.public_url
            && url.scheme() != "https"
        {
            return Err((
                "server.public_url",
                format!("{url} is not https: Microsoft notifies https addresses only"),
            ));
        }
        let outside = self.doctor.outside_mailbox.as_ref();
        if let Some(listed) = outside.filter(|outside| self.mailboxes.iter().any(|m| m.address == **outside)) {
            return Err((
                "doctor.outside_mailbox",
                format!("{listed} is listed; name a mailbox that is not"),
            ));
        }
        self.microsoft.check()
    }

    fn resolve(&mut self, base: &Path) {
        let absolute = |path: &mut PathBuf| *path = base.join(&*path);
        absolute(&mut self.data_dir);
        self.microsoft.ca_files.iter_mut().for_each(absolute);
        let optional = [
            &mut self.server.tls_certificate,
            &mut self.server.tls_key,
            &mut self.keys.master_key_file,
            &mut self.application.certificate_file,
            &mut self.application.key_file,
            &mut self.addresses.file,
            &mut self.doctor.exchange_report,
        ];
        optional.into_iter().flatten().for_each(absolute);
        if let Some(federated) = &mut self.application.federated {
            absolute(&mut federated.token_file);
        }
    }

    /// Whether other processes may work on the same store.
    pub fn nodes(&self) -> Nodes {
        match self.database {
            None => Nodes::One,
            Some(_) => Nodes::Many,
        }
    }

    /// Path of the master key.
    pub fn master_key_file(&self) -> PathBuf {
        self.keys
            .master_key_file
            .clone()
            .unwrap_or_else(|| self.data_dir.join("master.key"))
    }

    /// The state that `connect` shall bring about.
    pub fn desired(&self) -> Desired {
        Desired {
            tenant: self.microsoft.tenant.clone(),
            authority: self.microsoft.authority(),
            graph: self.microsoft.graph(),
            application: self.application.clone(),
            access: self.access.clone(),
            mailboxes: self.mailboxes.iter().map(|m| m.address.clone()).collect(),
            folders: self.sync.folders.clone(),
        }
    }
}

/// The key of the line that holds this place, if the line is an assignment.
fn key_at(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..)?.lines().next()?;
    let (key, _) = line.split_once('=')?;
    Some(key.trim()).filter(|key| !key.is_empty())
}

/// Whether a well-known folder holds what we write ourselves.
fn is_outgoing(folder: &str) -> bool {
    ["sentitems", "drafts", "outbox", "scheduled"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(folder))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[microsoft]
tenant = "contoso.example"
[[mailbox]]
address = "support@contoso.example"
[[route]]
name = "support"
address = "support@contoso.example"
queue = "support"
"#;

    #[test]
    fn smallest_file_gets_documented_defaults() {
        let config = Config::parse(GOOD, "guichet.toml").map_err(|f| f.title).expect("valid");
        assert_eq!(config.sync.poll_seconds, 60);
        assert_eq!(config.microsoft.graph().as_str(), "https://graph.microsoft.com/");
        assert_eq!(config.routes.first().map(|r| r.threading_window_days), Some(30));
    }

    #[test]
    fn every_bad_value_is_named_with_its_key() {
        let foreign = format!("database = \"mysql://guichet:hunter2@db/mail\"\n{GOOD}");
        let failure = Config::parse(&foreign, "guichet.toml").expect_err("mysql");
        assert!(failure.title.contains("database: ") && !failure.title.contains("hunter2"));
        for (change, key) in [
            ("poll_secons = 5", "poll_secons"),
            (
                "[doctor]\noutside_mailbox = \"support@contoso.example\"",
                "outside_mailbox",
            ),
            ("[sync]\npoll_seconds = 0", "poll_seconds"),
            ("[sync]\nimport = \"all\"", "`everything`"),
            ("[sync]\nquiet_poll_seconds = 0", "quiet_poll_seconds"),
            ("[sync]\nfolders = [\"SentItems\"]", "SentItems"),
            ("[server]\npublic_url = \"http://a.example\"", "public_url"),
            ("[server]\ntls_key = \"k.pem\"", "tls_certificate"),
            ("[application]\nsecret_lifetime_days = 4000", "secret_lifetime_days"),
            ("[addresses.regions]\neu = [\"2001:db8::/48\"]", "IPv4 only"),
            ("[addresses.regions]\neu = [\"203.0.112.0/23\"]", "/24 to /32"),
            ("[addresses.regions]\neu = [\"203.0.113.9/28\"]", "203.0.113.0/28"),
            (
                "[addresses.regions]\neu = [\"203.0.113.7\", \"203.0.113.7/32\"]",
                "listed twice",
            ),
            (
                "[[route]]\nname = \"support\"\naddress = \"*\"\nqueue = \"q\"",
                "support",
            ),
            ("[[route]]\nname = \"x\"\naddress = \"nobody\"\nqueue = \"q\"", "nobody"),
            ("[[mailbox]]\naddress = \"support@contoso.example\"", "listed twice"),
        ] {
            let failure = Config::parse(&format!("{GOOD}{change}\n"), "guichet.toml").expect_err(change);
            assert_eq!(failure.exit, Exit::Configuration);
            assert!(failure.title.contains(key), "{change}: {}", failure.title);
            assert!(failure.title.contains("guichet.toml"));
        }
    }

    #[test]
    fn a_cloud_has_both_addresses_and_a_half_of_another_is_refused() {
        let with = |keys: &str| {
            let text = GOOD.replace("[[mailbox]]", &format!("{keys}\n[[mailbox]]"));
            Config::parse(&text, "guichet.toml").map_err(|failure| failure.title)
        };
        let config = with("cloud = \"dod\"").expect("valid");
        assert_eq!(
            config.microsoft.authority().as_str(),
            "https://login.microsoftonline.us/"
        );
        assert_eq!(config.microsoft.graph().as_str(), "https://dod-graph.microsoft.us/");
        for (keys, named) in [
            ("cloud = \"mars\"", "cloud"),
            (
                "cloud = \"china\"\ngraph = \"https://graph.microsoft.com\"",
                "cloud = \"china\"",
            ),
            ("graph = \"https://graph.microsoft.us\"", "GCC High"),
        ] {
            let title = with(keys).expect_err(keys);
            assert!(title.contains(named), "{keys}: {title}");
        }
    }

    #[test]
    fn allow_list_is_bounded_and_counts_a_range_of_two_regions_once() {
        let region = |name: &str, third: std::ops::Range<u8>| {
            let ranges = third.flat_map(|c| (0..=255_u8).map(move |d| format!("\"198.51.{c}.{d}\"")));
            format!("{name} = [{}]\n", ranges.collect::<Vec<_>>().join(","))
        };
        let parse = |regions: String| Config::parse(&format!("{GOOD}[addresses.regions]\n{regions}"), "f");
        let config = parse(region("eu", 0..4) + &region("us", 0..4))
            .map_err(|f| f.title)
            .expect("valid");
        assert_eq!(config.addresses.all().len(), 1024);
        let failure = parse(region("eu", 0..3) + &region("us", 3..5)).expect_err("too many");
        assert!(
            failure.title.contains("1280 ranges") && failure.title.contains("1273"),
            "{}",
            failure.title
        );
    }

    #[test]
    fn secrets_never_travel_in_clear_text_except_to_this_machine() {
        let remote = GOOD.replace("[[mailbox]]", "graph = \"http://graph.example\"\n[[mailbox]]");
        assert!(Config::parse(&remote, "f").is_err());
        let local = GOOD.replace("[[mailbox]]", "graph = \"http://localhost:1\"\n[[mailbox]]");
        assert!(Config::parse(&local, "f").is_ok());
    }
}
