//! Attaching large files piece by piece.
//!
//! Owns the upload session. Invariants: pieces go in order; after a failure that leaves open
//! whether a piece arrived the session is asked what it expects, never guessed; no token goes to
//! the upload host, since the session's address itself authorises.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, LOCATION};
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::class::Class;
use crate::client::GraphClient;
use crate::error::{Error, Result, UNREADABLE};
use crate::path::GraphPath;
use crate::ports::fraction;
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::{Attempts, Effect};
use crate::wire::attachment::{AttachmentInfo, AttachmentKind, NewAttachment, UploadProgress};
use crate::wire::attachment::{UploadSession, WireSession};

/// Bytes of one piece: below the 4 MB that Microsoft recommends, and a multiple of 320 KiB, which
/// other upload hosts of Graph demand.
const PIECE: usize = 9 * 320 * 1024;

/// Largest file that an upload session takes.
const MAX_FILE: usize = 150_000_000;

const START: &str = "start upload";
const PUT: &str = "upload piece";
const ASK: &str = "ask upload progress";

impl GraphClient {
    /// Attaches a file of 3 MB or more to a draft.
    ///
    /// # Errors
    /// As [`GraphClient::add_attachment`]; `Invalid` with `attachment_too_large` beyond 150 MB.
    pub async fn upload_attachment(&self, user: &str, id: &str, file: &NewAttachment) -> Result<AttachmentInfo> {
        let session = self.create_upload_session(user, id, file).await?;
        match self.upload_content(&session, &file.content).await? {
            Some(attachment) => Ok(AttachmentInfo {
                id: attachment,
                name: file.name.clone(),
                content_type: Some(file.content_type.clone()),
                size: Some(file.content.len() as u64),
                is_inline: file.is_inline,
                content_id: file.content_id.clone(),
                kind: AttachmentKind::File,
            }),
            None => {
                let listed = self.list_attachments(user, id).await?;
                listed
                    .into_iter()
                    .rev()
                    .find(|attachment| attachment.name == file.name)
                    .ok_or_else(|| {
                        let text = "the upload was complete, yet the attachment is not listed";
                        Error::new(Class::Bug, PUT, "missing_attachment", text).with_effect()
                    })
            }
        }
    }

    /// Starts an upload.
    ///
    /// # Errors
    /// `Gone` when the draft is no longer there. A session that is not used has no effect.
    pub async fn create_upload_session(&self, user: &str, id: &str, file: &NewAttachment) -> Result<UploadSession> {
        if file.content.len() > MAX_FILE {
            let text = format!("{} bytes; Exchange takes {MAX_FILE}", file.content.len());
            return Err(Error::new(Class::Invalid, START, "attachment_too_large", text));
        }
        let path = GraphPath::message(user, id)
            .then("attachments")
            .then("createUploadSession");
        let mut item = json!({
            "attachmentType": "file",
            "name": file.name,
            "contentType": file.content_type,
            "size": file.content.len(),
            "isInline": file.is_inline,
        });
        if let Some(content_id) = &file.content_id {
            item["contentId"] = json!(content_id);
        }
        let call = Call::write(START, Method::POST, self.address(START, &path)?, Effect::Idempotent);
        let wire: WireSession = self
            .fetch(&call.prefer(IMMUTABLE_ID).json(&json!({ "AttachmentItem": item }))?)
            .await?;
        let expected = wire.expected().unwrap_or(0);
        // Mail content must not leave in the clear, unless Graph itself is spoken to so (in tests).
        let scheme = self.shared().endpoints.graph.scheme();
        match wire.upload_url {
            Some(url) if url.scheme() == "https" || url.scheme() == scheme => Ok(UploadSession {
                url,
                expires_at: wire.expires_at,
                expected,
            }),
            Some(_) => Err(Error::new(
                Class::Bug,
                START,
                "unsafe_upload",
                "the upload address is not https",
            )),
            None => Err(Error::new(
                Class::Bug,
                START,
                UNREADABLE,
                "the session has no upload address",
            )),
        }
    }

    /// Puts one piece, which starts at `offset` of `total` bytes.
    ///
    /// # Errors
    /// If `may_have_had_effect`, ask [`GraphClient::upload_progress`] before going on.
    pub async fn put_piece(
        &self,
        session: &UploadSession,
        offset: u64,
        total: u64,
        piece: Bytes,
    ) -> Result<UploadProgress> {
        let end = offset + piece.len() as u64;
        let range = format!("bytes {offset}-{}/{total}", end.saturating_sub(1));
        let call = Call::write(PUT, Method::PUT, session.url.clone(), Effect::Once)
            .unauthorised()
            .header(CONTENT_RANGE, &range)
            .bytes(piece);
        let answer = self.execute(&call).await?;
        if answer.status == StatusCode::CREATED {
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            return Ok(UploadProgress::Complete {
                id: location.and_then(attachment_id),
            });
        }
        let wire: WireSession = call.read_json(&answer)?;
        Ok(UploadProgress::Expects(wire.expected().unwrap_or(end)))
    }

    /// Which byte a session expects next.
    ///
    /// # Errors
    /// `Gone` when the session has ended, be it complete or expired.
    pub async fn upload_progress(&self, session: &UploadSession) -> Result<u64> {
        let call = Call::read(ASK, session.url.clone()).unauthorised();
        let wire: WireSession = self.fetch(&call).await?;
        let missing = || Error::new(Class::Bug, ASK, UNREADABLE, "the session names no expected byte");
        wire.expected().ok_or_else(missing)
    }

    async fn upload_content(&self, session: &UploadSession, content: &Bytes) -> Result<Option<String>> {
        let shared = self.shared();
        let total = content.len() as u64;
        // Idempotent as a whole, because each repetition starts where the session says it stands.
        let mut attempts = Attempts::new(&shared.retry, Effect::Idempotent);
        let mut offset = session.expected;
        while offset < total {
            let start = usize::try_from(offset).unwrap_or(content.len());
            let piece = content.slice(start..content.len().min(start + PIECE));
            offset = match self.put_piece(session, offset, total, piece).await {
                Ok(UploadProgress::Complete { id }) => return Ok(id),
                // A session that does not advance would keep us here for ever.
                Ok(UploadProgress::Expects(next)) if next > offset => next,
                Ok(UploadProgress::Expects(_)) => return Err(stuck()),
                Err(error) => {
                    let unclear = error.clone();
                    let wait = attempts.after(error, fraction(&*shared.entropy))?;
                    shared.time.sleep(wait).await;
                    // The session may be gone because the last piece did arrive: the first error
                    // says so by `may_have_had_effect`.
                    self.upload_progress(session).await.map_err(|_| unclear)?
                }
            };
        }
        Err(stuck())
    }
}

fn stuck() -> Error {
    let text = "the upload session does not advance or does not end";
    Error::new(Class::Bug, PUT, "stuck_upload", text).with_effect()
}

/// The id in `…/Attachments('{id}')`.
fn attachment_id(location: &str) -> Option<String> {
    let (_, rest) = location.rsplit_once("ttachments(")?;
    let quoted = rest.trim_end_matches('/').strip_suffix(')')?;
    let id = percent_decode_str(quoted).decode_utf8().ok()?;
    let id = id.trim_matches('\'');
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachment_id_is_read_from_the_location() {
        let location = "https://outlook.office.com/api/v2.0/Users('a@b')/Messages('m=')/Attachments('AAMk%3D')";
        assert_eq!(attachment_id(location).as_deref(), Some("AAMk="));
        assert_eq!(attachment_id("https://x.example/elsewhere"), None);
    }
}
