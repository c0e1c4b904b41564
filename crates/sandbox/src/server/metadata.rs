//! How much a client wants to be told about the data, beside the data: OData's `odata.metadata`.
//!
//! Owns `none`, which a client asks for in `Accept`: then everything that starts with `@odata.` goes, but for what a
//! client needs to walk on. `minimal` is what every service answers of itself. `full` is answered as `minimal`, as
//! OData permits a service to do.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use crate::server::paths::{GraphRequest, GraphResponse, JSON_CONTENT_TYPE};

/// The content type of an answer without metadata.
const WITHOUT: &str = "application/json;odata.metadata=none;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
/// What stays: the size of a list and the ways to its other pages.
const KEPT: [&str; 3] = ["@odata.count", "@odata.nextLink", "@odata.deltaLink"];

/// The answer with as much metadata as the request asks for.
#[must_use]
pub fn fit(request: &GraphRequest, mut response: GraphResponse) -> GraphResponse {
    let is_ours = response
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == JSON_CONTENT_TYPE);
    if !is_ours || !response.status.is_success() || !unwanted(request) {
        return response;
    }
    if let Ok(mut document) = serde_json::from_slice::<Value>(&response.body) {
        strip(&mut document);
        response.body = GraphResponse::json(response.status, &document).body;
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(WITHOUT));
    }
    response
}

/// Whether some media type of `Accept` says `odata.metadata=none`. The word of OData 3 is `odata=nometadata`.
fn unwanted(request: &GraphRequest) -> bool {
    let accepted = request.header_list(ACCEPT.as_str());
    accepted
        .split(',')
        .flat_map(|kind| kind.split(';').skip(1))
        .any(|word| {
            let word: String = word.chars().filter(|letter| !letter.is_whitespace()).collect();
            ["odata.metadata=none", "odata=nometadata"]
                .iter()
                .any(|none| word.eq_ignore_ascii_case(none))
        })
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| match name.find("@odata.") {
                Some(at) => KEPT.contains(&&name[at..]),
                None => true,
            });
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_leads_on_stays() {
        let mut document = json!({
            "@odata.context": "c",
            "@odata.nextLink": "n",
            "value": [{"@odata.etag": "e", "id": "1", "attachments@odata.context": "a", "@removed": {"reason": "deleted"}}],
        });
        strip(&mut document);
        assert_eq!(
            document,
            json!({"@odata.nextLink": "n", "value": [{"id": "1", "@removed": {"reason": "deleted"}}]})
        );
    }
}
