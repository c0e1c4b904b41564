//! One page of a folder's changes.
//!
//! Owns the request and the checks of the page. Invariant: a link that is handed out leads to the
//! configured Graph origin, so a stored cursor can never carry a token elsewhere.

use crate::class::Class;
use crate::client::GraphClient;
use crate::error::{Error, Result};
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::wire::delta::{DeltaFrom, DeltaNext, DeltaPage, WirePage};

const OPERATION: &str = "read changes";

/// The size of the message, which Graph has no property of its own for.
const SIZE: &str = "singleValueExtendedProperties($filter=id eq 'Long 0xe08')";

/// Largest page that Graph gives.
const MAX_PAGE_SIZE: u32 = 1000;

impl GraphClient {
    /// Reads one page.
    ///
    /// # Errors
    /// `Resync` when the cursor is lost (410 and its relatives) or leads elsewhere: start again
    /// with [`DeltaFrom::Start`].
    pub async fn delta(&self, user: &str, folder: &str, from: DeltaFrom<'_>) -> Result<DeltaPage> {
        let endpoints = &self.shared().endpoints;
        let (url, page_size) = match from {
            DeltaFrom::Start { select, page_size } => {
                let path = GraphPath::folder(user, folder)
                    .then("messages")
                    .then("delta")
                    .select(select)
                    .query("$expand", SIZE);
                (self.address(OPERATION, &path)?, page_size)
            }
            DeltaFrom::Link { link, page_size } => {
                // A cursor of another origin comes from an earlier configuration.
                let url = endpoints
                    .link(OPERATION, link)
                    .map_err(|error| error.with_class(Class::Resync))?;
                (url, page_size)
            }
        };
        let page_size = page_size.clamp(1, MAX_PAGE_SIZE);
        let preference = format!("{IMMUTABLE_ID}, odata.maxpagesize={page_size}");
        let call = Call::read(OPERATION, url.clone()).prefer(&preference);
        let page: WirePage = self.fetch(&call).await?;

        let next = match (page.next_link, page.delta_link) {
            (Some(link), _) => DeltaNext::More(link),
            (None, Some(link)) => DeltaNext::Done(link),
            (None, None) => {
                let text = "the page has neither a next link nor a delta link";
                return Err(Error::new(Class::Bug, OPERATION, "missing_link", text).with_url(&url));
            }
        };
        let (DeltaNext::More(link) | DeltaNext::Done(link)) = &next;
        endpoints.link(OPERATION, link)?;

        let (items, unreadable) = WirePage::items(page.value);
        if unreadable > 0 {
            tracing::warn!(unreadable, "a delta page has items without an id");
        }
        Ok(DeltaPage {
            items,
            next,
            unreadable,
        })
    }
}
