//! How the filter judges mail from outside: its spam confidence level, and what it says of the sender's proof.
//!
//! Owns the verdicts that a test asks for, and the reading of a level that a mail brings along. At [`JUNK_LEVEL`] and
//! above a mail goes to Junk Email. The offline tenant can look up no SPF, DKIM or DMARC record, so it finds none
//! unless a verdict says otherwise.

use serde::{Deserialize, Serialize};

use crate::mail::transport::Transport;
use crate::mail::transport::outside_rules::matches;
use crate::mail::wire::HeaderField;
use crate::mail::{mime, wire};

/// Level from which on Exchange Online's default policy takes a mail for spam.
pub const JUNK_LEVEL: i8 = 5;
/// Verdicts kept; more than a test writes by hand.
const MAX_VERDICTS: usize = 1_000;
/// The text by which every spam filter, Exchange's too, can be tested without sending spam.
const GTUBE: &[u8] = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// One verdict, as the control interface takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    #[serde(default)]
    pub id: u64,
    /// Envelope sender: an address, a domain, or either with `*`.
    pub sender: String,
    /// Spam confidence level, -1 to 9.
    #[serde(default)]
    pub scl: Option<i8>,
    #[serde(default)]
    pub spf: Option<String>,
    #[serde(default)]
    pub dkim: Option<String>,
    #[serde(default)]
    pub dmarc: Option<String>,
}

const SPF: [&str; 7] = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"];
const DKIM: [&str; 5] = ["none", "pass", "fail", "temperror", "permerror"];
const DMARC: [&str; 6] = ["none", "pass", "bestguesspass", "fail", "temperror", "permerror"];

/// The verdicts in order; the first that matches decides.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Verdicts {
    verdicts: Vec<Verdict>,
    last: u64,
}

impl Verdicts {
    /// Adds a verdict and gives its id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, mut verdict: Verdict) -> Result<u64, String> {
        if self.verdicts.len() >= MAX_VERDICTS {
            return Err(format!("there are {MAX_VERDICTS} verdicts already: remove some"));
        }
        if verdict.scl.is_some_and(|level| !(-1..=9).contains(&level)) {
            return Err("scl lies between -1 and 9".to_owned());
        }
        for (name, value, known) in [
            ("spf", &verdict.spf, &SPF[..]),
            ("dkim", &verdict.dkim, &DKIM[..]),
            ("dmarc", &verdict.dmarc, &DMARC[..]),
        ] {
            if value.as_deref().is_some_and(|value| !known.contains(&value)) {
                return Err(format!("{name} is one of {}", known.join(", ")));
            }
        }
        self.last += 1;
        verdict.id = self.last;
        self.verdicts.push(verdict);
        Ok(self.last)
    }

    /// Removes one verdict, or all; returns how many.
    pub fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.verdicts.len();
        self.verdicts.retain(|verdict| id.is_some_and(|id| id != verdict.id));
        before - self.verdicts.len()
    }

    /// The verdicts.
    #[must_use]
    pub fn list(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// What is thought of an envelope sender.
    #[must_use]
    pub fn of(&self, sender: &str) -> Option<&Verdict> {
        let shown = if sender.is_empty() { "<>" } else { sender };
        self.verdicts.iter().find(|verdict| matches(&verdict.sender, shown))
    }
}

/// What the filter thinks of one mail.
#[derive(Debug, Clone)]
pub struct Judgement {
    pub scl: i8,
    pub spf: String,
    pub dkim: String,
    pub dmarc: String,
    /// Domain of the author.
    pub author_domain: String,
}

impl Transport {
    /// Judges a mail from outside.
    #[must_use]
    pub fn judge(&self, mail_from: &str, message: &[u8]) -> Judgement {
        let verdicts = self.verdicts();
        let verdict = verdicts.of(mail_from);
        let level = verdict
            .and_then(|verdict| verdict.scl)
            .or_else(|| level_of(&wire::split(message).0))
            .unwrap_or(if is_test_spam(message) { 9 } else { 1 });
        let result = |said: Option<&String>| said.cloned().unwrap_or_else(|| "none".to_owned());
        let author = mime::parse(message).and_then(|parsed| {
            let address = parsed.from()?.first()?.address()?;
            Some(address.rsplit_once('@')?.1.to_owned())
        });
        Judgement {
            scl: level,
            spf: result(verdict.and_then(|verdict| verdict.spf.as_ref())),
            dkim: result(verdict.and_then(|verdict| verdict.dkim.as_ref())),
            dmarc: result(verdict.and_then(|verdict| verdict.dmarc.as_ref())),
            author_domain: author.unwrap_or_default(),
        }
    }
}

/// The level a mail brings along: `X-MS-Exchange-Organization-SCL`, else `SCL:` of `X-Forefront-Antispam-Report`.
#[must_use]
pub fn level_of(fields: &[HeaderField<'_>]) -> Option<i8> {
    let value = |name: &str| {
        fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| String::from_utf8_lossy(&field.bytes[field.bytes.len().min(name.len() + 1)..]).into_owned())
    };
    if let Some(level) = value("X-MS-Exchange-Organization-SCL").and_then(|text| text.trim().parse().ok()) {
        return Some(level);
    }
    let report = value("X-Forefront-Antispam-Report")?;
    report
        .split(';')
        .filter_map(|part| part.trim().split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("SCL"))
        .and_then(|(_, level)| level.trim().parse().ok())
}

/// Whether a mail holds the test text of spam filters.
#[must_use]
pub fn is_test_spam(mail: &[u8]) -> bool {
    let first = GTUBE[0];
    let mut rest = mail;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        rest = &rest[at..];
        if rest.starts_with(GTUBE) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::wire;

    fn level(mail: &str) -> Option<i8> {
        level_of(&wire::split(mail.as_bytes()).0)
    }

    #[test]
    fn levels_are_read_from_both_headers() {
        assert_eq!(level("X-MS-Exchange-Organization-SCL: 6\r\n\r\n"), Some(6));
        assert_eq!(level("x-ms-exchange-organization-scl: -1\r\n\r\n"), Some(-1));
        assert_eq!(
            level("X-Forefront-Antispam-Report:\r\n CIP:192.0.2.1;CTRY:;LANG:en;SCL:9;SRV:\r\n\r\n"),
            Some(9)
        );
        assert_eq!(level("X-Forefront-Antispam-Report: EFV:NLI;\r\n\r\n"), None);
        assert_eq!(level("X-MS-Exchange-Organization-SCL: nonsense\r\n\r\n"), None);
        assert_eq!(level("X-MS-Exchange-Organization-SCL:"), None);
    }

    #[test]
    fn the_test_text_is_found_and_nothing_else() {
        assert!(is_test_spam(
            b"XXJS*\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
        ));
        assert!(!is_test_spam(b"XJS*C4JDBQADN1.NSBN3*2IDNEN") && !is_test_spam(b""));
    }

    #[test]
    fn senseless_verdicts_are_refused() {
        let mut verdicts = Verdicts::default();
        let verdict = |text: &str| serde_json::from_str::<Verdict>(text).unwrap();
        for wrong in [r#"{"sender": "x", "scl": 10}"#, r#"{"sender": "x", "spf": "maybe"}"#] {
            assert!(verdicts.add(verdict(wrong)).is_err());
        }
        verdicts
            .add(verdict(r#"{"sender": "spam.example", "scl": 9}"#))
            .unwrap();
        assert_eq!(verdicts.of("a@spam.example").and_then(|found| found.scl), Some(9));
        assert!(verdicts.of("a@ham.example").is_none() && verdicts.of("").is_none());
    }
}
