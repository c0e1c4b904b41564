//! What the clients found: one line a client and check, one column a way.
//!
//! Owns the table's form and the JSON of the same content. Invariant: a check that failed is shown with its reason, and
//! a client that could not be tried is shown as skipped, never left out.

use std::fmt;

use serde_json::{Value, json};

use super::client::Way;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Skipped(String),
    Failed(String),
}

/// One check of one client on one way.
#[derive(Clone, Debug)]
pub struct Finding {
    pub client: &'static str,
    /// The client's packages with their versions.
    pub versions: String,
    pub way: Way,
    pub check: String,
    pub verdict: Verdict,
}

/// All findings of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Ok)
    }

    pub fn failed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    pub fn skipped(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.findings.iter().filter(|finding| is(&finding.verdict)).count()
    }

    /// Why something was skipped, each reason once.
    pub fn reasons_to_skip(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for finding in &self.findings {
            if let Verdict::Skipped(reason) = &finding.verdict {
                let text = format!("{} {}: {reason}", finding.client, finding.way.name());
                if !reasons.contains(&text) {
                    reasons.push(text);
                }
            }
        }
        reasons
    }

    /// An array with an object for each finding.
    pub fn json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            let (result, reason) = match &finding.verdict {
                Verdict::Ok => ("ok", None),
                Verdict::Skipped(reason) => ("skipped", Some(reason)),
                Verdict::Failed(reason) => ("failed", Some(reason)),
            };
            json!({
                "client": finding.client,
                "versions": finding.versions,
                "way": finding.way.name(),
                "check": finding.check,
                "result": result,
                "reason": reason,
            })
        });
        findings.collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(&str, &str)> = Vec::new();
        for finding in &self.findings {
            let row = (finding.client, finding.check.as_str());
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        let width = |of: fn(&(&str, &str)) -> usize| rows.iter().map(of).max().unwrap_or(0).max(6);
        let (first, second) = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()));
        let mut head = format!("{:<first$}  {:<second$}", "CLIENT", "CHECK");
        for way in Way::ALL {
            head.push_str(&format!("  {:<7}", way.name()));
        }
        writeln!(f, "{}", head.trim_end())?;
        for (client, check) in rows {
            let mut line = format!("{client:<first$}  {check:<second$}");
            for way in Way::ALL {
                let found = self
                    .findings
                    .iter()
                    .find(|finding| finding.way == way && finding.client == client && finding.check == check);
                let word = match found.map(|finding| &finding.verdict) {
                    None => "",
                    Some(Verdict::Ok) => "ok",
                    Some(Verdict::Skipped(_)) => "skipped",
                    Some(Verdict::Failed(_)) => "FAILED",
                };
                line.push_str(&format!("  {word:<7}"));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        for reason in self.reasons_to_skip() {
            writeln!(f, "skipped: {reason}")?;
        }
        for finding in &self.findings {
            if let Verdict::Failed(reason) = &finding.verdict {
                let Finding { client, way, check, .. } = finding;
                writeln!(f, "FAILED: {client} {}, {check}: {reason}", way.name())?;
            }
        }
        writeln!(
            f,
            "conformance: {} passed, {} failed, {} skipped",
            self.passed(),
            self.failed(),
            self.skipped()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(way: Way, check: &str, verdict: Verdict) -> Finding {
        Finding {
            client: "msal",
            versions: "msal 1.39.0".to_owned(),
            way,
            check: check.to_owned(),
            verdict,
        }
    }

    #[test]
    fn failure_and_skip_are_shown_with_their_reasons() {
        let mut report = Report::default();
        report.add(finding(Way::Option, "refresh", Verdict::Ok));
        report.add(finding(Way::Alias, "all", Verdict::Skipped("no namespaces".to_owned())));
        report.add(finding(Way::Proxy, "refresh", Verdict::Failed("401".to_owned())));
        assert_eq!(
            report.to_string(),
            "CLIENT  CHECK    option   alias    proxy\n\
             msal    refresh  ok                FAILED\n\
             msal    all               skipped\n\
             skipped: msal alias: no namespaces\n\
             FAILED: msal proxy, refresh: 401\n\
             conformance: 1 passed, 1 failed, 1 skipped\n"
        );
        assert_eq!(report.json()[2]["reason"], "401");
    }
}
