//! What servers outside say to recipients: refusals and delays that a test asks for.
//!
//! Owns an ordered list; the first rule that matches decides. Without one everybody outside takes every mail.

use serde::{Deserialize, Serialize};

use crate::mail::transport::envelope::Failure;

/// Rules kept; more than a test writes by hand.
const MAX_RULES: usize = 1_000;

/// One rule, as the control interface takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideRule {
    #[serde(default)]
    pub id: u64,
    /// An address, a domain (`outside.example`), or either with `*`.
    pub recipient: String,
    /// SMTP reply code: 4xx is tried again, 5xx comes back.
    #[serde(default = "default_code")]
    pub code: u16,
    /// Enhanced status code; follows from the code when absent.
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
    /// Name of the server that says so; made from the domain when absent.
    #[serde(default)]
    pub remote: Option<String>,
    /// After how many refusals it takes the mail; never when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// How often it refused.
    #[serde(default)]
    pub refused: u32,
}

fn default_code() -> u16 {
    550
}

/// The rules in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OutsideRules {
    rules: Vec<OutsideRule>,
    last: u64,
}

impl OutsideRules {
    /// Adds a rule and gives its id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, mut rule: OutsideRule) -> Result<u64, String> {
        if self.rules.len() >= MAX_RULES {
            return Err(format!("there are {MAX_RULES} rules already: remove some"));
        }
        if !(400..600).contains(&rule.code) {
            return Err("code is an SMTP refusal: 4xx for a delay, 5xx for good".to_owned());
        }
        if rule.recipient.trim().is_empty() {
            return Err("recipient is an address, a domain, or a pattern with *".to_owned());
        }
        if let Some(status) = &rule.status {
            let class = status.split('.').next().unwrap_or_default();
            let numbers = status.split('.').filter(|part| part.parse::<u16>().is_ok()).count();
            if numbers != 3 || status.split('.').count() != 3 || class != (rule.code / 100).to_string() {
                return Err(format!(
                    "status '{status}' does not fit code {}: write one like {}.1.1",
                    rule.code,
                    rule.code / 100
                ));
            }
        }
        for text in [&rule.text, &rule.remote].into_iter().flatten() {
            if text.chars().any(char::is_control) {
                return Err("text and remote are single lines".to_owned());
            }
        }
        self.last += 1;
        rule.id = self.last;
        rule.refused = 0;
        self.rules.push(rule);
        Ok(self.last)
    }

    /// Removes one rule, or all; returns how many.
    pub fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.rules.len();
        self.rules.retain(|rule| id.is_some_and(|id| id != rule.id));
        before - self.rules.len()
    }

    /// The rules.
    #[must_use]
    pub fn list(&self) -> &[OutsideRule] {
        &self.rules
    }

    /// What a server outside answers to this recipient; none takes the mail.
    pub fn refusal(&mut self, address: &str) -> Option<Failure> {
        let rule = self
            .rules
            .iter_mut()
            .find(|rule| matches(&rule.recipient, address) && rule.times.is_none_or(|times| rule.refused < times))?;
        rule.refused = rule.refused.saturating_add(1);
        let class = rule.code / 100;
        let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
        let status = rule.status.clone().unwrap_or_else(|| format!("{class}.1.1"));
        let text = rule.text.clone().unwrap_or_else(|| match class {
            4 => format!("<{address}>: Recipient address rejected: try again later"),
            _ => format!("<{address}>: Recipient address rejected: User unknown"),
        });
        Some(Failure {
            code: rule.code,
            status,
            text,
            remote: Some(rule.remote.clone().unwrap_or_else(|| format!("mx.{domain}"))),
        })
    }
}

/// Whether an address fits a pattern: an address, a domain, or either with `*` for any characters.
#[must_use]
pub fn matches(pattern: &str, address: &str) -> bool {
    let (pattern, address) = (pattern.trim().to_lowercase(), address.trim().to_lowercase());
    let subject = if pattern.contains('@') || pattern == "*" {
        address.as_str()
    } else {
        address.rsplit_once('@').map_or("", |(_, domain)| domain)
    };
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return subject == pattern;
    };
    let Some(mut rest) = subject.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> OutsideRule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn patterns_are_addresses_domains_or_have_stars() {
        for (pattern, address, fits) in [
            ("a@x.example", "A@X.example", true),
            ("x.example", "a@x.example", true),
            ("x.example", "a@sub.x.example", false),
            ("*.x.example", "a@sub.x.example", true),
            ("*", "a@x.example", true),
            ("bounce*@x.example", "bounce-1@x.example", true),
            ("bounce*@x.example", "other@x.example", false),
            ("*a*b@x.example", "xaxb@x.example", true),
            ("a@x.example", "a@x.example.evil", false),
            ("aa*aa@x", "aaa@x", false),
        ] {
            assert_eq!(matches(pattern, address), fits, "{pattern} {address}");
        }
    }

    #[test]
    fn a_rule_refuses_as_often_as_it_says() {
        let mut rules = OutsideRules::default();
        rules
            .add(rule(r#"{"recipient": "slow.example", "code": 451, "times": 1}"#))
            .unwrap();
        let failure = rules.refusal("a@slow.example").unwrap();
        assert!(
            failure.is_temporary() && failure.status == "4.1.1" && failure.remote.as_deref() == Some("mx.slow.example")
        );
        assert!(rules.refusal("a@slow.example").is_none() && rules.refusal("a@quick.example").is_none());
        assert_eq!((rules.remove(Some(9)), rules.remove(None)), (0, 1));
    }

    #[test]
    fn senseless_rules_are_refused() {
        let mut rules = OutsideRules::default();
        for wrong in [
            r#"{"recipient": "x.example", "code": 250}"#,
            r#"{"recipient": " "}"#,
            r#"{"recipient": "x.example", "status": "4.1.1"}"#,
            r#"{"recipient": "x.example", "status": "5.1"}"#,
            r#"{"recipient": "x.example", "text": "a\r\nb"}"#,
        ] {
            assert!(rules.add(rule(wrong)).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<OutsideRule>(r#"{"recipient": "x", "smtp": 550}"#).is_err());
    }
}
