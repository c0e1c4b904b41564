//! The processes of the demo: sandbox and service, started from this very binary and ended with it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::failure::{Exit, Failure};

/// How long a process may take until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A process that ends when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Process id; `None` once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it as a crash would: SIGKILL, no farewell.
    ///
    /// # Errors
    /// A [`Failure`] if it can't be waited for.
    pub async fn kill(mut self) -> Result<(), Failure> {
        self.child
            .kill()
            .await
            .map_err(|error| Failure::new(Exit::Local, format!("{} can't be killed: {error}", self.name), ""))
    }

    /// A failure if it has ended already.
    ///
    /// # Errors
    /// A [`Failure`] naming its log.
    pub fn check_alive(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(&status.to_string())),
            Err(error) => Err(self.ended(&error.to_string())),
        }
    }

    fn ended(&self, how: &str) -> Failure {
        let tail = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = tail.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        let title = format!("{} ended early ({how})\n{tail}", self.name);
        Failure::new(Exit::Local, title, format!("its log is {}", self.log.display()))
    }
}

/// Starts and runs `guichet` commands in one directory.
#[derive(Clone, Debug)]
pub struct Launcher {
    binary: PathBuf,
    dir: PathBuf,
    environment: Vec<(String, String)>,
}

impl Launcher {
    /// For this binary and directory.
    pub fn new(binary: PathBuf, dir: &Path) -> Self {
        Self {
            binary,
            dir: dir.to_owned(),
            environment: Vec::new(),
        }
    }

    /// With one more environment variable for every process.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command.env_remove("GUICHET_CONFIG").env("NO_COLOR", "1");
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    /// Runs a command to its end; its stdout. Fails with its stderr when it exits with anything but 0.
    ///
    /// # Errors
    /// A [`Failure`] with the command's own words.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let (code, out, err) = self.try_run(arguments).await?;
        if code == 0 {
            return Ok(out);
        }
        Err(Failure::new(
            Exit::NotRight,
            format!("guichet {} exited with {code}\n{err}", arguments.join(" ")),
            "",
        ))
    }

    /// Runs a command to its end: exit code, stdout, stderr.
    ///
    /// # Errors
    /// A [`Failure`] if it can't be started.
    pub async fn try_run(&self, arguments: &[&str]) -> Result<(i32, String, String), Failure> {
        let output = self
            .command(arguments)
            .output()
            .await
            .map_err(|error| self.not_started(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        ))
    }

    /// Starts a long-running command with `--json` and waits for its first JSON document on stdout.
    ///
    /// # Errors
    /// A [`Failure`] if it ends before, or takes longer than a minute.
    pub async fn start(&self, name: &'static str, arguments: &[&str]) -> Result<(Process, Value), Failure> {
        let log = self.dir.join(format!("{name}.log"));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        let file = file.map_err(|error| Failure::new(Exit::Local, format!("{}: {error}", log.display()), ""))?;
        let mut child = self
            .command(arguments)
            .arg("--json")
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|error| self.not_started(&error))?;
        let stdout = child.stdout.take();
        let mut process = Process { child, name, log };
        let Some(stdout) = stdout else {
            return Err(process.ended("no stdout"));
        };
        match tokio::time::timeout(READY_WITHIN, first_document(stdout)).await {
            Ok(Some(document)) => Ok((process, document)),
            Ok(None) => {
                let status = process.child.wait().await.map(|s| s.to_string()).unwrap_or_default();
                Err(process.ended(&status))
            }
            Err(_) => Err(process.ended("not ready within a minute")),
        }
    }

    /// Runs a command and answers what it asks for on stderr: `answer` sees each line and may act on it.
    ///
    /// # Errors
    /// A [`Failure`] with the command's own words if it exits with anything but 0, or the failure of
    /// `answer`.
    pub async fn run_with<F>(&self, arguments: &[&str], answer: F) -> Result<String, Failure>
    where
        F: AsyncFnMut(&str) -> Result<(), Failure>,
    {
        let (code, out, said) = self.try_run_with(arguments, answer).await?;
        if code == 0 {
            return Ok(out);
        }
        let title = format!("guichet {} exited with {code}\n{said}", arguments.join(" "));
        Err(Failure::new(Exit::NotRight, title, ""))
    }

    /// The same, whatever the exit code: exit code, stdout, stderr.
    ///
    /// # Errors
    /// A [`Failure`] if it can't be started, or the failure of `answer`.
    pub async fn try_run_with<F>(&self, arguments: &[&str], mut answer: F) -> Result<(i32, String, String), Failure>
    where
        F: AsyncFnMut(&str) -> Result<(), Failure>,
    {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let mut said = String::new();
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                answer(&line).await?;
                said.push_str(&line);
                said.push('\n');
            }
        }
        let output = child
            .wait_with_output()
            .await
            .map_err(|error| self.not_started(&error))?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((output.status.code().unwrap_or(-1), out, said))
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        Failure::new(
            Exit::Local,
            format!("{} can't be started: {error}", self.binary.display()),
            "",
        )
    }
}

/// Reads lines until they make a JSON document.
async fn first_document(stdout: tokio::process::ChildStdout) -> Option<Value> {
    let mut lines = BufReader::new(stdout).lines();
    let mut text = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        text.push_str(&line);
        text.push('\n');
        if let Ok(document) = serde_json::from_str(&text) {
            return Some(document);
        }
    }
    None
}

/// A TCP port of loopback that is free now.
///
/// # Errors
/// A [`Failure`] if there is none.
pub fn free_port() -> Result<u16, Failure> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    let port = listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port());
    port.map_err(|error| Failure::new(Exit::Local, format!("no free port on loopback: {error}"), ""))
}
