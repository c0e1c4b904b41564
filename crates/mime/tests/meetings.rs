//! What is read of meetings, from the programs that people use.

use guichet_mime::{Deviation, Meeting, ParsedMail, parse};
use proptest::{collection::vec, prelude::*, sample::select};

fn mail(parameters: &str, calendar: &str) -> ParsedMail {
    let raw = format!(
        "From: ada@fabrikam.example\r\nMessage-ID: <1@fabrikam.example>\r\nDate: Tue, 4 Mar 2025 11:00:00 +0100\r\nSubject: x\r\n\
         Content-Type: multipart/alternative; boundary=calb\r\n\r\n--calb\r\n\r\nWhen: tomorrow\r\n--calb\r\n\
         Content-Type: text/calendar; charset=utf-8{parameters}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--calb--\r\n",
        calendar.replace('\n', "\r\n")
    );
    parse(raw.as_bytes())
}

fn meeting(calendar: &str) -> Meeting {
    mail("; method=REQUEST", calendar).meeting.expect("a meeting")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nMETHOD:REQUEST\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
}

const OUTLOOK: &str = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nPRODID:Microsoft Exchange Server 2010\nVERSION:2.0\nBEGIN:VTIMEZONE\n\
TZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\n\
TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\nBEGIN:VEVENT\n\
ORGANIZER;CN=Ada Lovelace:mailto:ada@fabrikam.example\n\
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Contoso\n  Support:mailto:support@contoso.example\n\
ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;CN=\"Hopper, Grace\":MAILTO:grace@fabrikam.example\n\
SUMMARY;LANGUAGE=de-DE:Rückgabe\\, Lieferung 4711\nDTSTART;TZID=W. Europe Standard Time:20250710T140000\n\
DTEND;TZID=W. Europe Standard Time:20250710T150000\nUID:040000008200E00074C5B7101A82E008\nLOCATION;LANGUAGE=de-DE:Raum 2\\; 1. Stock\n\
BEGIN:VALARM\nDESCRIPTION:REMINDER\nTRIGGER;RELATED=START:-PT15M\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";

#[test]
fn a_request_of_outlook_is_read() {
    let meeting = meeting(OUTLOOK);
    assert_eq!(
        (meeting.method.as_str(), meeting.uid.as_str()),
        ("request", "040000008200E00074C5B7101A82E008")
    );
    assert_eq!(
        (meeting.summary.as_str(), meeting.location.as_str()),
        ("Rückgabe, Lieferung 4711", "Raum 2; 1. Stock")
    );
    let organiser = meeting.organiser.expect("an organiser");
    assert_eq!(
        (organiser.name.as_str(), organiser.address.as_str()),
        ("Ada Lovelace", "ada@fabrikam.example")
    );
    let attendees: Vec<_> = meeting
        .attendees
        .iter()
        .map(|a| (a.person.name.as_str(), a.person.address.as_str(), a.status.as_str()))
        .collect();
    assert_eq!(
        attendees,
        [
            ("Contoso Support", "support@contoso.example", "needs-action"),
            ("Hopper, Grace", "grace@fabrikam.example", "accepted")
        ]
    );
    let start = meeting.start.expect("a start");
    assert_eq!(
        (start.local.to_string().as_str(), start.whole_day),
        ("2025-07-10T14:00:00", false)
    );
    assert_eq!(
        start.instant.map(|i| i.to_string()).as_deref(),
        Some("2025-07-10T12:00:00Z")
    );
    assert_eq!(start.time_zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(
        meeting
            .end
            .and_then(|end| end.instant)
            .map(|i| i.to_string())
            .as_deref(),
        Some("2025-07-10T13:00:00Z")
    );
    assert!(!meeting.recurs);
}

#[test]
fn zones_are_read_in_every_form() {
    for (start, local, zone, instant) in [
        (
            "DTSTART:20250110T090000Z",
            "2025-01-10T09:00:00",
            Some("UTC"),
            Some("2025-01-10T09:00:00Z"),
        ),
        (
            "DTSTART;TZID=America/New_York:20250110T090000",
            "2025-01-10T09:00:00",
            Some("America/New_York"),
            Some("2025-01-10T14:00:00Z"),
        ),
        ("DTSTART:20250110T090000", "2025-01-10T09:00:00", None, None),
        (
            "DTSTART;TZID=Somewhere:20250110T090000",
            "2025-01-10T09:00:00",
            Some("Somewhere"),
            None,
        ),
        ("DTSTART;VALUE=DATE:20250110", "2025-01-10T00:00:00", None, None),
    ] {
        let read = meeting(&event(start)).start.expect(start);
        assert_eq!(read.local.to_string(), local, "{start}");
        assert_eq!(read.time_zone.as_deref(), zone, "{start}");
        assert_eq!(read.instant.map(|i| i.to_string()).as_deref(), instant, "{start}");
        assert_eq!(read.whole_day, start.contains("VALUE=DATE"), "{start}");
    }
}

#[test]
fn a_duration_gives_the_end() {
    let end = meeting(&event("DTSTART:20250110T233000Z\nDURATION:PT1H"))
        .end
        .expect("an end");
    assert_eq!(
        (
            end.local.to_string().as_str(),
            end.instant.map(|i| i.to_string()).as_deref()
        ),
        ("2025-01-11T00:30:00", Some("2025-01-11T00:30:00Z"))
    );
}

#[test]
fn answers_cancellations_and_series_are_told_apart() {
    let reply = "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:1\nATTENDEE;PARTSTAT=DECLINED:mailto:a@b.example\nEND:VEVENT\nEND:VCALENDAR";
    let reply = meeting(reply);
    assert_eq!(
        (reply.method.as_str(), reply.attendees[0].status.as_str()),
        ("reply", "declined")
    );
    let bare = event("DTSTART:20250110T090000Z").replace("METHOD:REQUEST\n", "");
    assert_eq!(
        mail("; method=CANCEL", &bare).meeting.map(|m| m.method).as_deref(),
        Some("cancel")
    );
    assert_eq!(mail("", &bare).meeting.map(|m| m.method).as_deref(), Some(""));
    let series = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20250111T090000Z\nSUMMARY:moved\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\n\
                  SUMMARY:series\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR";
    let series = meeting(series);
    assert_eq!((series.summary.as_str(), series.recurs), ("series", true));
}

#[test]
fn what_is_no_calendar_is_a_deviation_and_stays_attached() {
    for calendar in [
        "",
        "no calendar",
        "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR",
        "BEGIN:VCARD\nEND:VCARD",
    ] {
        let mail = mail("", calendar);
        assert_eq!(mail.meeting, None, "{calendar}");
        assert!(mail.deviations.contains(&Deviation::InvalidCalendar), "{calendar}");
        assert_eq!(
            (mail.attachments.len(), mail.text.as_str()),
            (1, "When: tomorrow\n"),
            "{calendar}"
        );
    }
    assert_eq!(parse(b"Subject: x\n\nBEGIN:VCALENDAR\n").meeting, None);
}

#[test]
fn calendars_are_bounded() {
    let long = event(&"X".repeat(2_000_000));
    assert!(mail("", &long).deviations.contains(&Deviation::CalendarTooLong));
    let crowd = event(&"ATTENDEE:mailto:a@b.example\n".repeat(3_000));
    let crowd = mail("", &crowd);
    assert_eq!(
        crowd.meeting.map(|m| m.attendees.len()),
        Some(guichet_mime::bounds::MAX_PEOPLE)
    );
    assert!(crowd.deviations.contains(&Deviation::TooManyPeople {
        name: "attendee".into()
    }));
    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\n".repeat(60_000));
    assert!(mail("", &deep).meeting.is_some());
    let zones = "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n".repeat(20_000);
    mail("", &event(&format!("DTSTART;TZID=x:20250110T090000\n{zones}")));
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => select(vec![
            "BEGIN:VCALENDAR\n", "END:VCALENDAR\n", "BEGIN:VEVENT\n", "END:VEVENT\n", "BEGIN:VTIMEZONE\nTZID:x\n", "END:VTIMEZONE\n", "METHOD:REQUEST\n",
            "DTSTART;TZID=x:", "DTSTART:", "DTEND;VALUE=DATE:", "DURATION:", "-P999999999W\n", "20250110T090000Z\n", "99999999T999999\n", "20250230\n",
            "RRULE:FREQ=", "DAILY;COUNT=99999999999\n", "ATTENDEE;CN=\"", "ORGANIZER:mailto:", "SUMMARY:", "\\", "\"", ";", ":", ",", "=", "\n ", "\n",
            "LOCATION;ENCODING=QUOTED-PRINTABLE:=C3", "X-FOO;ENCODING=BASE64:AAA", "TRIGGER:PT", "GEO:1;", "EXDATE:", "\u{feff}", "é", "RDATE;VALUE=PERIOD:",
        ]).prop_map(str::to_owned),
        1 => "[\\PC\n\r\t]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_calendar_is_read(pieces in vec(piece(), 0..60)) {
        let mail = mail("; method=REQUEST", &format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}", pieces.concat()));
        prop_assert_eq!(mail.attachments.len(), 1);
        if let Some(meeting) = mail.meeting {
            let mut lines = vec![meeting.method, meeting.uid, meeting.summary, meeting.location];
            lines.extend(meeting.attendees.into_iter().flat_map(|a| [a.status, a.person.name, a.person.address]));
            for line in lines {
                prop_assert!(!line.contains(|c: char| c.is_control()), "{:?}", line);
            }
        }
    }
}
