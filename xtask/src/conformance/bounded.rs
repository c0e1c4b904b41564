//! Programs that are given a time, and whose output goes to files.
//!
//! Owns the waiting. Nothing is judged by how long it took, except that a program which does not end is stopped and
//! said to hang. Stops no process but the one it started.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// How often is looked.
const STEP: Duration = Duration::from_millis(50);

/// Starts the program with both outputs in files.
pub fn start(command: &mut Command, out: &Path, talk: &Path) -> Result<Child> {
    let create = |path: &Path| File::create(path).with_context(|| format!("{} can't be written", path.display()));
    command.stdin(Stdio::null()).stdout(create(out)?).stderr(create(talk)?);
    command
        .spawn()
        .with_context(|| format!("{} could not be started", command.get_program().display()))
}

/// Looks until `look` gives something or the time is over.
pub fn wait_for<T>(most: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let mut left = most.as_millis() / STEP.as_millis();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if left == 0 {
            return Ok(None);
        }
        left -= 1;
        thread::sleep(STEP);
    }
}

/// Runs the program to its end.
///
/// # Errors
/// When it can't be started or does not end in time; it is stopped then.
pub fn run(command: &mut Command, out: &Path, talk: &Path, most: Duration) -> Result<ExitStatus> {
    let mut child = start(command, out, talk)?;
    if let Some(status) = wait_for(most, || Ok(child.try_wait()?))? {
        return Ok(status);
    }
    child.kill()?;
    child.wait()?;
    bail!(
        "{} did not end within {} seconds",
        command.get_program().display(),
        most.as_secs()
    )
}

/// The end of a text file, for a message.
pub fn tail(path: &Path) -> String {
    const MOST: usize = 800;
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let skipped = text.trim().chars().count().saturating_sub(MOST);
    text.trim().chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_that_does_not_end_is_stopped() {
        let directory = std::env::temp_dir().join(format!("xtask-bounded-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let (out, talk) = (directory.join("out"), directory.join("talk"));
        let error = run(Command::new("sleep").arg("600"), &out, &talk, Duration::ZERO).expect_err("it went on");
        assert!(error.to_string().contains("did not end"), "{error}");
        let status = run(Command::new("echo").arg("hello"), &out, &talk, Duration::from_secs(60)).expect("it ended");
        assert!(status.success());
        assert_eq!(tail(&out), "hello");
        std::fs::remove_dir_all(&directory).expect("it is ours");
    }
}
