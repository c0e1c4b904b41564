//! Replies: checked, stored with their bytes, handed to the outbox; sending is the engine's.
//!
//! Invariant: one Idempotency-Key of one client leads to at most one reply. The store decides that in the
//! transaction that stores the reply; blobs are written before it and are harmless if it refuses.

use aws_lc_rs::digest;
use axum::{
    Extension, Json,
    extract::{FromRequestParts, State},
    response::{IntoResponse, Response},
};
use guichet_domain::{AttachmentId, ConversationId, JobId, MessageId, conversation::Direction};
use guichet_engine::EngineConfig;
use guichet_store::{AcceptedReply, Conversation, Mailbox, MessageContent, NewAttachment, NewReply, Party};
use http::{HeaderValue, StatusCode, request::Parts};
use uuid::Uuid;

use self::checked::{Attached, CheckedReply};
use crate::{
    auth::{Client, hex},
    dto::{ReplyAccepted, ReplyRequest},
    extract::{IdempotencyKey, JsonBody, NoParameters, PathParams, QueryParams},
    problem::{Code, Problem},
    state::ApiState,
};

mod checked;

/// Bytes of the request: the attachments in base 64, both texts, and their JSON escapes.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// Says that the answer is that of an earlier request under the same key.
const REPLAYED: &str = "idempotency-replayed";

/// Waits for its turn before the body is read; see [`crate::state::MAX_REPLIES_AT_ONCE`].
pub(crate) struct Turn {
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl FromRequestParts<ApiState> for Turn {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let permit = state
            .replies
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Problem::internal())?;
        Ok(Self { _permit: permit })
    }
}

/// Replies to a conversation. The answer comes when the reply is stored; it is sent from the mailbox that the
/// mail came to, and an event tells when it is out. Repeating a request under its Idempotency-Key repeats the
/// answer and sends nothing twice.
#[utoipa::path(
    post,
    path = "/v1/conversations/{id}/replies",
    operation_id = "reply",
    tag = "conversations",
    params(
        ("id" = Uuid, Path, description = "Id of the conversation."),
        ("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII characters, new for each reply."),
    ),
    request_body = ReplyRequest,
    responses(
        (status = 202, description = "The reply is stored and will be sent.", body = ReplyAccepted),
        (status = 400, description = "The key or the body is wrong."),
        (status = 404, description = "There is no such conversation."),
        (status = 409, description = "The key was used for another request."),
        (status = 413, description = "The body or an attachment is too large."),
        (status = 415, description = "The body is no JSON."),
        (status = 422, description = "The reply can't be sent like this."),
    )
)]
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(client): Extension<Client>,
    PathParams(id): PathParams<Uuid>,
    _: QueryParams<NoParameters>,
    IdempotencyKey(key): IdempotencyKey,
    _turn: Turn,
    JsonBody(request): JsonBody<ReplyRequest, MAX_BODY>,
) -> Result<Response, Problem> {
    let digest = digest_of(id, &request);
    let reply = CheckedReply::parse(request)?;
    let conversation = state.store().conversation(ConversationId::from_uuid(id)).await?;
    let conversation = conversation.ok_or_else(|| Problem::not_found("conversation", id))?;
    let mailbox = state
        .store()
        .mailbox(conversation.mailbox)
        .await?
        .ok_or_else(Problem::internal)?;
    check_answers(&state, &conversation, reply.answers).await?;

    let (clock, entropy) = (state.parts.clock.as_ref(), state.parts.entropy.as_ref());
    let now = clock.now();
    let new = NewReply {
        conversation: conversation.id,
        answers: reply.answers,
        message: MessageId::generate(clock, entropy),
        job: JobId::generate(clock, entropy),
        content: content(&reply, &conversation, &mailbox),
        attachments: store_attachments(&state, reply.attachments).await?,
        client: client.key.to_string(),
        idempotency_key: key,
        request_digest: digest,
        now,
        deadline: now + EngineConfig::REPLY_DEADLINE,
    };
    match state.store().accept_reply(new).await? {
        AcceptedReply::Accepted { message } => {
            state.parts.engine.outbox_changed();
            Ok(accepted(message))
        }
        AcceptedReply::Repeated { message } => {
            let mut response = accepted(message);
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        AcceptedReply::KeyReused => {
            let detail = "this Idempotency-Key was sent before with another conversation or another body";
            Err(Problem::new(Code::IdempotencyKeyReused, detail))
        }
        AcceptedReply::NothingToAnswer => {
            let detail = format!("conversation `{id}` holds no inbound mail that could be answered");
            Err(Problem::new(Code::NothingToAnswer, detail))
        }
    }
}

fn accepted(message: MessageId) -> Response {
    let body = ReplyAccepted {
        message_id: message.as_uuid(),
        state: "queued",
    };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

/// Tells a repeated request from another one under the same key: by meaning, so that the order of the JSON
/// members does not matter.
fn digest_of(conversation: Uuid, request: &ReplyRequest) -> String {
    struct Sink(digest::Context);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(digest::Context::new(&digest::SHA256));
    sink.0.update(conversation.as_bytes());
    // Neither the sink nor the request's plain fields can fail.
    let _ = serde_json::to_writer(&mut sink, request);
    hex(sink.0.finish().as_ref())
}

/// Whether the mail that is to be answered is one of the conversation's.
async fn check_answers(
    state: &ApiState,
    conversation: &Conversation,
    answers: Option<MessageId>,
) -> Result<(), Problem> {
    let Some(id) = answers else { return Ok(()) };
    match state.store().message(id).await? {
        Some(message) if message.conversation == conversation.id && message.direction == Direction::Inbound => Ok(()),
        _ => {
            let detail = format!("answers: `{id}` is no inbound message of this conversation");
            Err(Problem::new(Code::ReplyInvalid, detail))
        }
    }
}

fn content(reply: &CheckedReply, conversation: &Conversation, mailbox: &Mailbox) -> MessageContent {
    let subject = conversation.subject.trim();
    let answered_before = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    MessageContent {
        from: vec![Party {
            name: mailbox.display_name.clone(),
            address: mailbox.address.to_string(),
        }],
        // Only for mail that names no author: the store records whom the mailbox will address.
        to: vec![conversation.contact.clone()],
        subject: if answered_before {
            subject.to_owned()
        } else {
            format!("Re: {subject}")
        },
        text: reply.text.clone(),
        html: reply.html.clone(),
        ..MessageContent::default()
    }
}

async fn store_attachments(state: &ApiState, attached: Vec<Attached>) -> Result<Vec<NewAttachment>, Problem> {
    let mut stored = Vec::with_capacity(attached.len());
    for Attached {
        name,
        content_type,
        bytes,
    } in attached
    {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        stored.push(NewAttachment {
            id: AttachmentId::generate(state.parts.clock.as_ref(), state.parts.entropy.as_ref()),
            name,
            content_type,
            content_id: None,
            inline: false,
            size,
            blob: state.store().put_blob(bytes).await?,
        });
    }
    Ok(stored)
}

#[cfg(test)]
mod tests;
