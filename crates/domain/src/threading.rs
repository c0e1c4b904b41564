//! Where a mail belongs: by its threading headers, then by our own signed token, within a window.
//!
//! The store looks up candidates inside the transaction that commits the mail; this module only
//! decides among them. The decision carries its reason, which is stored with the message.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ConversationId, InternetMessageId, conversation::ConversationState};

/// How many ids of a `References` header are looked up: the last ones, which are nearest.
pub const MAX_REFERENCES: usize = 50;

/// What a mail says about the conversation it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The ids of `In-Reply-To`, in their order.
    pub in_reply_to: Vec<InternetMessageId>,
    /// The ids of `References`, oldest first.
    pub references: Vec<InternetMessageId>,
    /// Conversations whose genuine token stands in the mail. Foreign tokens are already gone.
    pub tokens: Vec<ConversationId>,
}

impl Evidence {
    /// The ids to look up, nearest ancestor first, each once, at most [`MAX_REFERENCES`] + those
    /// of `In-Reply-To`.
    pub fn ancestors(&self) -> Vec<InternetMessageId> {
        let mut out: Vec<InternetMessageId> = Vec::new();
        let nearest = self.in_reply_to.iter().take(MAX_REFERENCES);
        let older = self.references.iter().rev().take(MAX_REFERENCES);
        for id in nearest.chain(older) {
            if !out.contains(id) {
                out.push(id.clone());
            }
        }
        out
    }
}

/// What tied a candidate to the mail. Ordered: the stronger evidence is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// `In-Reply-To` names a message of the conversation.
    InReplyTo,
    /// `References` names a message of the conversation.
    References,
    /// Our signed token of the conversation stands in the mail.
    Token,
    /// Nothing tied the mail to a conversation.
    NoEvidence,
}

/// A conversation that the mail may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The conversation.
    pub conversation: ConversationId,
    /// What ties it to the mail.
    pub rule: Rule,
    /// The Message-ID or token text that matched, for the reader of the trace.
    pub evidence: String,
    /// Its state now.
    pub state: ConversationState,
    /// When its last message arrived or was sent.
    pub last_activity_at: Timestamp,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
}

/// Why a message is where it is; stored as JSON with the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule that decided.
    pub rule: Rule,
    /// What matched, or what was looked for in vain.
    pub evidence: String,
    /// The earlier conversation that the mail continues after the window had passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<ConversationId>,
}

/// The decision for one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It joins this conversation.
    Join(ConversationId, Reason),
    /// It opens a new conversation, perhaps linked to an earlier one.
    Open(Reason),
}

impl Decision {
    /// Why.
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::Join(_, reason) | Self::Open(reason) => reason,
        }
    }
}

/// Chooses the conversation of a mail that arrived at `received_at`.
///
/// The strongest rule wins; among equals the order of `candidates` (nearest ancestor first).
/// A conversation takes replies until `window` after its close; one that is not closed takes them
/// always. After that the reply opens a conversation that is linked to the old one.
pub fn decide(candidates: &[Candidate], received_at: Timestamp, window: SignedDuration) -> Decision {
    let mut ordered: Vec<&Candidate> = candidates.iter().collect();
    ordered.sort_by_key(|c| c.rule);
    let Some(strongest) = ordered.first() else {
        let evidence = "no known Message-ID or token in the mail".to_owned();
        return Decision::Open(Reason {
            rule: Rule::NoEvidence,
            evidence,
            continues: None,
        });
    };
    match ordered.iter().find(|c| takes_replies(c, received_at, window)) {
        Some(c) => {
            let reason = Reason {
                rule: c.rule,
                evidence: c.evidence.clone(),
                continues: None,
            };
            Decision::Join(c.conversation, reason)
        }
        None => Decision::Open(Reason {
            rule: strongest.rule,
            evidence: format!("{}; its threading window has passed", strongest.evidence),
            continues: Some(strongest.conversation),
        }),
    }
}

fn takes_replies(candidate: &Candidate, received_at: Timestamp, window: SignedDuration) -> bool {
    if candidate.state != ConversationState::Closed {
        return true;
    }
    let closed = candidate.closed_at.unwrap_or(candidate.last_activity_at);
    received_at.duration_since(closed) <= window
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);

    fn candidate(n: u128, rule: Rule, closed_days_ago: Option<i64>) -> Candidate {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 1000);
        let closed_at = closed_days_ago.map(|d| now - SignedDuration::from_hours(24 * d));
        Candidate {
            conversation: ConversationId::from_uuid(Uuid::from_u128(n)),
            rule,
            evidence: format!("id-{n}"),
            state: if closed_at.is_some() {
                ConversationState::Closed
            } else {
                ConversationState::Open
            },
            last_activity_at: closed_at.unwrap_or(now),
            closed_at,
        }
    }

    fn decided(candidates: &[Candidate]) -> Decision {
        decide(
            candidates,
            Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 1000),
            WINDOW,
        )
    }

    #[test]
    fn headers_outrank_the_token() {
        let found = decided(&[candidate(1, Rule::Token, None), candidate(2, Rule::References, None)]);
        assert!(matches!(found, Decision::Join(c, _) if c.as_uuid().as_u128() == 2));
    }

    #[test]
    fn nearest_ancestor_wins_among_equals() {
        let found = decided(&[
            candidate(1, Rule::References, None),
            candidate(2, Rule::References, None),
        ]);
        assert!(matches!(found, Decision::Join(c, _) if c.as_uuid().as_u128() == 1));
    }

    #[test]
    fn reply_within_the_window_joins_a_closed_conversation() {
        assert!(matches!(
            decided(&[candidate(1, Rule::InReplyTo, Some(30))]),
            Decision::Join(..)
        ));
    }

    #[test]
    fn reply_after_the_window_opens_a_linked_conversation() {
        let Decision::Open(reason) = decided(&[candidate(1, Rule::InReplyTo, Some(31))]) else {
            panic!("joined a conversation whose window had passed");
        };
        assert_eq!(reason.continues.map(|c| c.as_uuid().as_u128()), Some(1));
    }

    #[test]
    fn mail_without_evidence_opens_an_unlinked_conversation() {
        let Decision::Open(reason) = decided(&[]) else {
            panic!("joined nothing")
        };
        assert_eq!((reason.rule, reason.continues), (Rule::NoEvidence, None));
    }

    #[test]
    fn ancestors_are_bounded_unique_and_nearest_first() {
        let id = |n: usize| InternetMessageId::parse(&format!("<{n}@x>")).expect("id");
        let evidence = Evidence {
            in_reply_to: vec![id(999)],
            references: (0..1000).map(id).collect(),
            tokens: Vec::new(),
        };
        let ancestors = evidence.ancestors();
        assert_eq!(ancestors.first(), Some(&id(999)));
        assert_eq!(ancestors.len(), MAX_REFERENCES);
    }
}
