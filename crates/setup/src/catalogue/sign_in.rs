//! Words for findings about the sign-in service: reaching it, the tenant, the token, the consent.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    match reaching(code) {
        Some(text) => Some(text),
        None => token(code),
    }
}

const fn reaching(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::CloudMismatch => FindingText::new(
            [
                "{subject} is Graph of the cloud {configured}, and the tenant is in the cloud {cloud}.",
                "{subject} est le Graph du cloud {configured}, alors que le locataire est dans le cloud {cloud}.",
            ],
            [
                "Set `cloud = \"{key}\"` under [microsoft] in guichet.toml in place of `authority` and `graph`.",
                "Indiquez `cloud = \"{key}\"` sous [microsoft] dans guichet.toml à la place de `authority` et `graph`.",
            ],
        ),
        Code::AuthorityDns => FindingText::new(
            [
                "The host name of the sign-in service {subject} cannot be resolved.",
                "Le nom d'hôte du service de connexion {subject} ne peut pas être résolu.",
            ],
            [
                "Check `authority` in guichet.toml for a typing mistake, then this machine's DNS or its proxy setting.",
                "Vérifiez l'orthographe de `authority` dans guichet.toml, puis le DNS de cette machine ou son proxy.",
            ],
        ),
        Code::AuthorityConnect => FindingText::new(
            [
                "No connection to the sign-in service {subject} can be opened.",
                "Aucune connexion au service de connexion {subject} ne peut être ouverte.",
            ],
            [
                "Allow outgoing connections to this host and port in the firewall, or set the proxy.",
                "Autorisez les connexions sortantes vers cet hôte et ce port dans le pare-feu, ou configurez le proxy.",
            ],
        ),
        Code::AuthorityTls => FindingText::new(
            [
                "The certificate of the sign-in service {subject} is not trusted.",
                "Le certificat du service de connexion {subject} n'est pas approuvé.",
            ],
            [
                "If a proxy inspects TLS here, or this is an emulator, add its CA file to `extra_ca_files`; otherwise check the clock and the system's CA certificates.",
                "Si un proxy inspecte TLS ici, ou s'il s'agit d'un émulateur, ajoutez son fichier d'AC à `extra_ca_files` ; sinon vérifiez l'horloge et les certificats d'AC du système.",
            ],
        ),
        Code::AuthorityTimeout => FindingText::new(
            [
                "The sign-in service {subject} does not answer in time.",
                "Le service de connexion {subject} ne répond pas à temps.",
            ],
            [
                "Check whether a firewall drops the packets silently, and try again.",
                "Vérifiez si un pare-feu rejette les paquets sans réponse, puis réessayez.",
            ],
        ),
        Code::AuthorityCut => FindingText::new(
            [
                "The connection to the sign-in service {subject} was cut.",
                "La connexion au service de connexion {subject} a été coupée.",
            ],
            [
                "Try again; if it repeats, look at the proxy or firewall between.",
                "Réessayez ; si cela se répète, examinez le proxy ou le pare-feu intermédiaire.",
            ],
        ),
        Code::AuthorityNotEntra => FindingText::new(
            [
                "What answers at {subject} is not the sign-in service of Microsoft Entra.",
                "Ce qui répond à {subject} n'est pas le service de connexion de Microsoft Entra.",
            ],
            [
                "Correct `authority` in guichet.toml, for example https://login.microsoftonline.com, or the proxy that answers instead.",
                "Corrigez `authority` dans guichet.toml, par exemple https://login.microsoftonline.com, ou le proxy qui répond à sa place.",
            ],
        ),
        Code::DiscoveryMismatch => FindingText::new(
            [
                "The sign-in service {subject} describes another tenant or another host than configured.",
                "Le service de connexion {subject} décrit un autre locataire ou un autre hôte que celui configuré.",
            ],
            [
                "Correct `tenant` and `authority` in guichet.toml; the evidence says what differs. Nothing was sent there.",
                "Corrigez `tenant` et `authority` dans guichet.toml ; le constat dit ce qui diffère. Rien n'y a été envoyé.",
            ],
        ),
        Code::AuthorityBusy => FindingText::new(
            [
                "The sign-in service {subject} is overloaded or out of order.",
                "Le service de connexion {subject} est surchargé ou en panne.",
            ],
            [
                "Wait a few minutes; Guichet tries again by itself. Microsoft reports outages at https://status.cloud.microsoft.",
                "Attendez quelques minutes ; Guichet réessaie de lui-même. Microsoft signale les pannes sur https://status.cloud.microsoft.",
            ],
        ),
        Code::AuthorityThrottled => FindingText::new(
            [
                "The sign-in service {subject} limits our requests.",
                "Le service de connexion {subject} limite nos requêtes.",
            ],
            [
                "Wait a few minutes; if it lasts, find the program that asks for tokens with this application again and again.",
                "Attendez quelques minutes ; si cela dure, cherchez le programme qui demande sans cesse des jetons avec cette application.",
            ],
        ),
        Code::AuthorityOk => FindingText::new(
            [
                "The sign-in service {subject} answers and knows the tenant.",
                "Le service de connexion {subject} répond et connaît le locataire.",
            ],
            ["", ""],
        ),
        Code::TenantUnknown => FindingText::new(
            [
                "There is no tenant {subject} at this sign-in service.",
                "Il n'y a pas de locataire {subject} sur ce service de connexion.",
            ],
            [
                "Compare `tenant` in guichet.toml with the directory (tenant) id in the portal, and `authority` with your cloud.",
                "Comparez `tenant` dans guichet.toml avec l'ID d'annuaire (locataire) du portail, et `authority` avec votre cloud.",
            ],
        ),
        Code::TenantNotSpecific => FindingText::new(
            [
                "`{subject}` stands for any tenant, and one tenant must be named.",
                "`{subject}` désigne n'importe quel locataire, or il faut en nommer un seul.",
            ],
            [
                "Write the directory (tenant) id from the portal's overview page as `tenant` in guichet.toml.",
                "Indiquez dans `tenant` de guichet.toml l'ID d'annuaire (locataire) qui figure sur la page de présentation du portail.",
            ],
        ),
        Code::TenantInvalid => FindingText::new(
            [
                "`{subject}` is not a tenant identifier.",
                "`{subject}` n'est pas un identifiant de locataire.",
            ],
            [
                "Write the directory (tenant) id or a domain name of the tenant as `tenant` in guichet.toml.",
                "Indiquez l'ID d'annuaire (locataire) ou un nom de domaine du locataire dans `tenant` de guichet.toml.",
            ],
        ),
        Code::TenantOtherCloud => FindingText::new(
            [
                "The tenant {subject} lives in another national cloud.",
                "Le locataire {subject} se trouve dans un autre cloud national.",
            ],
            [
                "Set `authority` and `graph` in guichet.toml to the addresses of that cloud.",
                "Réglez `authority` et `graph` dans guichet.toml sur les adresses de ce cloud.",
            ],
        ),
        Code::TenantMismatch => FindingText::new(
            [
                "The configured tenant {subject} is not the one that was connected, {recorded}.",
                "Le locataire configuré {subject} n'est pas celui qui a été connecté, {recorded}.",
            ],
            [
                "Correct `tenant` in guichet.toml, or use a data directory of its own for the other tenant.",
                "Corrigez `tenant` dans guichet.toml, ou utilisez un répertoire de données distinct pour l'autre locataire.",
            ],
        ),
        Code::ClockSkewed => FindingText::new(
            [
                "This machine's clock is {seconds} seconds away from that of the sign-in service.",
                "L'horloge de cette machine s'écarte de {seconds} secondes de celle du service de connexion.",
            ],
            [
                "Set the clock, for example by enabling NTP (timedatectl set-ntp true).",
                "Réglez l'horloge, par exemple en activant NTP (timedatectl set-ntp true).",
            ],
        ),
        _ => return None,
    };
    Some(text)
}

const fn token(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::TokenOk => FindingText::new(
            [
                "The application {subject} obtains tokens.",
                "L'application {subject} obtient des jetons.",
            ],
            ["", ""],
        ),
        Code::SecretWrong => FindingText::new(
            [
                "The client secret of the application {subject} is wrong.",
                "Le secret client de l'application {subject} est erroné.",
            ],
            [
                "The secret was removed in the portal, or belongs to another application. Run `guichet connect apply` to make a new one.",
                "Le secret a été supprimé dans le portail ou appartient à une autre application. Exécutez `guichet connect apply` pour en créer un nouveau.",
            ],
        ),
        Code::ApplicationNotInTenant => FindingText::new(
            [
                "The application {subject} does not exist in the tenant.",
                "L'application {subject} n'existe pas dans le locataire.",
            ],
            [
                "It was deleted, or `tenant` in guichet.toml names another tenant. Run `guichet connect apply`.",
                "Elle a été supprimée, ou `tenant` dans guichet.toml désigne un autre locataire. Exécutez `guichet connect apply`.",
            ],
        ),
        Code::ApplicationIdInvalid => FindingText::new(
            [
                "`{subject}` is not an application (client) id.",
                "`{subject}` n'est pas un ID d'application (client).",
            ],
            [
                "Run `guichet connect apply` to record the right id.",
                "Exécutez `guichet connect apply` pour enregistrer le bon ID.",
            ],
        ),
        Code::ApplicationDisabled => FindingText::new(
            [
                "The application {subject} is disabled in the tenant.",
                "L'application {subject} est désactivée dans le locataire.",
            ],
            [
                "In the Entra admin center, open Enterprise applications, the application, Properties, and set \"Enabled for users to sign in\" to Yes; if it is Yes, activate the app registration, which its owner or Microsoft has deactivated.",
                "Dans le centre d'administration Entra, ouvrez Applications d'entreprise, l'application, Propriétés, et réglez « Activé pour que les utilisateurs se connectent » sur Oui ; s'il y est déjà, réactivez l'inscription d'application, que son propriétaire ou Microsoft a désactivée.",
            ],
        ),
        Code::ApplicationPublic => FindingText::new(
            [
                "The application {subject} is registered as a public client and cannot use a secret.",
                "L'application {subject} est inscrite comme client public et ne peut pas utiliser de secret.",
            ],
            [
                "In the app registration, under Authentication, set \"Allow public client flows\" to No.",
                "Dans l'inscription d'application, sous Authentification, réglez « Autoriser les flux de clients publics » sur Non.",
            ],
        ),
        Code::TokenClock => FindingText::new(
            [
                "The sign-in service refuses our request because of its time.",
                "Le service de connexion refuse notre requête à cause de son heure.",
            ],
            [
                "Set this machine's clock, for example by enabling NTP.",
                "Réglez l'horloge de cette machine, par exemple en activant NTP.",
            ],
        ),
        Code::ResourceNotInTenant => FindingText::new(
            [
                "The tenant does not know Microsoft Graph at {subject}.",
                "Le locataire ne connaît pas Microsoft Graph à {subject}.",
            ],
            [
                "Set `graph` in guichet.toml to the Graph of the same cloud as `authority`.",
                "Réglez `graph` dans guichet.toml sur le Graph du même cloud que `authority`.",
            ],
        ),
        Code::ConditionalAccess => FindingText::new(
            [
                "A Conditional Access policy blocks the application {subject}.",
                "Une stratégie d'accès conditionnel bloque l'application {subject}.",
            ],
            [
                "Exclude this workload identity from the policy, or allow this machine's address in it.",
                "Excluez cette identité de charge de travail de la stratégie, ou autorisez-y l'adresse de cette machine.",
            ],
        ),
        Code::ConsentRequired => FindingText::new(
            [
                "No token is issued because consent is missing for the application {subject}.",
                "Aucun jeton n'est émis car le consentement manque pour l'application {subject}.",
            ],
            [
                "Run `guichet connect apply` as an administrator who may grant consent.",
                "Exécutez `guichet connect apply` en tant qu'administrateur pouvant accorder le consentement.",
            ],
        ),
        Code::TokenLoop => FindingText::new(
            [
                "The sign-in service sees the same request of {subject} too often.",
                "Le service de connexion voit trop souvent la même requête de {subject}.",
            ],
            [
                "Stop other programs that use this application without keeping their tokens; wait some minutes.",
                "Arrêtez les autres programmes qui utilisent cette application sans conserver leurs jetons ; attendez quelques minutes.",
            ],
        ),
        Code::TokenRefused => FindingText::new(
            [
                "The sign-in service gives the application {subject} no token ({error}).",
                "Le service de connexion ne donne pas de jeton à l'application {subject} ({error}).",
            ],
            [
                "Look the error code up at https://login.microsoftonline.com/error and correct its cause in the tenant.",
                "Recherchez le code d'erreur sur https://login.microsoftonline.com/error et corrigez sa cause dans le locataire.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
