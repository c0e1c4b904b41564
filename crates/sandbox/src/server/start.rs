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
use crate::config::{Config, Description, Persistence};
use crate::directory::tenant::Tenant;
use crate::directory::{Directory, seed};
use crate::entra::Entra;
use crate::entra::keys::SavedKey;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::mail::{MailService, transport};
use crate::notify::{NotifySettings, Receiver, Signer};
use crate::persist::place::Place;
use crate::persist::saver::{self, Founding, Occasion, Saved, Saver};
use crate::revocation::Revocations;
use crate::scenario::Plan;
use crate::server::authority::{self, Authority};
use crate::server::{connect, listen};
use crate::state::Sandbox;
use crate::throttle::Throttle;
use crate::{control, scenario, smtp};

/// A started sandbox.
#[derive(Debug)]
pub struct Running {
    description: Description,
    tasks: TaskTracker,
    stop: DropGuard,
    sandbox: Arc<Sandbox>,
    founding: Arc<Founding>,
}

impl Running {
    /// How to reach it.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Stops all listeners and background tasks, waits for them, and saves the state a last time if it is saved.
    /// A save that fails is logged; [`Running::stop`] returns it.
    pub async fn shutdown(self) {
        if let Err(error) = self.stop().await {
            tracing::error!(%error, "the last changes could not be saved");
        }
    }

    /// Like [`Running::shutdown`].
    ///
    /// # Errors
    /// When the state could not be saved.
    pub async fn stop(self) -> Result<(), Error> {
        let Self {
            tasks,
            stop,
            sandbox,
            founding,
            ..
        } = self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
        let Some(saver) = sandbox.saver.clone() else {
            return Ok(());
        };
        let last = tokio::task::spawn_blocking(move || saver.save(&sandbox, &founding, Occasion::Closing));
        last.await
            .unwrap_or_else(|error| Err(Error::Config(format!("the last save ended abnormally: {error}"))))
    }
}

impl Sandbox {
    /// Starts a tenant. All of its sockets are listening when this returns.
    ///
    /// # Errors
    /// When an address cannot be had, a file cannot be written, or the configuration contradicts itself.
    pub async fn start(config: Config) -> Result<Running, Error> {
        let mut config = config;
        let scenario = match &config.scenario {
            Some(path) => Some(scenario::read(path).map_err(Error::Config)?),
            None => None,
        };
        if let Some(scenario) = &scenario {
            scenario.prepare(&mut config);
        }
        check(&config)?;
        let machine_time = SandboxClock::system().now();
        let place = match config.persistence {
            Persistence::Memory => None,
            Persistence::Saved => Some(Place::open(&config.data_directory, false)?),
            Persistence::Fresh => Some(Place::open(&config.data_directory, true)?),
        };
        let (saver, saved) = match place {
            Some(place) => {
                let (saver, saved) = Saver::open(place)?;
                (Some(saver), saved)
            }
            None => (None, Saved::default()),
        };
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

        let restored = saved.founding.is_some();
        let surroundings = Surroundings {
            trusted_pem: trusted(&config, &authority)?,
            receiver: None,
            key: None,
            clock: match config.frozen_at {
                Some(at) => SandboxClock::frozen_at(at),
                None => SandboxClock::system(),
            },
        };
        let (sandbox, founding) = assemble(&config, surroundings, &tasks, &stop, saver, saved)?;
        let founding = Arc::new(founding);
        if let Some(scenario) = &scenario {
            if restored {
                tracing::warn!("the scenario is not played again: the data directory holds its tenant");
            } else {
                let directory = config.scenario.as_deref().and_then(std::path::Path::parent);
                scenario::apply(&sandbox, scenario, directory)
                    .await
                    .map_err(Error::Config)?;
            }
        }
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
            administrator: founding.administrator.clone(),
            mailboxes: sandbox.tenant.mailbox_addresses(),
        };
        let _ = sandbox.description.set(description.clone());

        listen::https(Arc::clone(&sandbox), https, tls.clone(), &tasks, &stop);
        if let Some((listener, _)) = http {
            listen::http(Arc::clone(&sandbox), listener, &tasks, &stop);
        }
        listen::control(
            control::router(Arc::clone(&sandbox), config.control_names.clone()),
            control,
            &tasks,
            &stop,
        );
        if let Some((listener, _)) = proxy {
            tasks.spawn(connect::serve(listener, https_address, stop.clone()));
        }
        if let Some(saver) = sandbox.saver.clone() {
            // The first save shows at once whether the directory can be used.
            saver.save(&sandbox, &founding, Occasion::Regular)?;
            tasks.spawn(saver::run(
                saver,
                Arc::clone(&sandbox),
                Arc::clone(&founding),
                stop.clone(),
            ));
        }
        tasks.spawn(scenario::keep_time(Arc::clone(&sandbox), stop.clone()));
        let (mail, pump_stop) = (Arc::clone(&sandbox), stop.clone());
        tasks.spawn(async move { transport::pump::run(&mail.mail, pump_stop).await });
        tasks.spawn(smtp::serve(Arc::clone(&sandbox), smtp, tls, stop));
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
            sandbox,
            founding,
        })
    }
}

/// What a tenant is put into.
pub(super) struct Surroundings {
    /// Authorities that are trusted when the tenant speaks to others.
    pub trusted_pem: Vec<Vec<u8>>,
    /// Endpoints in this process.
    pub receiver: Option<Arc<dyn Receiver>>,
    /// A signing key that was made before.
    pub key: Option<SavedKey>,
    /// The time.
    pub clock: SandboxClock,
}

fn trusted(config: &Config, authority: &Authority) -> Result<Vec<Vec<u8>>, Error> {
    let mut trusted_pem = vec![authority.pem.clone().into_bytes()];
    if let Some(path) = &config.notification_ca_file {
        trusted_pem.push(std::fs::read(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?);
    }
    Ok(trusted_pem)
}

pub(super) fn check(config: &Config) -> Result<(), Error> {
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

pub(super) fn assemble(
    config: &Config,
    surroundings: Surroundings,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    saver: Option<Saver>,
    mut saved: Saved,
) -> Result<(Arc<Sandbox>, Founding), Error> {
    let Surroundings {
        trusted_pem,
        receiver,
        key,
        clock,
    } = surroundings;
    let clock = Arc::new(clock);
    let entropy = Arc::new(config.seed.map_or_else(Entropy::system, Entropy::seeded));
    let known = saved.founding.as_ref();
    if let Some(known) = known {
        check_founding(config, known)?;
    }
    let tenant_id: Uuid = known
        .map(|known| known.id)
        .or(config.tenant_id)
        .unwrap_or_else(|| entropy.uuid());
    let mut tenant = Tenant::new(
        tenant_id,
        &config.tenant_domain,
        Arc::clone(&clock),
        Arc::clone(&entropy),
    );
    if let Some(known) = known {
        tenant.created_at = known.created_at;
    }
    let tenant = Arc::new(tenant);
    let administrator = match known {
        Some(known) => known.administrator.clone(),
        None => seed::populate(&tenant),
    };
    let entra = Entra::new(&trusted_pem, known.map(|known| &known.key).or(key.as_ref()))?;
    let founding = Founding {
        id: tenant_id,
        domain: tenant.domain.clone(),
        created_at: tenant.created_at,
        administrator,
        key: entra.key.saved(),
    };
    let settings = NotifySettings {
        plain_http: config.notify_plain_http,
        trusted_pem,
        latency: config.notification_latency,
        tasks: tasks.clone(),
        stop: stop.clone(),
        receiver,
        signer: Arc::clone(&entra.key) as Arc<dyn Signer>,
    };
    let exchange = Arc::new(Exchange::new(Arc::clone(&tenant), config.exchange));
    tenant.govern(&exchange);
    let directory: Arc<dyn Directory> = tenant.clone();
    let mut mail = MailService::new(Arc::clone(&clock), Arc::clone(&entropy), directory, settings);
    if let Some(saver) = &saver {
        mail.watch();
        let lines = std::mem::take(&mut saved.mail);
        mail.restore(lines).map_err(|problem| saver.damage(problem))?;
    }
    if let Some(server) = &config.smtp_out {
        let relay = transport::smart_host::SmartHost::parse(server).map_err(Error::Config)?;
        mail.transport().set_relay(relay);
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
        throttle: Arc::new(Throttle::new(config.throttle)),
        revocations: Revocations::default(),
        plan: Plan::default(),
        description: std::sync::OnceLock::new(),
        saver: saver.map(Arc::new),
    };
    if let Some(saver) = &sandbox.saver {
        saver.restore(&saved, &sandbox)?;
    }
    add_mailboxes(&sandbox, &config.mailboxes, saved.founding.is_some())?;
    Ok((Arc::new(sandbox), founding))
}

/// Gives the configured addresses a mailbox; in a restored tenant, those that have none.
fn add_mailboxes(sandbox: &Sandbox, addresses: &[String], restored: bool) -> Result<(), Error> {
    for address in addresses {
        let user = match sandbox.tenant.user_by_address(address) {
            Some(user) if restored => user,
            _ => seed::add_mail_user(&sandbox.tenant, address, None, None).ok_or_else(|| {
                Error::Config(format!(
                    "the mailbox '{address}' is listed twice or taken by another user"
                ))
            })?,
        };
        sandbox.mail.create_mailbox(user.id, address, &user.display_name);
    }
    Ok(())
}

/// A restored tenant keeps its id and domain.
fn check_founding(config: &Config, known: &Founding) -> Result<(), Error> {
    let domain = config.tenant_domain.to_ascii_lowercase();
    let (asked, found) = if domain != known.domain {
        (domain, known.domain.clone())
    } else {
        match config.tenant_id.filter(|id| *id != known.id) {
            Some(id) => (id.to_string(), known.id.to_string()),
            None => return Ok(()),
        }
    };
    Err(Error::Config(format!(
        "the directory {} holds the tenant {found} and not {asked}: choose another directory or start with --fresh",
        config.data_directory.display()
    )))
}
