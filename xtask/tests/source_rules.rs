//! What every source file of the workspace must look like, and what no tracked file may contain.
//!
//! Owns the rules that no compiler lint expresses. Each is a function from text to an objection, and
//! each is shown to refuse a text that breaks it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file that is longer has more than one purpose.
const MOST_LINES: usize = 600;
/// Names that say nothing of what a file holds, so that everything ends up in it.
const DRAWERS: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "manager"];
/// Homes and work trees of single machines. In two parts each, so that this file passes.
const MACHINE_PATHS: [&str; 2] = [concat!("/ro", "ot/"), concat!("/wo", "rk/")];

fn root() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from);
    root.expect("xtask lies below the repository's root")
}

/// Every `.rs` file below the given directories of each crate.
fn rust_files(directories: &[&str]) -> Vec<PathBuf> {
    let mut crates: Vec<PathBuf> = entries(&root().join("crates"));
    crates.push(root().join("xtask"));
    let mut files = Vec::new();
    for directory in crates
        .iter()
        .flat_map(|home| directories.iter().map(|name| home.join(name)))
    {
        if directory.is_dir() {
            collect(&directory, &mut files);
        }
    }
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for path in entries(directory) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("a directory's entry").path()).collect();
    paths.sort();
    paths
}

fn objections(files: &[PathBuf], rule: impl Fn(&Path, &str) -> Option<String>) -> Vec<String> {
    let judged = files.iter().filter_map(|path| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let shown = path.strip_prefix(root()).unwrap_or(path);
        rule(shown, &text).map(|objection| format!("{}: {objection}", shown.display()))
    });
    judged.collect()
}

fn refuses_silent_opening(_: &Path, text: &str) -> Option<String> {
    (!text.starts_with("//!")).then(|| "does not open with //! and what it owns".to_owned())
}

fn refuses_length(_: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| format!("has {lines} lines, more than {MOST_LINES}"))
}

fn refuses_allow(_: &Path, text: &str) -> Option<String> {
    let marks = [concat!("#[", "allow("), concat!("#![", "allow(")];
    let line = text
        .lines()
        .position(|line| marks.iter().any(|mark| line.contains(mark)))?;
    Some(format!("line {}: use #[expect(…, reason = …)] instead", line + 1))
}

fn refuses_drawer(path: &Path, _: &str) -> Option<String> {
    let parts = path.iter().map(|part| Path::new(part).file_stem().unwrap_or(part));
    let drawer = parts
        .into_iter()
        .find(|part| DRAWERS.iter().any(|drawer| part == drawer))?;
    Some(format!("`{}` names a drawer, not a meaning", drawer.display()))
}

fn refuses_machine_path(_: &Path, text: &str) -> Option<String> {
    let found = MACHINE_PATHS.iter().find(|path| {
        text.match_indices(**path).any(|(at, _)| {
            // Within a longer path or an address it is a word like any other.
            let before = text[..at].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || "_-.}/*~".contains(c)))
        })
    })?;
    Some(format!("contains a path of one machine, {found}"))
}

#[test]
fn every_source_file_opens_with_what_it_owns() {
    let found = objections(&rust_files(&["src"]), refuses_silent_opening);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_source_file_is_too_long() {
    let found = objections(&rust_files(&["src", "tests"]), refuses_length);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_lint_is_switched_off_silently() {
    let found = objections(&rust_files(&["src", "tests", "benches"]), refuses_allow);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_named_after_a_drawer() {
    let found = objections(&rust_files(&["src", "tests", "benches"]), refuses_drawer);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_tracked_file_contains_a_path_of_one_machine() {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        println!("skipped: git does not list tracked files here");
        return;
    };
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut found = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // A file that was removed and not yet committed is still listed.
        let Ok(bytes) = fs::read(root().join(name)) else {
            continue;
        };
        let objection = refuses_machine_path(Path::new(name), &String::from_utf8_lossy(&bytes));
        found.extend(objection.map(|objection| format!("{name}: {objection}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn text_that_breaks_a_rule_is_refused() {
    let file = Path::new("crates/x/src/lib.rs");
    assert!(refuses_silent_opening(file, "use std::fs;\n//! late\n").is_some());
    assert!(refuses_length(file, &"\n".repeat(MOST_LINES + 1)).is_some());
    assert!(refuses_allow(file, concat!("//! x\n  #[", "allow(dead_code)]\n")).is_some());
    assert!(refuses_allow(file, concat!("#![", "allow(dead_code)]\n")).is_some());
    for drawer in [
        "crates/x/src/utils.rs",
        "crates/x/tests/common/mod.rs",
        "crates/x/src/mail/helpers.rs",
    ] {
        assert!(refuses_drawer(Path::new(drawer), "").is_some(), "{drawer}");
    }
    for place in MACHINE_PATHS {
        assert!(refuses_machine_path(file, &format!("let path = \"{place}main\";")).is_some());
        assert!(refuses_machine_path(file, &format!("{place}main")).is_some());
    }
}

#[test]
fn text_that_keeps_the_rules_passes() {
    let file = Path::new("crates/x/src/mailbox.rs");
    let text = "//! Owns the mailbox.\n\n#[expect(dead_code, reason = \"shown\")]\nfn f() {}\n";
    assert_eq!(refuses_silent_opening(file, text), None);
    assert_eq!(refuses_length(file, &"\n".repeat(MOST_LINES)), None);
    assert_eq!(refuses_allow(file, text), None);
    assert_eq!(refuses_drawer(file, text), None);
    for place in MACHINE_PATHS {
        assert_eq!(
            refuses_machine_path(file, &format!("https://host.example{place}x")),
            None
        );
    }
}
