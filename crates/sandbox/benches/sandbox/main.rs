//! How fast and how large the sandbox is: a table of measurements, driven over plain HTTP on loopback.
//!
//! Owns the order of the measurements. Server and client share the machine's cores and this process, so every number
//! includes the client. It judges nothing: numbers depend on the machine, which is why they are no tests.

mod client;
mod load;
mod mails;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use guichet_sandbox::{Config, Persistence, Running, Sandbox};
use report::{Report, now};

/// What was asked for on the command line.
#[derive(Debug, Clone)]
struct Options {
    /// Mails of the measurement of memory.
    messages: usize,
    /// Seconds of each measurement of speed.
    seconds: u64,
    mailboxes: usize,
    json: bool,
    /// Where the sandbox keeps its state; a temporary directory when absent.
    directory: Option<std::path::PathBuf>,
}

/// Mails in the measurement of memory unless said otherwise: some seconds on a small machine.
const SOME_MESSAGES: usize = 100_000;
/// The number that the sandbox promises to hold.
const MANY_MESSAGES: usize = 1_000_000;
/// Mailboxes of the start that is measured.
const MAILBOXES: usize = 100_000;
/// Seconds of one measurement of speed.
const SECONDS: u64 = 5;

fn options() -> Result<Options, String> {
    let mut options = Options {
        messages: SOME_MESSAGES,
        seconds: SECONDS,
        mailboxes: MAILBOXES,
        json: false,
        directory: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = |name: &str| arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match argument.as_str() {
            "--full" => options.messages = MANY_MESSAGES,
            "--json" => options.json = true,
            "--messages" => options.messages = number(&value("--messages")?)?,
            "--mailboxes" => options.mailboxes = number(&value("--mailboxes")?)?,
            "--seconds" => options.seconds = u64::try_from(number(&value("--seconds")?)?).map_err(|e| e.to_string())?,
            "--dir" => options.directory = Some(value("--dir")?.into()),
            // What cargo adds.
            "--bench" => {}
            other => {
                return Err(format!(
                    "{other} is unknown: --full, --messages N, --mailboxes N, --seconds N, --dir D, --json"
                ));
            }
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("'{text}' is no number"))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("bench: {problem}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let report = runtime.block_on(measure(&options));
    report.print(options.json);
    ExitCode::SUCCESS
}

async fn measure(options: &Options) -> Report {
    let mut report = Report::default();
    let kept = tempfile::tempdir().expect("a directory");
    let directory = options.directory.as_deref().unwrap_or(kept.path());
    start_of_many(options, &directory.join("many"), &mut report).await;
    speed(options, &directory.join("speed"), &mut report).await;
    memory(options, &directory.join("memory"), &mut report).await;
    report
}

fn config(directory: &std::path::Path, persistence: Persistence, mailboxes: Vec<String>) -> Config {
    Config {
        data_directory: directory.to_owned(),
        persistence,
        plain_http: true,
        mailboxes,
        ..Config::default()
    }
}

fn addresses(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("box{number}@contoso.example"))
        .collect()
}

async fn start(config: Config) -> (Running, Duration) {
    let started = now();
    let running = Sandbox::start(config).await.expect("the sandbox starts");
    (running, started.elapsed())
}

async fn start_of_many(options: &Options, directory: &std::path::Path, report: &mut Report) {
    let mailboxes = addresses(options.mailboxes);
    let (running, took) = start(config(directory, Persistence::Memory, mailboxes)).await;
    report.seconds("start with mailboxes", options.mailboxes, took);
    running.shutdown().await;
}

async fn speed(options: &Options, directory: &std::path::Path, report: &mut Report) {
    for (place, persistence) in [("in memory", Persistence::Memory), ("on disk", Persistence::Saved)] {
        let boxes = addresses(load::MAILBOXES);
        let below = directory.join(place.replace(' ', "-"));
        let (running, _) = start(config(&below, persistence, boxes.clone())).await;
        let load = load::Load::prepare(&running, boxes, Duration::from_secs(options.seconds)).await;
        let mut note = |what: &str, rate: f64| report.rate(&format!("{what}, {place}"), rate);
        note("messages injected", load.inject().await);
        note("messages by delta, bodies included", load.delta("").await);
        note("messages by delta, $select", load.delta(load::SELECT).await);
        note("single messages", load.single("").await);
        note("single messages, $select", load.single(load::SELECT).await);
        note("messages by list, $select", load.list().await);
        note("messages by $batch, $select", load.batch().await);
        running.shutdown().await;
    }
}

async fn memory(options: &Options, directory: &std::path::Path, report: &mut Report) {
    let boxes = addresses(load::MAILBOXES);
    let before = report::resident();
    let (running, _) = start(config(directory, Persistence::Saved, boxes.clone())).await;
    let load = load::Load::prepare(&running, boxes.clone(), Duration::from_secs(options.seconds)).await;
    let (raw, took) = load.fill(options.messages).await;
    report.rate(
        "messages injected while filling, on disk",
        options.messages as f64 / took.as_secs_f64(),
    );
    report.megabytes("raw bytes of the mails", options.messages, raw);
    let started = now();
    running.stop().await.expect("the last save");
    report.seconds("last save and stop", options.messages, started.elapsed());
    let (running, took) = start(config(directory, Persistence::Saved, boxes)).await;
    report.seconds("start with saved messages", options.messages, took);
    report.megabytes(
        "resident memory after that start, less what was before",
        options.messages,
        report::resident().saturating_sub(before),
    );
    report.megabytes(
        "highest resident memory of the process",
        options.messages,
        report::highest(),
    );
    running.shutdown().await;
}
