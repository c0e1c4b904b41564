//! The procedure as numbered steps in the portals, in the portals' own words.
//!
//! Owns these steps in English and French. Never shortens a step to "configure…": each names the page, the button and
//! the value.

use super::Source;
use crate::{AccountTypes, Cloud, catalogue::Text, permissions};

/// One part of the procedure.
struct Part {
    title: Text,
    steps: &'static [Text],
}

pub(super) fn render(source: Source<'_>) -> String {
    let language = source.language;
    let params = params(source);
    let mut lines = vec![TITLE.fill(language, &params), String::new()];
    lines.push(INTRODUCTION.fill(language, &params));
    let mut number = 0;
    let mut write = |part: &Part, lines: &mut Vec<String>| {
        lines.push(String::new());
        lines.push(format!("## {}", part.title.fill(language, &params)));
        lines.push(String::new());
        for step in part.steps {
            number += 1;
            lines.push(format!("{number}. {}", step.fill(language, &params)));
        }
    };
    write(&REGISTRATION, &mut lines);
    write(&PERMISSIONS, &mut lines);
    write(&SECRET, &mut lines);
    write(&VALUES, &mut lines);
    write(&MAILBOXES, &mut lines);
    write(&POLICIES, &mut lines);
    write(&LISTED, &mut lines);
    if source.ranges.is_empty() {
        lines.push(String::new());
        lines.push(NO_RANGES.fill(language, &params));
    } else {
        write(&RANGES, &mut lines);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn params(source: Source<'_>) -> Vec<(&'static str, String)> {
    let desired = source.desired;
    let application = &desired.application;
    let types = match application.account_types {
        AccountTypes::SingleTenant => SINGLE_TENANT,
        AccountTypes::AnyOrganisation => ANY_ORGANISATION,
    };
    let mailboxes: Vec<_> = source.mailboxes().collect();
    let ranges: Vec<_> = source.ranges.iter().map(ToString::to_string).collect();
    vec![
        ("tenant", desired.tenant.clone()),
        ("authority", Source::base(&desired.authority).to_owned()),
        ("portal", portal(desired.authority.host_str()).to_owned()),
        ("name", application.name.clone()),
        ("types", types.get(source.language).to_owned()),
        ("redirect", application.redirect_text().to_owned()),
        ("description", application.secret_description.clone()),
        ("days", application.secret_lifetime_days.to_string()),
        ("read_write", permissions::MAIL_READ_WRITE.name.to_owned()),
        ("send", permissions::MAIL_SEND.name.to_owned()),
        ("user_read", permissions::USER_READ.name.to_owned()),
        ("mailboxes", mailboxes.join(", ")),
        ("ranges", ranges.join(", ")),
        ("scope", source.scope_name()),
    ]
}

/// Where the Entra admin centre of the cloud is.
fn portal(authority: Option<&str>) -> &'static str {
    match authority.and_then(Cloud::of_authority) {
        Some(Cloud::GccHigh | Cloud::Dod) => "https://entra.microsoft.us",
        Some(Cloud::China) => "https://entra.microsoftonline.cn",
        Some(Cloud::Global) | None => "https://entra.microsoft.com",
    }
}

const TITLE: Text = Text::new(
    "# Connect {tenant} to Guichet by hand",
    "# Connecter {tenant} à Guichet à la main",
);

const INTRODUCTION: Text = Text::new(
    "You need the roles Privileged Role Administrator (or Global Administrator) and, for the steps in Exchange, Exchange \
     Administrator.",
    "Il vous faut les rôles Administrateur de rôle privilégié (ou Administrateur général) et, pour les étapes dans \
     Exchange, Administrateur Exchange.",
);

const SINGLE_TENANT: Text = Text::new(
    "Accounts in this organizational directory only (Single tenant)",
    "Comptes dans cet annuaire d'organisation uniquement (Locataire unique)",
);

const ANY_ORGANISATION: Text = Text::new(
    "Accounts in any organizational directory (Multitenant)",
    "Comptes dans un annuaire d'organisation (Multilocataire)",
);

const REGISTRATION: Part = Part {
    title: Text::new("Register the application", "Inscrire l'application"),
    steps: &[
        Text::new(
            "Open {portal} and sign in to the tenant {tenant}.",
            "Ouvrez {portal} et connectez-vous au locataire {tenant}.",
        ),
        Text::new(
            "Go to **App registrations**. If **All applications** lists `{name}` already, open it and correct it in the \
             next steps instead of making a second one.",
            "Allez dans **Inscriptions d'applications**. Si **Toutes les applications** contient déjà `{name}`, \
             ouvrez-la et corrigez-la aux étapes suivantes au lieu d'en créer une seconde.",
        ),
        Text::new("Choose **New registration**.", "Choisissez **Nouvelle inscription**."),
        Text::new("**Name**: `{name}`.", "**Nom** : `{name}`."),
        Text::new(
            "**Supported account types**: {types}.",
            "**Types de comptes pris en charge** : {types}.",
        ),
        Text::new(
            "**Redirect URI (optional)**: platform **Web**, address `{redirect}`. Nothing is ever received there.",
            "**URI de redirection (facultatif)** : plateforme **Web**, adresse `{redirect}`. Rien n'y est jamais reçu.",
        ),
        Text::new(
            "Choose **Register**. The portal creates the enterprise application (service principal) with it.",
            "Choisissez **S'inscrire**. Le portail crée en même temps l'application d'entreprise (principal de service).",
        ),
    ],
};

const PERMISSIONS: Part = Part {
    title: Text::new(
        "Permissions and admin consent",
        "Autorisations et consentement administrateur",
    ),
    steps: &[
        Text::new(
            "In the application, open **API permissions**, choose **Add a permission** and **Microsoft Graph**.",
            "Dans l'application, ouvrez **API autorisées**, choisissez **Ajouter une autorisation** puis **Microsoft \
             Graph**.",
        ),
        Text::new(
            "Choose **Application permissions**, tick `{read_write}` and `{send}`, and choose **Add permissions**. (Leave \
             both out if you limit the application to the listed mailboxes, see below.)",
            "Choisissez **Autorisations d'application**, cochez `{read_write}` et `{send}`, puis **Ajouter des \
             autorisations**. (Omettez les deux si vous limitez l'application aux boîtes listées, voir plus bas.)",
        ),
        Text::new(
            "Once more **Add a permission**, **Microsoft Graph**, **Delegated permissions**: `{user_read}`. A new \
             registration has it already; Guichet itself does not need it.",
            "De nouveau **Ajouter une autorisation**, **Microsoft Graph**, **Autorisations déléguées** : `{user_read}`. \
             Une nouvelle inscription l'a déjà ; Guichet lui-même n'en a pas besoin.",
        ),
        Text::new(
            "Choose **Grant admin consent for …** and **Yes**. Each line then shows a green tick and **Granted for …** \
             under **Status**.",
            "Choisissez **Accorder un consentement d'administrateur pour …** puis **Oui**. Chaque ligne montre alors une \
             coche verte et **Accordé pour …** sous **Statut**.",
        ),
    ],
};

const SECRET: Part = Part {
    title: Text::new("Client secret", "Secret client"),
    steps: &[
        Text::new(
            "Open **Certificates & secrets**, the tab **Client secrets**, and choose **New client secret**.",
            "Ouvrez **Certificats & secrets**, l'onglet **Secrets client**, et choisissez **Nouveau secret client**.",
        ),
        Text::new(
            "**Description**: `{description}`. **Expires**: {days} days (**Custom** if the list does not have it). Choose \
             **Add**.",
            "**Description** : `{description}`. **Date d'expiration** : {days} jours (**Personnalisé** si la liste ne l'a \
             pas). Choisissez **Ajouter**.",
        ),
        Text::new(
            "Copy the column **Value** at once: it is never shown again. The column **Secret ID** is not the secret; \
             Guichet refuses it as one.",
            "Copiez tout de suite la colonne **Valeur** : elle ne sera plus jamais affichée. La colonne **ID de secret** \
             n'est pas le secret ; Guichet la refuse.",
        ),
    ],
};

const VALUES: Part = Part {
    title: Text::new("Values to hand over", "Valeurs à transmettre"),
    steps: &[
        Text::new(
            "On **Overview**, copy **Application (client) ID** and **Directory (tenant) ID**.",
            "Dans **Vue d'ensemble**, copiez **ID d'application (client)** et **ID de l'annuaire (locataire)**.",
        ),
        Text::new(
            "On **Overview**, choose **Endpoints** and copy **OAuth 2.0 token endpoint (v2)**: \
             `{authority}/<Directory (tenant) ID>/oauth2/v2.0/token`.",
            "Dans **Vue d'ensemble**, choisissez **Points de terminaison** et copiez **Point de terminaison de jeton \
             OAuth 2.0 (v2)** : `{authority}/<ID de l'annuaire (locataire)>/oauth2/v2.0/token`.",
        ),
    ],
};

const MAILBOXES: Part = Part {
    title: Text::new("Check the mailboxes", "Contrôler les boîtes aux lettres"),
    steps: &[
        Text::new(
            "In the Microsoft 365 admin center, open **Users > Active users** and, for each of {mailboxes}, the tab \
             **Licenses and apps**: under **Apps**, **Exchange Online** must be ticked. **Exchange Foundation** alone \
             gives no mailbox.",
            "Dans le Centre d'administration Microsoft 365, ouvrez **Utilisateurs > Utilisateurs actifs** et, pour chacune \
             de {mailboxes}, l'onglet **Licences et applications** : sous **Applications**, **Exchange Online** doit être \
             coché. **Exchange Foundation** seul ne donne pas de boîte.",
        ),
        Text::new(
            "A shared mailbox stands under **Teams & groups > Shared mailboxes** and needs no licence up to 50 GB.",
            "Une boîte partagée figure sous **Équipes et groupes > Boîtes aux lettres partagées** et n'a pas besoin de \
             licence jusqu'à 50 Go.",
        ),
    ],
};

const POLICIES: Part = Part {
    title: Text::new(
        "Check for application access policies",
        "Rechercher des stratégies d'accès aux applications",
    ),
    steps: &[
        Text::new(
            "No portal shows them. In Exchange Online PowerShell: `Get-ApplicationAccessPolicy | Where-Object AppId -EQ \
             <Application (client) ID>`. Nothing listed: nothing to do.",
            "Aucun portail ne les montre. Dans Exchange Online PowerShell : `Get-ApplicationAccessPolicy | Where-Object \
             AppId -EQ <ID d'application (client)>`. Rien de listé : rien à faire.",
        ),
        Text::new(
            "If there is one: `Test-ApplicationAccessPolicy -Identity <mailbox> -AppId <Application (client) ID>` must \
             answer **Granted** for each of {mailboxes}; otherwise add the mailbox to the policy's group.",
            "S'il y en a : `Test-ApplicationAccessPolicy -Identity <boîte> -AppId <ID d'application (client)>` doit \
             répondre **Granted** pour chacune de {mailboxes} ; sinon ajoutez la boîte au groupe de la stratégie.",
        ),
    ],
};

const LISTED: Part = Part {
    title: Text::new(
        "Least privilege instead: only the listed mailboxes",
        "Moindre privilège à la place : seulement les boîtes listées",
    ),
    steps: &[
        Text::new(
            "Skip this part if you granted `{read_write}` and `{send}` for the tenant: both kinds of grant add up, so a \
             tenant-wide one defeats the limit.",
            "Passez cette partie si vous avez accordé `{read_write}` et `{send}` pour le locataire : les deux sortes \
             d'accord s'additionnent, et celui du locataire annule la limite.",
        ),
        Text::new(
            "In the Exchange admin center, under **Recipients > Groups**, make a mail-enabled security group `{scope}` \
             with the members {mailboxes}.",
            "Dans le Centre d'administration Exchange, sous **Destinataires > Groupes**, créez un groupe de sécurité à \
             extension messagerie `{scope}` avec les membres {mailboxes}.",
        ),
        Text::new(
            "The rest has no page. In the Entra admin center, under **Enterprise applications**, copy the application's \
             **Object ID**; then in Exchange Online PowerShell: `New-ServicePrincipal -AppId <Application (client) ID> \
             -ObjectId <Object ID>`.",
            "Le reste n'a pas de page. Dans le Centre d'administration Entra, sous **Applications d'entreprise**, copiez \
             l'**ID d'objet** de l'application ; puis dans Exchange Online PowerShell : `New-ServicePrincipal -AppId <ID \
             d'application (client)> -ObjectId <ID d'objet>`.",
        ),
        Text::new(
            "`New-ManagementScope` with a name and `-RecipientRestrictionFilter \"MemberOfGroup -eq '<DistinguishedName of \
             the group>'\"`.",
            "`New-ManagementScope` avec un nom et `-RecipientRestrictionFilter \"MemberOfGroup -eq '<DistinguishedName du \
             groupe>'\"`.",
        ),
        Text::new(
            "For each of the roles `Application {read_write}` and `Application {send}`: `New-ManagementRoleAssignment -App \
             <Object ID> -Role <role> -CustomResourceScope <scope>`.",
            "Pour chacun des rôles `Application {read_write}` et `Application {send}` : `New-ManagementRoleAssignment -App \
             <ID d'objet> -Role <rôle> -CustomResourceScope <étendue>`.",
        ),
        Text::new(
            "`Test-ServicePrincipalAuthorization -Identity <Application (client) ID> -Resource <mailbox>` must show \
             **InScope** True for each of {mailboxes}, and False for any other. Elsewhere it counts after 30 minutes to \
             two hours.",
            "`Test-ServicePrincipalAuthorization -Identity <ID d'application (client)> -Resource <boîte>` doit montrer \
             **InScope** True pour chacune de {mailboxes}, et False pour toute autre. Ailleurs, cela vaut après 30 \
             minutes à deux heures.",
        ),
    ],
};

const RANGES: Part = Part {
    title: Text::new("Connection filter", "Filtre de connexion"),
    steps: &[
        Text::new(
            "In the Microsoft Defender portal, open **Email & collaboration > Policies & rules > Threat policies > \
             Anti-spam** and **Connection filter policy (Default)**.",
            "Dans le portail Microsoft Defender, ouvrez **E-mail et collaboration > Stratégies et règles > Stratégies de \
             menace > Anti-courrier indésirable** puis **Stratégie de filtre de connexion (par défaut)**.",
        ),
        Text::new(
            "Choose **Edit connection filter policy**; under **Always allow messages from the following IP addresses or \
             address range** add {ranges}, and choose **Save**.",
            "Choisissez **Modifier la stratégie de filtre de connexion** ; sous **Toujours autoriser les messages des \
             adresses IP ou de la plage d'adresses suivantes**, ajoutez {ranges}, puis **Enregistrer**.",
        ),
    ],
};

const NO_RANGES: Text = Text::new(
    "The connection filter's allow list needs no change: mail that comes in over MX and answers that are sent through Graph \
     never come to it from us.",
    "La liste verte du filtre de connexion ne demande aucun changement : le courrier reçu par MX et les réponses envoyées \
     par Graph n'y passent jamais depuis nos adresses.",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn every_step_says_the_same_in_both_languages() {
        let parts = [
            &REGISTRATION,
            &PERMISSIONS,
            &SECRET,
            &VALUES,
            &MAILBOXES,
            &POLICIES,
            &LISTED,
            &RANGES,
        ];
        let texts = parts
            .into_iter()
            .flat_map(|part| part.steps.iter().chain([&part.title]))
            .chain([&TITLE, &INTRODUCTION, &NO_RANGES]);
        for text in texts {
            let [english, french] = Language::ALL.map(|language| {
                let mut names: Vec<_> = text.get(language).split('{').skip(1).collect();
                names
                    .iter_mut()
                    .for_each(|name| *name = name.split('}').next().unwrap());
                names.sort_unstable();
                names.dedup();
                names
            });
            assert_eq!(english, french, "{text:?}");
            assert_ne!(text.get(Language::English), text.get(Language::French));
        }
    }
}
