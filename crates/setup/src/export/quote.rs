//! Values as literals of the languages that are exported.
//!
//! Owns the quoting rules. Invariant: whatever the value holds, the literal stands for exactly that value and ends where
//! it should.

use std::fmt::Write;

/// A literal of bash: nothing is special between single quotes but the quote itself.
pub(super) fn bash(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// A literal of PowerShell. Its parser takes the typographic quotes for single quotes too; each is written twice.
pub(super) fn powershell(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for c in value.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            literal.push(c);
        }
        literal.push(c);
    }
    literal.push('\'');
    literal
}

/// A literal of HCL. `$` and `%` begin a template and are written as escapes, whatever follows them.
pub(super) fn hcl(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for c in value.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '$' | '%' => escape(&mut literal, c),
            c if c.is_control() => escape(&mut literal, c),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// JSON for `az rest`. An argument of az that has an `@` first, or behind its first `=`, names a file; so there is none.
pub(super) fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('@', "\\u0040")
}

/// A JSON literal inside a JMESPath expression, which ends at a backtick.
pub(super) fn jmespath(value: &serde_json::Value) -> String {
    format!("`{}`", json(value).replace('`', "\\u0060"))
}

/// A string of OData's filter language.
pub(super) fn odata(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A part of an address: everything but letters, digits and `-._` is percent-encoded.
pub(super) fn percent(value: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    encoded.replace('+', "%20").replace('*', "%2A")
}

fn escape(literal: &mut String, c: char) {
    // Writing to a string can't fail.
    let _ = write!(literal, "\\u{:04x}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    const NASTY: [&str; 10] = [
        "O'Brien & \"Söhne\"",
        "$HOME `id` $(id) !! \\",
        "a\nb\r\n\tc",
        "${var.x} %{if} $${y} $$$ %%",
        "’‘‚‛",
        "'",
        "''",
        "",
        "@file=@file",
        "-n --help",
    ];

    /// What PowerShell's tokenizer does with a single-quoted literal.
    fn read_powershell(literal: &str) -> Option<String> {
        let is_quote = |c: char| "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c);
        let mut chars = literal.chars().peekable();
        chars.next().filter(|c| is_quote(*c))?;
        let mut value = String::new();
        loop {
            let c = chars.next()?;
            if is_quote(c) {
                match chars.next_if(|c| is_quote(*c)) {
                    Some(second) => value.push(second),
                    None => return chars.next().is_none().then_some(value),
                }
            } else {
                value.push(c);
            }
        }
    }

    /// What HCL does with a quoted literal; a template in it is refused.
    fn read_hcl(literal: &str) -> Option<String> {
        let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
        let mut chars = inside.chars().peekable();
        let mut value = String::new();
        while let Some(c) = chars.next() {
            match c {
                '"' | '\n' => return None,
                '$' | '%' if chars.peek() == Some(&'{') => return None,
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        value.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    c @ ('"' | '\\') => value.push(c),
                    _ => return None,
                },
                c => value.push(c),
            }
        }
        Some(value)
    }

    fn printed_by_bash(values: &[String]) -> Vec<String> {
        let literals: Vec<_> = values.iter().map(|value| bash(value)).collect();
        let script = format!("printf '%s\\0' {}", literals.join(" "));
        let out = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn nasty_values_survive_every_language() {
        let values: Vec<String> = NASTY.iter().map(|&value| value.to_owned()).collect();
        assert_eq!(printed_by_bash(&values), values);
        for value in NASTY {
            assert_eq!(read_powershell(&powershell(value)).as_deref(), Some(value));
            assert_eq!(read_hcl(&hcl(value)).as_deref(), Some(value));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn bash_reads_back_any_values(values in prop::collection::vec("[^\0]{0,12}", 1..20)) {
            prop_assert_eq!(printed_by_bash(&values), values);
        }

        #[test]
        fn powershell_reads_back_any_value(value in "(['’‘‚‛$`\"\n]|.){0,20}") {
            prop_assert_eq!(read_powershell(&powershell(&value)), Some(value));
        }

        #[test]
        fn hcl_reads_back_any_value(value in "([$%{}\"\\\\\n]|.){0,20}") {
            prop_assert_eq!(read_hcl(&hcl(&value)), Some(value));
        }

        #[test]
        fn json_for_az_names_no_file_and_is_still_the_value(value in "([@=`'\"]|.){0,20}") {
            let wanted = serde_json::json!({ "displayName": value });
            let text = json(&wanted);
            prop_assert!(!text.contains('@'));
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), &wanted);
            let literal = jmespath(&wanted);
            let inside = &literal[1..literal.len() - 1];
            prop_assert!(!inside.contains('`'));
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(inside).expect("JSON"), &wanted);
        }

        #[test]
        fn addresses_hold_only_plain_characters(value in ".{0,20}") {
            let encoded = percent(&value);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._%".contains(&b)), "{}", encoded);
        }

        #[test]
        fn odata_ends_only_at_its_end(value in "(['a]){0,20}") {
            let literal = odata(&value);
            prop_assert_eq!(literal[1..literal.len() - 1].replace("''", "'"), value);
        }
    }
}
