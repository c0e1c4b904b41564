//! Check: what only Exchange's own administration shows, from the report of the exported script.
//!
//! Owns the shape of the report and the comparison of the allow list. The application may not look at the
//! connection filter, so an administrator does, with the script, and leaves the report here. Never asks the
//! network. Invariant: a report about another application proves nothing.

use std::{fs::File, io::Read, path::Path};

use guichet_domain::AddressRange;
use guichet_store::records::Integration;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Code, DoctorContext, Problem};

/// A full allow list and 500 mailboxes have less than 200 kB.
const LARGEST: u64 = 1024 * 1024;
/// An allow list that nobody has looked at for longer may have been changed since.
const OLD_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// As many missing ranges as a person reads; the script adds them all.
const SHOWN: usize = 8;

/// What the exported PowerShell script writes.
#[derive(Debug, Deserialize)]
struct Report {
    /// Version of the shape; tells the file from any other.
    #[serde(rename = "guichet_exchange_report")]
    version: u32,
    application_id: String,
    made_at: Timestamp,
    /// Entries of the default connection filter policy.
    #[serde(default)]
    allow_list: Vec<String>,
    /// Mailboxes that forward by a setting of theirs, which no rule shows.
    #[serde(default)]
    forwarding: Vec<Forwarding>,
}

#[derive(Debug, Deserialize)]
struct Forwarding {
    address: String,
    to: String,
    keeps_copy: bool,
}

/// Nothing where no addresses are configured and no report is.
pub(super) fn check(context: &DoctorContext, integration: &Integration) -> Vec<Problem> {
    let ranges = &context.ranges;
    let Some(file) = &context.options.exchange_report else {
        let evidence = format!("{} ranges are configured", ranges.len());
        let unseen = (!ranges.is_empty()).then(|| Problem::new(Code::AllowListUnseen, "", evidence));
        return unseen.into_iter().collect();
    };
    let name = file.display().to_string();
    let ours = integration.app_id.as_deref().unwrap_or_default();
    let report = match read(file, ours) {
        Ok(report) => report,
        Err(why) => return vec![Problem::new(Code::ExchangeReportUnusable, name, why)],
    };
    let mut problems: Vec<Problem> = report.forwarding.iter().filter_map(forwarded).collect();
    problems.push(allow_list(&report, ranges, context.time.now(), &name));
    problems
}

fn forwarded(setting: &Forwarding) -> Option<Problem> {
    let evidence = format!("to {}", setting.to);
    (!setting.keeps_copy).then(|| Problem::new(Code::MailboxForwarded, &setting.address, evidence))
}

fn allow_list(report: &Report, ranges: &[AddressRange], now: Timestamp, name: &str) -> Problem {
    let entries = report.allow_list.iter();
    let allowed: Vec<AddressRange> = entries.filter_map(|entry| AddressRange::parse(entry).ok()).collect();
    let is_missing = |range: &&AddressRange| !allowed.iter().any(|entry| entry.covers(**range));
    let missing: Vec<&AddressRange> = ranges.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let shown: Vec<String> = missing.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if missing.len() > SHOWN { ", …" } else { "" };
        let evidence = format!("not on the list of {}: {}{more}", report.made_at, shown.join(", "));
        return Problem::new(Code::AllowListMissing, name, evidence).with("count", &missing.len());
    }
    let evidence = format!(
        "{} of {} entries are ours, {}",
        ranges.len(),
        allowed.len(),
        report.made_at
    );
    let old = now.duration_since(report.made_at) > OLD_AFTER;
    Problem::new(
        if old { Code::AllowListStale } else { Code::AllowListOk },
        name,
        evidence,
    )
}

fn read(file: &Path, ours: &str) -> Result<Report, String> {
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| error.to_string())?;
    let read = opened.take(LARGEST + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| error.to_string())?;
    if length as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    // Windows PowerShell writes a byte order mark.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let report: Report = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if report.version != 1 {
        return Err(format!("it has the shape {}, this program knows 1", report.version));
    }
    if !report.application_id.eq_ignore_ascii_case(ours) {
        return Err(format!(
            "it is about the application {}, ours is {ours}",
            report.application_id
        ));
    }
    Ok(report)
}
