//! Query options of attachments, in their own listing and inside `$expand=attachments(…)`.
//!
//! Owns which names can be selected: properties of derived types need their type in front
//! (`microsoft.graph.fileAttachment/contentBytes`), as OData has it and Graph insists. Bytes and items that nobody
//! asked for are not rendered.

use serde_json::{Value, json};

use crate::mail::attachment::{self, DraftAttachment};
use crate::mail::ids::IdForm;
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Message;
use crate::mail::refusal;
use crate::mail::render::{self, AttachmentView, Inclusion};
use crate::odata::error::ODataError;
use crate::odata::filter::{Filter, JsonSubject};
use crate::odata::query::QueryOptions;

const PROPERTIES: [&str; 6] = ["id", "name", "contentType", "size", "isInline", "lastModifiedDateTime"];
const DERIVED: [&str; 5] = [
    "microsoft.graph.fileAttachment/contentBytes",
    "microsoft.graph.fileAttachment/contentId",
    "microsoft.graph.fileAttachment/contentLocation",
    "microsoft.graph.itemAttachment/item",
    "@odata.type",
];

/// Which attachments are shown, and how.
#[derive(Debug, Clone)]
pub struct AttachmentQuery {
    view: AttachmentView,
    /// Plain names, without types in front.
    select: Option<Vec<String>>,
    filter: Option<Filter>,
    skip: usize,
    top: Option<usize>,
}

impl AttachmentQuery {
    /// Reads the options; 400 for names that attachments have not.
    pub fn read(options: &QueryOptions) -> Result<Self, ODataError> {
        if options.search.is_some() || !options.order_by.is_empty() {
            return Err(ODataError::unsupported("$search and $orderby on attachments"));
        }
        let select = options
            .select
            .as_ref()
            .map(|names| {
                names
                    .iter()
                    .map(|name| selected_name(name))
                    .collect::<Result<Vec<_>, _>>()
            })
            .transpose()?;
        if let Some(filter) = &options.filter {
            let unknown = filter
                .properties()
                .into_iter()
                .find(|name| !PROPERTIES.iter().any(|known| known.eq_ignore_ascii_case(name)));
            if let Some(name) = unknown {
                return Err(refusal::unknown_name(name, "attachment"));
            }
            filter.check(&JsonSubject(&json!({
                "id": "", "name": "", "contentType": "", "size": 0, "isInline": false,
                "lastModifiedDateTime": "2026-01-01T00:00:00Z",
            })))?;
        }
        let bytes = match &select {
            Some(names) if !names.iter().any(|name| name.eq_ignore_ascii_case("contentBytes")) => Inclusion::LeftOut,
            _ => Inclusion::Included,
        };
        let mut item = Inclusion::LeftOut;
        for expand in &options.expand {
            if !expand
                .property
                .eq_ignore_ascii_case("microsoft.graph.itemAttachment/item")
            {
                return Err(refusal::unknown_name(&expand.property, "attachment"));
            }
            let inner = &expand.options;
            if inner.select.is_some() || inner.filter.is_some() || inner.top.is_some() {
                return Err(ODataError::unsupported(
                    "query options inside $expand of an attached item",
                ));
            }
            item = Inclusion::Included;
        }
        Ok(Self {
            view: AttachmentView { bytes, item },
            select,
            filter: options.filter.clone(),
            skip: options.skip.unwrap_or(0),
            top: options.top,
        })
    }

    /// One attachment.
    #[must_use]
    pub fn one(&self, mailbox: &Mailbox, message: &Message, attachment: &DraftAttachment, form: IdForm) -> Value {
        let mut json = render::attachment(mailbox, message, attachment, form, self.view);
        if let Some(names) = &self.select {
            json.retain(|name, _| {
                name == "id"
                    || name.starts_with("@odata")
                    || (name == "item" && self.view.item == Inclusion::Included)
                    || names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
            });
        }
        Value::Object(json)
    }

    /// The attachments of a message, and how many there are before `$skip` and `$top`.
    #[must_use]
    pub fn list(&self, mailbox: &Mailbox, message: &Message, form: IdForm) -> (Vec<Value>, usize) {
        let passes = |attachment: &DraftAttachment| {
            self.filter.as_ref().is_none_or(|filter| {
                let plain = AttachmentView {
                    bytes: Inclusion::LeftOut,
                    item: Inclusion::LeftOut,
                };
                let json = Value::Object(render::attachment(mailbox, message, attachment, form, plain));
                // What could fail was refused when the filter was read.
                filter.matches(&json).unwrap_or(false)
            })
        };
        let all: Vec<_> = attachment::of(message)
            .into_iter()
            .filter(|found| passes(found))
            .collect();
        let shown = all
            .iter()
            .skip(self.skip)
            .take(self.top.unwrap_or(usize::MAX))
            .map(|attachment| self.one(mailbox, message, attachment, form))
            .collect();
        (shown, all.len())
    }
}

fn selected_name(name: &str) -> Result<String, ODataError> {
    PROPERTIES
        .iter()
        .chain(&DERIVED)
        .find(|known| known.eq_ignore_ascii_case(name))
        .map(|known| known.rsplit('/').next().unwrap_or(known).to_owned())
        .ok_or_else(|| refusal::unknown_name(name, "attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<AttachmentQuery, ODataError> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        AttachmentQuery::read(&QueryOptions::parse(&pairs)?)
    }

    #[test]
    fn derived_properties_need_their_type() {
        assert!(read(&[("$select", "id,name,microsoft.graph.fileAttachment/contentBytes")]).is_ok());
        for bad in [
            "contentBytes",
            "contentId",
            "nothing",
            "microsoft.graph.message/subject",
        ] {
            assert!(read(&[("$select", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_name_what_attachments_have() {
        assert!(read(&[("$filter", "isInline eq false and size gt 5")]).is_ok());
        for bad in ["contentBytes eq 'x'", "size eq 'x'", "nothing eq 1"] {
            assert!(read(&[("$filter", bad)]).is_err(), "{bad}");
        }
        assert!(read(&[("$expand", "microsoft.graph.itemattachment/item")]).is_ok());
        assert!(read(&[("$expand", "item")]).is_err());
    }
}
