//! `cargo xtask demo`: builds and then becomes `guichet demo`.
//!
//! Owns nothing of the story, which is the binary's; it only makes sure that everything the story
//! needs is built and tells where the test mails are. Invariant: the exit code is that of the story.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{
    console,
    process::{cargo, program_in, run as run_visibly},
    workspace::{CORPUS_VARIABLE, Workspace},
};

/// What to pass on.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// Arguments of `guichet demo`, such as `--once`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds, then runs the demonstration in place of this process.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    eprintln!("{}", console::build(workspace)?);
    run_visibly(&mut cargo(workspace, &["build", "--workspace", "--locked"]))?;
    let mut story = program_in(workspace, workspace.binary(), &["demo"]);
    // `cargo xtask demo -- --once` means the same as `cargo xtask demo --once`.
    story.args(options.arguments.iter().skip_while(|argument| *argument == "--"));
    if let Some(corpus) = workspace.corpus() {
        story.env(CORPUS_VARIABLE, corpus);
    }
    become_program(story)
}

/// Replaces this process, so that Ctrl-C, other signals and the exit code need no forwarding.
#[cfg(unix)]
fn become_program(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(anyhow::Error::new(error).context(format!("{} could not be started", command.get_program().display())))
}

/// Ctrl-C reaches both processes of a console; this one waits for the other's end.
#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<ExitCode> {
    use anyhow::Context;
    let status = command.status().context("guichet could not be started")?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
