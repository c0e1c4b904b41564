//! `docs/findings.md`: every finding with its words and the faults that produce it.

use std::fmt::Write as _;

use guichet_domain::finding::Severity;
use guichet_setup::{Language, catalogue, doctor::Code};

use crate::GROUPS;

const REGENERATE: &str = "GUICHET_WRITE_FINDINGS=1 cargo test -p guichet-setup --test fault_matrix page";

#[test]
fn the_page_of_findings_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/findings.md");
    if std::env::var_os("GUICHET_WRITE_FINDINGS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/findings.md is stale: {REGENERATE}");
}

fn page() -> String {
    let faults = GROUPS.iter().map(|group| group.len()).sum::<usize>();
    let mut page = format!(
        "# Findings\n\n\
         What `guichet doctor` and `guichet connect` can find, in the order of the checks. This page is generated from the\n\
         catalogue (`crates/setup/src/catalogue`) and from the fault matrix (`crates/setup/tests/fault_matrix`); make it again\n\
         with\n\n    {REGENERATE}\n\n\
         A finding's `code` and severity are stable. *error*: mail does not flow; *warning*: it will stop or is at risk;\n\
         *info*: worth knowing; *ok*: the check passed. In braces stand names and numbers that the finding fills in.\n\n\
         The fault matrix injects {faults} misconfigurations and outages into a connected sandbox, its configuration and its\n\
         records. Each gives exactly the finding under which it is listed and no other, and the finding goes when its cause is\n\
         gone.\n",
    );
    for code in Code::ALL {
        let text = catalogue::finding_text(*code);
        let _ = write!(page, "\n## {}\n\n*{}*\n\n", code.as_str(), severity(code.severity()));
        for (language, heading, fix) in [
            (Language::English, "English", "What to do"),
            (Language::French, "Français", "Que faire"),
        ] {
            let _ = writeln!(page, "- **{heading}**: {}", text.title.get(language));
            if !text.fix.get(language).is_empty() {
                let _ = writeln!(page, "  {fix}: {}", text.fix.get(language));
            }
        }
        let producing = GROUPS.into_iter().flatten().filter(|fault| fault.code == *code);
        let rows: Vec<String> = producing
            .map(|fault| format!("- `{}`: {}\n", fault.name, fault.how))
            .collect();
        if !rows.is_empty() {
            let _ = write!(page, "\nFaults of the matrix:\n\n{}", rows.concat());
        }
    }
    page
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
