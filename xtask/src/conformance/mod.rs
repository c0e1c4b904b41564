//! `cargo xtask conformance`: unmodified third parties' clients against the sandbox.
//!
//! Owns the run: which clients, in which ways, and what their scripts (`tests/conformance`) report. Each client gets a
//! tenant of its own for each way. Never changes a client: only documented options and the environment. Invariant: the
//! exit code is 0 only if at least one check passed and none failed.

mod bounded;
mod client;
mod installed;
mod report;
mod tenant;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    process::{cargo, run as run_visibly},
    workspace::Workspace,
};
use client::{CLIENTS, Client, Way};
use installed::Installed;
use report::{Finding, Report, Verdict};
use tenant::{Namespaces, Tenant};

/// A client's whole script takes seconds; after this time it hangs.
const PATIENCE: Duration = Duration::from_secs(600);
/// The name of the one finding about a script that could not be run.
const WHOLE: &str = "(all checks)";

/// What to try.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// Try this client alone (repeat it for several)
    #[arg(long, value_name = "NAME", value_parser = CLIENTS.map(|client| client.name))]
    client: Vec<String>,
    /// Point it at the sandbox this way alone (repeat it for several)
    #[arg(long, value_enum, value_name = "WAY")]
    way: Vec<Way>,
    /// Install nothing: use the packages that an earlier run has installed
    #[arg(long)]
    no_install: bool,
    /// Print the findings as JSON instead of the table
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Everything, for the run of all checks.
    pub fn everything(no_install: bool) -> Self {
        Self {
            no_install,
            ..Self::default()
        }
    }
}

/// Builds the binary, tries the clients, prints what they found.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    run_visibly(&mut cargo(workspace, &["build", "--workspace", "--locked"]))?;
    let report = attempt(workspace, options)?;
    if options.json {
        println!("{:#}", report.json());
    } else {
        print!("{report}");
    }
    let good = report.failed() == 0 && report.passed() > 0;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries the clients against the binary that is there.
pub fn attempt(workspace: &Workspace, options: &Options) -> Result<Report> {
    let asked = |client: &Client| options.client.is_empty() || options.client.iter().any(|name| name == client.name);
    let clients: Vec<Client> = CLIENTS.into_iter().filter(asked).collect();
    fs::create_dir_all(workspace.conformance_work())?;
    let installed = Installed::prepare(workspace, &clients, options.no_install);
    let namespaces = Namespaces::find();
    let mut report = Report::default();
    for client in &clients {
        for way in client.ways {
            if !options.way.is_empty() && !options.way.contains(way) {
                continue;
            }
            eprintln!("trying {} by {}", client.name, way.name());
            let finding = |check: &str, verdict| Finding {
                client: client.name,
                versions: client.versions(),
                way: *way,
                check: check.to_owned(),
                verdict,
            };
            let command = installed.command(client, &workspace.conformance_suite());
            match command {
                Err(reason) => report.add(finding(WHOLE, Verdict::Skipped(reason))),
                Ok(_) if *way == Way::Alias && namespaces.is_none() => {
                    let reason = "namespaces are not allowed here".to_owned();
                    report.add(finding(WHOLE, Verdict::Skipped(reason)));
                }
                Ok(command) => match try_client(workspace, &installed, client, *way, namespaces, command) {
                    Ok(found) => {
                        for (check, verdict) in found {
                            report.add(finding(&check, verdict));
                        }
                    }
                    Err(error) => report.add(finding(WHOLE, Verdict::Failed(format!("{error:#}")))),
                },
            }
        }
    }
    Ok(report)
}

fn try_client(
    workspace: &Workspace,
    installed: &Installed,
    client: &Client,
    way: Way,
    namespaces: Option<Namespaces>,
    mut command: Vec<PathBuf>,
) -> Result<Vec<(String, Verdict)>> {
    let python = installed.python().map_err(anyhow::Error::msg)?;
    let directory = workspace
        .conformance_work()
        .join(format!("{}-{}", client.name, way.name()));
    let tenant = Tenant::start(workspace, &python, directory, way, namespaces)?;
    let (out, talk) = (tenant.file("client.out"), tenant.file("client.log"));
    let prepare = [
        python.clone(),
        workspace.conformance_suite().join("python/prepare.py"),
        tenant.description(),
        way.name().into(),
        tenant.given(),
    ];
    let prepared = bounded::run(&mut tenant.command(workspace, &python, &prepare), &out, &talk, PATIENCE)?;
    if !prepared.success() {
        bail!("the tenant could not be prepared: {}", bounded::tail(&talk));
    }
    command.push(tenant.given());
    let mut script = tenant.command(workspace, &python, &command);
    if let Some(proxy) = tenant.proxy()? {
        script.env("HTTPS_PROXY", proxy);
    }
    let status = bounded::run(&mut script, &out, &talk, PATIENCE)?;
    let text = fs::read_to_string(&out)?;
    let mut found = findings(&text)?;
    if !status.success() || found.is_empty() {
        let reason = format!("the script ended with {status}: {}", bounded::tail(&talk));
        found.push((WHOLE.to_owned(), Verdict::Failed(reason)));
    }
    Ok(found)
}

/// The script's lines of JSON; what the client itself prints is not one.
fn findings(text: &str) -> Result<Vec<(String, Verdict)>> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("{\"check\"")) {
        let value: serde_json::Value = serde_json::from_str(line).context("a line of the script is not JSON")?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let verdict = match value["result"].as_str() {
            Some("ok") => Verdict::Ok,
            Some("skipped") => Verdict::Skipped(text("reason")),
            _ => Verdict::Failed(text("reason")),
        };
        found.push((text("check"), verdict));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_script_are_told_from_the_talk_of_the_client() {
        let text = "hello\n{\"check\":\"a\",\"result\":\"ok\"}\n{\"check\": \"b\", \"result\": \"failed\", \"reason\": \"r\"}\n";
        let found = findings(text).expect("it is readable");
        assert_eq!(found[0], ("a".to_owned(), Verdict::Ok));
        assert_eq!(found[1], ("b".to_owned(), Verdict::Failed("r".to_owned())));
    }

    #[test]
    fn a_result_that_is_none_counts_as_failed() {
        let found = findings("{\"check\":\"a\"}").expect("it is readable");
        assert!(matches!(found[0].1, Verdict::Failed(_)));
        assert!(findings("{\"check\":").is_err());
    }
}
