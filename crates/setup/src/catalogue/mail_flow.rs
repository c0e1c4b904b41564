//! Words for what becomes of mail on its way into a mailbox.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::RoundTripOk => FindingText::new(
            [
                "A mail from {subject} to itself arrived within {seconds} seconds.",
                "Un courrier de {subject} à elle-même est arrivé en {seconds} secondes.",
            ],
            ["", ""],
        ),
        Code::RoundTripLost => FindingText::new(
            [
                "A mail from {subject} to itself did not arrive in its inbox within a minute.",
                "Un courrier de {subject} à elle-même n'est pas arrivé dans sa boîte de réception en une minute.",
            ],
            [
                "Look for a rule of the mailbox or a transport rule that moves, deletes or redirects mail, and follow the mail \"Guichet probe\" with Message trace in the Exchange admin centre. Exchange may also be slow: look again in some minutes.",
                "Cherchez une règle de la boîte ou de transport qui déplace, supprime ou redirige le courrier, et suivez le courrier « Guichet probe » avec le suivi des messages du centre d'administration Exchange. Exchange peut aussi être lent : réessayez dans quelques minutes.",
            ],
        ),
        Code::RoundTripJunk => FindingText::new(
            [
                "A mail from {subject} to itself went to its junk folder, which is not followed.",
                "Un courrier de {subject} à elle-même est allé dans le dossier Courrier indésirable, qui n'est pas suivi.",
            ],
            [
                "Correct the junk settings of the mailbox (blocked senders) or the anti-spam policy, or follow the folder `junkemail` too: `folders` under [sync] in guichet.toml.",
                "Corrigez les paramètres de courrier indésirable de la boîte (expéditeurs bloqués) ou la stratégie anti-courrier indésirable, ou suivez aussi le dossier `junkemail` : `folders` sous [sync] dans guichet.toml.",
            ],
        ),
        Code::RoundTripRefused => FindingText::new(
            [
                "{subject} cannot send: Exchange answers {error}.",
                "{subject} ne peut pas envoyer : Exchange répond {error}.",
            ],
            [
                "Read the evidence: a full mailbox, a sending limit, or a block of the sender (Microsoft Defender, Restricted entities) stops answers too.",
                "Lisez le constat : une boîte pleine, une limite d'envoi ou un blocage de l'expéditeur (Microsoft Defender, Entités restreintes) arrête aussi les réponses.",
            ],
        ),
        Code::MailboxRuleAll => FindingText::new(
            [
                "A rule of the mailbox {subject} takes every mail out of the followed folders.",
                "Une règle de la boîte {subject} retire tous les courriers des dossiers suivis.",
            ],
            [
                "Switch off or delete the rule {rules} in Outlook (Settings > Mail > Rules), or follow the folder into which it moves mail: `folders` under [sync] in guichet.toml.",
                "Désactivez ou supprimez la règle {rules} dans Outlook (Paramètres > Courrier > Règles), ou suivez le dossier où elle déplace le courrier : `folders` sous [sync] dans guichet.toml.",
            ],
        ),
        Code::MailboxRuleSome => FindingText::new(
            [
                "Rules of the mailbox {subject} take some mail out of the followed folders.",
                "Des règles de la boîte {subject} retirent certains courriers des dossiers suivis.",
            ],
            [
                "If customers' mail is among it, change the rules {rules} in Outlook (Settings > Mail > Rules), or follow the folders too.",
                "Si des courriers de clients sont concernés, modifiez les règles {rules} dans Outlook (Paramètres > Courrier > Règles), ou suivez aussi ces dossiers.",
            ],
        ),
        Code::RulesUnseen => FindingText::new(
            [
                "Guichet cannot see the rules of the mailboxes: it has no permission to read mailbox settings, and mail needs none.",
                "Guichet ne voit pas les règles des boîtes : il n'a pas l'autorisation de lire les paramètres de boîte, et le courrier n'en a pas besoin.",
            ],
            [
                "To have them checked, set `read_mailbox_settings = true` under [access] in guichet.toml and run `guichet connect apply`: it asks for MailboxSettings.Read.",
                "Pour qu'elles soient vérifiées, mettez `read_mailbox_settings = true` sous [access] dans guichet.toml et exécutez `guichet connect apply` : la commande demande MailboxSettings.Read.",
            ],
        ),
        Code::MailboxForwarded => FindingText::new(
            [
                "The mailbox {subject} forwards its mail and keeps none.",
                "La boîte {subject} transfère son courrier sans en garder.",
            ],
            [
                "In the Exchange admin centre, under Mailboxes > Email forwarding, choose to keep a copy, or end the forwarding; then run the exported script with `-ExchangeOnly` again.",
                "Dans le centre d'administration Exchange, sous Boîtes aux lettres > Transfert du courrier, choisissez de garder une copie ou arrêtez le transfert ; puis exécutez de nouveau le script exporté avec `-ExchangeOnly`.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
