//! From query options and preferences to how a message is shown.
//!
//! Owns `$select` and `$expand` of messages. What the caller's permission does not cover is left out or refused.

use crate::mail::attachment_query::AttachmentQuery;
use crate::mail::extended::PropertyId;
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::properties::Selection;
use crate::mail::refusal;
use crate::mail::render::View;
use crate::odata::error::ODataError;
use crate::odata::filter::{Comparison, Expr, Operand};
use crate::odata::query::{Expand, QueryOptions};

/// The view that a request asks for.
pub fn view(options: &QueryOptions, preferences: &Preferences, depth: Depth) -> Result<View, ODataError> {
    let selection = Selection::parse(options.select.as_deref())?;
    let mut view = View {
        form: preferences.form,
        selection: if depth == Depth::Basic {
            selection.without_content()
        } else {
            selection
        },
        body: preferences.body,
        safety: preferences.safety,
        attachments: None,
        extended: None,
        extended_arrays: None,
    };
    for expand in &options.expand {
        if depth == Depth::Basic {
            return Err(refusal::access_denied());
        }
        match expand.property.to_ascii_lowercase().as_str() {
            "attachments" => view.attachments = Some(AttachmentQuery::read(&expand.options)?),
            "singlevalueextendedproperties" => view.extended = Some(extended_ids(expand)?),
            "multivalueextendedproperties" => view.extended_arrays = Some(extended_ids(expand)?),
            "extensions" => {
                return Err(ODataError::unsupported(format_args!("$expand={}", expand.property)));
            }
            _ => return Err(refusal::unknown_name(&expand.property, "message")),
        }
    }
    Ok(view)
}

/// A message's view in answers to writes, where no query options apply.
pub fn plain(preferences: &Preferences) -> View {
    View {
        form: preferences.form,
        selection: Selection::default_set(),
        body: preferences.body,
        safety: preferences.safety,
        attachments: None,
        extended: None,
        extended_arrays: None,
    }
}

/// The ids in `$filter=id eq 'a' or id eq 'b'`; none asks for everything kept on the message.
fn extended_ids(expand: &Expand) -> Result<Vec<PropertyId>, ODataError> {
    let mut ids = Vec::new();
    if let Some(filter) = &expand.options.filter {
        collect_ids(filter.root(), &mut ids)?;
    }
    Ok(ids)
}

fn collect_ids(expr: &Expr, ids: &mut Vec<PropertyId>) -> Result<(), ODataError> {
    match expr {
        Expr::Or(left, right) => {
            collect_ids(left, ids)?;
            collect_ids(right, ids)
        }
        Expr::Compare(Operand::Path(path), Comparison::Equal, Operand::Text(id))
        | Expr::Compare(Operand::Text(id), Comparison::Equal, Operand::Path(path))
            if path == "id" || path.ends_with("/id") =>
        {
            ids.push(PropertyId::parse(id)?);
            Ok(())
        }
        _ => Err(ODataError::bad_request(
            "Extended properties are expanded with $filter=id eq '…', several joined by 'or'.",
        )),
    }
}
