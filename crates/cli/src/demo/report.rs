//! The table of what happened: one row a check, with what was expected and what was seen.

use comfy_table::{ContentArrangement, Table, presets};

/// Checks in the order in which they were made.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    seen: String,
    right: bool,
}

impl Report {
    /// Records a check.
    pub fn check(&mut self, what: impl Into<String>, right: bool, seen: impl Into<String>) {
        self.rows.push(Row {
            what: what.into(),
            seen: seen.into(),
            right,
        });
    }

    /// Records a check of two values that must be equal.
    pub fn equal<T: PartialEq + std::fmt::Display>(&mut self, what: impl Into<String>, expected: &T, seen: &T) {
        let right = expected == seen;
        let text = if right {
            seen.to_string()
        } else {
            format!("{seen}, expected {expected}")
        };
        self.check(what, right, text);
    }

    /// Whether every check was right, and there was one.
    pub fn all_right(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.right)
    }

    /// The table for people.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["", "CHECK", "SEEN"]);
        for row in &self.rows {
            let mark = if row.right { "ok" } else { "WRONG" };
            table.add_row([mark.to_owned(), row.what.clone(), row.seen.clone()]);
        }
        table
    }

    /// The rows as JSON.
    pub fn json(&self) -> serde_json::Value {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| serde_json::json!({ "check": row.what, "seen": row.seen, "right": row.right }))
            .collect();
        serde_json::json!({ "right": self.all_right(), "checks": rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_check_or_none_at_all_is_not_right() {
        let mut report = Report::default();
        assert!(!report.all_right());
        report.equal("mails", &3, &3);
        assert!(report.all_right());
        report.equal("mails", &3, &4);
        assert!(!report.all_right());
        assert!(report.table().to_string().contains("4, expected 3"));
    }
}
