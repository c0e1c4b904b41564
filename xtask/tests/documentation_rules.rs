//! What the documentation points at must exist.
//!
//! Owns the check of links between our documents and of source files that they name in backticks.
//! Never follows a link to the outside. A path in the documents is below the repository's root, below
//! `crates/`, or relative to the document.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Endings by which a word in backticks is taken for a path.
const FILE_ENDINGS: [&str; 5] = [".rs", ".toml", ".md", ".sql", ".ts"];
/// Characters of patterns and of places in a running installation, which are no paths of ours.
const NO_PATH: &str = "*…<>{} ~";

fn root() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from);
    root.expect("xtask lies below the repository's root")
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in [root(), root().join("docs"), root().join("docs").join("decisions")] {
        let entries = fs::read_dir(&directory).expect("the directory is part of the repository");
        found.extend(
            entries
                .map(|entry| entry.expect("a directory's entry").path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    assert!(found.len() >= 10, "only {} documents were found", found.len());
    found
}

/// Targets of `[text](target)` that are neither outside nor within the same document.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    inside
        .map(|target| target.split('#').next().unwrap_or(target))
        .collect()
}

/// Words in backticks that look like a file in a directory.
fn named_files(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|word| word.contains('/') && FILE_ENDINGS.iter().any(|ending| word.ends_with(ending)))
        .filter(|word| !word.contains(|c| NO_PATH.contains(c)) && !word.starts_with(['/', '.']))
        .collect()
}

fn exists(document: &Path, path: &str) -> bool {
    let beside = document.parent().is_some_and(|directory| directory.join(path).exists());
    beside || root().join(path).exists() || root().join("crates").join(path).exists()
}

fn dangling(document: &Path, text: &str) -> Vec<String> {
    let all = links(text).into_iter().chain(named_files(text));
    all.filter(|path| !exists(document, path)).map(str::to_owned).collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let mut found = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document is text");
        let names = dangling(&document, &text);
        found.extend(names.into_iter().map(|name| format!("{}: {name}", document.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn file_that_does_not_exist_is_noticed() {
    let document = root().join("README.md");
    let text = "see [there](docs/nowhere.md#part) and `domain/src/nowhere.rs`, not `crates/*/x.rs` or \
                [outside](https://example.org/x.md)";
    assert_eq!(dangling(&document, text), ["docs/nowhere.md", "domain/src/nowhere.rs"]);
}

#[test]
fn file_that_exists_is_found_by_each_of_its_names() {
    let document = root().join("docs").join("architecture.md");
    let text = "[here](operations.md) `docs/operations.md` `domain/src/lib.rs` `xtask/src/main.rs`";
    assert_eq!(dangling(&document, text), Vec::<String>::new());
}
