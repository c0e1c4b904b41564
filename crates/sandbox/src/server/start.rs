//! Starting and stopping the sandbox.
//!
//! Owns the order: certificates, state, sockets, description. The description file is written last and atomically, so
//! that whoever waits for it finds everything listening. Dropping [`Running`] stops the tasks as well; only
//! [`Running::shutdown`] waits for them.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::auth::TokenCache;
use crate::clock::SandboxClock;
use crate::config::{Config, Description};
use crate::directory::tenant::Tenant;
use crate::directory::{Directory, seed};
use crate::entra::Entra;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::mail::MailService;
use crate::notify::NotifySettings;
use crate::server::authority::{self, Authority};
use crate::server::{connect, listen};
use crate::state::Sandbox;
use crate::{control, smtp};

/// A started sandbox.
#[derive(Debug)]
pub struct Running {
    description: Description,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl Running {
    /// How to reach it.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Stops all listeners and background tasks and waits for them.
    pub async fn shutdown(self) {
        let Self { tasks, stop, .. } = self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
    }
}

impl Sandbox {
    /// Starts a tenant. All of its sockets are listening when this returns.
    ///
    /// # Errors
    /// When an address cannot be had, a file cannot be written, or the configuration contradicts itself.
    pub async fn start(config: Config) -> Result<Running, Error> {
        check(&config)?;
        let machine_time = SandboxClock::system().now();
        let authority = Authority::open(&config.data_directory, machine_time)?;
        let tls = authority.server_config(machine_time)?;
        if config.service_certificate {
            authority.write_service_certificate(machine_time)?;
        }
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let guard = stop.clone().drop_guard();

        let (https, https_address) = listen::bind(config.https, "https").await?;
        let http = match config.plain_http {
            true => Some(listen::bind(config.http, "http").await?),
            false => None,
        };
        let (control, control_address) = listen::bind(config.control, "control").await?;
        let (smtp, smtp_address) = listen::bind(config.smtp, "smtp").await?;
        let proxy = match config.connect_proxy {
            Some(address) => Some(listen::bind(address, "connect proxy").await?),
            None => None,
        };

        let (sandbox, administrator) = assemble(&config, &authority, &tasks, &stop)?;
        let authority_url = format!("https://localhost:{}", https_address.port());
        let plain_url = http
            .as_ref()
            .map(|(_, address)| format!("http://127.0.0.1:{}", address.port()));
        let description = Description {
            authority: authority_url.clone(),
            authority_http: plain_url.clone(),
            graph_url: authority_url,
            graph_url_http: plain_url,
            tenant_id: sandbox.tenant.id,
            tenant_domain: sandbox.tenant.domain.clone(),
            ca_file: authority.file.clone(),
            control_url: format!("http://{control_address}"),
            smtp_address: smtp_address.to_string(),
            connect_proxy: proxy.as_ref().map(|(_, address)| format!("http://{address}")),
            administrator,
            mailboxes: config.mailboxes.clone(),
        };
        let _ = sandbox.description.set(description.clone());

        listen::https(Arc::clone(&sandbox), https, tls, &tasks, &stop);
        if let Some((listener, _)) = http {
            listen::http(Arc::clone(&sandbox), listener, &tasks, &stop);
        }
        listen::control(control::router(Arc::clone(&sandbox)), control, &tasks, &stop);
        if let Some((listener, _)) = proxy {
            tasks.spawn(connect::serve(listener, https_address, stop.clone()));
        }
        tasks.spawn(smtp::serve(sandbox, smtp, stop));
        if let Some(file) = &config.description_file {
            let mut text =
                serde_json::to_vec_pretty(&description).expect("a description has string keys and plain values");
            text.push(b'\n');
            // The administrator's credentials are in it.
            authority::write(file, &text, 0o600)?;
        }
        Ok(Running {
            description,
            tasks,
            stop: guard,
        })
    }
}

fn check(config: &Config) -> Result<(), Error> {
    let domain = &config.tenant_domain;
    if !domain.contains('.') || domain.contains(char::is_whitespace) || domain.contains('@') {
        return Err(Error::Config(format!(
            "'{domain}' is not a domain: give one like contoso.example"
        )));
    }
    for address in &config.mailboxes {
        let parts = address.split_once('@');
        if parts.is_none_or(|(local, domain)| local.is_empty() || domain.is_empty() || domain.contains('@')) {
            return Err(Error::Config(format!(
                "'{address}' is not a mail address: give one like support@{domain}"
            )));
        }
    }
    Ok(())
}

fn assemble(
    config: &Config,
    authority: &Authority,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Arc<Sandbox>, crate::config::AdministratorDescription), Error> {
    let clock = Arc::new(match config.frozen_at {
        Some(at) => SandboxClock::frozen_at(at),
        None => SandboxClock::system(),
    });
    let entropy = Arc::new(config.seed.map_or_else(Entropy::system, Entropy::seeded));
    let tenant_id: Uuid = config.tenant_id.unwrap_or_else(|| entropy.uuid());
    let tenant = Arc::new(Tenant::new(
        tenant_id,
        &config.tenant_domain,
        Arc::clone(&clock),
        Arc::clone(&entropy),
    ));
    let administrator = seed::populate(&tenant);
    let mut trusted_pem = vec![authority.pem.clone().into_bytes()];
    if let Some(path) = &config.notification_ca_file {
        trusted_pem.push(std::fs::read(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?);
    }
    let entra = Entra::new(&trusted_pem)?;
    let settings = NotifySettings {
        plain_http: config.notify_plain_http,
        trusted_pem,
        latency: config.notification_latency,
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    let exchange = Arc::new(Exchange::new(Arc::clone(&tenant), config.exchange));
    tenant.govern(&exchange);
    let directory: Arc<dyn Directory> = tenant.clone();
    let mail = MailService::new(Arc::clone(&clock), Arc::clone(&entropy), directory, settings);
    for address in &config.mailboxes {
        let user = seed::add_mail_user(&tenant, address, None).ok_or_else(|| {
            Error::Config(format!(
                "the mailbox '{address}' is listed twice or taken by another user"
            ))
        })?;
        mail.create_mailbox(user.id, address, &user.display_name);
    }
    let sandbox = Sandbox {
        clock,
        entropy,
        tenant,
        exchange,
        mail,
        entra,
        tokens: TokenCache::default(),
        faults: Faults::default(),
        ledger: Ledger::default(),
        description: std::sync::OnceLock::new(),
    };
    Ok((Arc::new(sandbox), administrator))
}
