//! The table of measurements, and where the process' memory is read.
//!
//! Owns the output: a table for people, JSON for programs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The machine's clock for measured durations.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine")]
pub fn now() -> Instant {
    Instant::now()
}

/// One line.
#[derive(Debug)]
struct Line {
    what: String,
    value: f64,
    unit: &'static str,
}

/// All lines.
#[derive(Debug, Default)]
pub struct Report(Vec<Line>);

impl Report {
    pub fn rate(&mut self, what: &str, value: f64) {
        self.push(what.to_owned(), value, "per second");
    }

    pub fn seconds(&mut self, what: &str, count: usize, took: Duration) {
        self.push(format!("{what} ({count})"), took.as_secs_f64(), "seconds");
    }

    pub fn megabytes(&mut self, what: &str, count: usize, bytes: u64) {
        self.push(format!("{what} ({count})"), bytes as f64 / 1e6, "MB");
    }

    fn push(&mut self, what: String, value: f64, unit: &'static str) {
        eprintln!("{what}: {value:.2} {unit}");
        self.0.push(Line { what, value, unit });
    }

    pub fn print(&self, as_json: bool) {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        if as_json {
            let lines: Vec<Value> = self
                .0
                .iter()
                .map(|line| json!({"what": line.what, "value": line.value, "unit": line.unit}))
                .collect();
            println!("{}", json!({"cores": cores, "measurements": lines}));
            return;
        }
        println!("sandbox, server and client together on {cores} cores, plain HTTP");
        let width = self.0.iter().map(|line| line.what.len()).max().unwrap_or(0);
        for line in &self.0 {
            println!("{:width$}  {:>12.2} {}", line.what, line.value, line.unit);
        }
    }
}

/// Bytes of memory the process has now; 0 where the system does not tell.
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// Most bytes of memory the process ever had; 0 where the system does not tell.
pub fn highest() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
