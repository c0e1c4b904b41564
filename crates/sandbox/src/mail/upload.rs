//! Upload sessions for attachments of 3 to 150 MB (contract §2.6).
//!
//! Owns the sessions: made with a token, fed by authenticated-by-token PUTs in order, ended by the last byte. Answers
//! between carry the odd spelling of Outlook (`NextExpectedRanges`, a bare start). A range that was already received
//! is acknowledged again, so that a cut connection can be continued.

use std::collections::HashMap;
use std::sync::PoisonError;

use http::header::{CONTENT_RANGE, LOCATION};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::mail::MailService;
use crate::mail::attachment::{AttachmentKind, DraftAttachment, Placement};
use crate::mail::attachment_endpoints::attach;
use crate::mail::attachment_input::type_by_name;
use crate::mail::fields::Fields;
use crate::mail::ids::IdForm;
use crate::mail::links;
use crate::mail::message_input::one_line;
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Smaller files are posted directly.
const MIN_BYTES: u64 = 3_000_000;
/// Larger files are refused.
const MAX_BYTES: u64 = 150 * 1024 * 1024;
/// Open sessions of the tenant; each may hold [`MAX_BYTES`].
const MAX_SESSIONS: usize = 100;
/// How long a session lives.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug)]
struct Session {
    /// Client id of the application that made it.
    application: Uuid,
    user: Uuid,
    /// In the form the client asked for when it made the session.
    message: String,
    form: IdForm,
    token: String,
    attachment: DraftAttachment,
    size: u64,
    bytes: Vec<u8>,
    expires: Timestamp,
}

/// The open sessions of the tenant.
#[derive(Debug, Default)]
pub struct Uploads {
    sessions: HashMap<Uuid, Session>,
}

/// `attachments/createUploadSession`.
pub fn create(scope: &Scope<'_>, message_id: &str) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let item = Fields::of(&body)?.object("AttachmentItem")?.ok_or_else(|| {
        ODataError::bad_request("The parameter 'AttachmentItem' is required by the action 'createUploadSession'.")
    })?;
    if !item
        .text("attachmentType")?
        .unwrap_or("file")
        .eq_ignore_ascii_case("file")
    {
        return Err(ODataError::unsupported("upload sessions for items"));
    }
    let name = one_line(item.required_text("name")?);
    let size = item
        .get("size")
        .and_then(serde_json::Value::as_u64)
        .ok_or_else(|| refusal::bad_property("size", "a number of bytes"))?;
    check_size(size)?;
    let given = item
        .text("contentType")?
        .map(one_line)
        .filter(|given| given.contains('/'));
    let form = Preferences::of(scope.request).form;
    let (draft, shown) = scope.read(|mailbox| {
        mailbox.resolve(message_id).map(|message| {
            (
                message.is_draft,
                mailbox.codec.message(form, message.key, message.place()),
            )
        })
    })?;
    if !draft {
        return Err(refusal::not_a_draft("add an attachment"));
    }
    let attachment = DraftAttachment {
        number: 0,
        content_type: given.unwrap_or_else(|| type_by_name(&name).to_owned()),
        name,
        kind: AttachmentKind::File,
        bytes: bytes::Bytes::new(),
        placement: if item.boolean("isInline")?.unwrap_or(false) {
            Placement::Inline
        } else {
            Placement::Attached
        },
        content_id: item
            .text("contentId")?
            .map(|id| one_line(id).trim_matches(['<', '>']).to_owned()),
        content_location: None,
        modified: scope.service.now(),
    };
    let now = scope.service.clock.now();
    let expires = now.checked_add(LIFE).unwrap_or(now);
    let (id, token) = (scope.service.entropy.uuid(), scope.service.entropy.secret(64));
    let owner = format!("{}@{}", scope.user.id, scope.service.directory.tenant_id());
    let url = format!(
        "{}/api/v2.0/Users('{owner}')/Messages('{shown}')/AttachmentSessions('{id}')?authtoken={token}",
        scope.request.base_url
    );
    let mut uploads = scope.service.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    uploads.sessions.retain(|_, session| session.expires > now);
    if uploads.sessions.len() >= MAX_SESSIONS {
        return Err(ODataError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "ApplicationThrottled",
            "Too many upload sessions are open.",
        ));
    }
    let session = Session {
        application: scope.request.caller.app_id,
        user: scope.user.id,
        message: message_id.to_owned(),
        form,
        token,
        attachment,
        size,
        bytes: Vec::new(),
        expires,
    };
    uploads.sessions.insert(id, session);
    Ok(GraphResponse::json(
        StatusCode::CREATED,
        &json!({
            "@odata.context": format!("{}/$metadata#microsoft.graph.uploadSession", scope.request.service_root()),
            "uploadUrl": url,
            "expirationDateTime": expires.to_string(),
            "nextExpectedRanges": ["0-"],
        }),
    ))
}

fn check_size(size: u64) -> Result<(), ODataError> {
    let (code, text) = if size < MIN_BYTES {
        (
            "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
            "The attachment is too small for an upload session; post it directly.",
        )
    } else if size > MAX_BYTES {
        (
            "ErrorAttachmentSizeLimitExceeded",
            "The attachment is larger than 150 MB.",
        )
    } else {
        return Ok(());
    };
    Err(ODataError::new(StatusCode::BAD_REQUEST, code, text))
}

/// Whose session an upload address names: the application that made it and the user of the mailbox. The address is
/// not checked.
pub fn owner(service: &MailService, segments: &[String]) -> Option<(Uuid, Uuid)> {
    let id: Uuid = segments.last()?.parse().ok()?;
    let uploads = service.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    let session = uploads.sessions.get(&id)?;
    Some((session.application, session.user))
}

/// PUT, GET or DELETE on an upload URL.
pub fn put(service: &MailService, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    let [.., word, id] = segments else {
        return Err(refusal::item_not_found());
    };
    if !word.eq_ignore_ascii_case("AttachmentSessions") {
        return Err(ODataError::unknown_segment(word));
    }
    let id = Uuid::parse_str(id).map_err(|_| refusal::id_malformed())?;
    let token = request
        .query
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authtoken"))
        .map(|(_, token)| token.as_str());
    let now = service.clock.now();
    let mut uploads = service.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    let session = uploads
        .sessions
        .get_mut(&id)
        .filter(|session| session.expires > now && token == Some(session.token.as_str()))
        .ok_or_else(refusal::item_not_found)?;
    match request.method {
        Method::DELETE => {
            uploads.sessions.remove(&id);
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        Method::GET => Ok(progress(session)),
        Method::PUT => {
            receive(session, request)?;
            if u64::try_from(session.bytes.len()).is_ok_and(|received| received < session.size) {
                return Ok(progress(session));
            }
            let session = uploads.sessions.remove(&id).ok_or_else(refusal::item_not_found)?;
            drop(uploads);
            finish(service, request, session)
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

fn progress(session: &Session) -> GraphResponse {
    let json = json!({
        "ExpirationDateTime": session.expires.to_string(),
        "NextExpectedRanges": [session.bytes.len().to_string()],
    });
    GraphResponse::json(StatusCode::OK, &json)
}

fn receive(session: &mut Session, request: &GraphRequest) -> Result<(), ODataError> {
    let range = request
        .headers
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(read_range);
    let (first, last, total) = range.ok_or_else(|| bad_range("Content-Range must be 'bytes first-last/total'."))?;
    let length = u64::try_from(request.body.len()).unwrap_or(u64::MAX);
    if total != session.size || last >= total || last < first || last - first + 1 != length {
        return Err(bad_range(
            "Content-Range does not fit the body or the size of the session.",
        ));
    }
    let received = u64::try_from(session.bytes.len()).unwrap_or(u64::MAX);
    if last < received {
        return Ok(());
    }
    if first != received {
        return Err(bad_range("Byte ranges must be sent in order."));
    }
    session.bytes.extend_from_slice(&request.body);
    Ok(())
}

fn read_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((
        first.trim().parse().ok()?,
        last.trim().parse().ok()?,
        total.trim().parse().ok()?,
    ))
}

fn bad_range(text: &'static str) -> ODataError {
    ODataError::new(StatusCode::RANGE_NOT_SATISFIABLE, "ErrorInvalidRange", text)
}

fn finish(service: &MailService, request: &GraphRequest, mut session: Session) -> Result<GraphResponse, ODataError> {
    session.attachment.bytes = session.bytes.into();
    let now = service.now();
    let mailbox = service.mailbox(session.user)?;
    let (message, attachment) = service.write(&mailbox, |mailbox| {
        let (message, number) = attach(mailbox, &session.message, session.attachment, now)?;
        let id = mailbox.codec.message(session.form, message.key, message.place());
        Ok::<_, ODataError>((
            id,
            mailbox
                .codec
                .attachment(session.form, message.key, message.place(), number),
        ))
    })?;
    let owner = links::key(&format!("{}@{}", session.user, service.directory.tenant_id()));
    let location = format!(
        "{}/api/v2.0/Users('{owner}')/Messages('{message}')/Attachments('{attachment}')",
        request.base_url
    );
    Ok(GraphResponse::empty(StatusCode::CREATED).with_header(LOCATION, &location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(read_range("bytes 0-9/20"), Some((0, 9, 20)));
        for bad in ["", "bytes", "bytes */20", "0-9/20", "bytes 0-/20", "bytes a-b/c"] {
            assert_eq!(read_range(bad), None, "{bad}");
        }
    }
}
