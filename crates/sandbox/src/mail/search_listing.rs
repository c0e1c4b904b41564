//! Lists of messages found by `$search`.
//!
//! Owns their order (newest sent first), their bound and their pages, which go on by a cursor in `$skiptoken`: the
//! options that Exchange does not mix with a search are refused by name. A cursor is sealed and belongs to one search.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::mail::ids::{FolderKey, ItemKey};
use crate::mail::listing;
use crate::mail::message::{Message, Seconds};
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::routes::Scope;
use crate::mail::search::Search;
use crate::mail::{links, refusal, render, view_options};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// How long a cursor is good for, by the tenant's clock; Exchange forgets searches, too, but does not say when.
const CURSOR_LIFE: Seconds = 3_600;

/// Where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    made: Seconds,
    /// Messages shown so far.
    shown: u64,
    /// The last one.
    sent: Seconds,
    item: u32,
}

/// Answers a list request that has `$search`.
pub fn list(
    scope: &Scope<'_>,
    folder: Option<FolderKey>,
    options: &QueryOptions,
    depth: Depth,
) -> Result<GraphResponse, ODataError> {
    let request = scope.request;
    refuse_mixing(options)?;
    let text = options.search.as_deref().unwrap_or_default();
    let search = Search::parse(text, scope.service.clock.now())?;
    let preferences = Preferences::of(request);
    let view = view_options::view(options, &preferences, depth)?;
    let top = listing::page_size(options, &preferences)?;
    let most = scope.service.behaviour().search_results;
    let from = match &options.skip_token {
        Some(token) => Some(
            Cursor::read(token, &scope.service.token_key.get(), text)
                .filter(|cursor| scope.service.now() - cursor.made < CURSOR_LIFE)
                .ok_or_else(refusal::stale_search)?,
        ),
        None => None,
    };
    scope.read(|mailbox| {
        let shown = from.map_or(0, |cursor| usize::try_from(cursor.shown).unwrap_or(usize::MAX));
        let mut ordered: Vec<&Message> = mailbox
            .newest_first(folder)
            .filter(|message| from.is_none_or(|from| position(message) < (from.sent, ItemKey(from.item))))
            .collect();
        ordered.sort_unstable_by_key(|message| std::cmp::Reverse(position(message)));
        let room = top.min(most.saturating_sub(shown));
        let mut found = ordered.into_iter().filter(|message| search.finds(message));
        let page: Vec<&Message> = found.by_ref().take(room).collect();
        let total = shown + page.len();
        let more = total < most && found.next().is_some();
        let value: Vec<Value> = page
            .iter()
            .map(|message| Value::Object(render::message(mailbox, message, &view)))
            .collect();
        let mut body = Map::new();
        body.insert(
            "@odata.context".to_owned(),
            links::context(request, &listing::collection(mailbox, folder, options)).into(),
        );
        if let (true, Some(last)) = (more, page.last()) {
            let cursor = Cursor {
                made: scope.service.now(),
                shown: total as u64,
                sent: last.sent,
                item: last.key.0,
            };
            let token = cursor.write(&scope.service.token_key.get(), text);
            body.insert(
                "@odata.nextLink".to_owned(),
                links::next_page(request, "$skiptoken", &token).into(),
            );
        }
        body.insert("value".to_owned(), value.into());
        Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &body), &[]))
    })
}

fn position(message: &Message) -> (Seconds, ItemKey) {
    (message.sent, message.key)
}

fn refuse_mixing(options: &QueryOptions) -> Result<(), ODataError> {
    let mixed = [
        (options.filter.is_some(), "SearchWithFilter", "$filter"),
        (!options.order_by.is_empty(), "SearchWithOrderBy", "$orderby"),
        (options.skip.is_some(), "SearchWithSkip", "$skip"),
        (options.count, "SearchWithCount", "$count"),
    ];
    match mixed.into_iter().find(|(present, ..)| *present) {
        Some((_, code, name)) => Err(refusal::search_mixed(code, name)),
        None => Ok(()),
    }
}

impl Cursor {
    fn content(self) -> [u8; 28] {
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&self.made.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.shown.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.sent.to_be_bytes());
        bytes[24..].copy_from_slice(&self.item.to_be_bytes());
        bytes
    }

    fn write(self, key: &[u8; 16], search: &str) -> String {
        let content = self.content();
        let mut bytes = content.to_vec();
        bytes.extend_from_slice(&seal(key, &content, search));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(text: &str, key: &[u8; 16], search: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let (content, found) = bytes.split_at_checked(28)?;
        if seal(key, content, search) != found {
            return None;
        }
        let eight = |at: usize| content.get(at..at + 8)?.try_into().ok();
        Some(Self {
            made: i64::from_be_bytes(eight(0)?),
            shown: u64::from_be_bytes(eight(8)?),
            sent: i64::from_be_bytes(eight(16)?),
            item: u32::from_be_bytes(content.get(24..)?.try_into().ok()?),
        })
    }
}

fn seal(key: &[u8; 16], content: &[u8], search: &str) -> [u8; 10] {
    let mut signed = content.to_vec();
    signed.extend_from_slice(search.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed);
    let mut seal = [0; 10];
    seal.copy_from_slice(&tag.as_ref()[..10]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_search_and_its_tenant() {
        let cursor = Cursor {
            made: 5,
            shown: 3,
            sent: -7,
            item: 9,
        };
        let text = cursor.write(&[1; 16], "\"pizza\"");
        assert_eq!(Cursor::read(&text, &[1; 16], "\"pizza\""), Some(cursor));
        assert_eq!(Cursor::read(&text, &[1; 16], "\"burger\""), None);
        assert_eq!(Cursor::read(&text, &[2; 16], "\"pizza\""), None);
        for bad in ["", "x", &text[1..], "%%%"] {
            assert_eq!(Cursor::read(bad, &[1; 16], "\"pizza\""), None);
        }
    }
}
