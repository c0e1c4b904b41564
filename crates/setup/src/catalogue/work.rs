//! Words for findings about notifications and about the work that waits.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::NotificationsOff => FindingText::new(
            [
                "Change notifications are not configured; mailboxes are polled.",
                "Les notifications de changement ne sont pas configurées ; les boîtes sont interrogées périodiquement.",
            ],
            [
                "Nothing has to be done. For faster intake, configure a public https address for notifications.",
                "Rien n'est à faire. Pour une réception plus rapide, configurez une adresse https publique pour les notifications.",
            ],
        ),
        Code::SubscriptionAbsent => FindingText::new(
            [
                "The folder {folder} of {subject} has no subscription; it is polled.",
                "Le dossier {folder} de {subject} n'a pas d'abonnement ; il est interrogé périodiquement.",
            ],
            [
                "Check that `guichet serve` is running and that Microsoft can reach the notification address.",
                "Vérifiez que `guichet serve` est en cours d'exécution et que Microsoft peut atteindre l'adresse de notification.",
            ],
        ),
        Code::SubscriptionExpired => FindingText::new(
            [
                "The subscription for {folder} of {subject} expired on {date}.",
                "L'abonnement pour {folder} de {subject} a expiré le {date}.",
            ],
            [
                "Check that `guichet serve` is running; it renews subscriptions by itself.",
                "Vérifiez que `guichet serve` est en cours d'exécution ; il renouvelle lui-même les abonnements.",
            ],
        ),
        Code::SubscriptionElsewhere => FindingText::new(
            [
                "The subscription for {folder} of {subject} delivers to {actual}.",
                "L'abonnement pour {folder} de {subject} livre à {actual}.",
            ],
            [
                "Restart `guichet serve`: it replaces the subscription by one for {wanted}.",
                "Redémarrez `guichet serve` : il remplace l'abonnement par un autre vers {wanted}.",
            ],
        ),
        Code::SubscriptionOk => FindingText::new(
            [
                "The folder {folder} of {subject} has a subscription until {date}.",
                "Le dossier {folder} de {subject} a un abonnement jusqu'au {date}.",
            ],
            ["", ""],
        ),
        Code::OutboxDead => FindingText::new(
            [
                "{count} jobs of the outbox were given up.",
                "{count} tâches de la boîte d'envoi ont été abandonnées.",
            ],
            [
                "Read the reasons in the evidence, correct the cause, then let the jobs be tried again.",
                "Lisez les motifs du constat, corrigez la cause, puis faites réessayer ces tâches.",
            ],
        ),
        Code::OutboxBacklog => FindingText::new(
            [
                "{count} jobs wait in the outbox.",
                "{count} tâches attendent dans la boîte d'envoi.",
            ],
            [
                "Check that `guichet serve` is running and that Graph does not throttle.",
                "Vérifiez que `guichet serve` est en cours d'exécution et que Graph ne limite pas les requêtes.",
            ],
        ),
        Code::QuarantinePresent => FindingText::new(
            [
                "{count} mails are in quarantine.",
                "{count} messages sont en quarantaine.",
            ],
            [
                "Their bytes are kept. Look at the reasons in the evidence; `guichet trace` shows each mail's way.",
                "Leurs octets sont conservés. Examinez les motifs du constat ; `guichet trace` montre le chemin de chaque message.",
            ],
        ),
        Code::WorkOk => FindingText::new(
            [
                "Nothing is stuck: {pending} jobs wait, none was given up.",
                "Rien n'est bloqué : {pending} tâches attendent, aucune n'a été abandonnée.",
            ],
            ["", ""],
        ),
        _ => return None,
    };
    Some(text)
}
