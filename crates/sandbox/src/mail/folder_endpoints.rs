//! Operations on folders.
//!
//! Owns their request bodies and query options; the rules of the tree are the mailbox's.

use http::StatusCode;
use http::header::HeaderValue;
use serde_json::{Map, Value, json};

use crate::mail::fields::Fields;
use crate::mail::folder::Folder;
use crate::mail::ids::FolderKey;
use crate::mail::mailbox::Mailbox;
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::mail::render;
use crate::mail::routes::Scope;
use crate::mail::well_known::{Visibility, WellKnown};
use crate::mail::{links, message_endpoints};
use crate::odata::error::ODataError;
use crate::odata::filter::JsonSubject;
use crate::odata::query::QueryOptions;
use crate::server::paths::{ApiVersion, GraphRequest, GraphResponse};

/// Folders of a page when nothing is said.
const DEFAULT_PAGE: usize = 10;
/// Clients ask for as many as 9,999 (recorded traffic); a mailbox holds no more than 10,000.
const MAX_PAGE: usize = 10_000;
const PROPERTIES: [&str; 8] = [
    "id",
    "displayName",
    "parentFolderId",
    "childFolderCount",
    "unreadItemCount",
    "totalItemCount",
    "sizeInBytes",
    "isHidden",
];

/// Lists the children of a folder.
pub fn list(scope: &Scope<'_>, parent: FolderKey) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&["includeHiddenFolders"])?;
    let preferences = Preferences::of(scope.request);
    scope.read(|mailbox| {
        let page = page(mailbox, parent, &options, preferences.max_page, scope.request.version)?;
        let mut body = Map::new();
        body.insert(
            "@odata.context".to_owned(),
            context(mailbox, scope.request, parent, &options).into(),
        );
        if options.count {
            body.insert("@odata.count".to_owned(), page.total.into());
        }
        if page.more {
            let skip = options.skip.unwrap_or(0) + page.folders.len();
            body.insert(
                "@odata.nextLink".to_owned(),
                links::next_page(scope.request, "$skip", &skip.to_string()).into(),
            );
        }
        body.insert("value".to_owned(), page.folders.into());
        Ok(GraphResponse::json(StatusCode::OK, &body))
    })
}

/// `childFolders/$count`.
pub fn count(scope: &Scope<'_>, parent: FolderKey) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    let total =
        scope.read(|mailbox| page(mailbox, parent, &options, None, scope.request.version).map(|page| page.total))?;
    Ok(GraphResponse::bytes(
        StatusCode::OK,
        HeaderValue::from_static("text/plain"),
        total.to_string().into(),
    ))
}

/// A folder with everything that this edition of Graph shows.
fn whole(mailbox: &Mailbox, folder: &Folder, version: ApiVersion) -> Map<String, Value> {
    let mut json = render::folder(mailbox, folder);
    if version == ApiVersion::Beta {
        let name = folder.well_known.and_then(WellKnown::id_name);
        json.insert("wellKnownName".to_owned(), name.into());
    }
    json
}

struct Page {
    folders: Vec<Value>,
    more: bool,
    total: usize,
}

fn page(
    mailbox: &Mailbox,
    parent: FolderKey,
    options: &QueryOptions,
    most: Option<usize>,
    version: ApiVersion,
) -> Result<Page, ODataError> {
    if options.search.is_some() {
        return Err(ODataError::bad_request(
            "The query parameter '$search' is not supported on mail folders.",
        ));
    }
    check_names(options, version)?;
    if let Some(filter) = &options.filter {
        filter.check(&JsonSubject(&json!({
            "id": "", "displayName": "", "parentFolderId": "", "childFolderCount": 0, "unreadItemCount": 0,
            "totalItemCount": 0, "sizeInBytes": 0, "isHidden": false, "wellKnownName": "",
        })))?;
    }
    let hidden_too = options
        .custom("includeHiddenFolders")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut found: Vec<(&Folder, Value)> = Vec::new();
    for folder in mailbox.children(parent) {
        if folder.visibility == Visibility::Hidden && !hidden_too {
            continue;
        }
        let json = Value::Object(whole(mailbox, folder, version));
        let passes = options
            .filter
            .as_ref()
            .map_or(Ok(true), |filter| filter.matches(&json))?;
        if passes {
            found.push((folder, json));
        }
    }
    for order in options.order_by.iter().rev() {
        let key = |json: &Value| {
            let value = json
                .as_object()
                .and_then(|json| json.iter().find(|(name, _)| name.eq_ignore_ascii_case(&order.path)));
            value.map(|(_, value)| (value.as_i64(), value.as_str().map(str::to_lowercase)))
        };
        found.sort_by_key(|(_, json)| key(json));
        if order.descending {
            found.reverse();
        }
    }
    let total = found.len();
    let size = options.top.or(most).unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let skip = options.skip.unwrap_or(0);
    let mut folders = Vec::new();
    for (folder, json) in found.into_iter().skip(skip).take(size) {
        folders.push(shown(mailbox, folder, json, options, version)?);
    }
    Ok(Page {
        more: skip + folders.len() < total,
        folders,
        total,
    })
}

/// A folder with `$select` and `$expand=childFolders` applied.
fn shown(
    mailbox: &Mailbox,
    folder: &Folder,
    mut json: Value,
    options: &QueryOptions,
    version: ApiVersion,
) -> Result<Value, ODataError> {
    if let Some(object) = json.as_object_mut() {
        select_names(object, options.select.as_deref());
    }
    for expand in &options.expand {
        let known = [
            "singleValueExtendedProperties",
            "multiValueExtendedProperties",
            "messageRules",
            "messages",
        ];
        if known.iter().any(|known| known.eq_ignore_ascii_case(&expand.property)) {
            return Err(ODataError::unsupported(format_args!(
                "$expand={} on folders",
                expand.property
            )));
        }
        if !expand.property.eq_ignore_ascii_case("childFolders") {
            return Err(refusal::unknown_name(&expand.property, "mailFolder"));
        }
        json["childFolders"] = page(mailbox, folder.key, &expand.options, None, version)?
            .folders
            .into();
    }
    Ok(json)
}

fn select_names(json: &mut Map<String, Value>, select: Option<&[String]>) {
    if let Some(names) = select {
        json.retain(|name, _| name == "id" || names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)));
    }
}

/// Refuses names that folders have not.
pub fn check_names(options: &QueryOptions, version: ApiVersion) -> Result<(), ODataError> {
    let selected = options.select.iter().flatten().map(String::as_str);
    let ordered = options.order_by.iter().map(|order| order.path.as_str());
    let filtered = options.filter.iter().flat_map(|filter| filter.properties());
    let unknown = selected.chain(ordered).chain(filtered).find(|name| {
        let beta = version == ApiVersion::Beta && name.eq_ignore_ascii_case("wellKnownName");
        !beta && !PROPERTIES.iter().any(|known| known.eq_ignore_ascii_case(name))
    });
    unknown.map_or(Ok(()), |name| Err(refusal::unknown_name(name, "mailFolder")))
}

fn context(mailbox: &Mailbox, request: &GraphRequest, parent: FolderKey, options: &QueryOptions) -> String {
    let mut names: Vec<String> = options.select.clone().unwrap_or_default();
    names.extend(options.expand.iter().map(|expand| format!("{}()", expand.property)));
    let shown = if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(","))
    };
    if parent == mailbox.well_known(WellKnown::MessageFolderRoot) {
        links::context(request, &format!("mailFolders{shown}"))
    } else {
        let parent = links::key(&mailbox.codec.folder(parent));
        links::context(request, &format!("mailFolders('{parent}')/childFolders{shown}"))
    }
}

fn answer(
    mailbox: &Mailbox,
    request: &GraphRequest,
    key: FolderKey,
    status: StatusCode,
) -> Result<GraphResponse, ODataError> {
    let mut json = whole(mailbox, mailbox.folder(key)?, request.version);
    json.insert(
        "@odata.context".to_owned(),
        links::context(request, "mailFolders/$entity").into(),
    );
    let response = GraphResponse::json(status, &json);
    if status != StatusCode::CREATED {
        return Ok(response);
    }
    let location = links::location(request, &format!("mailFolders('{}')", mailbox.codec.folder(key)));
    Ok(response.with_header(http::header::LOCATION, &location))
}

/// Creates a folder.
pub fn create(scope: &Scope<'_>, parent: FolderKey) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let kind = body.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    if kind.to_ascii_lowercase().ends_with("mailsearchfolder") {
        return Err(ODataError::unsupported("search folders"));
    }
    let fields = Fields::of(&body)?;
    fields.only(
        &[
            "displayName",
            "isHidden",
            "id",
            "parentFolderId",
            "childFolderCount",
            "unreadItemCount",
            "totalItemCount",
        ],
        "mailFolder",
    )?;
    let name = fields.required_text("displayName")?;
    let visibility = if fields.boolean("isHidden")?.unwrap_or(false) {
        Visibility::Hidden
    } else {
        Visibility::Shown
    };
    scope.write(|mailbox| {
        let key = mailbox.create_folder(parent, name, visibility)?;
        answer(mailbox, scope.request, key, StatusCode::CREATED)
    })
}

/// Shows a folder.
pub fn get(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&["includeHiddenFolders"])?;
    if !options.is_for_one() {
        return Err(refusal::only_for_collections());
    }
    let version = scope.request.version;
    check_names(&options, version)?;
    scope.read(|mailbox| {
        let folder = mailbox.folder(key)?;
        let mut json = shown(
            mailbox,
            folder,
            whole(mailbox, folder, version).into(),
            &options,
            version,
        )?;
        json["@odata.context"] = links::context(scope.request, "mailFolders/$entity").into();
        Ok(GraphResponse::json(StatusCode::OK, &json))
    })
}

/// Renames a folder.
pub fn update(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    if fields.get("isHidden").is_some() {
        return Err(ODataError::bad_request(
            "The property 'isHidden' can be set only when a folder is created.",
        ));
    }
    let name = fields.required_text("displayName")?;
    scope.write(|mailbox| {
        mailbox.rename_folder(key, name)?;
        answer(mailbox, scope.request, key, StatusCode::OK)
    })
}

/// Deletes a folder.
pub fn delete(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    scope.write(|mailbox| mailbox.delete_folder(key))?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Deletes a folder for good.
pub fn erase(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    scope.write(|mailbox| mailbox.erase_folder(key))?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Moves a folder.
pub fn relocate(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    let destination = message_endpoints::destination(scope)?;
    scope.write(|mailbox| {
        let to = mailbox.resolve_folder(&destination)?;
        mailbox.move_folder(key, to)?;
        answer(mailbox, scope.request, key, StatusCode::OK)
    })
}

/// Copies a folder.
pub fn copy(scope: &Scope<'_>, key: FolderKey) -> Result<GraphResponse, ODataError> {
    let destination = message_endpoints::destination(scope)?;
    let now = scope.service.now();
    scope.write(|mailbox| {
        let to = mailbox.resolve_folder(&destination)?;
        let copy = mailbox.copy_folder(key, to, now)?;
        answer(mailbox, scope.request, copy, StatusCode::OK)
    })
}

/// Kept here for the folder delta: a folder as one item.
pub fn item(mailbox: &Mailbox, folder: &Folder, select: Option<&[String]>) -> Value {
    let mut json = render::folder(mailbox, folder);
    select_names(&mut json, select);
    json.insert("@odata.type".to_owned(), json!("#microsoft.graph.mailFolder"));
    json.into()
}
