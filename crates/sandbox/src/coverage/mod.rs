//! What the sandbox does, as a list: the source of `docs/sandbox-coverage.md`.
//!
//! Owns the rendering of the page. The list itself is in [`operations`] and [`switches`]; a test sends every operation
//! to a running sandbox and fails when the answer is another than the list says, so that the page cannot lie.

pub mod operations;
pub mod switches;

use std::fmt::Write as _;

use operations::{AREAS, Status};

/// How the page is made again after a change.
pub const REGENERATE: &str = "GUICHET_WRITE_COVERAGE=1 cargo test -p guichet-sandbox --test contract coverage";

/// The page.
#[must_use]
pub fn page() -> String {
    let mut page = format!(
        "# What the sandbox covers\n\n\
         This page is generated from `crates/sandbox/src/coverage`; make it again with\n\n    {REGENERATE}\n\n\
         An operation is *done*: it works as the source documents it; or *refused*: it answers 501 (or the status that is\n\
         named) with an error that says what is missing. Whatever is not listed is not known to the sandbox and answers\n\
         400 `Resource not found for the segment`. Every row is sent to a running sandbox by a test.\n\n\
         `/beta` answers the same operations as `/v1.0`. Paths are compared without case, and `users/{{user}}/…` and\n\
         `me/…` are the same. Sources are sections of the contract (§) and its examples.\n"
    );
    let (mut done, mut refused) = (0, 0);
    for (area, rows) in AREAS {
        let _ = write!(page, "\n## {area}\n\n| Operation | Status | Source |\n|---|---|---|\n");
        for row in *rows {
            let status = match row.status {
                Status::Done => {
                    done += 1;
                    "done".to_owned()
                }
                Status::Refused(reason) => {
                    refused += 1;
                    format!("refused: {reason}")
                }
            };
            let _ = writeln!(page, "| `{} {}` | {status} | {} |", row.method, row.path, row.source);
        }
    }
    page.push_str(
        "\n## Choices where sources differ\n\n\
         The contract marks with (U) what no source confirms. The sandbox takes the form documented most often.\n\n\
         | Question | What the sandbox does | Switch |\n|---|---|---|\n",
    );
    for choice in switches::CHOICES {
        let _ = writeln!(page, "| {} | {} | {} |", choice.question, choice.choice, choice.switch);
    }
    page.push_str("\n## Refusals of the login service\n\n| Code | How it is produced |\n|---|---|\n");
    for (code, how) in switches::REFUSALS {
        let _ = writeln!(page, "| AADSTS{code} | {how} |");
    }
    let _ = write!(page, "\n{done} operations are done, {refused} are refused by name.\n");
    page
}
