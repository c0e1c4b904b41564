//! Logging to stderr. `GUICHET_LOG` takes a filter; `NO_COLOR` is honoured. No mail content, no
//! secrets: the types that hold them can't be printed.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Installs the subscriber. `verbose` counts the `-v` flags.
pub fn install(verbose: u8) {
    let default = match verbose {
        0 => "warn,guichet_engine=info,guichet_api=info",
        1 => "info",
        2 => "debug,hyper=info,h2=info,rustls=info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("GUICHET_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .init();
}
