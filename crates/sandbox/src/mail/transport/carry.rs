//! The way of a mail: to mailboxes, to the outside, and back as a report.
//!
//! Owns the work list: a mail can make others (reports, automatic replies, forwards), which are carried after it.
//! Chains end because reports and replies have a null return path, and because nobody carries a mail of more than
//! [`MAX_GENERATIONS`] steps, nor more than [`MAX_STEPS`] mails for one.

use std::collections::{HashSet, VecDeque};
use std::sync::PoisonError;

use jiff::Timestamp;

use crate::mail::MailService;
use crate::mail::mime;
use crate::mail::outside::OutsideMail;
use crate::mail::rules::facts::suppresses;
use crate::mail::transport::DeliveredTo;
use crate::mail::transport::envelope::{Envelope, Failure};
use crate::mail::transport::queue::Waiting;
use crate::mail::transport::report::{Audience, Report};
use crate::mail::transport::report_text::{Kind, Outcome};

/// Automatic steps before a mail counts as going round in a circle.
const MAX_GENERATIONS: u8 = 10;
/// Mails carried for one that was sent or arrived.
const MAX_STEPS: usize = 5_000;
/// Recipients after groups were expanded.
const MAX_EXPANDED: usize = 20_000;
/// `Received` headers before a mail counts as going round in a circle; RFC 5321 §6.3 asks for at least 100.
const MAX_RECEIVED: usize = 100;

/// What became of one mail.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub delivered: Vec<DeliveredTo>,
    pub derived: Vec<Envelope>,
}

impl MailService {
    /// Carries a mail and all that follows from it; gives the copies of the mail itself.
    pub(super) fn carry(&self, envelope: Envelope) -> Vec<DeliveredTo> {
        let mut delivered = Vec::new();
        let mut work = VecDeque::from([(true, envelope)]);
        for _ in 0..MAX_STEPS {
            let Some((is_first, envelope)) = work.pop_front() else {
                return delivered;
            };
            let carried = self.carry_one(&envelope);
            if is_first {
                delivered = carried.delivered;
            }
            work.extend(carried.derived.into_iter().map(|derived| (false, derived)));
        }
        tracing::warn!(left = work.len(), "one mail made too many others");
        delivered
    }

    fn carry_one(&self, envelope: &Envelope) -> Carried {
        let mut carried = Carried::default();
        let mut failed: Vec<(String, Failure)> = Vec::new();
        let mut reached: Vec<String> = Vec::new();
        let mut outside: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        let circles = envelope.generation > MAX_GENERATIONS || received_headers(&envelope.bytes) > MAX_RECEIVED;
        let may_leave = !envelope.forwarded || self.transport.settings().external_forwarding;
        for address in &self.expand(&envelope.recipients) {
            if circles {
                failed.push((address.clone(), Failure::loop_detected()));
            } else if let Some((user, mailbox)) = self.recipient(address) {
                if !seen.insert(user.id) {
                    continue;
                }
                match self.deliver(&user, &mailbox, address, envelope) {
                    Ok(outcome) => {
                        reached.push(address.clone());
                        carried.delivered.push(outcome.copy);
                        carried.derived.extend(outcome.derived);
                    }
                    Err(failure) => failed.push((address.clone(), failure)),
                }
            } else if self.is_own_domain(address) {
                failed.push((address.clone(), Failure::unknown_recipient(address)));
            } else if !may_leave {
                failed.push((address.clone(), Failure::forwarding_refused()));
            } else if !outside.iter().any(|other| other.eq_ignore_ascii_case(address)) {
                outside.push(address.clone());
            }
        }
        carried
            .derived
            .extend(self.reports(Kind::Failed, envelope, &failed, self.clock.now()));
        if envelope.delivery_receipt && !reached.is_empty() {
            carried
                .derived
                .extend(self.receipt(Kind::Delivered, envelope, &reached));
        }
        if !outside.is_empty() {
            carried.derived.extend(self.leave(envelope.only_for(outside)));
        }
        carried
    }

    /// The recipients with groups replaced by their members, nested ones too.
    fn expand(&self, recipients: &[String]) -> Vec<String> {
        let mut expanded = Vec::new();
        let mut groups = HashSet::new();
        let mut open: VecDeque<String> = recipients.iter().cloned().collect();
        while let Some(address) = open.pop_front() {
            let members = match self.recipient(&address) {
                Some(_) => None,
                None => self.directory.group_members(address.trim()),
            };
            match members {
                None if expanded.len() < MAX_EXPANDED => expanded.push(address),
                None => tracing::warn!("a mail has more recipients than are expanded"),
                Some(members) if groups.insert(address.to_lowercase()) => open.extend(members),
                Some(_) => {}
            }
        }
        expanded
    }

    /// Whether a recipient would have to be in the tenant.
    fn is_own_domain(&self, address: &str) -> bool {
        address
            .trim()
            .rsplit_once('@')
            .is_some_and(|(_, domain)| self.directory.accepts_domain(domain))
    }

    /// Gives a mail to the outside: to the other server's queue when there is one, else at once.
    fn leave(&self, envelope: Envelope) -> Vec<Envelope> {
        let now = self.clock.now();
        if self.transport.relay.get().is_some() {
            let queued = self.transport.queue().push(envelope, now);
            self.transport.wake.notify_one();
            return match queued {
                Ok(()) => Vec::new(),
                Err(envelope) => {
                    let full = Failure::own(550, "4.4.7", "QUEUE.Full; the queue holds no more");
                    let failed: Vec<(String, Failure)> = envelope
                        .recipients
                        .iter()
                        .map(|address| (address.clone(), full.clone()))
                        .collect();
                    self.reports(Kind::Failed, &envelope, &failed, now)
                }
            };
        }
        self.attempt_without_relay(Waiting::new(envelope, now))
    }

    /// Tries mail for the outside where the outside mailbox is all there is.
    pub(super) fn attempt_without_relay(&self, waiting: Waiting) -> Vec<Envelope> {
        let results: Vec<(String, Result<(), Failure>)> = waiting
            .envelope
            .recipients
            .iter()
            .map(|address| {
                let refusal = self.transport.outside_rules().refusal(address);
                (address.clone(), refusal.map_or(Ok(()), Err))
            })
            .collect();
        self.settle(waiting, results)
    }

    /// Acts on what servers outside said: keeps a copy of what they took, tries again what may pass, reports the rest.
    pub(super) fn settle(&self, mut waiting: Waiting, results: Vec<(String, Result<(), Failure>)>) -> Vec<Envelope> {
        let now = self.clock.now();
        let settings = self.transport.settings();
        let (mut taken, mut late, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let last_chance = waiting.expires(settings.expire_after_seconds) <= now;
        for (address, result) in results {
            match result {
                Ok(()) => taken.push(address),
                Err(failure) if failure.is_temporary() && !last_chance => late.push((address, failure)),
                Err(failure) if failure.is_temporary() => failed.push((address, Failure::expired(&failure))),
                Err(failure) => failed.push((address, failure)),
            }
        }
        let envelope = waiting.envelope.clone();
        let mut derived = self.reports(Kind::Failed, &envelope, &failed, waiting.arrived);
        if !taken.is_empty() {
            if envelope.delivery_receipt {
                derived.extend(self.receipt(Kind::Relayed, &envelope, &taken));
            }
            self.keep_outside_copy(&envelope, taken, now);
        }
        if !late.is_empty() {
            if waiting.is_late(now, settings.delay_notice_after_seconds) {
                waiting.told_of_delay = true;
                derived.extend(self.reports(Kind::Delayed, &envelope, &late, waiting.arrived));
            }
            waiting.last = late.first().map(|(_, failure)| failure.clone());
            waiting.envelope.recipients = late.into_iter().map(|(address, _)| address).collect();
            waiting.postpone(now, settings.expire_after_seconds);
            self.transport.queue().put_back(waiting);
            self.transport.wake.notify_one();
        }
        derived
    }

    fn keep_outside_copy(&self, envelope: &Envelope, recipients: Vec<String>, at: Timestamp) {
        let parsed = mime::parse(&envelope.bytes);
        let mail = OutsideMail {
            seq: 0,
            mail_from: envelope.mail_from.clone(),
            recipients,
            internet_message_id: parsed
                .as_ref()
                .and_then(|mail| mail.message_id())
                .map(|id| format!("<{id}>")),
            subject: parsed.as_ref().and_then(|mail| mail.subject()).map(str::to_owned),
            sent_at: at,
            raw: envelope.bytes.clone().into(),
        };
        self.outside.lock().unwrap_or_else(PoisonError::into_inner).add(mail);
    }

    fn receipt(&self, kind: Kind, envelope: &Envelope, addresses: &[String]) -> Vec<Envelope> {
        let is_silenced = mime::parse(&envelope.bytes).is_some_and(|parsed| suppresses(&parsed, &["DR", "All"]));
        if envelope.mail_from.is_empty() || is_silenced {
            return Vec::new();
        }
        let outcomes: Vec<Outcome<'_>> = addresses
            .iter()
            .map(|address| Outcome { address, failure: None })
            .collect();
        vec![self.report(kind, envelope, &outcomes, self.clock.now())]
    }

    /// One report for each server that refused; none for a mail without a sender, or whose sender wants none.
    fn reports(
        &self,
        kind: Kind,
        envelope: &Envelope,
        failed: &[(String, Failure)],
        arrived: Timestamp,
    ) -> Vec<Envelope> {
        if failed.is_empty() || envelope.mail_from.is_empty() {
            return Vec::new();
        }
        let silencing: &[&str] = match self.transport.settings().all_suppresses_reports {
            true => &["NDR", "All"],
            false => &["NDR"],
        };
        if mime::parse(&envelope.bytes).is_some_and(|parsed| suppresses(&parsed, silencing)) {
            return Vec::new();
        }
        let mut servers: Vec<Option<&str>> = Vec::new();
        for (_, failure) in failed {
            if !servers.contains(&failure.remote.as_deref()) {
                servers.push(failure.remote.as_deref());
            }
        }
        servers
            .into_iter()
            .map(|server| {
                let outcomes: Vec<Outcome<'_>> = failed
                    .iter()
                    .filter(|(_, failure)| failure.remote.as_deref() == server)
                    .map(|(address, failure)| Outcome {
                        address,
                        failure: Some(failure),
                    })
                    .collect();
                self.report(kind, envelope, &outcomes, arrived)
            })
            .collect()
    }

    fn report(&self, kind: Kind, envelope: &Envelope, outcomes: &[Outcome<'_>], arrived: Timestamp) -> Envelope {
        let sender = self.mailbox_of(&envelope.mail_from);
        let domain = self.directory.mail_domain();
        let own_domain = envelope.mail_from.rsplit_once('@').map(|(_, domain)| domain);
        let bytes = Report {
            kind,
            original: envelope,
            outcomes,
            audience: if sender.is_some() {
                Audience::Inside
            } else {
                Audience::Outside
            },
            domain: match (&sender, own_domain) {
                (Some(_), Some(own)) if domain.is_empty() => own,
                _ => &domain,
            },
            at: self.clock.now(),
            arrived,
            retry_until: (kind == Kind::Delayed)
                .then(|| super::report::expiry(arrived, self.transport.settings().expire_after_seconds)),
            id: self.entropy.uuid(),
        }
        .write();
        envelope.derived(String::new(), vec![envelope.mail_from.clone()], bytes.into())
    }
}

fn received_headers(mail: &[u8]) -> usize {
    let (fields, _) = crate::mail::wire::split(mail);
    fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(b"received"))
        .count()
}
