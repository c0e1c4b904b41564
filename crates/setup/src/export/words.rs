//! The words of the exported scripts, in English and French, by the key under which the templates ask for them.
//!
//! Owns the comments and messages. Never holds a value: a script puts values behind its sentences itself.

use crate::catalogue::Text;

/// The text of a key.
pub(super) fn text(key: &str) -> Option<Text> {
    ALL.iter().find(|(name, ..)| *name == key).map(|(_, text)| *text)
}

const fn entry(key: &'static str, english: &'static str, french: &'static str) -> (&'static str, Text) {
    (key, Text::new(english, french))
}

const ALL: &[(&str, Text)] = &[
    entry(
        "purpose",
        "Connects this Microsoft 365 tenant to Guichet: application, permissions, consent, client secret, checks.",
        "Connecte ce locataire Microsoft 365 à Guichet : application, autorisations, consentement, secret, contrôles.",
    ),
    entry(
        "again",
        "May be stopped at any place and run again: it looks before it creates, and removes nothing.",
        "Peut être interrompu et relancé à tout moment : il regarde avant de créer et ne retire rien.",
    ),
    entry(
        "again-terraform",
        "Terraform's state says what there is; keep it safe, it holds the client secret in clear text.",
        "L'état de Terraform dit ce qui existe ; protégez-le, il contient le secret client en clair.",
    ),
    entry("before", "Before:", "Au préalable :"),
    entry("before-terraform", "To run it:", "Pour l'exécuter :"),
    entry("options", "Options:", "Options :"),
    entry(
        "option-listed",
        "no tenant-wide mail permissions: only the listed mailboxes, by RBAC for Applications",
        "pas d'autorisations de courrier sur tout le locataire : seules les boîtes listées, par RBAC for Applications",
    ),
    entry(
        "option-secret",
        "make one more client secret, although there is a valid one",
        "créer un secret client de plus, même s'il en existe un valable",
    ),
    entry(
        "option-exchange",
        "only the Exchange part, for an application that another script has registered",
        "seulement la partie Exchange, pour une application inscrite par un autre script",
    ),
    entry(
        "unknown-option",
        "unknown option, known are --listed and --new-secret:",
        "option inconnue, les options connues sont --listed et --new-secret :",
    ),
    entry(
        "bodies",
        "Prepared requests; an @ is written \\u0040, because az takes it for the name of a file.",
        "Requêtes préparées ; @ s'écrit \\u0040, car az y verrait un nom de fichier.",
    ),
    entry(
        "patience",
        "What was just created may be missing on another server of the directory for a minute or two.",
        "Ce qui vient d'être créé peut manquer une minute ou deux sur un autre serveur de l'annuaire.",
    ),
    entry(
        "step-tenant",
        "The right cloud and tenant",
        "Le bon cloud et le bon locataire",
    ),
    entry(
        "wrong-cloud",
        "az is set to another cloud: az cloud set --name …, then az login. Set / expected:",
        "az est réglé sur un autre cloud : az cloud set --name …, puis az login. Réglé / attendu :",
    ),
    entry(
        "no-environment",
        "no environment of Microsoft Graph has this address; add one with Add-MgEnvironment:",
        "aucun environnement de Microsoft Graph n'a cette adresse ; ajoutez-le avec Add-MgEnvironment :",
    ),
    entry(
        "wrong-tenant",
        "you are signed in to another tenant. Found / expected:",
        "vous êtes connecté à un autre locataire. Trouvé / attendu :",
    ),
    entry(
        "step-application",
        "The application registration",
        "L'inscription d'application",
    ),
    entry(
        "ambiguous",
        "several applications have this name; rename all but the right one:",
        "plusieurs applications portent ce nom ; renommez toutes sauf la bonne :",
    ),
    entry(
        "no-application",
        "no application has this name; run the script without -ExchangeOnly:",
        "aucune application ne porte ce nom ; lancez le script sans -ExchangeOnly :",
    ),
    entry("application-created", "application created:", "application créée :"),
    entry("application-found", "application found:", "application trouvée :"),
    entry(
        "application-corrected",
        "application corrected: account types, redirect URI, requested permissions",
        "application corrigée : types de comptes, URI de redirection, autorisations demandées",
    ),
    entry(
        "merge",
        "What others have added stays.",
        "Ce que d'autres ont ajouté est conservé.",
    ),
    entry(
        "step-principal",
        "The enterprise application (service principal)",
        "L'application d'entreprise (principal de service)",
    ),
    entry(
        "principal-created",
        "enterprise application created:",
        "application d'entreprise créée :",
    ),
    entry(
        "step-consent",
        "Admin consent for the three permissions",
        "Le consentement administrateur pour les trois autorisations",
    ),
    entry("granted", "granted:", "accordé :"),
    entry(
        "union",
        "a mail permission is granted for the whole tenant and defeats the limit to the listed mailboxes: remove it \
         under Enterprise applications > Permissions",
        "une autorisation de courrier vaut pour tout le locataire et annule la limite aux boîtes listées : retirez-la \
         sous Applications d'entreprise > Autorisations",
    ),
    entry(
        "step-mailboxes",
        "Each mailbox exists and has an Exchange plan",
        "Chaque boîte aux lettres existe et dispose d'un plan Exchange",
    ),
    entry(
        "mailbox-unseen",
        "no such user, or its licences can't be read:",
        "utilisateur inexistant, ou licences illisibles :",
    ),
    entry(
        "mailbox-unlicensed",
        "no Exchange plan; right for a shared mailbox, otherwise assign a licence:",
        "aucun plan Exchange ; normal pour une boîte partagée, sinon attribuez une licence :",
    ),
    entry("step-secret", "The client secret", "Le secret client"),
    entry(
        "secret-there",
        "there is a valid client secret of this description; its value can't be shown again",
        "un secret client valable porte cette description ; sa valeur ne peut plus être affichée",
    ),
    entry("secret-created", "client secret created", "secret client créé"),
    entry(
        "copy-value",
        "Copy the secret's value now, not its id: the value is shown this once.",
        "Copiez maintenant la valeur du secret, pas son ID : la valeur n'est affichée qu'une fois.",
    ),
    entry("label-app", "Application (client) ID", "ID d'application (client)"),
    entry("label-tenant", "Directory (tenant) ID", "ID de l'annuaire (locataire)"),
    entry(
        "label-endpoint",
        "OAuth 2.0 token endpoint (v2)",
        "Point de terminaison de jeton OAuth 2.0 (v2)",
    ),
    entry("label-key", "Secret ID", "ID de secret"),
    entry("label-expires", "Secret expires", "Expiration du secret"),
    entry("label-value", "Secret value", "Valeur du secret"),
    entry(
        "step-exchange",
        "Exchange Online: access policies, access by mailbox, allow list",
        "Exchange Online : stratégies d'accès, accès par boîte aux lettres, liste verte",
    ),
    entry(
        "exchange-elsewhere",
        "Exchange Online can't be reached with az. For access policies, access by mailbox and the allow list, run:",
        "Exchange Online n'est pas accessible avec az. Pour les stratégies d'accès, l'accès par boîte et la liste \
         verte, lancez :",
    ),
    entry(
        "exchange-terraform",
        "No provider reaches Exchange Online. For access policies, access by mailbox and the allow list, run:",
        "Aucun fournisseur n'atteint Exchange Online. Pour les stratégies d'accès, l'accès par boîte et la liste verte :",
    ),
    entry(
        "step-policies",
        "Application access policies that would stop the application",
        "Stratégies d'accès aux applications qui bloqueraient l'application",
    ),
    entry(
        "policies-found",
        "application access policies limit this application; each mailbox must be granted below",
        "des stratégies d'accès limitent cette application ; chaque boîte doit être autorisée ci-dessous",
    ),
    entry(
        "step-listed",
        "RBAC for Applications: a group, a scope, and two roles within the scope",
        "RBAC for Applications : un groupe, une étendue et deux rôles dans cette étendue",
    ),
    entry(
        "member-unlisted",
        "the group has a member that is not listed, and the application reaches it:",
        "le groupe a un membre qui n'est pas listé, et l'application y accède :",
    ),
    entry(
        "test-listed",
        "InScope must be True; other clients see the change after 30 minutes to two hours.",
        "InScope doit valoir True ; les autres clients voient le changement après 30 minutes à deux heures.",
    ),
    entry(
        "ranges",
        "Only for mail that is sent into the tenant by SMTP from these addresses; mail sent through Graph needs no entry.",
        "Seulement pour le courrier remis au locataire en SMTP depuis ces adresses ; l'envoi par Graph n'en a pas besoin.",
    ),
    entry(
        "step-ranges",
        "The connection filter's allow list",
        "La liste verte du filtre de connexion",
    ),
    entry(
        "too-many-ranges",
        "the allow list would hold more entries than Exchange takes",
        "la liste verte dépasserait le nombre d'entrées accepté par Exchange",
    ),
    entry("ranges-added", "allowed:", "autorisé :"),
    entry(
        "step-report",
        "A report for Guichet: name it as exchange_report under [doctor] in guichet.toml",
        "Un rapport pour Guichet : indiquez-le comme exchange_report sous [doctor] dans guichet.toml",
    ),
    entry(
        "report-written",
        "the report for `guichet connect verify` is in guichet-exchange.json",
        "le rapport pour `guichet connect verify` est dans guichet-exchange.json",
    ),
    entry(
        "adopt",
        "If the application exists already, take it over first:",
        "Si l'application existe déjà, reprenez-la d'abord :",
    ),
    entry(
        "slash",
        "The provider wants a slash behind an address without a path.",
        "Le fournisseur exige une barre oblique après une adresse sans chemin.",
    ),
    entry(
        "mailboxes-terraform",
        "Says which of them are no user principal names. Licences can't be read here: check Users > Active users > Licenses and apps.",
        "Dit lesquelles ne sont pas des noms d'utilisateur principaux. Les licences ne se lisent pas ici : vérifiez Utilisateurs > Utilisateurs \
         actifs > Licences et applications.",
    ),
    entry(
        "secret-terraform",
        "To renew it: terraform apply -replace=time_offset.secret",
        "Pour le renouveler : terraform apply -replace=time_offset.secret",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn every_key_is_there_once_and_both_languages_are_one_line_of_their_own() {
        for (at, (key, text)) in ALL.iter().enumerate() {
            assert!(!ALL[..at].iter().any(|(other, _)| other == key), "{key} is there twice");
            let [english, french] = Language::ALL.map(|language| text.get(language));
            for words in [english, french] {
                assert!(!words.is_empty() && !words.chars().any(char::is_control), "{key}");
            }
            assert!(english != french || *key == "options", "{key} is not translated");
        }
    }
}
