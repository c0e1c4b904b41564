//! What was found wrong, since when, and until when.
//!
//! Owns the history of findings. Never judges: it is told what was seen, and whether the look was
//! complete; what an incomplete look did not see is not thereby gone.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Row, params, records},
    counters,
    facade::MAX_CONFIGURED,
    records::{FindingRow, SeenFinding},
};

const FINDING: &str = "code, subject, severity, evidence, first_seen, last_seen, resolved_at";
/// How long resolved findings are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Store {
    /// Records one look: what was seen is open since its first sight; if the look was `complete`, every
    /// open finding that was not seen is resolved. Returns the open findings.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn record_findings(
        &self,
        seen: &[SeenFinding],
        complete: bool,
        now: Timestamp,
    ) -> Result<Vec<FindingRow>> {
        let seen = seen.to_vec();
        self.write(move |c| Box::pin(async move { record(c, &seen, complete, now).await }))
            .await
    }

    /// Findings, the newest first, open ones and those resolved within 90 days; at most 100,000.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn findings(&self) -> Result<Vec<FindingRow>> {
        self.read(|c| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT {FINDING} FROM finding ORDER BY first_seen DESC, code, subject LIMIT {MAX_CONFIGURED}"
                );
                records(c.query(&sql, &[]).await?)
            })
        })
        .await
    }
}

async fn record(
    c: &mut dyn Connection,
    seen: &[SeenFinding],
    complete: bool,
    now: Timestamp,
) -> Result<Vec<FindingRow>> {
    // One look after the other: two at once would both open what neither has seen yet.
    counters::lock(c, counters::PROBE).await?;
    for finding in seen {
        let sql = "UPDATE finding SET severity = $1, evidence = $2, last_seen = $3 \
            WHERE code = $4 AND subject = $5 AND resolved_at IS NULL";
        let values = params![finding.severity, finding.evidence, now, finding.code, finding.subject];
        if c.execute(sql, values).await? == 0 {
            // The same one may have been open and resolved at this very moment.
            let sql = format!(
                "INSERT INTO finding ({FINDING}) VALUES ($1, $2, $3, $4, $5, $5, NULL) \
                 ON CONFLICT (code, subject, first_seen) DO UPDATE SET resolved_at = NULL, last_seen = $5"
            );
            let values = params![finding.code, finding.subject, finding.severity, finding.evidence, now];
            c.execute(&sql, values).await?;
        }
    }
    let open = format!("SELECT {FINDING} FROM finding WHERE resolved_at IS NULL LIMIT {MAX_CONFIGURED}");
    let rows: Vec<FindingRow> = records(c.query(&open, &[]).await?)?;
    if complete {
        let is_seen = |row: &FindingRow| seen.iter().any(|s| s.code == row.code && s.subject == row.subject);
        for gone in rows.iter().filter(|row| !is_seen(row)) {
            let sql = "UPDATE finding SET resolved_at = $1 \
                WHERE code = $2 AND subject = $3 AND resolved_at IS NULL";
            c.execute(sql, params![now, gone.code, gone.subject]).await?;
        }
        let old = now - KEPT;
        c.execute("DELETE FROM finding WHERE resolved_at < $1", params![old])
            .await?;
    }
    records(c.query(&open, &[]).await?)
}

impl FromRow for FindingRow {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            code: row.take()?,
            subject: row.take()?,
            severity: row.take()?,
            evidence: row.take()?,
            first_seen: row.take()?,
            last_seen: row.take()?,
            resolved_at: row.take()?,
        })
    }
}
