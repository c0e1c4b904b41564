//! Text in `format=flowed` (RFC 3676): soft line ends undone.
//!
//! Owns nothing else. Invariant: only line ends, stuffed blanks and (with DelSp) the blanks before
//! soft ends change; every word stays.

/// Joins flowed lines. Lines end with `\n`. `delete_space` is the `DelSp=yes` parameter.
pub(crate) fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // Quote depth of the paragraph that the next line may continue.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let (line, ended) = match line.strip_suffix('\n') {
            Some(line) => (line, true),
            None => (line, false),
        };
        let unquoted = line.trim_start_matches('>');
        let depth = line.len() - unquoted.len();
        let content = unquoted.strip_prefix(' ').unwrap_or(unquoted);
        let signature = content == "-- ";
        if open.is_some_and(|at| at != depth || signature) {
            out.push('\n');
            open = None;
        }
        if open.is_none() && depth > 0 {
            out.push_str(&line[..depth]);
            out.push(' ');
        }
        let soft = ended && content.ends_with(' ') && !signature;
        if soft {
            out.push_str(if delete_space {
                &content[..content.len() - 1]
            } else {
                content
            });
            open = Some(depth);
        } else {
            out.push_str(content);
            if ended {
                out.push('\n');
            }
            open = None;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unflow;

    #[test]
    fn soft_line_ends_join_within_one_quote_depth() {
        assert_eq!(unflow("one \ntwo\nthree\n", false), "one two\nthree\n");
        assert_eq!(unflow("> one \n> two\nown\n", false), "> one two\nown\n");
        assert_eq!(unflow("> one \nown\n", false), "> one \nown\n");
        assert_eq!(unflow(" >stuffed\n", false), ">stuffed\n");
    }

    #[test]
    fn deleted_spaces_join_words() {
        assert_eq!(unflow("日本 \n語\n", true), "日本語\n");
    }

    #[test]
    fn signature_mark_stays_a_line() {
        assert_eq!(unflow("text \n-- \nSupport\n", false), "text \n-- \nSupport\n");
    }
}
