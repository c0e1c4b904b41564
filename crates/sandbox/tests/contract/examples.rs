//! The documented exchanges of the contract, read from the directory beside the project.
//!
//! Owns the place where they are looked for; says so on stderr when they are absent.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The contract's directory: below `GUICHET_CORPUS` (which names the data or the corpus in it), else beside the
/// project.
pub fn contract() -> Option<PathBuf> {
    let root = std::env::var_os("GUICHET_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let found = [root.join("contract"), root.join("../contract")]
        .into_iter()
        .find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("skipped: no contract below {}; set GUICHET_CORPUS", root.display());
    }
    found
}

/// A file of JSON.
pub fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every example, in the order of the index.
pub fn all(contract: &Path) -> Vec<Value> {
    let directory = contract.join("examples");
    let index = read(&directory.join("_index.json"));
    let ids = index.as_array().expect("a list").iter();
    ids.map(|entry| read(&directory.join(format!("{}.json", entry["id"].as_str().expect("an id")))))
        .collect()
}

/// The status an example documents: the page's prose where its example block differs; none when it shows no answer.
pub fn status(example: &Value) -> Option<u16> {
    let status = example["status_conflict"]["page_prose"]
        .as_u64()
        .or_else(|| example["status"].as_u64());
    status.map(|status| u16::try_from(status).expect("a status"))
}
