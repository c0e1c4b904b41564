//! Names of the folders that every mailbox has.
//!
//! Owns the fixed names that Graph knows in every language, and what Exchange shows in their place in some. Never
//! asks a mailbox. Source of the fixed names: Microsoft's reference of the mailFolder resource.

/// Folders that Graph knows by a fixed name, whatever their name in the mailbox's language.
pub(crate) const NAMES: [&str; 9] = [
    "archive",
    "clutter",
    "deleteditems",
    "drafts",
    "inbox",
    "junkemail",
    "msgfolderroot",
    "outbox",
    "sentitems",
];

/// What Exchange and Outlook show for a folder, in lower case: English, French, German, Spanish, Italian, Dutch and
/// Portuguese. An administrator copies such a name from a mailbox in front of them, and it holds in that language alone.
const SHOWN: [(&str, &[&str]); 7] = [
    (
        "inbox",
        &[
            "boîte de réception",
            "posteingang",
            "bandeja de entrada",
            "posta in arrivo",
            "postvak in",
            "caixa de entrada",
            "a receber",
        ],
    ),
    (
        "sentitems",
        &[
            "sent items",
            "sent",
            "sent mail",
            "éléments envoyés",
            "courrier envoyé",
            "gesendete elemente",
            "gesendet",
            "elementos enviados",
            "posta inviata",
            "verzonden items",
            "itens enviados",
        ],
    ),
    (
        "deleteditems",
        &[
            "deleted items",
            "trash",
            "éléments supprimés",
            "gelöschte elemente",
            "elementos eliminados",
            "posta eliminata",
            "verwijderde items",
            "itens eliminados",
            "itens excluídos",
        ],
    ),
    (
        "drafts",
        &[
            "brouillons",
            "entwürfe",
            "borradores",
            "bozze",
            "concepten",
            "rascunhos",
        ],
    ),
    (
        "junkemail",
        &[
            "junk email",
            "junk e-mail",
            "spam",
            "courrier indésirable",
            "junk-e-mail",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
            "lixo eletrônico",
            "correio publicitário não solicitado",
        ],
    ),
    (
        "outbox",
        &[
            "boîte d'envoi",
            "boîte d\u{2019}envoi",
            "postausgang",
            "bandeja de salida",
            "posta in uscita",
            "postvak uit",
            "caixa de saída",
            "a enviar",
        ],
    ),
    (
        "archive",
        &["archiv", "archivo", "archivio", "archief", "arquivo", "archives"],
    ),
];

/// The fixed name of the folder that is shown under this one in some language.
pub(crate) fn named(shown: &str) -> Option<&'static str> {
    let shown = shown.trim().to_lowercase();
    SHOWN
        .iter()
        .find(|(_, names)| names.contains(&shown.as_str()))
        .map(|(fixed, _)| *fixed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_shown_name_is_lower_case_and_leads_to_one_fixed_name() {
        let mut seen = BTreeSet::new();
        for (fixed, names) in SHOWN {
            assert!(NAMES.contains(&fixed));
            for name in names {
                assert_eq!(*name, name.to_lowercase());
                assert!(seen.insert(*name), "{name} twice");
                // A fixed name never reaches this table.
                assert!(!NAMES.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn a_name_is_found_whatever_its_case() {
        assert_eq!(named("Boîte de réception"), Some("inbox"));
        assert_eq!(named(" SENT ITEMS "), Some("sentitems"));
        assert_eq!(named("Returns"), None);
    }
}
