//! Words for findings about Microsoft Graph as a whole.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::GraphDns => FindingText::new(
            [
                "The host name of Microsoft Graph {subject} cannot be resolved.",
                "Le nom d'hôte de Microsoft Graph {subject} ne peut pas être résolu.",
            ],
            [
                "Check `graph` in guichet.toml for a typing mistake, then this machine's DNS or its proxy setting.",
                "Vérifiez l'orthographe de `graph` dans guichet.toml, puis le DNS de cette machine ou son proxy.",
            ],
        ),
        Code::GraphConnect => FindingText::new(
            [
                "No connection to Microsoft Graph {subject} can be opened.",
                "Aucune connexion à Microsoft Graph {subject} ne peut être ouverte.",
            ],
            [
                "Allow outgoing connections to this host and port in the firewall, as for the sign-in service, or set the proxy.",
                "Autorisez dans le pare-feu les connexions sortantes vers cet hôte et ce port, comme pour le service de connexion, ou configurez le proxy.",
            ],
        ),
        Code::GraphTls => FindingText::new(
            [
                "The certificate of Microsoft Graph {subject} is not trusted.",
                "Le certificat de Microsoft Graph {subject} n'est pas approuvé.",
            ],
            [
                "If a proxy inspects TLS for this host, add its CA file to `extra_ca_files`, or except the host; otherwise check the system's CA certificates.",
                "Si un proxy inspecte TLS pour cet hôte, ajoutez son fichier d'AC à `extra_ca_files` ou exceptez l'hôte ; sinon vérifiez les certificats d'AC du système.",
            ],
        ),
        Code::GraphTimeout => FindingText::new(
            [
                "Microsoft Graph {subject} does not answer in time.",
                "Microsoft Graph {subject} ne répond pas à temps.",
            ],
            [
                "Check whether a firewall drops the packets silently, and try again; Microsoft reports outages at https://status.cloud.microsoft.",
                "Vérifiez si un pare-feu rejette les paquets sans réponse, puis réessayez ; Microsoft signale les pannes sur https://status.cloud.microsoft.",
            ],
        ),
        Code::GraphCut => FindingText::new(
            [
                "The connection to Microsoft Graph {subject} was cut.",
                "La connexion à Microsoft Graph {subject} a été coupée.",
            ],
            [
                "Try again; if it repeats, look at the proxy or firewall between.",
                "Réessayez ; si cela se répète, examinez le proxy ou le pare-feu intermédiaire.",
            ],
        ),
        Code::GraphForeign => FindingText::new(
            [
                "What answers at {subject} is not Microsoft Graph.",
                "Ce qui répond à {subject} n'est pas Microsoft Graph.",
            ],
            [
                "Correct `graph` in guichet.toml, for example https://graph.microsoft.com, or the proxy or sign-on page that answers instead.",
                "Corrigez `graph` dans guichet.toml, par exemple https://graph.microsoft.com, ou le proxy ou portail qui répond à sa place.",
            ],
        ),
        Code::GraphBusy => FindingText::new(
            [
                "Microsoft Graph {subject} is overloaded or out of order ({error}).",
                "Microsoft Graph {subject} est surchargé ou en panne ({error}).",
            ],
            [
                "Wait; Guichet tries again by itself. Microsoft reports outages at https://status.cloud.microsoft.",
                "Attendez ; Guichet réessaie de lui-même. Microsoft signale les pannes sur https://status.cloud.microsoft.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
