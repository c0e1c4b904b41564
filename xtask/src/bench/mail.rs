//! `cargo xtask bench mail`: how well reports of other mail systems are understood.
//!
//! Owns the comparison of what the mail reader says with labels that somebody else published, and the list of every
//! miss. Never judges by file name, but for mails without a label: their names say what they are. The verdict is the
//! table; nothing fails for a miss.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{process::cargo, workspace::Workspace};

/// One row of the table.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    all: usize,
    misses: Vec<String>,
}

impl Score {
    fn add(&mut self, right: bool, miss: impl FnOnce() -> String) {
        self.all += 1;
        self.right += usize::from(right);
        if !right {
            self.misses.push(miss());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundreds of mails")]
    fn share(&self) -> f64 {
        100.0 * self.right as f64 / self.all.max(1) as f64
    }
}

/// The rows.
#[derive(Debug, Default)]
struct Table {
    class: Score,
    recipients: Score,
    permanence: Score,
    status: Score,
    ordinary: Score,
}

/// Reads the corpus and prints the table.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    if let Some(argument) = arguments.iter().find(|argument| *argument != "--") {
        bail!("`bench mail` takes no argument such as {argument}");
    }
    let Some(corpus) = workspace.corpus() else {
        println!("skipped: there is no corpus (GUICHET_CORPUS, or ../shared/corpus)");
        return Ok(ExitCode::SUCCESS);
    };
    let bounces = corpus.join("bounces");
    let labels = fs::read(bounces.join("labels.json")).context("the labels of the bounces cannot be read")?;
    let labels: Value = serde_json::from_slice(&labels).context("labels.json is not JSON")?;
    let mut table = Table::default();
    for line in read(workspace, &bounces)? {
        table.judge(&line, &labels["labels"]);
    }
    for line in read(workspace, &corpus.join("mail"))? {
        let class = line["class"].as_str().unwrap_or_default();
        let right = !matches!(class, "bounce" | "complaint");
        table
            .ordinary
            .add(right, || format!("{} is read as {class}", line["mail"]));
    }
    table.print();
    Ok(ExitCode::SUCCESS)
}

fn read(workspace: &Workspace, directory: &Path) -> Result<Vec<Value>> {
    let mut reader = cargo(
        workspace,
        &[
            "run",
            "--quiet",
            "--locked",
            "-p",
            "guichet-mime",
            "--example",
            "mail_bench",
            "--",
        ],
    );
    let output = reader.arg(directory).stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("reading {} failed", directory.display());
    }
    String::from_utf8(output.stdout)?
        .lines()
        .map(|line| serde_json::from_str(line).context("the reader printed a line that is not JSON"))
        .collect()
}

impl Table {
    fn judge(&mut self, line: &Value, labels: &Value) {
        let name = line["mail"].as_str().unwrap_or_default();
        let label = labels[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let class = expected_class(name, label);
        let found = line["class"].as_str().unwrap_or_default();
        self.class
            .add(found == class, || format!("{name}: {class}, read as {found}"));
        if class != "bounce" || label.is_empty() {
            return;
        }
        let recipients = line["recipients"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.recipients.add(recipients.len() == label.len(), || {
            format!("{name}: {} recipients, read {}", label.len(), recipients.len())
        });
        for (index, wanted) in label.iter().enumerate() {
            let status = wanted["status"].as_str().unwrap_or_default();
            // Reports may list the recipients in another order than the labels.
            let same = recipients.iter().find(|one| label.len() > 1 && one["status"] == status);
            let one = same.or_else(|| recipients.get(index)).unwrap_or(&Value::Null);
            self.permanence.add(one["hard"] == wanted["hard"], || {
                format!(
                    "{name}: {} is hard={}, read as {}",
                    wanted["reason"], wanted["hard"], one["reason"]
                )
            });
            // Where a report has no code, the labels have one of their makers' own, which is nobody's standard.
            if is_standard(status) {
                let given = one["status"].as_str().unwrap_or_default();
                self.status
                    .add(given == status, || format!("{name}: {status}, read as {given:?}"));
            }
        }
    }

    fn print(&self) {
        let rows = [
            ("class of reports and others", &self.class, 99),
            ("number of failed recipients", &self.recipients, 95),
            ("hard or soft", &self.permanence, 95),
            ("enhanced status", &self.status, 90),
            ("ordinary mail is no report", &self.ordinary, 100),
        ];
        println!("{:<34} {:>11} {:>8}  goal", "WHAT", "RIGHT", "SHARE");
        for (what, score, goal) in rows {
            let right = format!("{}/{}", score.right, score.all);
            println!("{what:<34} {right:>11} {:>7.1}%  {goal}%", score.share());
        }
        for (what, score, _) in rows {
            for miss in &score.misses {
                println!("missed, {what}: {miss}");
            }
        }
    }
}

fn expected_class(name: &str, label: &[Value]) -> &'static str {
    match label.first().and_then(|first| first["reason"].as_str()) {
        Some("feedback") => "complaint",
        Some("vacation") => "auto-reply",
        Some(_) => "bounce",
        None if name.starts_with("is-not-bounce") => "ordinary",
        None if name.starts_with("arf") => "complaint",
        None if name.starts_with("rfc3834") => "auto-reply",
        None => "bounce",
    }
}

/// The labels' own codes have a detail of three digits below subject 0.
fn is_standard(status: &str) -> bool {
    let mut numbers = status.split('.').skip(1);
    let (subject, detail) = (numbers.next(), numbers.next());
    !(subject == Some("0") && detail.is_some_and(|detail| detail.len() == 3))
}
