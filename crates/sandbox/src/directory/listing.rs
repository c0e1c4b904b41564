//! How the directory answers with one entity or a list of them.
//!
//! Owns `$select`, `$filter`, `$orderby`, `$search`, `$top`, `$count` and paging over directory entities. An option it
//! does not know, or a property the type does not have, is refused: never ignored. A page is at most
//! [`MAX_PAGE`] entities.

use http::header::HeaderValue;
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::odata::error::ODataError;
use crate::odata::filter::{Comparison, Expr, Filter, TextTest};
use crate::server::paths::{GraphRequest, GraphResponse};

/// Page size without `$top`, as the directory has it.
const DEFAULT_PAGE: usize = 100;
/// Largest `$top` the directory accepts.
const MAX_PAGE: usize = 999;
/// What may stand unescaped in a path or query value.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$');

/// What a list or entity is made from.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What stands after `$metadata#`.
    pub context: &'static str,
    /// Type name for error texts, such as `microsoft.graph.user`.
    pub type_name: &'static str,
    /// Properties answered without `$select`; none means all.
    pub defaults: Option<&'static [&'static str]>,
}

/// Options of a directory request.
#[derive(Debug, Default)]
struct Options {
    select: Vec<String>,
    filter: Option<Filter>,
    order_by: Vec<(String, bool)>,
    search: Vec<(String, String)>,
    top: Option<usize>,
    count: bool,
    eventual: bool,
    start: usize,
}

/// Answers with one entity.
///
/// # Errors
/// 400 for an option or property that does not exist.
pub fn entity(
    request: &GraphRequest,
    status: StatusCode,
    kind: Kind,
    entity: &Value,
) -> Result<GraphResponse, ODataError> {
    let options = Options::parse(request)?;
    let mut document = Map::new();
    let context = format!("{}/$entity", context_of(request, kind, &options.select));
    document.insert("@odata.context".to_owned(), context.into());
    document.extend(projected(entity, &options.select, kind)?);
    Ok(GraphResponse::json(status, &Value::Object(document)))
}

/// Answers with a list, or with its size when the path ends in `$count`.
///
/// # Errors
/// 400 for an option or property that does not exist, 405 for other methods than GET.
pub fn collection(
    request: &GraphRequest,
    kind: Kind,
    entities: impl Iterator<Item = Value>,
) -> Result<GraphResponse, ODataError> {
    if request.method != Method::GET {
        return Err(ODataError::method_not_allowed());
    }
    let options = Options::parse(request)?;
    let sized = request.segments.last().is_some_and(|segment| segment == "$count");
    options.check_advanced(sized)?;
    let mut matching = Vec::new();
    let mut entities = entities.peekable();
    if let (Some(filter), Some(first)) = (&options.filter, entities.peek()) {
        check_names(filter, first, kind)?;
    }
    for entity in entities {
        let found = options
            .search
            .iter()
            .all(|(property, text)| contains(&entity, property, text));
        if found
            && options
                .filter
                .as_ref()
                .map_or(Ok(true), |filter| filter.matches(&entity))?
        {
            matching.push(entity);
        }
    }
    let total = matching.len();
    if sized {
        let body = total.to_string().into();
        return Ok(GraphResponse::bytes(
            StatusCode::OK,
            HeaderValue::from_static("text/plain"),
            body,
        ));
    }
    for (property, descending) in options.order_by.iter().rev() {
        matching.sort_by_key(|entity| property_of(entity, property).map_or_else(String::new, text_of));
        if *descending {
            matching.reverse();
        }
    }
    let size = options.top.unwrap_or(DEFAULT_PAGE);
    let page = matching.iter().skip(options.start).take(size);
    let value = page.map(|entity| projected(entity, &options.select, kind).map(Value::Object));
    let value: Vec<Value> = value.collect::<Result<_, _>>()?;
    let mut document = Map::new();
    let context = context_of(request, kind, &options.select);
    document.insert("@odata.context".to_owned(), context.into());
    if options.count {
        document.insert("@odata.count".to_owned(), total.into());
    }
    if options.start + value.len() < total && !value.is_empty() {
        document.insert(
            "@odata.nextLink".to_owned(),
            next_link(request, options.start + value.len()).into(),
        );
    }
    document.insert("value".to_owned(), Value::Array(value));
    Ok(GraphResponse::json(StatusCode::OK, &Value::Object(document)))
}

fn context_of(request: &GraphRequest, kind: Kind, select: &[String]) -> String {
    let selected = if select.is_empty() {
        String::new()
    } else {
        format!("({})", select.join(","))
    };
    format!("{}/$metadata#{}{selected}", request.service_root(), kind.context)
}

impl Options {
    /// What the directory answers only to advanced queries: `$count=true` with `ConsistencyLevel: eventual`.
    fn check_advanced(&self, sized: bool) -> Result<(), ODataError> {
        if sized && !self.eventual {
            return Err(ODataError::directory_bad_request("$count is not currently supported."));
        }
        if self.eventual && (sized || self.count) {
            return Ok(());
        }
        let unsupported = |text: String| ODataError::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", text);
        if let Some(operator) = self.filter.as_ref().and_then(|filter| advanced_part(filter.root())) {
            return Err(unsupported(format!(
                "Operator '{operator}' is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information."
            )));
        }
        if self.filter.is_some() && !self.order_by.is_empty() {
            return Err(unsupported("Sorting not supported for current query.".to_owned()));
        }
        Ok(())
    }

    fn parse(request: &GraphRequest) -> Result<Self, ODataError> {
        let mut options = Self::default();
        let eventual = request.header_list("consistencylevel").eq_ignore_ascii_case("eventual");
        options.eventual = eventual;
        for (written, value) in &request.query {
            let name = written.trim_start_matches('$').to_ascii_lowercase();
            match name.as_str() {
                "select" => options.select = list(value),
                "filter" => options.filter = Some(Filter::parse(value)?),
                "top" => options.top = Some(top(value)?),
                "count" => options.count = value.eq_ignore_ascii_case("true") && eventual,
                "orderby" => options.order_by = order(value),
                "search" if eventual => options.search = search(value)?,
                "search" => {
                    return Err(ODataError::directory_bad_request(
                        "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
                    ));
                }
                "skiptoken" => options.start = start(value)?,
                "skip" => {
                    return Err(ODataError::directory_bad_request(
                        "'$skip' is not supported by the service.",
                    ));
                }
                "format" => {}
                "expand" => return Err(ODataError::unsupported("$expand on directory objects")),
                // Custom query options are legal in OData and mean nothing to the service.
                _ if !written.starts_with('$') => {}
                _ => {
                    return Err(ODataError::bad_request(format!(
                        "The query parameter '${name}' is not supported on this resource."
                    )));
                }
            }
        }
        Ok(options)
    }
}

/// The first part of a filter that only advanced queries know.
fn advanced_part(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => advanced_part(left).or_else(|| advanced_part(right)),
        Expr::Not(_) => Some("not"),
        Expr::Compare(_, Comparison::NotEqual, _) => Some("ne"),
        Expr::Text(TextTest::EndsWith, ..) => Some("endsWith"),
        Expr::Text(TextTest::Contains, ..) => Some("contains"),
        Expr::Any(_, _, Some(inner)) | Expr::All(_, _, inner) => advanced_part(inner),
        _ => None,
    }
}

/// Refuses a filter over a property that the type does not have.
fn check_names(filter: &Filter, first: &Value, kind: Kind) -> Result<(), ODataError> {
    for path in filter.properties() {
        let name = path.split('/').next().unwrap_or_default();
        if !name.is_empty() && property_of(first, name).is_none() {
            return Err(ODataError::bad_request(format!(
                "Invalid filter clause: Could not find a property named '{name}' on type '{}'.",
                kind.type_name
            )));
        }
    }
    Ok(())
}

fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn top(value: &str) -> Result<usize, ODataError> {
    match value.trim().parse::<usize>() {
        Ok(size) if (1..=MAX_PAGE).contains(&size) => Ok(size),
        _ => Err(ODataError::directory_bad_request(format!(
            "Invalid page size specified: '{value}'. Must be between 1 and {MAX_PAGE} inclusive."
        ))),
    }
}

fn order(value: &str) -> Vec<(String, bool)> {
    let keys = list(value).into_iter();
    keys.map(|key| {
        let (name, direction) = key.split_once(char::is_whitespace).unwrap_or((&key, "asc"));
        (name.to_owned(), direction.trim().eq_ignore_ascii_case("desc"))
    })
    .collect()
}

/// `"displayName:Web" AND "mail:x"`; the whole grammar is larger, so anything else is refused.
fn search(value: &str) -> Result<Vec<(String, String)>, ODataError> {
    let clauses = value.split(" AND ").map(|clause| {
        let clause = clause
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))?;
        let (property, text) = clause.split_once(':')?;
        Some((property.trim().to_owned(), text.trim().to_lowercase()))
    });
    let clauses: Option<Vec<_>> = clauses.collect();
    clauses.ok_or_else(|| {
        ODataError::directory_bad_request(
            r#"Unrecognized query argument specified: $search must have the form "property:text"."#,
        )
    })
}

fn start(value: &str) -> Result<usize, ODataError> {
    let token = value
        .strip_prefix("m~")
        .and_then(|token| usize::from_str_radix(token, 36).ok());
    token.ok_or_else(|| ODataError::directory_bad_request("The specified page token value has expired or is invalid."))
}

fn next_link(request: &GraphRequest, start: usize) -> String {
    let mut link = request.service_root();
    for segment in &request.segments {
        link.push('/');
        link.extend(utf8_percent_encode(segment, ESCAPED));
    }
    let mut separator = '?';
    for (name, value) in request
        .query
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
    {
        link.push(separator);
        link.extend(utf8_percent_encode(name, ESCAPED));
        link.push('=');
        link.extend(utf8_percent_encode(value, ESCAPED));
        separator = '&';
    }
    link.push(separator);
    link.push_str("$skiptoken=m~");
    link.push_str(&base36(start));
    link
}

fn base36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}

fn property_of<'a>(entity: &'a Value, name: &str) -> Option<&'a Value> {
    entity
        .as_object()?
        .iter()
        .find(|(property, _)| property.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_lowercase)
}

fn contains(entity: &Value, property: &str, text: &str) -> bool {
    property_of(entity, property).is_some_and(|value| text_of(value).contains(text))
}

fn projected(entity: &Value, select: &[String], kind: Kind) -> Result<Map<String, Value>, ODataError> {
    let Value::Object(all) = entity else {
        return Ok(Map::new());
    };
    if select.is_empty() || select.iter().any(|name| name == "*") {
        let shown = |name: &str| kind.defaults.is_none_or(|defaults| defaults.contains(&name));
        return Ok(all
            .iter()
            .filter(|(name, _)| shown(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect());
    }
    let mut chosen = Map::new();
    for wanted in select {
        let Some((name, value)) = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) else {
            return Err(ODataError::bad_request(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{wanted}' on type '{}'.",
                kind.type_name
            )));
        };
        chosen.insert(name.clone(), value.clone());
    }
    // Keys always come along, so that a selected entity can be addressed again.
    if let Some(id) = all.get("id") {
        chosen.insert("id".to_owned(), id.clone());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_survive_the_round_trip() {
        for number in [0, 35, 36, 999, 123_456] {
            assert_eq!(start(&format!("m~{}", base36(number))).expect("own token"), number);
        }
        assert_eq!(start("x").expect_err("a foreign token").status, 400);
    }

    #[test]
    fn selecting_an_unknown_property_is_refused() {
        let kind = Kind {
            context: "users",
            type_name: "microsoft.graph.user",
            defaults: None,
        };
        let entity = serde_json::json!({"id": "1", "mail": "a"});
        let chosen = projected(&entity, &["MAIL".to_owned()], kind).expect("a known property");
        assert_eq!(chosen.len(), 2);
        assert!(projected(&entity, &["colour".to_owned()], kind).is_err());
    }
}
