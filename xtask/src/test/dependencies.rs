//! Checks of the dependencies' graph that need a tool rather than a test.
//!
//! Owns the TLS rule (two providers in one build stop the program at run time) and the call of
//! cargo-deny. The rules between the workspace's own crates are a test: `tests/dependency_rules.rs`.

use anyhow::{Result, bail};

use super::Outcome;
use crate::{
    process::{cargo, first_line, output, run},
    workspace::Workspace,
};

/// TLS providers that must not be in the build beside aws-lc-rs.
const UNWANTED: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

/// `cargo tree --invert` of each unwanted provider is empty, on every platform.
pub fn one_tls_provider(workspace: &Workspace) -> Result<Outcome> {
    for package in UNWANTED {
        let arguments = [
            "tree",
            "--workspace",
            "--locked",
            "--target",
            "all",
            "--invert",
            package,
        ];
        let answer = output(&mut cargo(workspace, &arguments))?;
        let (tree, talk) = (
            String::from_utf8_lossy(&answer.stdout),
            String::from_utf8_lossy(&answer.stderr),
        );
        match judge(answer.status.success(), &tree, &talk) {
            Verdict::Absent => eprintln!("{package} is not in the build"),
            Verdict::Present => return Ok(Outcome::Failed(format!("{package} is in the build:\n{tree}"))),
            Verdict::Unknown => bail!("cargo tree --invert {package} failed: {talk}"),
        }
    }
    Ok(Outcome::PASSED)
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Absent,
    Present,
    Unknown,
}

/// A package that nothing switches on gives an empty tree; one that the lock file does not even name
/// is an error of cargo's.
fn judge(success: bool, tree: &str, talk: &str) -> Verdict {
    match (success, tree.trim().is_empty()) {
        (true, true) => Verdict::Absent,
        (true, false) => Verdict::Present,
        (false, _) if talk.contains("did not match any packages") => Verdict::Absent,
        (false, _) => Verdict::Unknown,
    }
}

/// `cargo deny check`, if cargo-deny is installed.
pub fn deny(workspace: &Workspace) -> Result<Outcome> {
    if first_line(&mut cargo(workspace, &["deny", "--version"])).is_none() {
        return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
    // The list of advisories is fetched from outside; everything else is checked without it.
    let fetched = run(&mut cargo(workspace, &["deny", "--locked", "fetch", "db"])).is_ok();
    let what: &[&str] = if fetched { &[] } else { &["bans", "licenses", "sources"] };
    run(cargo(workspace, &["deny", "--locked", "check", "--hide-inclusion-graph"]).args(what))?;
    let note = if fetched {
        ""
    } else {
        "without advisories: their list can't be fetched from here"
    };
    Ok(Outcome::Passed(note.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_that_is_unknown_or_switched_off_is_absent() {
        assert_eq!(judge(true, "", "warning: nothing to print."), Verdict::Absent);
        let unknown = "error: package ID specification `ring` did not match any packages";
        assert_eq!(judge(false, "", unknown), Verdict::Absent);
    }

    #[test]
    fn package_with_a_tree_is_present() {
        assert_eq!(judge(true, "ring v0.17.14\n└── rustls v0.23.0\n", ""), Verdict::Present);
    }

    #[test]
    fn any_other_failure_is_no_proof_of_absence() {
        assert_eq!(
            judge(false, "", "error: the lock file needs to be updated"),
            Verdict::Unknown
        );
    }
}
