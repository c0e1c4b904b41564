//! Words for findings about what is recorded here: integration, key, credential and its life.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::IntegrationAbsent => FindingText::new(
            ["No tenant is connected.", "Aucun locataire n'est connecté."],
            ["Run `guichet connect apply`.", "Exécutez `guichet connect apply`."],
        ),
        Code::IntegrationInactive => FindingText::new(
            [
                "The integration {subject} is switched off.",
                "L'intégration {subject} est désactivée.",
            ],
            [
                "Run `guichet connect apply` to switch it on.",
                "Exécutez `guichet connect apply` pour l'activer.",
            ],
        ),
        Code::IntegrationError => FindingText::new(
            [
                "The service reports that the integration {subject} fails.",
                "Le service signale que l'intégration {subject} échoue.",
            ],
            [
                "Read the evidence, correct the cause, and run `guichet doctor` again.",
                "Lisez le constat, corrigez la cause, puis relancez `guichet doctor`.",
            ],
        ),
        Code::IntegrationActive => FindingText::new(
            [
                "The integration {subject} is recorded and switched on.",
                "L'intégration {subject} est enregistrée et activée.",
            ],
            ["", ""],
        ),
        Code::StoreUnusable => FindingText::new(
            ["The data cannot be read.", "Les données ne peuvent pas être lues."],
            [
                "Follow the advice in the evidence; nothing was changed.",
                "Suivez le conseil du constat ; rien n'a été modifié.",
            ],
        ),
        Code::KeyUnusable => FindingText::new(
            ["The master key cannot be used.", "La clé maîtresse est inutilisable."],
            [
                "Correct the key source named in the evidence. If the key is lost, run `guichet connect apply` with a new key: it makes a new secret.",
                "Corrigez la source de clé nommée dans le constat. Si la clé est perdue, exécutez `guichet connect apply` avec une nouvelle clé : un nouveau secret sera créé.",
            ],
        ),
        Code::CredentialAbsent => FindingText::new(
            ["No client secret is stored.", "Aucun secret client n'est enregistré."],
            [
                "Run `guichet connect apply`: it creates a secret and stores it encrypted.",
                "Exécutez `guichet connect apply` : un secret est créé et enregistré chiffré.",
            ],
        ),
        Code::CredentialWrongKey => FindingText::new(
            [
                "The stored secret or certificate was encrypted with another master key.",
                "Le secret ou certificat enregistré a été chiffré avec une autre clé maîtresse.",
            ],
            [
                "Give Guichet the key that was in use when the secret was stored, or run `guichet connect apply` to make a new secret.",
                "Donnez à Guichet la clé utilisée lors de l'enregistrement du secret, ou exécutez `guichet connect apply` pour créer un nouveau secret.",
            ],
        ),
        Code::CredentialDamaged => FindingText::new(
            [
                "The stored secret or certificate is damaged.",
                "Le secret ou certificat enregistré est endommagé.",
            ],
            [
                "Restore the database from a backup, or run `guichet connect apply` to make a new secret.",
                "Restaurez la base de données depuis une sauvegarde, ou exécutez `guichet connect apply` pour créer un nouveau secret.",
            ],
        ),
        Code::CredentialIsSecretId => FindingText::new(
            [
                "The stored client secret is the secret's id, not its value.",
                "Le secret client enregistré est l'ID du secret et non sa valeur.",
            ],
            [
                "The portal shows a value and an id side by side, the value only once. Run `guichet connect apply` to make a new secret.",
                "Le portail affiche côte à côte une valeur et un ID, la valeur une seule fois. Exécutez `guichet connect apply` pour créer un nouveau secret.",
            ],
        ),
        Code::CredentialPresent => FindingText::new(
            [
                "A client secret or certificate is stored and can be decrypted.",
                "Un secret ou certificat client est enregistré et peut être déchiffré.",
            ],
            ["", ""],
        ),
        Code::SecretValid => FindingText::new(
            [
                "The client secret or certificate is valid for {days} more days.",
                "Le secret ou certificat client est valable encore {days} jours.",
            ],
            ["", ""],
        ),
        Code::SecretExpires30 => FindingText::new(
            [
                "The client secret or certificate expires in {days} days, within a month.",
                "Le secret ou certificat client expire dans {days} jours, avant un mois.",
            ],
            [
                "Run `guichet connect apply`: it makes a new secret; the old one keeps working until it expires.",
                "Exécutez `guichet connect apply` : un nouveau secret est créé ; l'ancien reste valable jusqu'à son expiration.",
            ],
        ),
        Code::SecretExpires14 => FindingText::new(
            [
                "The client secret or certificate expires in {days} days, within two weeks.",
                "Le secret ou certificat client expire dans {days} jours, avant deux semaines.",
            ],
            [
                "Have an administrator run `guichet connect apply` before {date}; the old secret keeps working until then.",
                "Faites exécuter `guichet connect apply` par un administrateur avant le {date} ; l'ancien secret reste valable jusque-là.",
            ],
        ),
        Code::SecretExpires7 => FindingText::new(
            [
                "The client secret or certificate expires in {days} days, within a week.",
                "Le secret ou certificat client expire dans {days} jours, avant une semaine.",
            ],
            [
                "Have an administrator run `guichet connect apply` before {date}.",
                "Faites exécuter `guichet connect apply` par un administrateur avant le {date}.",
            ],
        ),
        Code::SecretExpires1 => FindingText::new(
            [
                "The client secret or certificate expires within a day, on {date}.",
                "Le secret ou certificat client expire dans moins d'un jour, le {date}.",
            ],
            [
                "Run `guichet connect apply` now; mail stops when the secret expires.",
                "Exécutez `guichet connect apply` maintenant ; le courrier s'arrête quand le secret expire.",
            ],
        ),
        Code::SecretExpired => FindingText::new(
            [
                "The client secret or certificate has expired.",
                "Le secret ou certificat client a expiré.",
            ],
            [
                "Run `guichet connect apply`: it makes a new secret and stores it.",
                "Exécutez `guichet connect apply` : un nouveau secret est créé et enregistré.",
            ],
        ),
        Code::SecretPolicy => FindingText::new(
            [
                "The tenant's policy forbids a client secret of {days} days ({error}).",
                "La stratégie du locataire interdit un secret client de {days} jours ({error}).",
            ],
            [
                "Lower `secret_lifetime_days` in guichet.toml, or have this application exempted from the tenant's app management policy.",
                "Réduisez `secret_lifetime_days` dans guichet.toml, ou faites exempter cette application de la stratégie de gestion des applications du locataire.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
