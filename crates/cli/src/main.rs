//! Entry point: parses the command line, runs the command, turns its end into an exit code.

use clap::Parser;
use guichet_cli::{args::Cli, commands, logging};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    logging::install(cli.verbose);
    guichet_net::install_tls_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("guichet: the runtime can't be started: {error}");
            return std::process::ExitCode::from(guichet_cli::failure::Exit::Internal.code());
        }
    };
    let ended = runtime.block_on(commands::run(cli));
    // Work that blocks a thread (a database commit under way) is given a moment, not for ever.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match ended {
        Ok(exit) => std::process::ExitCode::from(exit.code()),
        Err(failure) => {
            failure.print();
            std::process::ExitCode::from(failure.exit.code())
        }
    }
}
