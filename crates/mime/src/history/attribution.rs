//! Lines that say who wrote what is quoted after them.
//!
//! Owns their recognition from date, address and verb. A date is seen by its shape, so that no names of
//! months or days are needed. Invariant: text that stands before an attribution in the same paragraph
//! is no part of it.

use super::{lines::Line, words};

/// Lines over which an attribution may be broken.
const MAX_LINES: usize = 4;
/// Characters of an attribution; long names and addresses included.
const MAX_LENGTH: usize = 400;

/// How much speaks for an attribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Enough where a quote follows.
    Light,
    /// Enough by itself in an answer: day, time, address, and how such lines begin or what they say.
    Full,
}

/// The attribution that begins with this line: its weight and the line after it.
pub(super) fn at(lines: &[Line<'_>], index: usize) -> Option<(Weight, usize)> {
    let mut joined = String::new();
    for (count, line) in lines[index..].iter().take(MAX_LINES).enumerate() {
        if line.is_blank() || line.depth != lines[index].depth || joined.len() + line.text.len() > MAX_LENGTH {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&line.text);
        let broken = count > 0;
        if broken && !words::opens_attribution(&lines[index].text.to_lowercase()) {
            return None;
        }
        if ends(&line.text)
            && let Some(weight) = weigh(&joined)
        {
            return Some((weight, index + count + 1));
        }
    }
    None
}

/// Whether a line ends as attributions do.
fn ends(line: &str) -> bool {
    line.ends_with([':', '：']) || line.ends_with("書きました。") || line.ends_with("書きました")
}

/// How much in a text speaks for an attribution.
pub(super) fn weigh(text: &str) -> Option<Weight> {
    let lower = text.to_lowercase();
    let wrote = words::says_wrote(&lower);
    let address = has_address(text);
    let (day, time) = (has_day(text), has_time(text));
    let opens = words::opens_attribution(&lower);
    if day && time && address && (wrote || opens) {
        return Some(Weight::Full);
    }
    let dated = day || time;
    (wrote || (address && dated) || (dated && opens)).then_some(Weight::Light)
}

fn has_address(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '、' | ','))
        .any(|word| {
            word.split_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        })
}

/// A time of day: `10:12`, `10.12`, `10h12`, `10時12`.
pub(super) fn has_time(text: &str) -> bool {
    digits_with(text, &[":", ".", "h", "時"], |before, after| {
        (1..=2).contains(&before.len())
            && before.parse::<u8>().is_ok_and(|hour| hour < 24)
            && after.len() == 2
            && after.parse::<u8>().is_ok_and(|minute| minute < 60)
    })
}

/// A day: a year, or digits parted as dates are.
pub(super) fn has_day(text: &str) -> bool {
    let year = text
        .split(|c: char| !c.is_ascii_digit())
        .any(|number| number.len() == 4 && (number.starts_with("19") || number.starts_with("20")));
    year || digits_with(text, &["/", ".", "-", "月"], |before, after| {
        (1..=2).contains(&before.len()) && (1..=2).contains(&after.len())
    })
}

/// Whether two numbers with one of these between them fit.
fn digits_with(text: &str, between: &[&str], fit: impl Fn(&str, &str) -> bool) -> bool {
    between.iter().any(|mark| {
        text.match_indices(mark).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + mark.len()..]);
            let from = before.len() - before.bytes().rev().take_while(u8::is_ascii_digit).count();
            let to = after.bytes().take_while(u8::is_ascii_digit).count();
            fit(&before[from..], &after[..to])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::lines::of_text;

    #[test]
    fn attributions_of_programs_are_known_in_their_languages() {
        for text in [
            "On Tue, Mar 4, 2025 at 10:12 AM Ada Lovelace <ada@fabrikam.example> wrote:",
            "Le mar. 4 mars 2025 à 10:12, Ada <ada@fabrikam.example> a écrit :",
            "Am Di., 4. März 2025 um 10:12 Uhr schrieb Ada <ada@fabrikam.example>:",
            "El mar, 4 mar 2025 a las 10:12, Ada (<ada@fabrikam.example>) escribió:",
            "Il giorno mar 4 mar 2025 alle ore 10:12 Ada <ada@fabrikam.example> ha scritto:",
            "Op di 4 mrt 2025 om 10:12 schreef Ada <ada@fabrikam.example>:",
            "Em ter., 4 de mar. de 2025 às 10:12, Ada <ada@fabrikam.example> escreveu:",
            "2025年3月4日(火) 10:12 Ada <ada@fabrikam.example>:",
            "2025/03/04 10:12、Ada <ada@fabrikam.example>のメール：",
            "2025年3月4日火曜日 10:12:00 JST、Ada <ada@fabrikam.example>さんが書きました:",
            "Op 4 mrt 2025, om 10:12 heeft Ada <ada@fabrikam.example> het volgende geschreven:",
            "Am Dienstag, 4. März 2025 um 10:12:00 MEZ hat Ada <ada@fabrikam.example> Folgendes geschrieben:",
        ] {
            assert_eq!(at(&of_text(text), 0), Some((Weight::Full, 1)), "{text}");
        }
        for text in [
            "On 3/4/25 10:12, Ada wrote:",
            "Le 04/03/2025 à 10:12, Ada a écrit :",
            "Ada schrieb:",
            "Am 04.03.25 um 10:12 schrieb Ada:",
        ] {
            assert_eq!(at(&of_text(text), 0), Some((Weight::Light, 1)), "{text}");
        }
    }

    #[test]
    fn broken_attributions_are_joined_without_the_text_before() {
        let text = "Thanks!\nOn Tue, Mar 4, 2025 at 10:12 AM Ada Lovelace <\nada@fabrikam.example> wrote:\n> a";
        assert_eq!(at(&of_text(text), 0), None);
        assert_eq!(at(&of_text(text), 1), Some((Weight::Full, 3)));
    }

    #[test]
    fn sentences_are_no_attributions() {
        for text in [
            "I tried this:",
            "My order number is:",
            "See below",
            "The parcel from 4 March 2025, 10:12, never came.",
        ] {
            assert_eq!(at(&of_text(text), 0), None, "{text}");
        }
    }
}
