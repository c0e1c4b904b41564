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
}

/// Nothing where no addresses are configured and no report is.
pub(super) fn check(context: &DoctorContext, integration: &Integration) -> Option<Problem> {
    let ranges = &context.ranges;
    let Some(file) = &context.options.exchange_report else {
        let unseen = || {
            Problem::new(
                Code::AllowListUnseen,
                "",
                format!("{} ranges are configured", ranges.len()),
            )
        };
        return (!ranges.is_empty()).then(unseen);
    };
    let name = file.display().to_string();
    let report = match read(file) {
        Ok(report) => report,
        Err(why) => return Some(Problem::new(Code::ExchangeReportUnusable, name, why)),
    };
    let ours = integration.app_id.as_deref().unwrap_or_default();
    if !report.application_id.eq_ignore_ascii_case(ours) {
        let why = format!("it is about the application {}, ours is {ours}", report.application_id);
        return Some(Problem::new(Code::ExchangeReportUnusable, name, why));
    }
    let allowed: Vec<AddressRange> = report
        .allow_list
        .iter()
        .filter_map(|entry| AddressRange::parse(entry).ok())
        .collect();
    let missing: Vec<&AddressRange> = ranges
        .iter()
        .filter(|range| !allowed.iter().any(|entry| entry.covers(**range)))
        .collect();
    if !missing.is_empty() {
        let shown: Vec<String> = missing.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if missing.len() > SHOWN { ", …" } else { "" };
        let evidence = format!("not on the list of {}: {}{more}", report.made_at, shown.join(", "));
        return Some(Problem::new(Code::AllowListMissing, name, evidence).with("count", &missing.len()));
    }
    let evidence = format!(
        "{} of {} entries are ours, {}",
        ranges.len(),
        allowed.len(),
        report.made_at
    );
    let old = context.time.now().duration_since(report.made_at) > OLD_AFTER;
    let code = if old { Code::AllowListStale } else { Code::AllowListOk };
    Some(Problem::new(code, name, evidence))
}

fn read(file: &Path) -> Result<Report, String> {
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
    match report.version {
        1 => Ok(report),
        other => Err(format!("it has the shape {other}, this program knows 1")),
    }
}
