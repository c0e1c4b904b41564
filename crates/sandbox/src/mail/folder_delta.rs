//! Delta query on the folders of a mailbox: which came, changed name or place, or went.
//!
//! Owns the order (by position in the mailbox's history). Counts are shown as they are now; a change of counts alone
//! is no change of a folder.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::mail::change_log::Seq;
use crate::mail::delta_token::{Asked, Token};
use crate::mail::folder_endpoints;
use crate::mail::links;
use crate::mail::mailbox::Mailbox;
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::mail::well_known::{Visibility, WellKnown};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// Folders of a page when nothing is said.
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// Answers `mailFolders/delta`.
pub fn delta(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&["includeHiddenFolders"])?;
    if options.filter.is_some() || options.search.is_some() || !options.order_by.is_empty() {
        return Err(ODataError::unsupported(
            "$filter, $search and $orderby on the delta of folders",
        ));
    }
    let preferences = Preferences::of(scope.request);
    scope.read(|mailbox| {
        let mut token = match options.skip_token.as_ref().or(options.delta_token.as_ref()) {
            None => start(mailbox),
            Some(text) => Token::decode(text, &scope.service.token_key.get())
                .filter(|token| token.mailbox == mailbox.user && token.folder == 0)
                .ok_or_else(|| refusal::sync_state_not_found(0, 0))?,
        };
        let size = preferences
            .max_page
            .or(options.top)
            .unwrap_or(DEFAULT_PAGE)
            .clamp(1, MAX_PAGE);
        let first_round = token.base == 0 && !token.over;
        let mut facts = facts(mailbox, token.cursor, first_round);
        let more = facts.len() > size;
        facts.truncate(size);
        token.cursor = if more {
            facts.last().map_or(token.cursor, |(seq, _)| *seq)
        } else {
            mailbox.seq()
        };
        token.over = !more;
        let (name, kind) = if more {
            ("@odata.nextLink", "$skiptoken")
        } else {
            ("@odata.deltaLink", "$deltatoken")
        };
        let owner = match scope.request.segments.first() {
            Some(first) if first.eq_ignore_ascii_case("me") => "me".to_owned(),
            _ => format!("users('{}')", links::user_key(scope.request)),
        };
        let link = format!(
            "{}/{owner}/mailFolders/delta?{kind}={}",
            scope.request.service_root(),
            token.encode(&scope.service.token_key.get())
        );
        let mut body = Map::new();
        body.insert(
            "@odata.context".to_owned(),
            format!("{}/$metadata#Collection(mailFolder)", scope.request.service_root()).into(),
        );
        body.insert(name.to_owned(), link.into());
        body.insert(
            "value".to_owned(),
            facts.into_iter().map(|(_, json)| json).collect::<Vec<Value>>().into(),
        );
        Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &body), &["odata.track-changes"]))
    })
}

fn start(mailbox: &Mailbox) -> Token {
    Token {
        mailbox: mailbox.user,
        folder: 0,
        generation: 0,
        base: 0,
        cursor: 0,
        seen: 0,
        walk: None,
        shown: 0,
        over: false,
        asked: Asked::default(),
    }
}

fn facts(mailbox: &Mailbox, after: Seq, first_round: bool) -> Vec<(Seq, Value)> {
    let root = mailbox.well_known(WellKnown::MessageFolderRoot);
    let mut facts: Vec<(Seq, Value)> = mailbox
        .folders
        .values()
        .filter(|folder| {
            folder.changed > after && folder.visibility == Visibility::Shown && mailbox.is_within(folder.key, root)
        })
        .map(|folder| (folder.changed, folder_endpoints::item(mailbox, folder)))
        .collect();
    if !first_round {
        facts.extend(mailbox.gone_folders.iter().filter(|(seq, _)| *seq > after).map(|(seq, key)| {
            let id = mailbox.codec.folder(*key);
            (*seq, json!({"@odata.type": "#microsoft.graph.mailFolder", "id": id, "@removed": {"reason": "deleted"}}))
        }));
    }
    facts.sort_by_key(|(seq, _)| *seq);
    facts
}
