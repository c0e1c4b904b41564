//! `docs/connect.md` is what a terminal shows: every console block of it is run against a sandbox, in order, and
//! the page must hold exactly what came out.
//!
//! `SNAPSHOTS=overwrite` writes the page anew.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use guichet_cli::demo::{
    processes::{Launcher, Process, free_port},
    stage::{Stage, wait_until},
};
use regex::Regex;
use serde_json::Value;
use snapbox::{Data, Redactions, assert::Action};

/// The ports of the page are those that a sandbox and a service have by default.
const SANDBOX_PORT: &str = ":8443";
const SERVICE_PORT: &str = ":8025";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connect.md")
}

#[tokio::test]
async fn the_page_about_connecting_shows_what_a_terminal_shows() {
    guichet_net::install_tls_provider();
    let dir = tempfile::tempdir().expect("dir");
    let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path()).with("LANG", "C.UTF-8");
    let stage = Stage::unconnected(launcher)
        .await
        .map_err(|f| f.title)
        .expect("a sandbox");
    let written = std::fs::read_to_string(page()).expect("the page is there");
    let mut terminal = Terminal::new(stage);
    let mut fresh = String::new();
    let mut lines = written.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(fresh, "{line}");
        match line.trim_start().strip_prefix("```") {
            Some("toml") => {
                let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
                terminal.configure(&block.join("\n"));
                let _ = write!(fresh, "{}\n```\n", block.join("\n"));
            }
            Some("console") => {
                let block = lines.by_ref().take_while(|line| line.trim() != "```");
                for command in block.filter_map(|line| line.strip_prefix("$ ")) {
                    let shown = terminal.run(command).await;
                    let _ = write!(fresh, "$ {command}\n{shown}");
                }
                fresh.push_str("```\n");
            }
            _ => {}
        }
    }
    snapbox::Assert::new()
        .action(if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
            Action::Overwrite
        } else {
            Action::Verify
        })
        .eq(terminal.redacted(&fresh), Data::read_from(&page(), None).raw());
}

/// What a person sits at: a directory, a sandbox, and a service once it is started.
struct Terminal {
    stage: Stage,
    service_port: String,
    service: Option<Process>,
    codes: Vec<String>,
}

impl Terminal {
    fn new(stage: Stage) -> Self {
        let port = free_port().map_err(|f| f.title).expect("a port");
        Self {
            stage,
            service_port: format!(":{port}"),
            service: None,
            codes: Vec::new(),
        }
    }

    /// The port with its colon.
    fn sandbox_port(&self) -> &str {
        let authority = self.stage.description["authority"].as_str().expect("an address");
        &authority[authority.rfind(':').expect("a port")..]
    }

    /// Writes `guichet.toml` as the page shows it, at the addresses of this run.
    fn configure(&self, text: &str) {
        let text = text
            .replace(SANDBOX_PORT, self.sandbox_port())
            .replace(SERVICE_PORT, &self.service_port);
        std::fs::write(self.stage.launcher.dir().join("guichet.toml"), text).expect("written");
    }

    /// Runs one line of the page: `guichet …`, with `&` at its end for the service, or with `| head -N`.
    async fn run(&mut self, line: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let arguments = arguments.strip_prefix(&["guichet"]).expect("a command of guichet");
        if let [arguments @ .., "&"] = arguments {
            let started = self.stage.launcher.start("serve", arguments).await;
            self.service = Some(started.map_err(|f| f.title).expect("it starts").0);
            self.until_active().await;
            return String::new();
        }
        let (arguments, most) = match arguments {
            [arguments @ .., "|", "head", most] => (
                arguments,
                most.trim_start_matches('-').parse().expect("a number of lines"),
            ),
            all => (all, usize::MAX),
        };
        let mut administrator = self.stage.administrator();
        let codes = &mut self.codes;
        let ran = self.stage.launcher.try_run_with(arguments, async |line: &str| {
            if let Some(code) = line.trim().strip_prefix("code ") {
                codes.push(code.trim().to_owned());
            }
            administrator.answer(line).await
        });
        let (code, out, said) = ran.await.map_err(|f| f.title).expect("it runs");
        let mut shown: String = (said + &out).lines().take(most).fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "{line}");
            all
        });
        if code != 0 {
            let _ = writeln!(shown, "? {code}");
        }
        shown
    }

    /// The service is active, and each mailbox has its subscription.
    async fn until_active(&self) {
        let launcher = &self.stage.launcher;
        let mailboxes = self.stage.mailboxes().len();
        wait_until("the integration is active", async || {
            let (_, out, _) = launcher.try_run(&["integration", "show", "--json"]).await?;
            let shown: Value = serde_json::from_str(&out).unwrap_or_default();
            let (_, found, _) = launcher.try_run(&["doctor", "--json"]).await?;
            let subscribed = found.matches("\"code\": \"subscription-ok\"").count();
            let ready = shown["reported"]["state"] == "active" && subscribed == mailboxes;
            Ok(ready.then_some(()))
        })
        .await
        .map_err(|f| f.title)
        .expect("it becomes active");
    }

    /// With what differs from run to run replaced.
    fn redacted(&self, text: &str) -> String {
        let mut redactions = Redactions::new();
        let pattern = |pattern: &str| Regex::new(pattern).expect("a pattern");
        redactions
            .insert("[ID]", pattern("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"))
            .expect("a name");
        redactions
            .insert("[TIME]", pattern(r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z"))
            .expect("a name");
        redactions
            .insert("[DATE]", pattern(r"\d{4}-\d{2}-\d{2}"))
            .expect("a name");
        redactions
            .insert("[SECONDS]", pattern("within (?<redacted>[0-9.]+) seconds"))
            .expect("a name");
        for code in &self.codes {
            redactions.insert("[CODE]", code.clone()).expect("a name");
        }
        let text = text
            .replace(self.sandbox_port(), SANDBOX_PORT)
            .replace(&self.service_port, SERVICE_PORT);
        redactions.redact(&text)
    }
}
