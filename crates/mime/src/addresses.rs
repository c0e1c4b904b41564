//! Address headers: people with name and address.
//!
//! Owns the flattening of groups and the salvage of addresses from names. The syntax is
//! mail-parser's, fed with a value whose encoded words are UTF-8 already. Invariant: no name or
//! address holds a line end; lists are bounded.

use mail_parser::{Address, HeaderValue, parsers::MessageStream};

use crate::{Person, bounds::MAX_PEOPLE, words};

/// The people of an address header. The flags say whether an entry has no address, and whether
/// there are more than are read.
pub(crate) fn parse(value: &[u8]) -> (Vec<Person>, Flaws) {
    let mut flaws = Flaws::default();
    let mut line = words::recode(value);
    line.push('\n');
    let parsed = match MessageStream::new(line.as_bytes()).parse_address() {
        HeaderValue::Address(Address::List(list)) => list,
        HeaderValue::Address(Address::Group(groups)) => groups.into_iter().flat_map(|group| group.addresses).collect(),
        _ => Vec::new(),
    };
    flaws.too_many = parsed.len() > MAX_PEOPLE;
    // In `MAILER-DAEMON <>` the word is a name, alone it is a mailbox.
    let words_are_mailboxes = !line.contains('<');
    let people = parsed.into_iter().take(MAX_PEOPLE).map(|entry| {
        person(
            entry.name.as_deref().unwrap_or_default(),
            entry.address.as_deref().unwrap_or_default(),
            words_are_mailboxes,
        )
    });
    let people: Vec<Person> = people.filter(|p| !p.name.is_empty() || !p.address.is_empty()).collect();
    flaws.without_address = people.iter().any(|person| !person.address.contains('@'));
    (people, flaws)
}

/// What is wrong with an address header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flaws {
    pub(crate) without_address: bool,
    pub(crate) too_many: bool,
}

fn person(name: &str, address: &str, words_are_mailboxes: bool) -> Person {
    let mut name = words::one_line(name);
    let mut address: String = words::one_line(address)
        .trim_matches(|c: char| matches!(c, '<' | '>') || c.is_whitespace())
        .to_owned();
    if address.is_empty() {
        // The whole entry was one encoded word, or the brackets are missing.
        if let Some((before, rest)) = name.split_once('<')
            && let Some((inner, _)) = rest.split_once('>')
            && is_address(inner.trim())
        {
            (address, name) = (inner.trim().to_owned(), before.trim().trim_matches('"').to_owned());
        } else if is_address(&name) {
            address = std::mem::take(&mut name);
        } else if words_are_mailboxes && !name.contains(char::is_whitespace) {
            // A mailbox on the sending host, such as `MAILER-DAEMON`.
            address = std::mem::take(&mut name);
        } else if let Some(word) = name.split_whitespace().next_back().filter(|word| is_address(word)) {
            address = word.to_owned();
            name = name[..name.len() - word.len()].trim_end().to_owned();
        }
    }
    if name.eq_ignore_ascii_case(&address) {
        name.clear();
    }
    Person { name, address }
}

fn is_address(text: &str) -> bool {
    let mut sides = text.split('@');
    let plain = |side: Option<&str>| side.is_some_and(|s| !s.is_empty() && !s.contains([' ', '<', '>', ',', ';']));
    plain(sides.next()) && plain(sides.next()) && sides.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(value: &[u8]) -> Vec<(String, String)> {
        parse(value).0.into_iter().map(|p| (p.name, p.address)).collect()
    }

    fn pair(name: &str, address: &str) -> (String, String) {
        (name.to_owned(), address.to_owned())
    }

    #[test]
    fn names_and_addresses_are_read() {
        for (input, expected) in [
            (
                b"support@contoso.example".as_slice(),
                vec![pair("", "support@contoso.example")],
            ),
            (
                b"\"Support, Contoso\" <s@contoso.example>",
                vec![pair("Support, Contoso", "s@contoso.example")],
            ),
            (
                b"s@contoso.example (Support)",
                vec![pair("Support", "s@contoso.example")],
            ),
            (
                b"Team: a@x.example, B <b@x.example>;, c@x.example",
                vec![
                    pair("", "a@x.example"),
                    pair("B", "b@x.example"),
                    pair("", "c@x.example"),
                ],
            ),
            (b"undisclosed-recipients:;", vec![]),
            (
                b"=?utf-8?Q?M=C3=BCller=2C_A?= <m@x.example>",
                vec![pair("Müller, A", "m@x.example")],
            ),
            (b"M\xfcller <m@x.example>", vec![pair("Müller", "m@x.example")]),
            (b"<>", vec![]),
            (b"MAILER-DAEMON", vec![pair("", "MAILER-DAEMON")]),
            (b"MAILER-DAEMON <>", vec![pair("MAILER-DAEMON", "")]),
            (
                b"=?utf-8?Q?Support_<s=40x.example>?=",
                vec![pair("Support", "s@x.example")],
            ),
        ] {
            assert_eq!(pairs(input), expected, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn name_without_address_is_kept_and_marked() {
        let (people, flaws) = parse(b"Moderator of the list");
        assert_eq!(
            (people[0].name.as_str(), people[0].address.as_str()),
            ("Moderator of the list", "")
        );
        assert!(flaws.without_address);
    }

    #[test]
    fn line_ends_in_encoded_names_do_not_survive() {
        assert_eq!(
            pairs(b"=?utf-8?Q?a=0D=0AB?= <x@y.example>"),
            [pair("a  B", "x@y.example")]
        );
    }

    #[test]
    fn people_are_bounded() {
        let (people, flaws) = parse("a@b.example,".repeat(10_000).as_bytes());
        assert_eq!((people.len(), flaws.too_many), (MAX_PEOPLE, true));
    }
}
