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
        Code::EndpointOk => FindingText::new(
            [
                "The notification endpoint {url} answers as Microsoft wants it to.",
                "Le point de notification {url} répond comme Microsoft le veut.",
            ],
            ["", ""],
        ),
        Code::EndpointDns => FindingText::new(
            [
                "The host name of the notification endpoint {subject} cannot be resolved.",
                "Le nom d'hôte du point de notification {subject} ne peut pas être résolu.",
            ],
            [
                "Check `public_url` under [server] in guichet.toml, then the name's entry in the public DNS. If Microsoft reaches it and this machine cannot, set `probe_endpoint = false` under [doctor] in guichet.toml.",
                "Vérifiez `public_url` sous [server] dans guichet.toml, puis l'entrée de ce nom dans le DNS public. Si Microsoft l'atteint mais pas cette machine, indiquez `probe_endpoint = false` sous [doctor] dans guichet.toml.",
            ],
        ),
        Code::EndpointConnect => FindingText::new(
            [
                "No connection to the notification endpoint {subject} can be opened; mailboxes are polled.",
                "Aucune connexion au point de notification {subject} ne peut être ouverte ; les boîtes sont interrogées périodiquement.",
            ],
            [
                "Check that `guichet serve` is running, and that firewall and reverse proxy lead this address to it. If Microsoft reaches it and this machine cannot, set `probe_endpoint = false` under [doctor] in guichet.toml.",
                "Vérifiez que `guichet serve` est en cours d'exécution, et que le pare-feu et le proxy inverse mènent cette adresse jusqu'à lui. Si Microsoft l'atteint mais pas cette machine, indiquez `probe_endpoint = false` sous [doctor] dans guichet.toml.",
            ],
        ),
        Code::EndpointTls => FindingText::new(
            [
                "The certificate of the notification endpoint {subject} is not trusted; mailboxes are polled.",
                "Le certificat du point de notification {subject} n'est pas approuvé ; les boîtes sont interrogées périodiquement.",
            ],
            [
                "Install a certificate for this host name from a publicly trusted authority, with its chain, and see that it has not expired: Microsoft notifies nobody else. If Microsoft reaches it and this machine cannot, set `probe_endpoint = false` under [doctor] in guichet.toml.",
                "Installez pour ce nom d'hôte un certificat d'une autorité publiquement approuvée, avec sa chaîne, et vérifiez qu'il n'a pas expiré : Microsoft n'envoie de notifications à personne d'autre. Si Microsoft l'atteint mais pas cette machine, indiquez `probe_endpoint = false` sous [doctor] dans guichet.toml.",
            ],
        ),
        Code::EndpointTimeout => FindingText::new(
            [
                "The notification endpoint {subject} does not answer in time; mailboxes are polled.",
                "Le point de notification {subject} ne répond pas à temps ; les boîtes sont interrogées périodiquement.",
            ],
            [
                "Microsoft waits for ten seconds. Check the load of this machine and of the reverse proxy, and that a firewall does not drop the connection silently. If Microsoft reaches it and this machine cannot, set `probe_endpoint = false` under [doctor] in guichet.toml.",
                "Microsoft attend dix secondes. Vérifiez la charge de cette machine et du proxy inverse, et qu'un pare-feu n'abandonne pas la connexion sans le dire. Si Microsoft l'atteint mais pas cette machine, indiquez `probe_endpoint = false` sous [doctor] dans guichet.toml.",
            ],
        ),
        Code::EndpointForeign => FindingText::new(
            [
                "What answers at {url} is not the notification endpoint of Guichet.",
                "Ce qui répond à {url} n'est pas le point de notification de Guichet.",
            ],
            [
                "Let the reverse proxy pass this path on to `guichet serve` with its query, without a sign-in page or a redirect in between.",
                "Faites transmettre ce chemin par le proxy inverse à `guichet serve` avec sa requête, sans page de connexion ni redirection entre les deux.",
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
                "Read the reasons in the evidence and correct the cause, then `guichet dead-letters list` shows the jobs, and `retry` or `discard` decides about each.",
                "Lisez les motifs du constat et corrigez la cause ; `guichet dead-letters list` montre ensuite les tâches, et `retry` ou `discard` décide de chacune.",
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
                "Look at the reasons in the evidence; `guichet quarantine show` tells the way of each mail, and `replay` or `discard` decides about it.",
                "Examinez les motifs du constat ; `guichet quarantine show` montre le chemin de chaque message, et `replay` ou `discard` décide de son sort.",
            ],
        ),
        Code::WorkOk => FindingText::new(
            [
                "Nothing is stuck: {pending} jobs wait, none was given up.",
                "Rien n'est bloqué : {pending} tâches attendent, aucune n'a été abandonnée.",
            ],
            ["", ""],
        ),
        Code::ThrottledOften => FindingText::new(
            [
                "Microsoft refused {throttled} of {requests} requests for {subject} in the last hour because there were too many: mail comes late.",
                "Microsoft a refusé {throttled} des {requests} requêtes pour {subject} pendant la dernière heure car elles étaient trop nombreuses : le courrier arrive en retard.",
            ],
            [
                "Look for other programs that use the same application or the same mailbox, and give them an application of their own. During the first import of a large mailbox this is usual and ends by itself. Without notifications, raise `poll_seconds` under [sync] in guichet.toml.",
                "Cherchez d'autres programmes qui utilisent la même application ou la même boîte, et donnez-leur leur propre application. Pendant la première importation d'une grande boîte, c'est habituel et cela cesse de soi-même. Sans notifications, augmentez `poll_seconds` sous [sync] dans guichet.toml.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
