//! Starting other programs, always visibly.
//!
//! Owns how a command is shown, started and judged. Never hides what a program says: its output goes
//! to the terminal unless the caller reads it. Invariant: a program that ends without success is an
//! error that names the command.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// The cargo that started us, in the repository's root.
pub fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    program_in(workspace, program, arguments)
}

/// A program in the repository's root.
pub fn program_in(workspace: &Workspace, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace.root());
    command
}

/// Shows the command, runs it with our terminal, and wants success.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("{} could not be started", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs the command and gives what it printed, whatever its exit code.
pub fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null());
    command
        .output()
        .with_context(|| format!("{} could not be started", shown(command)))
}

/// The first line that a command prints if it succeeds: the usual way to ask for a version.
pub fn first_line(command: &mut Command) -> Option<String> {
    let output = output(command).ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The command as one would type it: program name, arguments, and the variables that we set.
fn shown(command: &Command) -> String {
    let mut line = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(line, "{}={:?} ", name.to_string_lossy(), value.to_string_lossy());
        }
    }
    let program = std::path::Path::new(command.get_program());
    line.push_str(&program.file_name().unwrap_or(command.get_program()).to_string_lossy());
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_shown_as_one_types_it() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(shown(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }

    #[test]
    fn program_that_fails_is_an_error_that_names_it() {
        let error = run(Command::new("cargo").arg("no-such-command-exists")).expect_err("it failed");
        assert!(error.to_string().contains("cargo no-such-command-exists"), "{error}");
    }

    #[test]
    fn program_that_is_missing_has_no_version() {
        assert_eq!(
            first_line(Command::new("no-such-program-exists").arg("--version")),
            None
        );
    }
}
