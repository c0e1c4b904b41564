//! The stage of the demo and the end-to-end tests: a sandbox, a configuration, a connected service.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http::Method;
use serde_json::Value;

use super::{
    http::Client,
    processes::{Launcher, Process, free_port},
};
use crate::failure::{Exit, Failure};

/// Longest wait for anything that the service does by itself. A bound, not a measurement.
pub const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// A sandbox and the configuration of a service that is connected to it.
#[derive(Debug)]
pub struct Stage {
    /// Runs commands in the stage's directory.
    pub launcher: Launcher,
    /// The sandbox's process.
    pub sandbox: Process,
    /// `sandbox.json`.
    pub description: Value,
    /// Client of the sandbox's control API.
    pub control: Client,
    /// Address of the service.
    pub service_url: String,
    /// Key of the service's API.
    pub key: String,
}

impl Stage {
    /// Starts a sandbox, writes `guichet.toml`, connects, and makes an API key.
    ///
    /// # Errors
    /// A [`Failure`] from whichever part fails.
    pub async fn set(launcher: Launcher, poll_seconds: u32) -> Result<Self, Failure> {
        let mut stage = Self::unconnected(launcher).await?;
        let port = free_port()?;
        write_configuration(&stage.launcher, &stage.description, port, poll_seconds)?;
        let mut administrator = stage.administrator();
        let apply = ["connect", "apply", "--language", "en"];
        let signing_in = stage
            .launcher
            .run_with(&apply, async |line: &str| administrator.answer(line).await);
        signing_in.await?;
        stage.key = stage.launcher.run(&["key", "create", "demo"]).await?.trim().to_owned();
        stage.service_url = format!("https://localhost:{port}");
        Ok(stage)
    }

    /// Starts a sandbox and nothing else.
    ///
    /// # Errors
    /// A [`Failure`] if it does not start.
    pub async fn unconnected(launcher: Launcher) -> Result<Self, Failure> {
        let any = "127.0.0.1:0";
        let arguments = [
            "sandbox",
            "--dir",
            "sandbox",
            "--listen",
            any,
            "--control",
            any,
            "--smtp",
            any,
            "--service-certificate",
        ];
        let (sandbox, description) = launcher.start("sandbox", &arguments).await?;
        let control = description.pointer("/control_url").and_then(Value::as_str);
        Ok(Self {
            control: Client::new(control.unwrap_or_default(), None, None)?,
            launcher,
            sandbox,
            description,
            service_url: String::new(),
            key: String::new(),
        })
    }

    /// The person who signs in as an administrator of the tenant.
    pub fn administrator(&self) -> Administrator {
        Administrator {
            ca_file: self.described("/ca_file").into(),
            user: self.described("/administrator/user_principal_name"),
            password: self.described("/administrator/password"),
            page: String::new(),
        }
    }

    /// Runs commands that sign in as the tenant's administrative application (`--sign-in application`).
    pub fn as_administrator(&self) -> Launcher {
        let described = |name: &str| self.described(&format!("/administrator/{name}"));
        let launcher = self.launcher.clone();
        launcher
            .with("GUICHET_ADMIN_CLIENT_ID", &described("client_id"))
            .with("GUICHET_ADMIN_CLIENT_SECRET", &described("client_secret"))
    }

    /// Changes `guichet.toml`.
    ///
    /// # Errors
    /// A [`Failure`] if it can't be read or written, or if nothing changes.
    pub fn configure(&self, change: impl FnOnce(&str) -> String) -> Result<(), Failure> {
        let file = self.launcher.dir().join("guichet.toml");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let title = format!("{} can't be read: {error}", file.display());
            Failure::new(Exit::Local, title, "")
        })?;
        let changed = change(&text);
        if changed == text {
            let title = format!("nothing was changed in {}", file.display());
            return Err(Failure::new(Exit::NotRight, title, ""));
        }
        write(&file, &changed)
    }

    /// A text of `sandbox.json`.
    pub fn described(&self, pointer: &str) -> String {
        self.description
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// The mailboxes of the tenant.
    pub fn mailboxes(&self) -> Vec<String> {
        let list = self.description["mailboxes"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|m| m.as_str().map(str::to_owned)).collect()
    }

    /// Starts the service.
    ///
    /// # Errors
    /// A [`Failure`] if it does not come up.
    pub async fn serve(&self) -> Result<Process, Failure> {
        Ok(self.launcher.start("serve", &["serve"]).await?.0)
    }

    /// A client of the service's API.
    ///
    /// # Errors
    /// A [`Failure`] if the CA file can't be read.
    pub fn api(&self) -> Result<Client, Failure> {
        Client::new(
            &self.service_url,
            Some(self.described("/ca_file").into()),
            Some(self.key.clone()),
        )
    }

    /// Puts raw bytes into a mailbox through the control API.
    ///
    /// # Errors
    /// A [`Failure`] if the sandbox refuses.
    pub async fn inject(&self, mailbox: &str, mime: Vec<u8>) -> Result<Value, Failure> {
        self.control
            .post_bytes(&format!("/mailboxes/{mailbox}/messages"), mime)
            .await
    }
}

/// Does what the administrator does at `guichet connect`: opens the address that it shows, types the code in
/// and signs in. That is all that a person has to do.
#[derive(Debug)]
pub struct Administrator {
    ca_file: PathBuf,
    user: String,
    password: String,
    page: String,
}

impl Administrator {
    /// Reads a line that the command says, and acts on it.
    ///
    /// # Errors
    /// A [`Failure`] if the sign-in page refuses.
    pub async fn answer(&mut self, line: &str) -> Result<(), Failure> {
        if let Some(shown) = line.trim().strip_prefix("address ") {
            shown.trim().clone_into(&mut self.page);
        }
        let Some(code) = line.trim().strip_prefix("code ") else {
            return Ok(());
        };
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("user_code", code.trim())
            .append_pair("username", &self.user)
            .append_pair("password", &self.password)
            .append_pair("action", "accept")
            .finish();
        let page = Client::new(&self.page, Some(self.ca_file.clone()), None)?;
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let shown = page.send(Method::POST, "", &headers, form.into_bytes()).await?;
        if shown.status.is_success() {
            return Ok(());
        }
        let title = format!("the sign-in page {} answered {}", self.page, shown.status);
        Err(Failure::new(Exit::NotRight, title, ""))
    }
}

fn write_configuration(launcher: &Launcher, description: &Value, port: u16, poll: u32) -> Result<(), Failure> {
    let text = |pointer: &str| description.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut toml = format!(
        "data_dir = \"data\"\n\n\
         [microsoft]\ntenant = \"{}\"\nauthority = \"{}\"\ngraph = \"{}\"\nca_files = [\"{}\"]\n\n\
         [application]\nname = \"Guichet demo\"\n\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"https://localhost:{port}\"\n\
         tls_certificate = \"sandbox/service.pem\"\ntls_key = \"sandbox/service.key\"\n\n\
         [sync]\npoll_seconds = {poll}\nquiet_poll_seconds = {poll}\n",
        text("/tenant_id"),
        text("/authority"),
        text("/graph_url"),
        text("/ca_file"),
    );
    for mailbox in description["mailboxes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let name = mailbox.split('@').next().unwrap_or(mailbox);
        toml.push_str(&format!(
            "\n[[mailbox]]\naddress = \"{mailbox}\"\n\n\
             [[route]]\nname = \"{name}\"\naddress = \"{mailbox}\"\nqueue = \"{name}\"\n"
        ));
    }
    write(&launcher.dir().join("guichet.toml"), &toml)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::new(Exit::Local, format!("{} can't be written: {error}", path.display()), ""))
}

/// Looks again and again until `seen` says yes. Fails with `what` after [`PATIENCE`].
///
/// # Errors
/// A [`Failure`] naming what was waited for, or the first failure of `look`.
pub async fn wait_until<T, F, Fut>(what: &str, mut look: F) -> Result<T, Failure>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>, Failure>>,
{
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(ended) => ended,
        Err(_) => Err(Failure::new(
            Exit::NotRight,
            format!("waited in vain for: {what}"),
            "see the logs",
        )),
    }
}
