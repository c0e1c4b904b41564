//! Words for the steps of connecting, the reasons of changes, and the waits between.

use super::Text;
use crate::{
    plan::{StepId, Why},
    progress::Waiting,
};

pub(super) const ADD: Text = Text::new("{subject}: add {to} ({why})", "{subject} : ajouter {to} ({why})");
pub(super) const REMOVE: Text = Text::new("{subject}: remove {from} ({why})", "{subject} : retirer {from} ({why})");
pub(super) const REPLACE: Text = Text::new("{subject}: {from} → {to} ({why})", "{subject} : {from} → {to} ({why})");
pub(super) const NOTHING_TO_CHANGE: Text = Text::new("Nothing to change.", "Rien à modifier.");
pub(super) const CHANGE_COUNT: Text = Text::new(
    "Changes to make: {count}. `guichet connect apply` makes them.",
    "Modifications à faire : {count}. `guichet connect apply` les effectue.",
);
pub(super) const NOTHING_TO_REMOVE: Text = Text::new(
    "Nothing of Guichet's is left in the tenant.",
    "Il ne reste rien de Guichet dans le locataire.",
);
pub(super) const APPLICATION_STAYS: Text = Text::new(
    "The application {subject} was there before Guichet: it stays, with its consents.",
    "L'application {subject} existait avant Guichet : elle reste, avec ses consentements.",
);
pub(super) const SAY_YES: Text = Text::new(
    "Nothing was changed. With --yes this is removed.",
    "Rien n'a été modifié. Avec --yes, ces éléments sont retirés.",
);
pub(super) const TOUCH: Text = Text::new("{subject} ({why})", "{subject} ({why})");

pub(super) const BROWSER_OPEN: Text = Text::new(
    "Sign in as an administrator at this address, in a browser on this machine:",
    "Connectez-vous en tant qu'administrateur à cette adresse, dans un navigateur de cette machine :",
);
pub(super) const BROWSER_RETURNED: Text = Text::new(
    "Guichet has the answer. You can close this window.",
    "Guichet a reçu la réponse. Vous pouvez fermer cette fenêtre.",
);

pub(super) const fn title(step: StepId) -> Text {
    match step {
        StepId::Tenant => Text::new(
            "Find the tenant and its token endpoint",
            "Trouver le locataire et son point de terminaison de jeton",
        ),
        StepId::Application => Text::new("Register the application", "Inscrire l'application"),
        StepId::ServicePrincipal => Text::new("Create the enterprise application", "Créer l'application d'entreprise"),
        StepId::Consent => Text::new("Grant admin consent", "Accorder le consentement administrateur"),
        StepId::Scope => Text::new(
            "Limit access to the listed mailboxes",
            "Limiter l'accès aux boîtes indiquées",
        ),
        StepId::Secret => Text::new(
            "Create and store the client secret or certificate",
            "Créer et enregistrer le secret ou le certificat client",
        ),
        StepId::Token => Text::new(
            "Obtain a token and check its permissions",
            "Obtenir un jeton et vérifier ses autorisations",
        ),
        StepId::Mailboxes => Text::new("Reach the mailboxes", "Atteindre les boîtes aux lettres"),
        StepId::Activation => Text::new("Activate the integration", "Activer l'intégration"),
        StepId::Retirement => Text::new(
            "Remove the replaced credentials",
            "Retirer les informations d'identification remplacées",
        ),
    }
}

pub(super) const fn why(why: Why) -> Text {
    match why {
        Why::TenantNotRecorded => Text::new("not connected yet", "pas encore connecté"),
        Why::AddressDiffers => Text::new("another address is recorded", "une autre adresse est enregistrée"),
        Why::ApplicationMissing => Text::new("no such application", "application absente"),
        Why::ApplicationNotRecorded => Text::new(
            "it exists and is not recorded yet",
            "elle existe et n'est pas encore enregistrée ici",
        ),
        Why::NameDiffers => Text::new("it has another name", "elle porte un autre nom"),
        Why::AccountTypesDiffer => Text::new("it admits other account types", "elle admet d'autres types de comptes"),
        Why::RedirectMissing => Text::new("the redirect URI is missing", "l'URI de redirection manque"),
        Why::PermissionNotRequested => Text::new(
            "the registration does not ask for it",
            "l'inscription ne la demande pas",
        ),
        Why::PrincipalMissing => Text::new("no enterprise application yet", "pas encore d'application d'entreprise"),
        Why::PrincipalNotRecorded => Text::new(
            "the enterprise application is not recorded yet",
            "l'application d'entreprise n'est pas encore enregistrée ici",
        ),
        Why::OwnerMissing => Text::new(
            "to renew its own secret it must be its own owner",
            "pour renouveler son propre secret, elle doit être son propre propriétaire",
        ),
        Why::ConsentMissing => Text::new("admin consent is missing", "le consentement administrateur manque"),
        Why::GrantDefeatsScope => Text::new(
            "this consent opens every mailbox of the tenant and defeats the scope",
            "ce consentement ouvre toutes les boîtes du locataire et annule l'étendue",
        ),
        Why::ScopeMissing => Text::new(
            "Exchange has no such management scope",
            "Exchange n'a pas cette étendue de gestion",
        ),
        Why::ScopeDiffers => Text::new("the scope holds other mailboxes", "l'étendue contient d'autres boîtes"),
        Why::RoleMissing => Text::new(
            "the application does not have this Exchange role within the scope",
            "l'application n'a pas ce rôle Exchange dans l'étendue",
        ),
        Why::RoleTooWide => Text::new(
            "this Exchange role reaches beyond the listed mailboxes",
            "ce rôle Exchange s'étend au-delà des boîtes indiquées",
        ),
        Why::SecretMissing => Text::new("no usable secret is stored", "aucun secret utilisable n'est enregistré"),
        Why::SecretExpired => Text::new("the stored secret has expired", "le secret enregistré a expiré"),
        Why::SecretExpiring => Text::new(
            "the stored secret expires soon and keeps working until then",
            "le secret enregistré expire bientôt et reste valable jusque-là",
        ),
        Why::SecretUnreadable => Text::new(
            "the stored secret cannot be used",
            "le secret enregistré est inutilisable",
        ),
        Why::SecretRevoked => Text::new(
            "the stored secret no longer exists in the tenant",
            "le secret enregistré n'existe plus dans le locataire",
        ),
        Why::SecretOrphaned => Text::new(
            "its value was never stored: an earlier run was cut off",
            "sa valeur n'a jamais été enregistrée : une exécution a été interrompue",
        ),
        Why::CredentialKindDiffers => Text::new(
            "another kind of credential is configured",
            "un autre type d'authentification est configuré",
        ),
        Why::CertificateDiffers => Text::new("another certificate is configured", "un autre certificat est configuré"),
        Why::FederatedDiffers => Text::new(
            "another issuer, subject or token file is configured",
            "un autre émetteur, sujet ou fichier de jeton est configuré",
        ),
        Why::CertificateUnregistered => Text::new(
            "the tenant does not list it: an earlier run was cut off",
            "le locataire ne le connaît pas : une exécution a été interrompue",
        ),
        Why::SecretAdopted => Text::new(
            "made by an administrator, and pasted here",
            "créé par un administrateur et collé ici",
        ),
        Why::SecretRotated => Text::new("a rotation was asked for", "une rotation a été demandée"),
        Why::SecretSuperseded => Text::new(
            "its successor is proven and in use",
            "son successeur est vérifié et utilisé",
        ),
        Why::MailboxNew => Text::new("not served yet", "pas encore desservie"),
        Why::MailboxUserDiffers => Text::new(
            "the address belongs to another user now",
            "l'adresse appartient désormais à un autre utilisateur",
        ),
        Why::MailboxNameDiffers => Text::new(
            "the mailbox was renamed, and answers carry the new name",
            "la boîte a été renommée, et les réponses portent le nouveau nom",
        ),
        Why::MailboxDisabled => Text::new("known, and not served", "connue, mais non desservie"),
        Why::MailboxNotWanted => Text::new(
            "no longer configured; its conversations are kept",
            "n'est plus configurée ; ses conversations sont conservées",
        ),
        Why::FolderNew => Text::new("not followed yet", "pas encore suivi"),
        Why::Disconnected => Text::new("the connection is given up", "la connexion est abandonnée"),
        Why::IntegrationInactive => Text::new("not switched on", "pas encore activée"),
    }
}

pub(super) const fn waiting(reason: Waiting) -> Text {
    match reason {
        Waiting::DirectoryReplication => Text::new(
            "waiting until the new object is visible everywhere in the directory",
            "en attente que le nouvel objet soit visible partout dans l'annuaire",
        ),
        Waiting::SecretPropagation => Text::new(
            "waiting until the sign-in service knows the new application and secret",
            "en attente que le service de connexion connaisse la nouvelle application et son secret",
        ),
        Waiting::ConsentPropagation => Text::new(
            "waiting until new tokens carry the consent",
            "en attente que les nouveaux jetons portent le consentement",
        ),
        Waiting::MailboxAccess => Text::new(
            "waiting until Exchange honours the consent",
            "en attente qu'Exchange applique le consentement",
        ),
    }
}
