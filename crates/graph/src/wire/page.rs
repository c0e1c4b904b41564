//! One page of an OData collection.

use serde::Deserialize;

/// `{"value":[…],"@odata.nextLink":"…"}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink", default)]
    pub next_link: Option<String>,
}
