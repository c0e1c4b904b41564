//! Where the stores of these tests live: in memory, or in a file.

use std::path::Path;

use guichet_store::{OpenOptions, Store};

/// A store without anything in it.
pub async fn fresh() -> Store {
    Store::in_memory().await.expect("store")
}

/// The same, for callers that ask at the same time.
pub async fn concurrent(directory: &Path) -> Store {
    open(directory).await
}

/// The store in a directory.
pub async fn open(directory: &Path) -> Store {
    let opened = Store::open(OpenOptions::in_directory(directory)).await;
    opened.expect("store opens")
}
