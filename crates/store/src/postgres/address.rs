//! Where the database is: the address that the operator writes, and TLS on the way there.
//!
//! Owns the parsing. Never shows a password.

use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Client, Config, Connection, Socket, config::Host, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result};

/// What this program is called in `pg_stat_activity`.
const APPLICATION: &str = "guichet";

/// What a node that stands still may cost the others: its transaction holds rows that they wait for. What the
/// address itself says comes later, and counts.
const LIMITS: &str = "-c idle_in_transaction_session_timeout=4000 -c lock_timeout=10000";

/// Whether a text is the address of a PostgreSQL database.
pub fn is_postgres_address(text: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// The address of a database.
pub(super) struct Address {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self> {
        let refuse = |why: String| {
            Error::Invalid(format!(
                "the address of the database can't be used ({why}): write postgres://user:password@host:5432/name"
            ))
        };
        if !is_postgres_address(url) {
            return Err(refuse("it does not begin with postgres://".to_owned()));
        }
        // The driver's message names the part that is wrong, not its value.
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            refuse(std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        if config.get_hosts().is_empty() {
            return Err(refuse("it names no host".to_owned()));
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        let options = config.get_options().unwrap_or_default();
        let options = format!("{LIMITS} {options}");
        config.options(options.trim());
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(super::PATIENCE);
        }
        Ok(Self { config, tls: tls()? })
    }

    /// Host, port and database, without user and password.
    pub(super) fn name(&self) -> String {
        let hosts = self
            .config
            .get_hosts()
            .iter()
            .zip(self.config.get_ports().iter().cycle());
        let hosts: Vec<String> = hosts
            .map(|(host, port)| match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            })
            .collect();
        format!("{}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }

    pub(super) fn manager(&self, config: ManagerConfig) -> Result<Manager> {
        Ok(Manager::from_config(self.config.clone(), self.tls.clone(), config))
    }

    /// A connection outside the pool.
    pub(super) async fn connect(&self) -> Result<(Client, Connection<Socket, TlsStream>), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// Trusts what the system trusts. `sslmode` of the address says whether TLS is wanted.
fn tls() -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Invalid(format!("TLS to the database can't be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_holds_no_password() {
        let address = Address::parse("postgres://guichet:hunter2@db.contoso.example:6432/mail").unwrap();
        assert_eq!(address.name(), "db.contoso.example:6432/mail");
    }

    #[test]
    fn bad_addresses_are_refused_without_repeating_them() {
        for bad in [
            "mysql://guichet:hunter2@db/mail",
            "postgres://guichet:hunter2@db:port/mail",
            "postgres://guichet:hunter2@db/mail?colour=hunter2",
            "postgres:///mail",
        ] {
            let error = Address::parse(bad).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(
                error.contains("postgres://user") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
