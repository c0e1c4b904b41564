//! The words by which history, forwards and signatures are announced, in the languages that we know.
//!
//! Owns the lists, in lower case. Shape comes first everywhere: no word alone makes anything history.

/// What a labelled line in a header block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    From,
    Date,
    To,
    Subject,
    /// Stands in header blocks and tells nothing by itself.
    Other,
}

/// Labels of header blocks: English, French, German, Spanish, Italian, Dutch, Portuguese, Japanese,
/// then some neighbours.
#[rustfmt::skip] // one role a line or two
const LABELS: [(Role, &[&str]); 5] = [
    (Role::From, &["from", "de", "von", "da", "van", "差出人", "送信者", "送信元", "från", "fra", "od", "от", "发件人", "寄件者", "보낸 사람"]),
    (Role::Date, &["sent", "date", "envoyé", "envoyé le", "gesendet", "datum", "enviado", "enviado el", "enviada el", "fecha", "inviato",
        "data", "verzonden", "enviado em", "enviada em", "enviada", "data de envio", "送信日時", "日付", "日時", "送信", "skickat", "sendt", "dato", "wysłano",
        "date d'envoi", "date d’envoi", "发送时间", "보낸 날짜"]),
    (Role::To, &["to", "à", "a", "an", "para", "aan", "宛先", "till", "til", "do", "кому", "收件人", "받는 사람"]),
    (Role::Subject, &["subject", "objet", "betreff", "asunto", "oggetto", "onderwerp", "assunto", "件名", "ämne", "emne", "temat", "тема", "主题", "제목"]),
    (Role::Other, &["cc", "bcc", "cci", "copie à", "copie", "kopie", "kopie an", "cc:", "copia", "reply-to", "répondre à", "antwort an", "importance",
        "wichtigkeit", "priorität", "importancia", "importanza", "urgentie", "importância", "attachments", "anlagen", "pièces jointes", "organization",
        "重要度", "返信先"]),
];

/// The role of a label.
pub(super) fn role(label: &str) -> Option<Role> {
    let found = LABELS.iter().find(|(_, labels)| labels.contains(&label));
    found.map(|(role, _)| *role)
}

/// "Wrote", as a word of an attribution.
const WROTE: [&str; 16] = [
    "wrote",
    "schrieb",
    "geschrieben",
    "écrit",
    "ecrit",
    "escribió",
    "escribio",
    "scritto",
    "schreef",
    "geschreven",
    "escreveu",
    "skrev",
    "napisał",
    "napisał(a)",
    "kirjoitti",
    "писал",
];
/// The same where words are not parted by blanks.
const WROTE_JOINED: [&str; 5] = ["書きました", "書き込みました", "のメール", "写道", "寫道"];

/// Whether a text says that somebody wrote.
pub(super) fn says_wrote(lower: &str) -> bool {
    lower
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '：'))
        .any(|word| WROTE.contains(&word))
        || WROTE_JOINED.iter().any(|word| lower.contains(word))
}

/// First words of attributions that begin with the date.
const OPENERS: [&str; 15] = [
    "on", "am", "le", "el", "il", "op", "em", "no", "às", "den", "dne", "dnia", "w", "pada", "dana",
];

/// Whether a line may begin an attribution that is broken over several lines.
pub(super) fn opens_attribution(lower: &str) -> bool {
    let first = lower.split_whitespace().next().unwrap_or_default();
    OPENERS.contains(&first) || first.starts_with(|c: char| c.is_ascii_digit())
}

/// Parts of words in lines that announce a forwarded mail.
const FORWARDED: [&str; 14] = [
    "forward",
    "weitergeleitet",
    "transfér",
    "transfer",
    "réexpédi",
    "transmis",
    "reenviad",
    "inoltrat",
    "doorgestuurd",
    "encaminhad",
    "転送",
    "vidarebefordra",
    "videresendt",
    "przekazan",
];

pub(super) fn says_forwarded(lower: &str) -> bool {
    FORWARDED.iter().any(|word| lower.contains(word))
}

/// Parts of words in lines that announce the mail that is answered.
const ORIGINAL: [&str; 7] = [
    "origin",
    "ursprüngliche",
    "ursprungliche",
    "oorspronkelijk",
    "initial",
    "元の",
    "opprinnelig",
];

pub(super) fn says_original(lower: &str) -> bool {
    ORIGINAL.iter().any(|word| lower.contains(word))
}

/// How a line begins that a device or program adds: "sent", and by what.
#[rustfmt::skip] // one language a line
const SENT: [&str; 44] = [
    "sent from my", "sent from", "sent with", "sent via", "sent by", "sent using", "sent on the go", "get outlook for",
    "envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec", "envoyé par", "obtenez outlook", "télécharger outlook", "obtenir outlook",
    "gesendet von", "gesendet mit", "gesendet über", "von meinem", "diese nachricht wurde von meinem", "holen sie sich outlook", "outlook für",
    "enviado desde", "enviado con", "obtener outlook", "descargar outlook",
    "inviato da", "inviato con", "inviato dal", "ottieni outlook", "scarica outlook",
    "verzonden vanaf", "verzonden met", "verstuurd vanaf", "verstuurd met", "outlook voor", "download outlook",
    "enviado do", "enviado a partir", "enviado pelo", "enviado de", "obter o outlook", "obtenha o outlook",
];
/// How such a line ends or what it holds where the verb comes last.
const SENT_LAST: [&str; 3] = ["から送信", "を入手", "から送信されました"];

/// Whether a short line says by which device or program the mail was sent.
pub(super) fn says_sent_from(lower: &str) -> bool {
    let begins = SENT.iter().any(|words| {
        lower
            .strip_prefix(words)
            .is_some_and(|rest| rest.is_empty() || !rest.starts_with(char::is_alphanumeric))
    });
    begins || SENT_LAST.iter().any(|words| lower.ends_with(words))
}

/// By which somebody says that the answers stand in the quoted mail, in capitals or in red.
#[rustfmt::skip] // one language a line
const BELOW: [&str; 40] = [
    "below", "inline", "in line", "in red", "in blue", "in bold", "in capitals", "interspersed",
    "ci-dessous", "plus bas", "ci-après", "en rouge", "en bleu", "en gras", "dans le texte",
    "unten", "weiter unten", "in rot", "rot markiert", "in blau", "im text", "direkt im",
    "abajo", "a continuación", "en rojo", "en azul",
    "sotto", "di seguito", "in rosso", "in blu", "nel testo",
    "hieronder", "onderstaand", "in het rood", "in de tekst",
    "abaixo", "a vermelho", "em vermelho",
    "下記", "以下",
];

/// Whether a text points to what stands below it.
pub(super) fn points_below(lower: &str) -> bool {
    BELOW.iter().any(|words| lower.contains(words))
}
