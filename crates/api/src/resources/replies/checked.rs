//! A reply that can be sent: what a client asked for, within the bounds of Graph and of good sense.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use guichet_domain::MessageId;

use crate::{
    disposition::is_media_type,
    dto::ReplyRequest,
    problem::{Code, Problem},
};

/// Bytes of each of the two texts. Graph takes requests of 4 MB; the draft holds the quoted mail as well.
pub(super) const MAX_TEXT: usize = 1024 * 1024;
/// Files of one reply: each one is a request of its own.
pub(super) const MAX_ATTACHMENTS: usize = 20;
/// Bytes of all files together: in base 64 they fit into the 35 MB that Exchange Online sends by default.
pub(super) const MAX_ATTACHED: usize = 20_000_000;
const MAX_NAME: usize = 255;

/// The checked reply.
#[derive(Debug)]
pub(super) struct CheckedReply {
    pub text: String,
    /// Sanitised.
    pub html: Option<String>,
    pub answers: Option<MessageId>,
    pub attachments: Vec<Attached>,
}

/// A file with its decoded bytes.
#[derive(Debug)]
pub(super) struct Attached {
    pub name: String,
    pub content_type: String,
    pub bytes: Bytes,
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::ReplyInvalid, detail)
}

impl CheckedReply {
    pub fn parse(request: ReplyRequest) -> Result<Self, Problem> {
        for (field, value) in [("text", &request.text), ("html", &request.html)] {
            if value.as_ref().is_some_and(|value| value.len() > MAX_TEXT) {
                return Err(Problem::new(
                    Code::BodyTooLarge,
                    format!("{field}: it has more than {MAX_TEXT} bytes"),
                ));
            }
        }
        let html = request.html.as_deref().map(|html| guichet_mime::sanitise(html).html);
        // A blank text next to HTML is a form's empty field, not a wish for an empty text.
        let text = request.text.filter(|text| !text.trim().is_empty());
        let text = match (text, &html) {
            (Some(text), _) => text,
            (None, Some(html)) => guichet_mime::html_to_text(html),
            (None, None) => String::new(),
        };
        let shows_image = html.as_deref().is_some_and(|html| html.contains("<img"));
        if text.trim().is_empty() && !shows_image {
            return Err(invalid("text, html: one of them must say something"));
        }
        Ok(Self {
            text,
            html,
            answers: request.answers.map(MessageId::from_uuid),
            attachments: attachments(request.attachments)?,
        })
    }
}

fn attachments(asked: Vec<crate::dto::ReplyAttachment>) -> Result<Vec<Attached>, Problem> {
    if asked.len() > MAX_ATTACHMENTS {
        return Err(invalid(format!("attachments: there are more than {MAX_ATTACHMENTS}")));
    }
    let mut total = 0;
    let mut files = Vec::with_capacity(asked.len());
    for (index, file) in asked.into_iter().enumerate() {
        let at = |field: &str| format!("attachments[{index}].{field}");
        let name_is_fit = !file.name.trim().is_empty()
            && file.name.chars().count() <= MAX_NAME
            && !file.name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
        if !name_is_fit {
            let detail = "it must have 1 to 255 characters without slashes and control characters";
            return Err(invalid(format!("{}: {detail}", at("name"))));
        }
        if !is_media_type(&file.content_type) {
            return Err(invalid(format!("{}: it must read type/subtype", at("content_type"))));
        }
        let bytes = STANDARD
            .decode(file.content_base64.as_bytes())
            .map_err(|error| invalid(format!("{}: no base 64: {error}", at("content_base64"))))?;
        if bytes.len() > MAX_ATTACHED {
            let detail = format!(
                "{}: it has {} bytes, {MAX_ATTACHED} may be sent",
                at("content_base64"),
                bytes.len()
            );
            return Err(Problem::new(Code::AttachmentTooLarge, detail));
        }
        total += bytes.len();
        if total > MAX_ATTACHED {
            let detail = format!("attachments: together they have more than {MAX_ATTACHED} bytes");
            return Err(Problem::new(Code::AttachmentTooLarge, detail));
        }
        files.push(Attached {
            name: file.name,
            content_type: file.content_type,
            bytes: bytes.into(),
        });
    }
    Ok(files)
}
