//! Delivery reports, complaints and automatic answers in the forms that mail systems use.

use guichet_mime::{
    parse,
    report::{self, Action, DeliveryReport, Nature, Permanence, Reason, RecipientReport},
};

fn read(mail: &str) -> Nature {
    report::read(&parse(mail.replace('\n', "\r\n").as_bytes()))
}

fn delivery(mail: &str) -> DeliveryReport {
    match read(mail) {
        Nature::DeliveryReport(report) => report,
        other => panic!("read as {other:?}"),
    }
}

fn only(mail: &str) -> RecipientReport {
    let report = delivery(mail);
    assert_eq!(report.recipients.len(), 1, "{report:?}");
    report.recipients.into_iter().next().expect("one")
}

fn standard(fields: &str, text: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@mx.example>\nTo: support@contoso.example\n\
         Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\n{text}\n\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example\n\n{fields}\n\n--b\nContent-Type: message/rfc822\n\n\
         Message-ID: <sent-1@contoso.example>\nFrom: support@contoso.example\nTo: ada@fabrikam.example\n\
         Subject: Your order\n\nHello\n--b--\n"
    )
}

fn plain(from: &str, subject: &str, text: &str) -> String {
    format!("Return-Path: <>\nFrom: {from}\nTo: support@contoso.example\nSubject: {subject}\n\n{text}\n")
}

#[test]
fn fields_tell_recipient_code_and_reason() {
    let fields = "Final-Recipient: rfc822; ada@fabrikam.example\nAction: failed\nStatus: 5.1.1\n\
                  Diagnostic-Code: smtp; 550 5.1.1 <ada@fabrikam.example>: user unknown";
    let report = delivery(&standard(fields, "It could not be delivered."));
    let recipient = &report.recipients[0];
    assert_eq!(recipient.address, "ada@fabrikam.example");
    assert_eq!(recipient.action, Action::Failed);
    assert_eq!(
        recipient.status.map(|status| status.to_string()).as_deref(),
        Some("5.1.1")
    );
    assert_eq!((recipient.reply, recipient.reason), (Some(550), Reason::UserUnknown));
    assert_eq!(recipient.permanence(), Permanence::Hard);
    assert_eq!(report.original.message_id.as_deref(), Some("sent-1@contoso.example"));
    assert_eq!(report.original.recipients, ["ada@fabrikam.example"]);
}

#[test]
fn each_recipient_has_its_own_reason() {
    let fields = "Final-Recipient: rfc822; a@fabrikam.example\nAction: failed\nStatus: 5.2.2\n\
                  Diagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n\
                  Final-Recipient: rfc822; b@fabrikam.example\nAction: delayed\nStatus: 4.4.1\n\
                  Diagnostic-Code: smtp; connect to mx.fabrikam.example: connection timed out";
    let report = delivery(&standard(fields, "Two could not be reached."));
    let reasons: Vec<_> = report.recipients.iter().map(|one| (one.action, one.reason)).collect();
    assert_eq!(
        reasons,
        [
            (Action::Failed, Reason::MailboxFull),
            (Action::Delayed, Reason::Expired)
        ]
    );
}

#[test]
fn the_remote_servers_code_counts_more_than_the_field() {
    let fields = "Final-Recipient: rfc822; a@fabrikam.example\nAction: failed\nStatus: 5.0.0\n\
                  Diagnostic-Code: smtp; 550 5.7.26 This mail does not pass DMARC";
    let recipient = only(&standard(fields, "It could not be delivered."));
    assert_eq!(
        recipient.status.map(|status| status.to_string()).as_deref(),
        Some("5.7.26")
    );
    assert_eq!(recipient.reason, Reason::AuthenticationFailed);
}

#[test]
fn an_unknown_user_in_answer_to_the_content_is_a_filter() {
    let fields = |command: &str| {
        format!(
            "Final-Recipient: rfc822; a@fabrikam.example\nAction: failed\nStatus: 5.0.0\n\
             Diagnostic-Code: smtp; 550 unknown user (in reply to {command} command)"
        )
    };
    let at_recipient = only(&standard(&fields("RCPT TO"), "It could not be delivered."));
    assert_eq!(at_recipient.permanence(), Permanence::Hard);
    let at_content = only(&standard(&fields("end of DATA"), "It could not be delivered."));
    assert_eq!(
        (at_content.reason, at_content.permanence()),
        (Reason::Filtered, Permanence::Soft)
    );
}

#[test]
fn a_refused_sender_does_not_make_the_recipient_bad() {
    let fields = "Final-Recipient: rfc822; a@fabrikam.example\nAction: failed\nStatus: 5.1.8\n\
                  Diagnostic-Code: smtp; 553 5.1.8 Domain of sender address support@contoso.example does not exist";
    let recipient = only(&standard(fields, "It could not be delivered."));
    assert_eq!(
        (recipient.reason, recipient.permanence()),
        (Reason::SenderRejected, Permanence::Soft)
    );
}

#[test]
fn sentences_tell_it_where_there_are_no_fields() {
    let mail = plain(
        "MAILER-DAEMON@mx.example",
        "failure notice",
        "I wasn't able to deliver your message to the following addresses.\n\n\
         <ada@fabrikam.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\n\n\
         <bob@fabrikam.example>:\nRemote host said: 452 4.2.2 over quota\n\n\
         --- Below this line is a copy of the message.\n\n\
         Message-ID: <sent-2@contoso.example>\nTo: someone.else@fabrikam.example\n\nHello",
    );
    let report = delivery(&mail);
    let told: Vec<_> = report
        .recipients
        .iter()
        .map(|one| (one.address.as_str(), one.reason, one.reply))
        .collect();
    assert_eq!(
        told,
        [
            ("ada@fabrikam.example", Reason::UserUnknown, Some(550)),
            ("bob@fabrikam.example", Reason::MailboxFull, Some(452)),
        ]
    );
    assert_eq!(report.original.message_id.as_deref(), Some("sent-2@contoso.example"));
}

#[test]
fn a_header_names_the_recipient_that_the_text_leaves_out() {
    let mail = plain(
        "Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: ada@fabrikam.example",
        "Mail delivery failed",
        "A message that you sent could not be delivered. This is a permanent error.\n\n  mailbox is full",
    );
    let recipient = only(&mail);
    assert_eq!(
        (recipient.address.as_str(), recipient.reason),
        ("ada@fabrikam.example", Reason::MailboxFull)
    );
}

#[test]
fn people_who_write_about_bounces_are_people() {
    for (from, subject) in [
        ("Ada <ada@fabrikam.example>", "Undeliverable: your order"),
        (
            "Ada <ada@fabrikam.example>",
            "Fwd: Delivery Status Notification (Failure)",
        ),
        ("Ada <postmaster@fabrikam.example>", "Fwd: mail delivery failed"),
    ] {
        let mail = format!(
            "Return-Path: <ada@fabrikam.example>\nFrom: {from}\nTo: support@contoso.example\nSubject: {subject}\n\n\
             My mail could not be delivered: 550 user unknown. What shall I do?\n"
        );
        assert_eq!(read(&mail), Nature::Ordinary, "{from}: {subject}");
    }
}

#[test]
fn automatic_answers_are_told_by_header_or_subject() {
    let by_header = plain(
        "ada@fabrikam.example\nAuto-Submitted: auto-replied",
        "Hello",
        "I am away.",
    );
    assert!(matches!(read(&by_header), Nature::AutoReply { .. }));
    for subject in [
        "Automatic reply: Your order",
        "Abwesenheit: Ada",
        "Réponse automatique : congés",
        "自動返信",
    ] {
        let mail = format!("From: ada@fabrikam.example\nSubject: {subject}\n\nI am away.\n");
        assert!(matches!(read(&mail), Nature::AutoReply { .. }), "{subject}");
    }
    let person = "From: ada@fabrikam.example\nAuto-Submitted: no\nSubject: About your automatic reply\n\nHello\n";
    assert_eq!(read(person), Nature::Ordinary);
}

#[test]
fn a_complaint_names_its_kind_and_the_mail() {
    let mail = "From: feedback@provider.example\nTo: abuse@contoso.example\nSubject: FW: Your order\nMIME-Version: 1.0\n\
                Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n\
                --b\nContent-Type: text/plain\n\nThis is an abuse report.\n\n\
                --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\
                Original-Rcpt-To: <ada@fabrikam.example>\n\n\
                --b\nContent-Type: message/rfc822\n\nMessage-ID: <sent-3@contoso.example>\nSubject: Your order\n\nHello\n--b--\n";
    let Nature::Complaint(complaint) = read(mail) else {
        panic!("not a complaint")
    };
    assert_eq!(
        (complaint.kind.as_str(), complaint.recipients.as_slice()),
        ("abuse", ["ada@fabrikam.example".to_owned()].as_slice())
    );
    assert_eq!(complaint.original.message_id.as_deref(), Some("sent-3@contoso.example"));
}

#[test]
fn a_thousand_recipients_are_kept_and_no_more() {
    let blocks: Vec<String> = (0..1_200)
        .map(|number| format!("Final-Recipient: rfc822; r{number}@fabrikam.example\nAction: failed\nStatus: 5.1.1"))
        .collect();
    let report = delivery(&standard(&blocks.join("\n\n"), "They could not be reached."));
    assert_eq!(report.recipients.len(), report::MAX_RECIPIENTS);
}
