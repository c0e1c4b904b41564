//! Whether a mail system wrote a mail, where no fields say so.
//!
//! Owns the signs: the sender, an empty return path, the subject, and the sentences of reports in
//! several languages. One sign alone never suffices: people write about bounces too.

use crate::ParsedMail;

/// Senders of reports: parts of local parts and names, in lower case.
const SENDERS: &[&str] = &[
    "mailer-daemon",
    "mailerdaemon",
    "mailer daemon",
    "postmaster",
    "post_master",
    "poostmaster",
    "mail delivery",
    "mail.delivery",
    "maildelivery",
    "mail deliver system",
    "delivery subsystem",
    "system administrator",
    "ndr administrator",
    "mail administrator",
    "microsoftexchange",
    "mail system",
    "double-bounce",
    "mail-daemon",
    "maildaemon",
    "mailadmin",
    "mail-admin",
    "delivery agent",
    "delivery service",
    "system attendant",
    "systemadministrator",
    "administrateur système",
    "administrador del sistema",
    "amministratore di sistema",
];

/// Subjects of reports, in lower case.
const SUBJECTS: &[&str] = &[
    "undeliver",
    "non-deliver",
    "nondeliver",
    "delivery fail",
    "delivery has failed",
    "failed delivery",
    "failure delivery",
    "delivery status",
    "delivery notification",
    "delivery failure",
    "delivery delay",
    "delivery report",
    "mail delivery",
    "returned mail",
    "returned to sender",
    "returning to sender",
    "returning message to sender",
    "failure notice",
    "message delayed",
    "delayed 24 hours",
    "could not be delivered",
    "couldn't be delivered",
    "loop alert",
    "loop back warning",
    "from loop",
    "are not member",
    "are not a member",
    "error sending your mail",
    "mail failure",
    "mail error",
    "message status",
    "not delivered",
    "permanent delivery",
    "rejected mail",
    "rejected message",
    "message rejected",
    "warning: could not send",
    "could not send message",
    "unable to deliver",
    "returned message",
    "message delivery",
    "mail system error",
    "mail failed",
    "bounce",
    "errors from",
    "unzustellbar",
    "zustellung fehlgeschlagen",
    "nicht zugestellt",
    "non remis",
    "non-remis",
    "non distribu",
    "echec de la remise",
    "échec de la remise",
    "échec de remise",
    "no se puede entregar",
    "no entregado",
    "non recapitabile",
    "mancato recapito",
    "onbestelbaar",
    "niet afgeleverd",
    "não entregue",
    "não foi possível entregar",
    "配信できません",
    "配信不能",
    "送信できません",
    "エラー",
    "配信失敗",
    "配達不能",
    "配送不能",
    "недоставленное",
    "не доставлен",
    "ошибка доставки",
    "退信",
    "entrega fallida",
    "error de entrega",
    "non délivré",
    "n'a pas été remis",
    "nicht zustellbar",
    "zustellungsfehler",
    "fehler bei der zustellung",
    "consegna fallita",
    "mancata consegna",
    "niet bezorgd",
    "bezorging mislukt",
    "falha na entrega",
    "falha de entrega",
    "niedostarczona",
];

/// Sentences of reports, in lower case.
const SENTENCES: &[&str] = &[
    "could not be delivered",
    "couldn't be delivered",
    "cannot be delivered",
    "can't be delivered",
    "not be delivered to",
    "was not delivered",
    "not delivered",
    "unable to deliver",
    "wasn't able to deliver",
    "were unable to deliver",
    "delivery failed",
    "delivery has failed",
    "delivery to the following",
    "delevery to the following",
    "failed permanently",
    "did not reach",
    "error delivering",
    "trouble delivering",
    "error occurred while",
    "delivery problems",
    "delivery errors",
    "permanent error",
    "permanent fatal error",
    "fatal errors",
    "has been delayed",
    "not yet been delivered",
    "attempting to deliver",
    "rejected by a remote",
    "duplicated message-id",
    "the number of attempts",
    "are not member",
    "was undeliverable",
    "undeliverable to",
    "is undeliverable",
    "transcript of session",
    "failure reasons",
    "failed addresses",
    "non-delivered information",
    "unknown user",
    "user unknown",
    "no such user",
    "invalid final delivery",
    "account is disabled",
    "email you sent was rejected",
    "to inform you that the message",
    "non remis",
    "n'a pas pu être",
    "konnte nicht zugestellt",
    "nicht zugestellt werden",
    "no se pudo entregar",
    "no se ha podido entregar",
    "impossibile recapitare",
    "kan niet worden bezorgd",
    "não pôde ser entregue",
    "не может быть доставлено",
    "送信できません",
    "配信できません",
    "配送できません",
];

/// Whether the signs together make it a report.
pub(super) fn is_delivery_report(mail: &ParsedMail, report: &str) -> bool {
    let header = |wanted: &str| {
        mail.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim())
    };
    let subject = mail.subject.to_lowercase();
    // Whoever answers or forwards a report did not write it; neither prefix is a system's.
    if ["fw:", "fwd:", "wg:", "tr:"]
        .iter()
        .any(|prefix| subject.starts_with(prefix))
    {
        return false;
    }
    if header("X-Failed-Recipients").is_some() {
        return true;
    }
    // A list server reports under the name of its owner.
    let machine = from_mail_system(mail) || header("X-MLServer").is_some();
    let by_subject = SUBJECTS.iter().any(|words| subject.contains(words));
    let lower = report.to_lowercase();
    let by_text = SENTENCES.iter().any(|words| lower.contains(words));
    let null_path = header("Return-Path").is_some_and(|path| matches!(path, "<>" | "" | "<MAILER-DAEMON>"));
    let declared =
        mail.content_type == "multipart/report" && matches!(mail.report_type.as_str(), "delivery-status" | "");
    // A mailbox that nobody reads returns a mail and says that it did not arrive.
    let returns = mail
        .attachments
        .iter()
        .any(|attachment| attachment.content_type == "message/rfc822");
    let unread = mail.from.iter().any(|from| {
        let local = from.address.split('@').next().unwrap_or_default().to_lowercase();
        ["no-reply", "noreply"].contains(&local.as_str())
    });
    if unread && returns && by_text {
        return true;
    }
    let signs = [machine, by_subject, by_text, null_path, declared];
    let count = signs.iter().filter(|sign| **sign).count();
    (machine || null_path || declared) && (by_subject || by_text) && count >= 2
}

fn from_mail_system(mail: &ParsedMail) -> bool {
    let Some(from) = mail.from.first() else {
        return mail.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("from"));
    };
    let name = from.name.to_lowercase();
    let address = from.address.to_lowercase();
    let local = address.split('@').next().unwrap_or_default();
    (address.is_empty() && name.is_empty()) || SENDERS.iter().any(|word| local.contains(word) || name.contains(word))
}
