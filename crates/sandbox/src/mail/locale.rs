//! Languages of a mailbox: their names, and what the folders that every mailbox has are called in them.
//!
//! Owns the tables. A language without folder names of its own has the English ones.

use crate::mail::well_known::WellKnown;

/// A locale that a mailbox can have, and its English name.
const LOCALES: [(&str, &str); 52] = [
    ("ar-SA", "Arabic (Saudi Arabia)"),
    ("bg-BG", "Bulgarian (Bulgaria)"),
    ("ca-ES", "Catalan (Catalan)"),
    ("cs-CZ", "Czech (Czech Republic)"),
    ("da-DK", "Danish (Denmark)"),
    ("de-AT", "German (Austria)"),
    ("de-CH", "German (Switzerland)"),
    ("de-DE", "German (Germany)"),
    ("el-GR", "Greek (Greece)"),
    ("en-AU", "English (Australia)"),
    ("en-CA", "English (Canada)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-IE", "English (Ireland)"),
    ("en-IN", "English (India)"),
    ("en-NZ", "English (New Zealand)"),
    ("en-US", "English (United States)"),
    ("en-ZA", "English (South Africa)"),
    ("es-AR", "Spanish (Argentina)"),
    ("es-ES", "Spanish (Spain)"),
    ("es-MX", "Spanish (Mexico)"),
    ("et-EE", "Estonian (Estonia)"),
    ("fi-FI", "Finnish (Finland)"),
    ("fr-BE", "French (Belgium)"),
    ("fr-CA", "French (Canada)"),
    ("fr-CH", "French (Switzerland)"),
    ("fr-FR", "French (France)"),
    ("he-IL", "Hebrew (Israel)"),
    ("hi-IN", "Hindi (India)"),
    ("hr-HR", "Croatian (Croatia)"),
    ("hu-HU", "Hungarian (Hungary)"),
    ("id-ID", "Indonesian (Indonesia)"),
    ("it-IT", "Italian (Italy)"),
    ("ja-JP", "Japanese (Japan)"),
    ("ko-KR", "Korean (Korea)"),
    ("lt-LT", "Lithuanian (Lithuania)"),
    ("lv-LV", "Latvian (Latvia)"),
    ("nb-NO", "Norwegian, Bokm\u{e5}l (Norway)"),
    ("nl-BE", "Dutch (Belgium)"),
    ("nl-NL", "Dutch (Netherlands)"),
    ("pl-PL", "Polish (Poland)"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("pt-PT", "Portuguese (Portugal)"),
    ("ro-RO", "Romanian (Romania)"),
    ("ru-RU", "Russian (Russia)"),
    ("sk-SK", "Slovak (Slovakia)"),
    ("sl-SI", "Slovenian (Slovenia)"),
    ("sv-SE", "Swedish (Sweden)"),
    ("th-TH", "Thai (Thailand)"),
    ("tr-TR", "Turkish (T\u{fc}rkiye)"),
    ("uk-UA", "Ukrainian (Ukraine)"),
    ("zh-CN", "Chinese (Simplified, China)"),
    ("zh-TW", "Chinese (Traditional, Taiwan)"),
];

/// The canonical spelling and English name of a locale; `None` when a mailbox cannot have it.
#[must_use]
pub fn known(locale: &str) -> Option<(&'static str, &'static str)> {
    LOCALES
        .iter()
        .find(|(tag, _)| tag.eq_ignore_ascii_case(locale.trim()))
        .copied()
}

/// Folders in the order of the names below.
const NAMED: [WellKnown; 15] = [
    WellKnown::Archive,
    WellKnown::ConversationHistory,
    WellKnown::DeletedItems,
    WellKnown::Drafts,
    WellKnown::Inbox,
    WellKnown::JunkEmail,
    WellKnown::Outbox,
    WellKnown::SentItems,
    WellKnown::Clutter,
    WellKnown::Scheduled,
    WellKnown::SyncIssues,
    WellKnown::Conflicts,
    WellKnown::LocalFailures,
    WellKnown::ServerFailures,
    WellKnown::MessageFolderRoot,
];

const ENGLISH: [&str; 15] = [
    "Archive",
    "Conversation History",
    "Deleted Items",
    "Drafts",
    "Inbox",
    "Junk Email",
    "Outbox",
    "Sent Items",
    "Clutter",
    "Scheduled",
    "Sync Issues",
    "Conflicts",
    "Local Failures",
    "Server Failures",
    "Top of Information Store",
];

const LANGUAGES: [(&str, [&str; 15]); 6] = [
    (
        "fr",
        [
            "Archive",
            "Historique des conversations",
            "\u{c9}l\u{e9}ments supprim\u{e9}s",
            "Brouillons",
            "Bo\u{ee}te de r\u{e9}ception",
            "Courrier ind\u{e9}sirable",
            "Bo\u{ee}te d'envoi",
            "\u{c9}l\u{e9}ments envoy\u{e9}s",
            "Courrier p\u{ea}le-m\u{ea}le",
            "Planifi\u{e9}",
            "Probl\u{e8}mes de synchronisation",
            "Conflits",
            "D\u{e9}faillances locales",
            "D\u{e9}faillances du serveur",
            "Haut de la banque d'informations",
        ],
    ),
    (
        "de",
        [
            "Archiv",
            "Aufgezeichnete Unterhaltungen",
            "Gel\u{f6}schte Elemente",
            "Entw\u{fc}rfe",
            "Posteingang",
            "Junk-E-Mail",
            "Postausgang",
            "Gesendete Elemente",
            "Clutter",
            "Geplant",
            "Synchronisierungsprobleme",
            "Konflikte",
            "Lokale Fehler",
            "Serverfehler",
            "Oberste Ebene des Informationsspeichers",
        ],
    ),
    (
        "es",
        [
            "Archivo",
            "Historial de conversaciones",
            "Elementos eliminados",
            "Borradores",
            "Bandeja de entrada",
            "Correo no deseado",
            "Bandeja de salida",
            "Elementos enviados",
            "Otros correos",
            "Programado",
            "Problemas de sincronizaci\u{f3}n",
            "Conflictos",
            "Errores locales",
            "Errores de servidor",
            "Principio del almac\u{e9}n de informaci\u{f3}n",
        ],
    ),
    (
        "it",
        [
            "Archivio",
            "Cronologia conversazioni",
            "Posta eliminata",
            "Bozze",
            "Posta in arrivo",
            "Posta indesiderata",
            "Posta in uscita",
            "Posta inviata",
            "Posta secondaria",
            "Pianificato",
            "Problemi di sincronizzazione",
            "Conflitti",
            "Errori locali",
            "Errori del server",
            "Livello principale archivio informazioni",
        ],
    ),
    (
        "nl",
        [
            "Archief",
            "Gespreksgeschiedenis",
            "Verwijderde items",
            "Concepten",
            "Postvak IN",
            "Ongewenste e-mail",
            "Postvak UIT",
            "Verzonden items",
            "Onbelangrijke e-mail",
            "Gepland",
            "Synchronisatieproblemen",
            "Conflicten",
            "Lokale fouten",
            "Serverfouten",
            "Bovenste informatiearchief",
        ],
    ),
    (
        "pt",
        [
            "Arquivo Morto",
            "Hist\u{f3}rico de Conversa",
            "Itens Exclu\u{ed}dos",
            "Rascunhos",
            "Caixa de Entrada",
            "Lixo Eletr\u{f4}nico",
            "Caixa de Sa\u{ed}da",
            "Itens Enviados",
            "Secund\u{e1}rio",
            "Agendado",
            "Problemas de Sincroniza\u{e7}\u{e3}o",
            "Conflitos",
            "Falhas Locais",
            "Falhas de Servidor",
            "In\u{ed}cio do Reposit\u{f3}rio de Informa\u{e7}\u{f5}es",
        ],
    ),
];

/// What a folder is called in a locale; `None` for folders whose name is the same everywhere.
#[must_use]
pub fn folder_name(folder: WellKnown, locale: &str) -> Option<&'static str> {
    let language = locale.split('-').next().unwrap_or(locale);
    let names = LANGUAGES
        .iter()
        .find(|(tag, _)| tag.eq_ignore_ascii_case(language))
        .map_or(&ENGLISH, |(_, names)| names);
    NAMED
        .iter()
        .zip(names)
        .find(|(named, _)| **named == folder)
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::well_known::DEFINITIONS;

    #[test]
    fn folders_are_called_what_the_language_calls_them() {
        assert_eq!(folder_name(WellKnown::Inbox, "de-CH"), Some("Posteingang"));
        assert_eq!(folder_name(WellKnown::Inbox, "ja-JP"), Some("Inbox"));
        assert_eq!(folder_name(WellKnown::SearchFolders, "fr-FR"), None);
    }

    #[test]
    fn the_english_names_are_those_a_new_mailbox_has() {
        for definition in DEFINITIONS {
            if let Some(name) = folder_name(definition.folder, "en-US") {
                assert_eq!(name, definition.display_name);
            }
        }
    }

    #[test]
    fn no_two_folders_share_a_name_in_any_language() {
        for (language, names) in LANGUAGES {
            let mut sorted = names.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), names.len(), "{language}");
        }
    }

    #[test]
    fn only_known_locales_are_taken() {
        assert_eq!(known("fr-fr"), Some(("fr-FR", "French (France)")));
        assert_eq!(known("xx-XX"), None);
    }
}
