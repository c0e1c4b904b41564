//! `guichet migrate`: the embedded database, taken over into the PostgreSQL database of the configuration.

use std::path::Path;

use guichet_engine::Nodes;
use guichet_store::{CopiedTable, OpenOptions, ServiceLock, Store};

use crate::{
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

pub(super) async fn run(config: &Config, json: bool) -> Result<Exit, Failure> {
    if config.nodes() == Nodes::One {
        let title = "no PostgreSQL database is configured to migrate to";
        let fix = "set `database` in guichet.toml, or GUICHET_DATABASE, to its address";
        return Err(Failure::new(Exit::Configuration, title, fix));
    }
    let embedded = OpenOptions::in_directory(&config.data_dir);
    let file = embedded.embedded_file();
    if !file.is_file() {
        let title = format!("there is no embedded database {} to take over", file.display());
        return Err(Failure::new(
            Exit::Configuration,
            title,
            "check `data_dir` in guichet.toml",
        ));
    }
    // Whoever serves the embedded database would go on taking mail in.
    let _lock = ServiceLock::acquire(&config.data_dir)?;
    let source = Store::open(embedded).await?;
    let target = wiring::open_store(config).await?;
    let copied = source.copy_to(&target).await;
    target.close().await;
    source.close().await;
    print(&copied?, &file, json)
}

fn print(copied: &[CopiedTable], file: &Path, json: bool) -> Result<Exit, Failure> {
    if json {
        super::print_json(&copied)?;
        return Ok(Exit::Success);
    }
    for CopiedTable { table, rows } in copied {
        println!("{table:<14} {rows:>10} rows, each compared");
    }
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    println!("{:<14} {rows:>10} rows", "in all");
    eprintln!(
        "The embedded database was left as it is. Move {} and its -wal and -shm files away; blobs/ stays in use.",
        file.display()
    );
    Ok(Exit::Success)
}
