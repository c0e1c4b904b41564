//! Words for findings about mailboxes and their folders.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::MailboxesAbsent => FindingText::new(
            ["No mailbox is served.", "Aucune boîte aux lettres n'est desservie."],
            [
                "List addresses under `mailboxes` in guichet.toml and run `guichet connect apply`.",
                "Indiquez des adresses sous `mailboxes` dans guichet.toml et exécutez `guichet connect apply`.",
            ],
        ),
        Code::MailboxNotConnected => FindingText::new(
            [
                "The mailbox {subject} is configured and not connected yet.",
                "La boîte {subject} est configurée mais pas encore connectée.",
            ],
            ["Run `guichet connect apply`.", "Exécutez `guichet connect apply`."],
        ),
        Code::MailboxOk => FindingText::new(
            [
                "The mailbox {subject} and its folders can be read.",
                "La boîte {subject} et ses dossiers peuvent être lus.",
            ],
            ["", ""],
        ),
        Code::MailboxUnknown => FindingText::new(
            [
                "There is no user with a mailbox at {subject}.",
                "Aucun utilisateur n'a de boîte aux lettres à {subject}.",
            ],
            [
                "Check the address; it must be the user principal name of a user or shared mailbox, not of a group or distribution list.",
                "Vérifiez l'adresse ; ce doit être le nom d'utilisateur principal d'un utilisateur ou d'une boîte partagée, pas d'un groupe ni d'une liste de distribution.",
            ],
        ),
        Code::MailboxNone => FindingText::new(
            [
                "{subject} has no mailbox in Exchange Online.",
                "{subject} n'a pas de boîte aux lettres dans Exchange Online.",
            ],
            [
                "Microsoft gives one answer for three causes. Without a licence: assign one with an Exchange Online plan, or convert it to a shared mailbox. Deleted: restore it. On premises: it cannot be served until it is moved to Exchange Online.",
                "Microsoft donne une même réponse pour trois causes. Sans licence : attribuez-en une comportant un plan Exchange Online, ou convertissez-la en boîte partagée. Supprimée : restaurez-la. Locale (on-premises) : elle ne peut être desservie qu'une fois déplacée vers Exchange Online.",
            ],
        ),
        Code::MailboxStale => FindingText::new(
            [
                "The mailbox {subject} is being moved or is only half provisioned.",
                "La boîte {subject} est en cours de déplacement ou incomplètement provisionnée.",
            ],
            [
                "Wait until the move or the licence change is finished; if it lasts longer than a day, ask Microsoft support.",
                "Attendez la fin du déplacement ou du changement de licence ; au-delà d'un jour, contactez le support Microsoft.",
            ],
        ),
        Code::MailboxDenied => FindingText::new(
            [
                "Access to the mailbox {subject} is denied.",
                "L'accès à la boîte {subject} est refusé.",
            ],
            [
                "Grant admin consent for Mail.ReadWrite (`guichet connect apply`), or widen the scope of the application's Exchange role. A new grant takes up to two hours to reach Exchange.",
                "Accordez le consentement pour Mail.ReadWrite (`guichet connect apply`), ou élargissez l'étendue du rôle Exchange de l'application. Une nouvelle autorisation met jusqu'à deux heures à atteindre Exchange.",
            ],
        ),
        Code::MailboxPolicy => FindingText::new(
            [
                "An application access policy of Exchange blocks the mailbox {subject}.",
                "Une stratégie d'accès aux applications d'Exchange bloque la boîte {subject}.",
            ],
            [
                "Add the mailbox to the policy's group, or remove the policy: Get-ApplicationAccessPolicy lists them. A change takes up to an hour.",
                "Ajoutez la boîte au groupe de la stratégie, ou supprimez la stratégie : Get-ApplicationAccessPolicy les énumère. Un changement prend jusqu'à une heure.",
            ],
        ),
        Code::MailboxTokenRefused => FindingText::new(
            [
                "Graph refuses our token at the mailbox {subject}.",
                "Graph refuse notre jeton pour la boîte {subject}.",
            ],
            [
                "Check that `graph` and `authority` in guichet.toml belong to the same cloud.",
                "Vérifiez que `graph` et `authority` dans guichet.toml appartiennent au même cloud.",
            ],
        ),
        Code::MailboxBusy => FindingText::new(
            [
                "Graph limits our requests to the mailbox {subject}.",
                "Graph limite nos requêtes vers la boîte {subject}.",
            ],
            [
                "Wait; if it lasts, find out which other program reads this mailbox heavily.",
                "Attendez ; si cela dure, cherchez quel autre programme lit intensivement cette boîte.",
            ],
        ),
        Code::MailboxRefused => FindingText::new(
            [
                "Graph answers a request to the mailbox {subject} with {error}.",
                "Graph répond {error} à une requête vers la boîte {subject}.",
            ],
            [
                "Try again; if it repeats, give the request id of the evidence to Microsoft support.",
                "Réessayez ; si cela se répète, transmettez l'ID de requête du constat au support Microsoft.",
            ],
        ),
        Code::FolderMissing => FindingText::new(
            [
                "The folder {folder} of the mailbox {subject} does not exist.",
                "Le dossier {folder} de la boîte {subject} n'existe pas.",
            ],
            [
                "Correct `folders` in guichet.toml, or create the folder in the mailbox; then run `guichet connect apply`.",
                "Corrigez `folders` dans guichet.toml, ou créez le dossier dans la boîte ; puis exécutez `guichet connect apply`.",
            ],
        ),
        Code::FolderLocalised => FindingText::new(
            [
                "The mailbox {subject} has no folder named {folder}: in its language that folder is named {shown}.",
                "La boîte {subject} n'a pas de dossier nommé {folder} : dans sa langue, ce dossier se nomme {shown}.",
            ],
            [
                "Write `{well_known}` in place of `{folder}` under `folders` in guichet.toml: that name holds in every language. Then run `guichet connect apply`.",
                "Écrivez `{well_known}` au lieu de `{folder}` sous `folders` dans guichet.toml : ce nom vaut dans toutes les langues. Puis exécutez `guichet connect apply`.",
            ],
        ),
        Code::FolderNotConnected => FindingText::new(
            [
                "The folder {folder} of {subject} is configured and not followed yet.",
                "Le dossier {folder} de {subject} est configuré mais pas encore suivi.",
            ],
            ["Run `guichet connect apply`.", "Exécutez `guichet connect apply`."],
        ),
        Code::FolderBehind => FindingText::new(
            [
                "The folder {folder} of {subject} has not been read completely since {since}.",
                "Le dossier {folder} de {subject} n'a pas été lu entièrement depuis {since}.",
            ],
            [
                "Check that `guichet serve` is running and read its log.",
                "Vérifiez que `guichet serve` est en cours d'exécution et lisez son journal.",
            ],
        ),
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
        _ => return None,
    };
    Some(text)
}
