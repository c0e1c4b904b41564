//! Words for findings about consent: what the token carries, and what is asked for before there is one.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::ConsentOk => FindingText::new(
            [
                "Admin consent is given for exactly what is needed.",
                "Le consentement administrateur couvre exactement le nécessaire.",
            ],
            ["", ""],
        ),
        Code::ConsentMissing => FindingText::new(
            [
                "Admin consent is missing altogether: {permissions}.",
                "Le consentement administrateur manque entièrement : {permissions}.",
            ],
            [
                "Run `guichet connect apply` as a Privileged Role Administrator or Global Administrator, or press \"Grant admin consent\" in the app registration under API permissions.",
                "Exécutez `guichet connect apply` en tant qu'Administrateur de rôle privilégié ou Administrateur général, ou cliquez sur « Accorder un consentement d'administrateur » sous Autorisations d'API de l'inscription d'application.",
            ],
        ),
        Code::ScopeDefeated => FindingText::new(
            [
                "A consent to {permissions} opens every mailbox of the tenant and defeats the scope of access.",
                "Un consentement pour {permissions} ouvre toutes les boîtes du locataire et annule l'étendue de l'accès.",
            ],
            [
                "Set `remove_tenant_wide_grants = true` under [access] in guichet.toml and run `guichet connect apply`, or remove the consent in the portal.",
                "Indiquez `remove_tenant_wide_grants = true` sous [access] dans guichet.toml et exécutez `guichet connect apply`, ou retirez le consentement dans le portail.",
            ],
        ),
        Code::ConsentByRbac => FindingText::new(
            [
                "The token does not carry {permissions}, and yet every mailbox opens: Exchange's own roles (RBAC for Applications) give access, which no token shows.",
                "Le jeton ne porte pas {permissions}, et pourtant chaque boîte s'ouvre : les rôles propres à Exchange (RBAC for Applications) donnent l'accès, ce qu'aucun jeton ne montre.",
            ],
            [
                "Nothing has to be done. To have it kept so, set `scope = \"mailboxes\"` under [access] in guichet.toml; whether mail may be sent, Test-ServicePrincipalAuthorization tells.",
                "Rien n'est à faire. Pour que cela reste ainsi, indiquez `scope = \"mailboxes\"` sous [access] dans guichet.toml ; Test-ServicePrincipalAuthorization indique si l'envoi est permis.",
            ],
        ),
        Code::ConsentExcess => FindingText::new(
            [
                "The application may do more than Guichet needs: {permissions}.",
                "L'application peut faire plus que Guichet n'en a besoin : {permissions}.",
            ],
            [
                "If nothing else uses this application, remove these permissions in the portal.",
                "Si rien d'autre n'utilise cette application, retirez ces autorisations dans le portail.",
            ],
        ),
        Code::ConsentMissingRead => FindingText::new(
            [
                "Mails cannot be read: admin consent is missing for {permissions}.",
                "Les messages ne peuvent pas être lus : le consentement administrateur manque pour {permissions}.",
            ],
            [
                "Run `guichet connect apply` as a Privileged Role Administrator or Global Administrator; it grants what is missing.",
                "Exécutez `guichet connect apply` en tant qu'Administrateur de rôle privilégié ou Administrateur général ; la commande accorde ce qui manque.",
            ],
        ),
        Code::ConsentMissingSend => FindingText::new(
            [
                "Replies cannot be sent: admin consent is missing for {permissions}.",
                "Les réponses ne peuvent pas être envoyées : le consentement administrateur manque pour {permissions}.",
            ],
            [
                "Run `guichet connect apply` as a Privileged Role Administrator or Global Administrator; it grants what is missing.",
                "Exécutez `guichet connect apply` en tant qu'Administrateur de rôle privilégié ou Administrateur général ; la commande accorde ce qui manque.",
            ],
        ),
        Code::ConsentMissingOptional => FindingText::new(
            [
                "A feature is switched on whose permission has no admin consent: {permissions}. Mail flows without it.",
                "Une fonction est activée sans le consentement administrateur de son autorisation : {permissions}. Le courrier circule sans elle.",
            ],
            [
                "Run `guichet connect apply` as a Privileged Role Administrator or Global Administrator, or switch the feature off in guichet.toml.",
                "Exécutez `guichet connect apply` en tant qu'Administrateur de rôle privilégié ou Administrateur général, ou désactivez la fonction dans guichet.toml.",
            ],
        ),
        Code::ScopeOk => FindingText::new(
            [
                "The mailbox {subject}, outside the scope of access, is denied.",
                "La boîte {subject}, hors de l'étendue d'accès, est refusée.",
            ],
            ["", ""],
        ),
        Code::ScopeTooWide => FindingText::new(
            [
                "The mailbox {subject} is outside the scope of access and can be read.",
                "La boîte {subject} est hors de l'étendue d'accès et peut pourtant être lue.",
            ],
            [
                "Run `guichet connect apply`: it sets the scope in Exchange to the listed mailboxes. If it changes nothing, look for a role of the application with a wider scope: Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal. A change takes up to two hours to reach Exchange.",
                "Exécutez `guichet connect apply` : il règle l'étendue dans Exchange sur les boîtes listées. S'il ne change rien, cherchez un rôle de l'application dont l'étendue est plus large : Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal. Un changement met jusqu'à deux heures à atteindre Exchange.",
            ],
        ),
        Code::ScopeUntested => FindingText::new(
            [
                "Whether mailboxes outside the scope of access are denied could not be tried.",
                "Le refus des boîtes hors de l'étendue d'accès n'a pas pu être éprouvé.",
            ],
            [
                "Name a mailbox that exists and is not listed as `outside_mailbox` under [doctor] in guichet.toml. No mail of it is read.",
                "Indiquez une boîte existante et non listée comme `outside_mailbox` sous [doctor] dans guichet.toml. Aucun de ses courriers n'est lu.",
            ],
        ),
        Code::AdminConsentRequired => FindingText::new(
            [
                "Only an administrator may consent to what the application {subject} asks for.",
                "Seul un administrateur peut consentir à ce que demande l'application {subject}.",
            ],
            [
                "Sign in to `guichet connect apply` as a Privileged Role Administrator or Global Administrator.",
                "Connectez-vous à `guichet connect apply` en tant qu'Administrateur de rôle privilégié ou Administrateur général.",
            ],
        ),
        Code::AssignmentRequired => FindingText::new(
            [
                "Microsoft Graph requires that the application {subject} is assigned to it.",
                "Microsoft Graph exige que l'application {subject} lui soit affectée.",
            ],
            [
                "Run `guichet connect apply`, which assigns it; or set \"Assignment required\" of the enterprise application Microsoft Graph to No.",
                "Exécutez `guichet connect apply`, qui l'affecte ; ou réglez « Affectation requise » de l'application d'entreprise Microsoft Graph sur Non.",
            ],
        ),
        Code::ResourceNotRequested => FindingText::new(
            [
                "The registration of the application {subject} does not ask for Microsoft Graph.",
                "L'inscription de l'application {subject} ne demande pas Microsoft Graph.",
            ],
            [
                "Run `guichet connect apply`; it adds the permissions under API permissions.",
                "Exécutez `guichet connect apply` ; la commande ajoute les autorisations sous Autorisations d'API.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
