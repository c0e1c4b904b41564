//! Delta query on the folders of a mailbox: which came, changed name or place, or went.
//!
//! Owns the order (by position in the mailbox's history). Counts are shown as they are now; a change of counts alone
//! is no change of a folder.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::mail::change_log::Seq;
use crate::mail::delta_gone;
use crate::mail::delta_token::{Asked, Token};
use crate::mail::folder_endpoints;
use crate::mail::mailbox::Mailbox;
use crate::mail::preferences::Preferences;
use crate::mail::routes::Scope;
use crate::mail::well_known::{Visibility, WellKnown};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::{ApiVersion, GraphResponse};

/// Folders of a page when nothing is said.
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// Answers `mailFolders/delta`.
pub fn delta(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&["includeHiddenFolders"])?;
    if options.filter.is_some()
        || options.search.is_some()
        || !options.order_by.is_empty()
        || !options.expand.is_empty()
        || options.skip.is_some()
        || options.count
    {
        return Err(ODataError::bad_request(
            "Delta queries on mail folders support $select and $top only.",
        ));
    }
    folder_endpoints::check_names(&options, ApiVersion::V1)?;
    let preferences = Preferences::of(scope.request);
    scope.read(|mailbox| {
        let mut token = match options.skip_token.as_ref().or(options.delta_token.as_ref()) {
            None => start(mailbox, &options),
            Some(text) => given(scope, mailbox, text)?,
        };
        token.made = scope.service.now();
        let size = preferences
            .max_page
            .or(token.asked.top)
            .unwrap_or(DEFAULT_PAGE)
            .clamp(1, MAX_PAGE);
        if token.over {
            token.base = token.cursor;
        }
        let first_round = token.base == 0;
        let selected: Option<Vec<String>> = token
            .asked
            .select
            .as_ref()
            .map(|names| names.split(',').map(str::to_owned).collect());
        let mut facts = facts(mailbox, token.cursor, first_round, selected.as_deref());
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
        let link = format!(
            "{}/delta?{kind}={}",
            delta_gone::owner_path(scope, "mailFolders"),
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

/// A token the client brings back; 410 when it cannot be continued.
fn given(scope: &Scope<'_>, mailbox: &Mailbox, text: &str) -> Result<Token, ODataError> {
    let highest = mailbox.folder_generation;
    let lost = |asked: Option<&Asked>, token: u32| delta_gone::gone(scope, "mailFolders", asked, token, highest);
    let token = Token::decode(text, &scope.service.token_key.get()).ok_or_else(|| lost(None, 0))?;
    let good = token.mailbox == mailbox.user
        && token.folder == 0
        && token.generation == highest
        && !delta_gone::too_old(&scope.service.behaviour(), &token, scope.service.now());
    if good {
        Ok(token)
    } else {
        Err(lost(Some(&token.asked), token.generation))
    }
}

fn start(mailbox: &Mailbox, options: &QueryOptions) -> Token {
    Token {
        mailbox: mailbox.user,
        folder: 0,
        generation: mailbox.folder_generation,
        base: 0,
        cursor: 0,
        seen: 0,
        walk: None,
        shown: 0,
        over: false,
        made: 0,
        emptied: false,
        asked: Asked {
            select: options.select.as_ref().map(|names| names.join(",")),
            top: options.top,
            ..Asked::default()
        },
    }
}

fn facts(mailbox: &Mailbox, after: Seq, first_round: bool, select: Option<&[String]>) -> Vec<(Seq, Value)> {
    let root = mailbox.well_known(WellKnown::MessageFolderRoot);
    let mut facts: Vec<(Seq, Value)> = mailbox
        .folders
        .values()
        .filter(|folder| {
            folder.changed > after && folder.visibility == Visibility::Shown && mailbox.is_within(folder.key, root)
        })
        .map(|folder| (folder.changed, folder_endpoints::item(mailbox, folder, select)))
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
