//! Delta query on the messages of one folder (contract §2.3).
//!
//! Owns rounds: the first lists what is there, every later one what came, changed or went since. Parameters of the
//! first request travel in the tokens. Invariant: a message the client was told of is never gone without the client
//! being told; a message that came and went between two rounds is not mentioned.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::mail::change_log::Entry;
use crate::mail::delta_token::{Asked, Token};
use crate::mail::folder::Folder;
use crate::mail::ids::{FolderKey, ItemKey, Place};
use crate::mail::listing::{DEFAULT_PAGE, MAX_PAGE};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Message;
use crate::mail::message_subject::MessageSubject;
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::render::{self, View};
use crate::mail::routes::Scope;
use crate::mail::{delta_gone, view_options};
use crate::odata::error::ODataError;
use crate::odata::filter::{Comparison, Expr, Filter, Operand};
use crate::odata::query::QueryOptions;
use crate::server::paths::{GraphRequest, GraphResponse};

/// A filtered first round lists no more than this (contract §2.3).
const MAX_FILTERED: usize = 5_000;
/// Log entries read for one page: a page may come out empty, with a link to the next.
const MAX_SCAN: usize = 20_000;
/// Items repeated by a replay.
const REPLAYED: usize = 50;

/// Answers `mailFolders/{id}/messages/delta`.
pub fn delta(scope: &Scope<'_>, folder: FolderKey, depth: Depth) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&["changeType"])?;
    let preferences = Preferences::of(scope.request);
    let mut token = match options.skip_token.as_ref().or(options.delta_token.as_ref()) {
        Some(text) => scope.read(|mailbox| given(scope, mailbox, folder, text))?,
        None => scope.read(|mailbox| first(mailbox, folder, &options, scope.request))?,
    };
    let behaviour = scope.service.behaviour();
    if token.over {
        scope.write(|mailbox| begin(mailbox, folder, &mut token));
    }
    let round = Round::new(&token.asked, &preferences, depth)?;
    let size = preferences
        .max_page
        .or(token.asked.top)
        .unwrap_or(DEFAULT_PAGE)
        .clamp(1, MAX_PAGE);
    scope.read(|mailbox| {
        token.made = scope.service.now();
        let page = if behaviour.empty_delta_pages && !token.emptied {
            token.emptied = true;
            Vec::new()
        } else if token.walk.is_some() {
            round.walk(mailbox, folder, &mut token, size)?
        } else {
            round.follow(mailbox, folder, &mut token, size)?
        };
        let name = if token.over {
            "@odata.deltaLink"
        } else {
            "@odata.nextLink"
        };
        let mut body = Map::new();
        body.insert(
            "@odata.context".to_owned(),
            format!("{}/$metadata#Collection(message)", scope.request.service_root()).into(),
        );
        body.insert(name.to_owned(), link(scope, mailbox, folder, &token).into());
        body.insert("value".to_owned(), page.into());
        Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &body), &["odata.track-changes"]))
    })
}

fn link(scope: &Scope<'_>, mailbox: &Mailbox, folder: FolderKey, token: &Token) -> String {
    let kind = if token.over { "$deltatoken" } else { "$skiptoken" };
    format!(
        "{}/delta?{kind}={}",
        delta_gone::owner_path(scope, &path(mailbox, folder)),
        token.encode(&scope.service.token_key.get())
    )
}

fn path(mailbox: &Mailbox, folder: FolderKey) -> String {
    format!("mailFolders('{}')/messages", mailbox.codec.folder(folder))
}

/// A token the client brings back; 410 when it cannot be continued.
fn given(scope: &Scope<'_>, mailbox: &Mailbox, folder: FolderKey, text: &str) -> Result<Token, ODataError> {
    let log = &mailbox.folder(folder)?.log;
    let highest = log.generation();
    if text.eq_ignore_ascii_case("latest") {
        return Err(ODataError::bad_request(
            "$deltatoken=latest is not supported for messages; begin with a delta query without a token.",
        ));
    }
    let path = path(mailbox, folder);
    let token = Token::decode(text, &scope.service.token_key.get())
        .ok_or_else(|| delta_gone::gone(scope, &path, None, 0, highest))?;
    let position = if token.walk.is_some() { token.base } else { token.seen };
    let lost = token.mailbox != mailbox.user
        || token.folder != folder.0
        || !log.can_continue(token.generation, position)
        || delta_gone::too_old(&scope.service.behaviour(), &token, scope.service.now());
    if lost {
        let asked = Some(&token.asked);
        return Err(delta_gone::gone(scope, &path, asked, token.generation, highest));
    }
    Ok(token)
}

/// The state of a first request.
fn first(
    mailbox: &Mailbox,
    folder: FolderKey,
    options: &QueryOptions,
    request: &GraphRequest,
) -> Result<Token, ODataError> {
    if options.search.is_some() || options.skip.is_some() || options.count {
        return Err(ODataError::bad_request(
            "Delta queries on messages support $select, $top, $expand, $filter, $orderby and changeType only.",
        ));
    }
    if let Some(filter) = &options.filter {
        check_filter(filter)?;
    }
    let ordered = match options.order_by.as_slice() {
        [] => false,
        [order] if order.path == "receiveddatetime" && order.descending => true,
        _ => {
            return Err(ODataError::bad_request(
                "The only supported $orderby of a delta query on messages is receivedDateTime desc.",
            ));
        }
    };
    let change_type = options.custom("changeType").map(str::to_ascii_lowercase);
    if change_type
        .as_deref()
        .is_some_and(|kind| !["created", "updated", "deleted"].contains(&kind))
    {
        return Err(ODataError::bad_request(
            "The parameter 'changeType' is one of created, updated, deleted.",
        ));
    }
    let raw = |wanted: &str| {
        request
            .query
            .iter()
            .find(|(name, _)| name.trim_start_matches('$').eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.clone())
    };
    let log = &mailbox.folder(folder)?.log;
    let base = if ordered { mailbox.seq() } else { 0 };
    Ok(Token {
        mailbox: mailbox.user,
        folder: folder.0,
        generation: log.generation(),
        base,
        cursor: 0,
        seen: 0,
        walk: ordered.then_some((i64::MAX, u32::MAX)),
        shown: 0,
        over: false,
        made: 0,
        emptied: false,
        asked: Asked {
            select: raw("select"),
            filter: raw("filter"),
            expand: raw("expand"),
            change_type,
            top: options.top,
            ordered,
        },
    })
}

/// Only lower bounds on the time of arrival can be tracked.
fn check_filter(filter: &Filter) -> Result<(), ODataError> {
    fn bound(expr: &Expr) -> bool {
        match expr {
            Expr::And(left, right) => bound(left) && bound(right),
            Expr::Compare(Operand::Path(path), Comparison::Greater | Comparison::GreaterOrEqual, Operand::Time(_)) => {
                path == "receiveddatetime"
            }
            _ => false,
        }
    }
    if bound(filter.root()) {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "The only supported $filter of a delta query on messages is receivedDateTime ge or gt a date.",
    ))
}

/// A delta token begins a new round where the last one ended, or earlier when a replay was asked for.
fn begin(mailbox: &mut Mailbox, folder: FolderKey, token: &mut Token) {
    token.over = false;
    token.emptied = false;
    token.base = token.cursor;
    token.seen = token.cursor;
    token.shown = 0;
    if let Some(folder) = mailbox.folders.get_mut(&folder) {
        token.cursor = folder.log.begin_round(token.cursor, REPLAYED);
    }
}

struct Round {
    view: View,
    filter: Option<Filter>,
    change_type: Option<String>,
}

impl Round {
    fn new(asked: &Asked, preferences: &Preferences, depth: Depth) -> Result<Self, ODataError> {
        let pairs: Vec<(String, String)> = [
            ("$select", &asked.select),
            ("$filter", &asked.filter),
            ("$expand", &asked.expand),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value)))
        .collect();
        let options = QueryOptions::parse(&pairs)?;
        let view = view_options::view(&options, preferences, depth)?;
        Ok(Self {
            view,
            filter: options.filter,
            change_type: asked.change_type.clone(),
        })
    }

    fn wants(&self, kind: &str) -> bool {
        self.change_type.as_deref().is_none_or(|wanted| wanted == kind)
    }

    fn passes(&self, mailbox: &Mailbox, message: &Message) -> Result<bool, ODataError> {
        match &self.filter {
            Some(filter) => filter.accepts(&MessageSubject { mailbox, message }),
            None => Ok(true),
        }
    }

    fn present(&self, mailbox: &Mailbox, message: &Message) -> Value {
        let mut json = render::message(mailbox, message, &self.view);
        json.entry("@odata.type")
            .or_insert_with(|| "#microsoft.graph.message".into());
        json.into()
    }

    fn removed(&self, mailbox: &Mailbox, folder: FolderKey, item: ItemKey, moves: u16) -> Value {
        let id = mailbox.codec.message(self.view.form, item, Place { folder, moves });
        json!({"@odata.type": "#microsoft.graph.message", "id": id, "@removed": {"reason": "deleted"}})
    }

    fn limit_reached(&self, token: &Token) -> bool {
        self.filter.is_some() && token.base == 0 && token.shown >= MAX_FILTERED
    }

    /// A page of the log. `token` ends behind the last entry read, over when there are no more.
    fn follow(
        &self,
        mailbox: &Mailbox,
        folder: FolderKey,
        token: &mut Token,
        size: usize,
    ) -> Result<Vec<Value>, ODataError> {
        let log = &mailbox.folder(folder)?.log;
        let (mut page, mut scanned) = (Vec::with_capacity(size), 0);
        let told = token.seen;
        for (seq, entry) in log.after(token.cursor) {
            if page.len() == size || scanned == MAX_SCAN {
                token.seen = token.seen.max(token.cursor);
                return Ok(page);
            }
            if self.limit_reached(token) {
                break;
            }
            scanned += 1;
            token.cursor = seq;
            match entry {
                Entry::Present(item) => {
                    let Some(message) = mailbox.get(item) else { continue };
                    let kind = if message.entered > token.base {
                        "created"
                    } else {
                        "updated"
                    };
                    if self.wants(kind) && self.passes(mailbox, message)? {
                        page.push(self.present(mailbox, message));
                        token.shown += 1;
                    }
                }
                Entry::Departed { item, moves, entered } => {
                    if entered <= told && self.wants("deleted") {
                        page.push(self.removed(mailbox, folder, item, moves));
                    }
                }
            }
        }
        token.cursor = token.cursor.max(token.seen).max(mailbox.seq());
        token.over = true;
        Ok(page)
    }

    /// A page of a first round ordered by time; what came after its beginning waits for the next round.
    fn walk(
        &self,
        mailbox: &Mailbox,
        folder: FolderKey,
        token: &mut Token,
        size: usize,
    ) -> Result<Vec<Value>, ODataError> {
        let folder: &Folder = mailbox.folder(folder)?;
        let (received, item) = token.walk.unwrap_or((i64::MAX, u32::MAX));
        let mut page = Vec::with_capacity(size);
        for (received, item) in folder.by_time.range(..(received, ItemKey(item))).rev() {
            if page.len() == size {
                return Ok(page);
            }
            if self.limit_reached(token) {
                break;
            }
            token.walk = Some((*received, item.0));
            let Some(message) = mailbox.get(*item) else { continue };
            if message.entered <= token.base && self.wants("created") && self.passes(mailbox, message)? {
                page.push(self.present(mailbox, message));
                token.shown += 1;
            }
        }
        token.walk = None;
        token.cursor = token.base;
        token.seen = token.base;
        token.over = true;
        Ok(page)
    }
}
