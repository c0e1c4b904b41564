//! Words for what only Exchange's own administration shows.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::AllowListOk => FindingText::new(
            [
                "Every configured address is on the connection filter's allow list.",
                "Toutes les adresses configurées figurent dans la liste verte du filtre de connexion.",
            ],
            ["", ""],
        ),
        Code::AllowListMissing => FindingText::new(
            [
                "The connection filter's allow list lacks {count} of the configured ranges.",
                "Il manque {count} des plages configurées dans la liste verte du filtre de connexion.",
            ],
            [
                "As an Exchange Administrator, run the script of `guichet connect export --format powershell` with `-ExchangeOnly`: it adds them and writes a new report.",
                "En tant qu'Administrateur Exchange, exécutez le script de `guichet connect export --format powershell` avec `-ExchangeOnly` : il les ajoute et écrit un nouveau rapport.",
            ],
        ),
        Code::AllowListStale => FindingText::new(
            [
                "The connection filter's allow list was in order, and nobody has looked at it for 90 days.",
                "La liste verte du filtre de connexion était en ordre, mais personne ne l'a vérifiée depuis 90 jours.",
            ],
            [
                "As an Exchange Administrator, run the script of `guichet connect export --format powershell` with `-ExchangeOnly` again, and put the new report in the place of {subject}.",
                "En tant qu'Administrateur Exchange, exécutez de nouveau le script de `guichet connect export --format powershell` avec `-ExchangeOnly`, et mettez le nouveau rapport à la place de {subject}.",
            ],
        ),
        Code::AllowListUnseen => FindingText::new(
            [
                "Guichet cannot see the connection filter's allow list: only an Exchange Administrator may look at it.",
                "Guichet ne peut pas voir la liste verte du filtre de connexion : seul un Administrateur Exchange peut la consulter.",
            ],
            [
                "As an Exchange Administrator, run the script of `guichet connect export --format powershell` with `-ExchangeOnly`, and name the report that it writes as `exchange_report` under [doctor] in guichet.toml. If no mail is handed to the tenant by SMTP from these addresses, remove them from [addresses].",
                "En tant qu'Administrateur Exchange, exécutez le script de `guichet connect export --format powershell` avec `-ExchangeOnly`, puis indiquez le rapport qu'il écrit comme `exchange_report` sous [doctor] dans guichet.toml. Si aucun courrier n'est remis au locataire par SMTP depuis ces adresses, retirez-les de [addresses].",
            ],
        ),
        Code::ExchangeReportUnusable => FindingText::new(
            [
                "The report about Exchange in {subject} cannot be used.",
                "Le rapport sur Exchange dans {subject} est inutilisable.",
            ],
            [
                "Run the script of `guichet connect export --format powershell` with `-ExchangeOnly` for this application, and name the file that it writes, unchanged, as `exchange_report` under [doctor] in guichet.toml.",
                "Exécutez le script de `guichet connect export --format powershell` avec `-ExchangeOnly` pour cette application, et indiquez le fichier qu'il écrit, inchangé, comme `exchange_report` sous [doctor] dans guichet.toml.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
