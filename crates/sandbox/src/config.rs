//! What the sandbox is started with, and the description it gives of itself.
//!
//! Owns defaults and the shape of `sandbox.json`. A default configuration listens on free loopback ports only.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::exchange::ExchangeSettings;

/// How a tenant is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the HTTPS interface; port 0 takes a free one.
    pub https: SocketAddr,
    /// Whether the same services also answer on plain HTTP.
    pub plain_http: bool,
    /// Address of the plain HTTP interface.
    pub http: SocketAddr,
    /// Address of the control interface (plain HTTP, no authentication: keep it on loopback).
    pub control: SocketAddr,
    /// Address where mail from outside arrives.
    pub smtp: SocketAddr,
    /// Server (`host:port`, plain SMTP) that takes mail for recipients outside; without one they have the outside mailbox.
    pub smtp_out: Option<String>,
    /// Address of a proxy whose every tunnel (`CONNECT`) leads to the HTTPS interface, if there is to be one.
    pub connect_proxy: Option<SocketAddr>,
    /// The tenant's verified domain.
    pub tenant_domain: String,
    /// The tenant's id; drawn at start when absent.
    pub tenant_id: Option<uuid::Uuid>,
    /// Addresses that have a mailbox from the start.
    pub mailboxes: Vec<String>,
    /// Where the certificate authority, and the state if it is saved, are kept between starts.
    pub data_directory: PathBuf,
    /// Whether the tenant's state outlives the process.
    pub persistence: Persistence,
    /// Whether a certificate for localhost is issued for a service under test: `service.pem` and `service.key` in the
    /// data directory.
    pub service_certificate: bool,
    /// Where the description is written, if anywhere.
    pub description_file: Option<PathBuf>,
    /// Whether subscriptions may name `http:` notification URLs; Microsoft accepts `https:` only.
    pub notify_plain_http: bool,
    /// Authority that is trusted, besides the sandbox's own, when notifications are delivered.
    pub notification_ca_file: Option<PathBuf>,
    /// Mean time between a change and its notification, by the tenant's clock.
    pub notification_latency: Duration,
    /// How fast changes of Exchange's permissions take effect; at once by default.
    pub exchange: ExchangeSettings,
    /// Whether Microsoft's limits are kept from the start; they can be changed while the sandbox runs.
    pub throttle: bool,
    /// A scenario that is made true at the start.
    pub scenario: Option<PathBuf>,
    /// Names of this machine besides `localhost` under which the control interface is called.
    pub control_names: Vec<String>,
    /// Makes ids and secrets repeatable.
    pub seed: Option<u64>,
    /// Freezes the clock at this moment; it then moves by the control interface only.
    pub frozen_at: Option<Timestamp>,
}

/// What becomes of the tenant's state when the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    /// It is gone.
    #[default]
    Memory,
    /// It is saved in the data directory and restored at the next start.
    Saved,
    /// Like [`Persistence::Saved`], beginning with a new tenant; an old state is set aside.
    Fresh,
}

impl Default for Config {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            https: any,
            plain_http: false,
            http: any,
            control: any,
            smtp: any,
            smtp_out: None,
            connect_proxy: None,
            tenant_domain: "contoso.example".to_owned(),
            tenant_id: None,
            mailboxes: ["support", "sales", "billing"]
                .map(|name| format!("{name}@contoso.example"))
                .to_vec(),
            data_directory: PathBuf::from("sandbox-data"),
            persistence: Persistence::Memory,
            service_certificate: false,
            description_file: None,
            notify_plain_http: false,
            notification_ca_file: None,
            notification_latency: Duration::ZERO,
            exchange: ExchangeSettings::default(),
            throttle: false,
            scenario: None,
            control_names: Vec::new(),
            seed: None,
            frozen_at: None,
        }
    }
}

/// How to reach a running sandbox; the content of `sandbox.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Base of the token endpoint: `{authority}/{tenant}/oauth2/v2.0/token`.
    pub authority: String,
    /// The same on plain HTTP, when asked for.
    pub authority_http: Option<String>,
    /// Base of Graph; clients append `/v1.0`.
    pub graph_url: String,
    /// The same on plain HTTP, when asked for.
    pub graph_url_http: Option<String>,
    /// The tenant's id.
    pub tenant_id: uuid::Uuid,
    /// The tenant's domain.
    pub tenant_domain: String,
    /// PEM file of the certificate authority to trust.
    pub ca_file: PathBuf,
    /// Base of the control interface.
    pub control_url: String,
    /// Where SMTP clients deliver mail.
    pub smtp_address: String,
    /// Value for `HTTPS_PROXY`, under which clients with Microsoft's host names built in reach the sandbox.
    #[serde(default)]
    pub connect_proxy: Option<String>,
    /// Who may administer the tenant.
    pub administrator: AdministratorDescription,
    /// Addresses with a mailbox.
    pub mailboxes: Vec<String>,
}

/// Credentials of the tenant's administrator. They open nothing but the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministratorDescription {
    /// Sign-in name.
    pub user_principal_name: String,
    /// Password for the sign-in page.
    pub password: String,
    /// Client id of an administrative application.
    pub client_id: uuid::Uuid,
    /// Its client secret.
    pub client_secret: String,
}
