//! Words for the parts of the manual procedure and how far they are.

use super::Text;
use crate::procedure::{Part, State};

pub(super) const HEADING: Text = Text::new("The procedure, part by part:", "La procédure, partie par partie :");
pub(super) const ALSO: Text = Text::new("Also found:", "À signaler aussi :");

pub(super) const LINE: Text = Text::new("{part}: {state}", "{part} : {state}");
pub(super) const RESOLVED: Text = Text::new("gone", "résolu");

pub(super) const fn part(part: Part) -> Text {
    match part {
        Part::Mailboxes => Text::new(
            "each mailbox exists, is licensed or shared, and opens",
            "chaque boîte existe, est sous licence ou partagée, et s'ouvre",
        ),
        Part::Policies => Text::new(
            "no policy of Exchange blocks the application, and none opens too much",
            "aucune stratégie d'Exchange ne bloque l'application ni n'ouvre trop",
        ),
        Part::ApplicationActive => Text::new(
            "the application is active and gets a token",
            "l'application est active et obtient un jeton",
        ),
        Part::Registration => Text::new("the application is registered", "l'application est inscrite"),
        Part::Ids => Text::new(
            "application (client) id and directory (tenant) id are recorded",
            "l'ID d'application (client) et l'ID d'annuaire (locataire) sont enregistrés",
        ),
        Part::Permissions => Text::new(
            "the permissions have admin consent",
            "les autorisations ont le consentement administrateur",
        ),
        Part::Credential => Text::new(
            "the secret or certificate is stored encrypted and works",
            "le secret ou le certificat est enregistré chiffré et fonctionne",
        ),
        Part::TokenEndpoint => Text::new(
            "the OAuth 2.0 token endpoint (v2) is known",
            "le point de terminaison de jeton OAuth 2.0 (v2) est connu",
        ),
        Part::AllowList => Text::new(
            "the addresses are on the connection filter's allow list",
            "les adresses figurent dans la liste verte du filtre de connexion",
        ),
        Part::Activation => Text::new("the integration is switched on", "l'intégration est activée"),
        Part::Changes => Text::new(
            "the service runs and takes changes up by itself",
            "le service fonctionne et prend en compte les changements de lui-même",
        ),
    }
}

pub(super) const fn state(state: State) -> Text {
    match state {
        State::Done => Text::new("done", "fait"),
        State::NotNeeded => Text::new("not needed", "pas nécessaire"),
        State::Open => Text::new("open", "à faire"),
        State::NotSeen => Text::new("not seen yet", "pas encore vu"),
    }
}

/// What to know of a part that is neither done nor open.
pub(super) const fn note(part: Part, state: State) -> Option<Text> {
    match (part, state) {
        (Part::AllowList, State::NotNeeded) => Some(Text::new(
            "no addresses are configured: nothing is handed to the tenant by SMTP",
            "aucune adresse n'est configurée : rien n'est remis au locataire par SMTP",
        )),
        (Part::AllowList, State::NotSeen) => Some(Text::new(
            "an Exchange Administrator runs the exported script, and its report is named in guichet.toml",
            "un Administrateur Exchange exécute le script exporté, et son rapport est indiqué dans guichet.toml",
        )),
        (Part::Policies, State::NotSeen) => Some(Text::new(
            "every listed mailbox must open; if access is limited to them, the `outside_mailbox` of [doctor] must be denied",
            "chaque boîte indiquée doit s'ouvrir ; si l'accès leur est limité, l'`outside_mailbox` de [doctor] doit être refusée",
        )),
        (Part::Changes, State::NotSeen) => Some(Text::new("start `guichet serve`", "démarrez `guichet serve`")),
        _ => None,
    }
}
