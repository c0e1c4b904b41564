//! The table at the end of a test run.
//!
//! Owns its form: one line a step, then one line with the totals. Invariant: it can be read without
//! colour, and every step that was asked for has its line.

use std::{fmt, time::Duration};

use super::Outcome;

/// One step and how it ended.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: &'static str,
    pub outcome: Outcome,
    pub took: Duration,
}

/// All steps so far.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    lines: Vec<Line>,
}

impl Summary {
    pub fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.lines.iter().filter(|line| is(&line.outcome)).count()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { name, outcome, took } in &self.lines {
            let (word, text) = match outcome {
                Outcome::Passed(text) => ("ok", text),
                Outcome::Skipped(text) => ("skipped", text),
                Outcome::Failed(text) => ("FAILED", text),
            };
            let seconds = format!("{:.1} s", took.as_secs_f64());
            writeln!(f, "{}", format!("{name:<12} {word:<8} {seconds:>9}  {text}").trim_end())?;
        }
        let passed = self.count(|outcome| matches!(outcome, Outcome::Passed(_)));
        let skipped = self.count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        writeln!(
            f,
            "checks: {passed} passed, {} failed, {skipped} skipped",
            self.failed()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, outcome: Outcome) -> Line {
        Line {
            name,
            outcome,
            took: Duration::from_millis(1250),
        }
    }

    #[test]
    fn every_step_has_its_line_and_the_last_line_counts() {
        let mut summary = Summary::default();
        summary.add(line("fmt", Outcome::PASSED));
        summary.add(line("deny", Outcome::Skipped("cargo-deny is not installed".into())));
        summary.add(line(
            "clippy",
            Outcome::Failed("cargo clippy ended with exit status: 101".into()),
        ));
        assert_eq!(
            summary.to_string(),
            "fmt          ok           1.2 s\n\
             deny         skipped      1.2 s  cargo-deny is not installed\n\
             clippy       FAILED       1.2 s  cargo clippy ended with exit status: 101\n\
             checks: 1 passed, 1 failed, 1 skipped\n"
        );
        assert_eq!(summary.failed(), 1);
    }
}
