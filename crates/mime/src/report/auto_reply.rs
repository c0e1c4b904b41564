//! Automatic answers: vacation notices and acknowledgements.
//!
//! Owns the headers (RFC 3834 and older habits) and the subjects that mail programs give them. Read
//! after delivery reports, which carry some of the same headers.

use crate::ParsedMail;

/// How mail programs begin the subject of an automatic answer, in lower case.
const SUBJECTS: &[&str] = &[
    "auto:",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "automatic reply",
    "automated reply",
    "automated response",
    "out of office",
    "out of the office",
    "out-of-office",
    "ooo:",
    "away from",
    "away until",
    "on vacation",
    "vacation:",
    "abwesenheit",
    "abwesend",
    "automatische antwort",
    "außer haus",
    "réponse automatique",
    "reponse automatique",
    "absence du bureau",
    "absent du bureau",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "automatisch antwoord",
    "afwezig",
    "afwezigheid",
    "resposta automática",
    "resposta automatica",
    "ausência temporária",
    "fora do escritório",
    "automatiskt svar",
    "自動返信",
    "自動応答",
    "不在通知",
];

/// What tells that a mail is an automatic answer, if anything does.
pub(super) fn why(mail: &ParsedMail) -> Option<String> {
    for (name, value) in &mail.headers {
        let folded = value.trim().to_ascii_lowercase();
        let tells = match name.to_ascii_lowercase().as_str() {
            "auto-submitted" => folded.starts_with("auto-replied") || folded.starts_with("auto-notified"),
            "precedence" => matches!(folded.as_str(), "auto_reply" | "auto-reply"),
            "x-autoreply" | "x-autorespond" | "x-autoresponder" | "x-auto-reply" => folded != "no",
            "x-precedence" => folded == "auto_reply",
            _ => false,
        };
        if tells {
            return Some(format!("{name} is `{}`", value.trim()));
        }
    }
    let subject = mail.subject.trim().to_lowercase();
    SUBJECTS
        .iter()
        .find(|words| subject.starts_with(*words))
        .map(|words| format!("the subject begins with `{words}`"))
}
