//! Lists of messages: filter, order, pages.
//!
//! Owns the order (newest first unless asked otherwise), the page bounds (contract §2.2: 10 by default, 1 to 1000) and
//! Exchange's refusal of filters whose order it cannot follow. A plain page reads only the messages on it.

use std::cmp::Ordering;

use http::StatusCode;
use http::header::HeaderValue;
use serde_json::{Map, Value, json};

use crate::mail::extended::PropertyId;
use crate::mail::ids::FolderKey;
use crate::mail::links;
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Message;
use crate::mail::message_subject::{self, MessageSubject};
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::mail::render;
use crate::mail::routes::Scope;
use crate::mail::search_listing;
use crate::mail::view_options;
use crate::odata::error::ODataError;
use crate::odata::filter::{Filter, Subject, Value as FilterValue, compare_text};
use crate::odata::query::{Order, QueryOptions};
use crate::server::paths::{GraphRequest, GraphResponse};

/// Messages of a page when nothing is said.
pub const DEFAULT_PAGE: usize = 10;
/// The largest page.
pub const MAX_PAGE: usize = 1_000;

/// The size of a page; 400 outside 1 to [`MAX_PAGE`].
pub fn page_size(options: &QueryOptions, preferences: &Preferences) -> Result<usize, ODataError> {
    match options.top {
        Some(0) => Err(ODataError::bad_request(
            "The value of the '$top' query option must be at least 1.",
        )),
        Some(top) if top > MAX_PAGE => Err(ODataError::bad_request(format!(
            "The limit of '{MAX_PAGE}' for Top query has been exceeded. The value from the incoming request is '{top}'."
        ))),
        Some(top) => Ok(preferences.max_page.map_or(top, |most| most.min(top))),
        None => Ok(preferences.max_page.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE)),
    }
}

/// The filter of a request, judged, with folder names and property ids brought into the form messages show.
pub fn prepared_filter(mailbox: &Mailbox, options: &QueryOptions) -> Result<Option<Filter>, ODataError> {
    let Some(mut filter) = options.filter.clone() else {
        return Ok(None);
    };
    let example = message_subject::example();
    let message = &example;
    filter.check(&MessageSubject { mailbox, message })?;
    filter.rewrite_text("parentfolderid", &|text| {
        mailbox.resolve_folder(text).ok().map(|key| mailbox.codec.folder(key))
    });
    filter.rewrite_text("singlevalueextendedproperties/id", &|text| {
        PropertyId::parse(text).ok().map(|id| id.case_free())
    });
    Ok(Some(filter))
}

/// Refuses an order by something that messages have not, or have many of.
fn check_order(mailbox: &Mailbox, order: &[Order]) -> Result<(), ODataError> {
    if order.is_empty() {
        return Ok(());
    }
    let example = message_subject::example();
    let message = &example;
    let subject = MessageSubject { mailbox, message };
    match order.iter().find(|term| subject.value(&term.path).is_none()) {
        Some(unknown) => Err(refusal::unknown_name(&unknown.path, "message")),
        None => Ok(()),
    }
}

/// Lists messages of a folder, or of the whole mailbox.
pub fn list(scope: &Scope<'_>, folder: Option<FolderKey>, depth: Depth) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    if options.search.is_some() {
        return search_listing::list(scope, folder, &options, depth);
    }
    refuse_tokens(&options)?;
    let tips = scope.service.behaviour().tips;
    scope.read(|mailbox| {
        let mut body = page(mailbox, folder, scope.request, &options, depth)?;
        if tips && options.select.is_none() {
            body.insert("@microsoft.graph.tips".to_owned(), tip(scope.request).into());
        }
        Ok(Preferences::of(scope.request).acknowledge(GraphResponse::json(StatusCode::OK, &body), &[]))
    })
}

fn page(
    mailbox: &Mailbox,
    folder: Option<FolderKey>,
    request: &GraphRequest,
    options: &QueryOptions,
    depth: Depth,
) -> Result<Map<String, Value>, ODataError> {
    let preferences = Preferences::of(request);
    let view = view_options::view(options, &preferences, depth)?;
    let top = page_size(options, &preferences)?;
    let skip = options.skip.unwrap_or(0);
    let filter = prepared_filter(mailbox, options)?;
    check_order(mailbox, &options.order_by)?;
    check_efficiency(filter.as_ref(), &options.order_by)?;

    let found = find(
        mailbox,
        folder,
        filter.as_ref(),
        &options.order_by,
        Window {
            skip,
            top,
            count: options.count,
        },
    )?;
    let value: Vec<Value> = found
        .page
        .iter()
        .map(|message| Value::Object(render::message(mailbox, message, &view)))
        .collect();
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        links::context(request, &collection(mailbox, folder, options)).into(),
    );
    if options.count {
        body.insert("@odata.count".to_owned(), found.total.into());
    }
    if found.more {
        body.insert(
            "@odata.nextLink".to_owned(),
            links::next_page(request, "$skip", &(skip + found.page.len()).to_string()).into(),
        );
    }
    body.insert("value".to_owned(), value.into());
    Ok(body)
}

/// What Graph says to those who read everything.
fn tip(request: &GraphRequest) -> String {
    format!(
        "Use $select to choose only the properties your app needs, as this can lead to performance improvements. For example: GET {}?$select=bccRecipients,body",
        request.segments.join("/")
    )
}

/// `messages/$count`: a bare number.
pub fn count(
    mailbox: &Mailbox,
    folder: Option<FolderKey>,
    request: &GraphRequest,
) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&request.query)?;
    options.only(&[])?;
    if options.search.is_some() {
        return Err(refusal::search_mixed("SearchWithCount", "$count"));
    }
    refuse_tokens(&options)?;
    let filter = prepared_filter(mailbox, &options)?;
    let found = find(
        mailbox,
        folder,
        filter.as_ref(),
        &[],
        Window {
            skip: 0,
            top: 0,
            count: true,
        },
    )?;
    Ok(GraphResponse::bytes(
        StatusCode::OK,
        HeaderValue::from_static("text/plain"),
        found.total.to_string().into(),
    ))
}

fn refuse_tokens(options: &QueryOptions) -> Result<(), ODataError> {
    if options.skip_token.is_some() || options.delta_token.is_some() {
        return Err(ODataError::bad_request(
            "Skip and delta tokens belong to delta queries; lists go on by $skip.",
        ));
    }
    Ok(())
}

/// The collection as `@odata.context` names it.
pub fn collection(mailbox: &Mailbox, folder: Option<FolderKey>, options: &QueryOptions) -> String {
    let mut names: Vec<String> = options.select.clone().unwrap_or_default();
    names.extend(options.expand.iter().map(|expand| format!("{}()", expand.property)));
    let shown = if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(","))
    };
    match folder {
        Some(folder) => format!(
            "mailFolders('{}')/messages{shown}",
            links::key(&mailbox.codec.folder(folder))
        ),
        None => format!("messages{shown}"),
    }
}

/// Orders that Exchange's indexes serve for a filter on these properties alone (recorded: `isRead` and
/// `parentFolderId` filtered, ordered by time).
const INDEXED: [&str; 3] = ["isread", "parentfolderid", "isdraft"];

/// Contract §2.2: what is ordered by must stand in the filter, in the same order, first.
fn check_efficiency(filter: Option<&Filter>, order: &[Order]) -> Result<(), ODataError> {
    let Some(filter) = filter else { return Ok(()) };
    let filtered = filter.properties();
    let mut matched = 0;
    for (at, term) in order.iter().enumerate() {
        if filtered.get(matched).is_some_and(|property| *property == term.path) {
            matched += 1;
            continue;
        }
        let last = at + 1 == order.len();
        let served = filtered[matched..].iter().all(|property| INDEXED.contains(property));
        if !(last && term.path == "receiveddatetime" && served) {
            return Err(refusal::inefficient_filter());
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Window {
    skip: usize,
    top: usize,
    count: bool,
}

struct Found<'a> {
    page: Vec<&'a Message>,
    more: bool,
    total: usize,
}

fn find<'a>(
    mailbox: &'a Mailbox,
    folder: Option<FolderKey>,
    filter: Option<&Filter>,
    order: &[Order],
    window: Window,
) -> Result<Found<'a>, ODataError> {
    let by_time = match order {
        [] => Some(true),
        [Order { path, descending }] if path == "receiveddatetime" => Some(*descending),
        _ => None,
    };
    let mut sorted: Vec<&Message>;
    let messages: Box<dyn Iterator<Item = &'a Message> + '_> = match by_time {
        Some(true) => Box::new(mailbox.newest_first(folder)),
        Some(false) => Box::new(mailbox.newest_first(folder).rev()),
        None => {
            sorted = mailbox.newest_first(folder).collect();
            sort(mailbox, &mut sorted, order);
            Box::new(sorted.into_iter())
        }
    };
    let mut found = Found {
        page: Vec::with_capacity(window.top.min(DEFAULT_PAGE)),
        more: false,
        total: 0,
    };
    for message in messages {
        if let Some(filter) = filter
            && !filter.accepts(&MessageSubject { mailbox, message })?
        {
            continue;
        }
        found.total += 1;
        if found.total <= window.skip {
            continue;
        }
        if found.page.len() < window.top {
            found.page.push(message);
        } else {
            found.more = true;
            if !window.count {
                break;
            }
            if filter.is_none() {
                found.total = total(mailbox, folder);
                break;
            }
        }
    }
    Ok(found)
}

fn total(mailbox: &Mailbox, folder: Option<FolderKey>) -> usize {
    match folder {
        Some(folder) => mailbox.folders.get(&folder).map_or(0, |folder| folder.by_time.len()),
        None => mailbox.len(),
    }
}

/// Stable, so that equal messages stay newest first.
fn sort(mailbox: &Mailbox, messages: &mut [&Message], order: &[Order]) {
    messages.sort_by(|a, b| {
        let (a, b) = (
            MessageSubject { mailbox, message: a },
            MessageSubject { mailbox, message: b },
        );
        order.iter().fold(Ordering::Equal, |so_far, term| {
            so_far.then_with(|| {
                let ordering = compare(a.value(&term.path), b.value(&term.path));
                if term.descending { ordering.reverse() } else { ordering }
            })
        })
    });
}

fn compare(a: Option<FilterValue<'_>>, b: Option<FilterValue<'_>>) -> Ordering {
    match (a, b) {
        (Some(FilterValue::Text(a)), Some(FilterValue::Text(b))) => compare_text(&a, &b),
        (Some(FilterValue::Time(a)), Some(FilterValue::Time(b))) => a.cmp(&b),
        (Some(FilterValue::Bool(a)), Some(FilterValue::Bool(b))) => a.cmp(&b),
        (Some(FilterValue::Int(a)), Some(FilterValue::Int(b))) => a.cmp(&b),
        (Some(FilterValue::Member(a, _)), Some(FilterValue::Member(b, _))) => a.cmp(&b),
        (None | Some(FilterValue::Null), None | Some(FilterValue::Null)) => Ordering::Equal,
        (None | Some(FilterValue::Null), _) => Ordering::Less,
        (_, None | Some(FilterValue::Null)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// A single message as an answer.
pub fn single(
    mailbox: &Mailbox,
    message: &Message,
    request: &GraphRequest,
    view: &render::View,
    status: StatusCode,
    folder: Option<FolderKey>,
) -> GraphResponse {
    let mut json = render::message(mailbox, message, view);
    let names = request
        .query
        .iter()
        .find(|(name, _)| name.trim_start_matches('$').eq_ignore_ascii_case("select"));
    let shown = names.map(|(_, names)| format!("({names})")).unwrap_or_default();
    let path = match folder {
        Some(folder) => format!(
            "mailFolders('{}')/messages{shown}/$entity",
            links::key(&mailbox.codec.folder(folder))
        ),
        None => format!("messages{shown}/$entity"),
    };
    json.insert("@odata.context".to_owned(), json!(links::context(request, &path)));
    let response = GraphResponse::json(status, &json);
    if status != StatusCode::CREATED {
        return response;
    }
    let id = mailbox.codec.message(view.form, message.key, message.place());
    response.with_header(
        http::header::LOCATION,
        &links::location(request, &format!("messages('{id}')")),
    )
}
