//! Query options of a Graph request.
//!
//! Owns the names (`$top` and `top` are the same, names ignore case), their syntax and the refusal of what is unknown
//! or doubled. It never applies an option: a resource that cannot honour one says so.

use http::StatusCode;

use crate::odata::error::ODataError;
use crate::odata::filter::Filter;

/// The query options of one request.
#[derive(Debug, Default, Clone)]
pub struct QueryOptions {
    /// `$select`, as written.
    pub select: Option<Vec<String>>,
    /// `$filter`.
    pub filter: Option<Filter>,
    /// `$filter` as written, for links that repeat it.
    pub filter_text: Option<String>,
    /// `$orderby`.
    pub order_by: Vec<Order>,
    /// `$top`.
    pub top: Option<usize>,
    /// `$skip`.
    pub skip: Option<usize>,
    /// `$count=true`.
    pub count: bool,
    /// `$expand`.
    pub expand: Vec<Expand>,
    /// `$search`.
    pub search: Option<String>,
    /// `$skiptoken`.
    pub skip_token: Option<String>,
    /// `$deltatoken`.
    pub delta_token: Option<String>,
    /// Options without `$` that OData does not define, such as `includeHiddenFolders`.
    pub other: Vec<(String, String)>,
}

/// One property of `$orderby`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Property path in lower case.
    pub path: String,
    /// Largest first.
    pub descending: bool,
}

/// One navigation of `$expand`.
#[derive(Debug, Clone)]
pub struct Expand {
    /// Navigation property, as written.
    pub property: String,
    /// The options in parentheses.
    pub options: QueryOptions,
}

/// Expansions inside expansions; Graph mail allows one, item attachments two.
const MAX_EXPAND_DEPTH: usize = 4;

impl QueryOptions {
    /// Parses the decoded pairs of a query.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, ODataError> {
        Self::parse_at(
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            MAX_EXPAND_DEPTH,
        )
    }

    fn parse_at<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, depth: usize) -> Result<Self, ODataError> {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in pairs {
            if name.is_empty() && value.is_empty() {
                continue;
            }
            let lower = name.to_ascii_lowercase();
            let plain = lower.strip_prefix('$').unwrap_or(&lower);
            if seen.iter().any(|earlier| earlier == plain) {
                return Err(ODataError::bad_request(format!(
                    "Query option '{name}' was specified more than once, but it must be specified at most once."
                )));
            }
            match plain {
                "select" => options.select = Some(names(value)),
                "filter" => {
                    options.filter = Some(Filter::parse(value)?);
                    options.filter_text = Some(value.to_owned());
                }
                "orderby" => options.order_by = order(value)?,
                "top" => options.top = Some(whole_number(name, value)?),
                "skip" => options.skip = Some(whole_number(name, value)?),
                "count" => options.count = boolean(name, value)?,
                "expand" => options.expand = expand(value, depth)?,
                "search" => options.search = Some(value.to_owned()),
                "skiptoken" => options.skip_token = Some(value.to_owned()),
                "deltatoken" => options.delta_token = Some(value.to_owned()),
                "format" if value.to_ascii_lowercase().contains("json") => {}
                _ if lower.starts_with('$') => return Err(unknown(name)),
                _ => options.other.push((name.to_owned(), value.to_owned())),
            }
            seen.push(plain.to_owned());
        }
        Ok(options)
    }

    /// The value of an option that OData does not define.
    #[must_use]
    pub fn custom(&self, name: &str) -> Option<&str> {
        self.other
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the options make sense for a single entity: `$select` and `$expand` do, those of lists do not.
    #[must_use]
    pub fn is_for_one(&self) -> bool {
        self.filter.is_none()
            && self.search.is_none()
            && self.order_by.is_empty()
            && self.top.is_none()
            && self.skip.is_none()
            && !self.count
    }

    /// Refuses every option that OData does not define, but for `known` ones.
    pub fn only(&self, known: &[&str]) -> Result<(), ODataError> {
        match self
            .other
            .iter()
            .find(|(name, _)| !known.iter().any(|known| known.eq_ignore_ascii_case(name)))
        {
            Some((name, _)) => Err(unknown(name)),
            None => Ok(()),
        }
    }
}

fn unknown(name: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "BadRequest",
        format!("The query parameter '{name}' is not supported for this resource."),
    )
}

fn names(list: &str) -> Vec<String> {
    split_outside(list, ',')
        .into_iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn order(list: &str) -> Result<Vec<Order>, ODataError> {
    names(list)
        .iter()
        .map(|term| {
            let mut words = term.split_whitespace();
            let path = words.next().unwrap_or_default().to_ascii_lowercase();
            let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(other) => {
                    return Err(ODataError::bad_request(format!(
                        "Syntax error near '{other}' in '{list}'."
                    )));
                }
            };
            match words.next() {
                None => Ok(Order { path, descending }),
                Some(extra) => Err(ODataError::bad_request(format!(
                    "Syntax error near '{extra}' in '{list}'."
                ))),
            }
        })
        .collect()
}

fn whole_number(name: &str, value: &str) -> Result<usize, ODataError> {
    value.trim().parse().map_err(|_| {
        ODataError::bad_request(format!(
            "Invalid value '{value}' for {name} query option found. The {name} query option requires a non-negative integer value."
        ))
    })
}

fn boolean(name: &str, value: &str) -> Result<bool, ODataError> {
    value.trim().to_ascii_lowercase().parse().map_err(|_| {
        ODataError::bad_request(format!(
            "Invalid value '{value}' for {name} query option found; use 'true' or 'false'."
        ))
    })
}

fn expand(list: &str, depth: usize) -> Result<Vec<Expand>, ODataError> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| ODataError::bad_request("The expansion is nested too deeply."))?;
    split_outside(list, ',')
        .into_iter()
        .map(str::trim)
        .filter(|term| !term.is_empty())
        .map(|term| {
            let Some((property, rest)) = term.split_once('(') else {
                return Ok(Expand {
                    property: term.to_owned(),
                    options: QueryOptions::default(),
                });
            };
            let inner = rest.trim_end().strip_suffix(')').ok_or_else(|| {
                ODataError::bad_request(format!("Found an unbalanced bracket expression in '{term}'."))
            })?;
            let pairs = split_outside(inner, ';').into_iter().map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.trim(), value)
            });
            Ok(Expand {
                property: property.trim().to_owned(),
                options: QueryOptions::parse_at(pairs, depth)?,
            })
        })
        .collect()
}

/// Splits at `separator` where it stands outside quotes and parentheses.
fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if character == separator && !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<QueryOptions, ODataError> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        QueryOptions::parse(&pairs)
    }

    #[test]
    fn the_dollar_and_case_do_not_matter() {
        let options = parse(&[("top", "5"), ("$SELECT", "id, subject"), ("$count", "true")]).unwrap();
        assert_eq!(options.top, Some(5));
        assert_eq!(options.select.unwrap(), ["id", "subject"]);
        assert!(options.count);
    }

    #[test]
    fn nested_expand_options_keep_commas_and_semicolons_inside_quotes() {
        let options = parse(&[(
            "$expand",
            "attachments,singleValueExtendedProperties($filter=id eq 'a;b,(c';$top=2)",
        )])
        .unwrap();
        assert_eq!(options.expand.len(), 2);
        assert_eq!(options.expand[1].options.top, Some(2));
        assert_eq!(options.expand[1].options.filter_text.as_deref(), Some("id eq 'a;b,(c'"));
    }

    #[test]
    fn unknown_doubled_and_malformed_options_are_refused() {
        assert!(parse(&[("$nonsense", "1")]).is_err());
        assert!(parse(&[("$top", "5"), ("top", "6")]).is_err());
        assert!(parse(&[("$top", "-1")]).is_err());
        assert!(parse(&[("$orderby", "subject sideways")]).is_err());
        let custom = parse(&[("includeHiddenFolders", "true")]).unwrap();
        assert!(custom.only(&["includehiddenfolders"]).is_ok());
        assert!(custom.only(&[]).is_err());
    }

    #[test]
    fn order_terms_carry_their_direction() {
        let options = parse(&[("$orderby", "from/emailAddress/name DESC,subject")]).unwrap();
        assert_eq!(
            options.order_by[0],
            Order {
                path: "from/emailaddress/name".to_owned(),
                descending: true
            }
        );
        assert!(!options.order_by[1].descending);
    }
}
