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
        Code::MailboxUnlicensed => FindingText::new(
            [
                "The user {subject} has no mailbox: none of its licences gives one.",
                "L'utilisateur {subject} n'a pas de boîte aux lettres : aucune de ses licences n'en comporte.",
            ],
            [
                "Assign a licence with Exchange Online Plan 1, Plan 2 or Kiosk, or make it a shared mailbox. The plan EXCHANGE_S_FOUNDATION, which comes with other products, gives no mailbox. It takes up to an hour until a new mailbox opens.",
                "Attribuez une licence comportant Exchange Online Plan 1, Plan 2 ou Kiosk, ou faites-en une boîte partagée. Le plan EXCHANGE_S_FOUNDATION, fourni avec d'autres produits, ne donne pas de boîte. Une nouvelle boîte met jusqu'à une heure à s'ouvrir.",
            ],
        ),
        Code::MailboxLicenceLost => FindingText::new(
            [
                "The mailbox {subject} opens, although its user may sign in and has no licence for it.",
                "La boîte {subject} s'ouvre, bien que son utilisateur puisse se connecter sans licence pour elle.",
            ],
            [
                "If the licence was taken away, assign one: Exchange deletes the mailbox 30 days later. If it is a shared mailbox, block the sign-in of its user: only then it needs no licence.",
                "Si la licence a été retirée, attribuez-en une : Exchange supprime la boîte 30 jours plus tard. S'il s'agit d'une boîte partagée, bloquez la connexion de son utilisateur : c'est à cette condition qu'elle n'a pas besoin de licence.",
            ],
        ),
        Code::MailboxRenamed => FindingText::new(
            [
                "Answers of {subject} carry the name {shown}: Exchange takes it from the mailbox, whatever a program asks for.",
                "Les réponses de {subject} portent le nom {shown} : Exchange le prend de la boîte, quoi que demande un programme.",
            ],
            [
                "If customers should see another name, change the display name of the mailbox in the Exchange admin centre. Then run `guichet connect apply`, which takes the name over.",
                "Si les clients doivent voir un autre nom, changez le nom d'affichage de la boîte dans le centre d'administration Exchange. Exécutez ensuite `guichet connect apply`, qui reprend le nom.",
            ],
        ),
        Code::LicencesUnseen => FindingText::new(
            [
                "Guichet cannot see the licences of the mailboxes: it has no permission to read users, and mail needs none.",
                "Guichet ne voit pas les licences des boîtes : il n'a pas l'autorisation de lire les utilisateurs, et le courrier n'en a pas besoin.",
            ],
            [
                "To have them checked, set `read_users = true` under [access] in guichet.toml and run `guichet connect apply`: it asks for User.Read.All.",
                "Pour qu'elles soient vérifiées, mettez `read_users = true` sous [access] dans guichet.toml et exécutez `guichet connect apply` : la commande demande User.Read.All.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
