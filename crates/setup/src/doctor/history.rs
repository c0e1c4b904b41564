//! What a run saw goes into the history of findings.
//!
//! Never hides a finding because it could not be recorded.

use guichet_domain::finding::Severity;
use guichet_store::records::{FindingRow, SeenFinding};

use super::{Code, DoctorContext, Problem};

/// Records what is above `ok`, and gives the open findings.
pub(super) async fn record(context: &DoctorContext, problems: &[Problem]) -> Vec<FindingRow> {
    let above = problems.iter().filter(|problem| problem.code.severity() > Severity::Ok);
    let seen: Vec<SeenFinding> = above.map(seen).collect();
    let recorded = context
        .store
        .record_findings(&seen, is_complete(problems), context.time.now());
    recorded.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the findings could not be recorded");
        Vec::new()
    })
}

fn seen(problem: &Problem) -> SeenFinding {
    let severity = match problem.code.severity() {
        Severity::Ok | Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    SeenFinding {
        code: problem.code.as_str().to_owned(),
        subject: problem.subject.clone(),
        severity: severity.to_owned(),
        evidence: problem.evidence.clone(),
    }
}

/// Whether every check could look. Without a token, or without Graph, what was not seen may well be
/// there still.
fn is_complete(problems: &[Problem]) -> bool {
    let has = |codes: &[Code]| problems.iter().any(|problem| codes.contains(&problem.code));
    has(&[Code::TokenOk])
        && !has(&[
            Code::StoreUnusable,
            Code::GraphDns,
            Code::GraphConnect,
            Code::GraphTls,
            Code::GraphTimeout,
            Code::GraphCut,
            Code::GraphForeign,
            Code::GraphBusy,
        ])
}
