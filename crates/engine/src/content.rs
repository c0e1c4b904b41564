//! What was parsed, in the shapes in which it is kept.
//!
//! Owns the mapping of a mail's people, parts, protection and meeting from `mime` to `store`, which do not know each
//! other. Decides nothing and drops nothing.

use guichet_mime::{Part, Person};
use guichet_store::records::{Attendee, ContentPart, Meeting, MeetingTime, PartKind, Party, Protection, Scheme};

pub(crate) fn content_parts(parts: &[Part]) -> Vec<ContentPart> {
    let kept = |part: &Part| ContentPart {
        kind: match part.kind {
            guichet_mime::PartKind::New => PartKind::New,
            guichet_mime::PartKind::Signature => PartKind::Signature,
            guichet_mime::PartKind::Quoted => PartKind::Quoted,
        },
        length: part.length,
    };
    parts.iter().map(kept).collect()
}

pub(crate) fn parties(people: &[Person]) -> Vec<Party> {
    people.iter().cloned().map(party).collect()
}

fn party(person: Person) -> Party {
    Party {
        name: person.name,
        address: person.address,
    }
}

pub(crate) fn protection(protection: guichet_mime::Protection) -> Protection {
    let scheme = |scheme| match scheme {
        guichet_mime::Scheme::Smime => Scheme::Smime,
        guichet_mime::Scheme::Pgp => Scheme::Pgp,
    };
    Protection {
        signed: protection.signed.map(scheme),
        encrypted: protection.encrypted.map(scheme),
    }
}

pub(crate) fn meeting(meeting: guichet_mime::Meeting) -> Meeting {
    let time = |time: guichet_mime::MeetingTime| MeetingTime {
        local: time.local,
        whole_day: time.whole_day,
        time_zone: time.time_zone,
        instant: time.instant,
    };
    let attendee = |attendee: guichet_mime::Attendee| Attendee {
        party: party(attendee.person),
        status: attendee.status,
    };
    Meeting {
        method: meeting.method,
        uid: meeting.uid,
        summary: meeting.summary,
        location: meeting.location,
        organiser: meeting.organiser.map(party),
        attendees: meeting.attendees.into_iter().map(attendee).collect(),
        start: meeting.start.map(time),
        end: meeting.end.map(time),
        recurs: meeting.recurs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_is_kept_as_it_was_read() {
        let raw =
            b"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\nx\n--b--\n";
        let kept = protection(guichet_mime::parse(raw).protection);
        assert_eq!((kept.signed, kept.encrypted), (Some(Scheme::Pgp), None));
    }

    #[test]
    fn a_meeting_keeps_what_was_read_of_it() {
        let raw = b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Visit\n\
            DTSTART:20250110T090000Z\nATTENDEE;PARTSTAT=ACCEPTED;CN=Ada:mailto:ada@fabrikam.example\nEND:VEVENT\nEND:VCALENDAR\n";
        let kept = meeting(guichet_mime::parse(raw).meeting.expect("a meeting"));
        assert_eq!((kept.method.as_str(), kept.summary.as_str()), ("request", "Visit"));
        assert_eq!(kept.attendees[0].party.address, "ada@fabrikam.example");
        assert_eq!(
            kept.start.and_then(|start| start.instant),
            "2025-01-10T09:00:00Z".parse().ok()
        );
    }
}
