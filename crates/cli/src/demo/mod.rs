//! The whole story against the sandbox: connect, serve, mail in, answer out, and a check of it all.
//!
//! Drives the binary as a user would: every part runs as a process of its own. The end-to-end tests
//! use the same pieces.

pub mod http;
pub mod mails;
pub mod processes;
mod report;
pub mod stage;
mod story;

use std::path::PathBuf;

use crate::{
    args::DemoArgs,
    failure::{Exit, Failure},
};

/// Runs the demo.
///
/// # Errors
/// A [`Failure`] if a part of it can't be started or ends early.
pub async fn run(args: &DemoArgs, json: bool) -> Result<Exit, Failure> {
    let (dir, temporary) = directory(args)?;
    let ended = story::run(args, &dir, json).await;
    if temporary && ended.is_ok() {
        let _ = std::fs::remove_dir_all(&dir);
    } else {
        eprintln!("the demo's files are in {}", dir.display());
    }
    ended
}

fn directory(args: &DemoArgs) -> Result<(PathBuf, bool), Failure> {
    let (dir, temporary) = match &args.dir {
        Some(dir) => (std::path::absolute(dir).unwrap_or_else(|_| dir.clone()), false),
        None => (
            std::env::temp_dir().join(format!("guichet-demo-{}", std::process::id())),
            true,
        ),
    };
    std::fs::create_dir_all(&dir).map_err(|error| {
        let title = format!("directory {} can't be made: {error}", dir.display());
        Failure::new(Exit::Local, title, "choose another one with --dir")
    })?;
    Ok((dir, temporary))
}
