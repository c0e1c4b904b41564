//! Words for findings about how an application or a person proves who it is: certificates, federated
//! credentials, and the requests that carry them.

use super::FindingText;
use crate::doctor::Code;

pub(super) const fn text(code: Code) -> Option<FindingText> {
    let text = match code {
        Code::CertificateNotRegistered => FindingText::new(
            [
                "The application {subject} does not know the certificate that signs for it.",
                "L'application {subject} ne connaît pas le certificat qui signe pour elle.",
            ],
            [
                "Upload the certificate in the app registration under Certificates & secrets and compare the thumbprint of the evidence; check that `authority` names the same cloud.",
                "Téléversez le certificat dans l'inscription d'application, sous Certificats et secrets, et comparez l'empreinte du constat ; vérifiez que `authority` désigne le même cloud.",
            ],
        ),
        Code::CertificateExpired => FindingText::new(
            [
                "The certificate of the application {subject} has expired.",
                "Le certificat de l'application {subject} a expiré.",
            ],
            [
                "Make a new certificate and register it with the application; both may be registered for a time.",
                "Créez un nouveau certificat et inscrivez-le auprès de l'application ; les deux peuvent coexister un temps.",
            ],
        ),
        Code::AssertionRefused => FindingText::new(
            [
                "The sign-in service does not accept the signed assertion of the application {subject}.",
                "Le service de connexion n'accepte pas l'assertion signée de l'application {subject}.",
            ],
            [
                "Compare audience, issuer and subject of the assertion with the reason in the evidence; `tenant` and `authority` in guichet.toml decide the audience.",
                "Comparez l'audience, l'émetteur et le sujet de l'assertion avec le motif du constat ; `tenant` et `authority` dans guichet.toml déterminent l'audience.",
            ],
        ),
        Code::AssertionUnreadable => FindingText::new(
            [
                "The token file of the federated credential gives no token for the application {subject}.",
                "Le fichier de jeton de l'information d'identification fédérée ne donne pas de jeton pour l'application {subject}.",
            ],
            [
                "Check `token_file` under [application.federated] in guichet.toml and that the user who runs Guichet may read it: the platform writes its token there and keeps it fresh.",
                "Vérifiez `token_file` sous [application.federated] dans guichet.toml et que l'utilisateur qui exécute Guichet peut le lire : la plateforme y écrit son jeton et le renouvelle.",
            ],
        ),
        Code::FederatedIssuer => FindingText::new(
            [
                "No federated credential of the application {subject} names the issuer of the presented token.",
                "Aucune information d'identification fédérée de l'application {subject} ne désigne l'émetteur du jeton présenté.",
            ],
            [
                "Set the issuer of the federated credential to the one in the evidence, letter by letter, a slash at its end included.",
                "Réglez l'émetteur de l'information d'identification fédérée sur celui du constat, lettre pour lettre, barre oblique finale comprise.",
            ],
        ),
        Code::FederatedAudience => FindingText::new(
            [
                "No federated credential of the application {subject} names the audience of the presented token.",
                "Aucune information d'identification fédérée de l'application {subject} ne désigne l'audience du jeton présenté.",
            ],
            [
                "Let the issuer make tokens for the audience api://AzureADTokenExchange, or set the credential's audience to the one in the evidence.",
                "Faites émettre les jetons pour l'audience api://AzureADTokenExchange, ou réglez l'audience de l'information d'identification sur celle du constat.",
            ],
        ),
        Code::FederatedSubject => FindingText::new(
            [
                "No federated credential of the application {subject} names the subject of the presented token.",
                "Aucune information d'identification fédérée de l'application {subject} ne désigne le sujet du jeton présenté.",
            ],
            [
                "Set the subject of the federated credential to the one in the evidence; it is compared letter by letter.",
                "Réglez le sujet de l'information d'identification fédérée sur celui du constat ; la comparaison se fait lettre pour lettre.",
            ],
        ),
        Code::FederatedPerson => FindingText::new(
            [
                "The presented token stands for a person, and the application {subject} needs one of an application.",
                "Le jeton présenté représente une personne, et l'application {subject} en exige un d'une application.",
            ],
            [
                "Let a managed identity or an application obtain the token, not a signed-in user.",
                "Faites obtenir le jeton par une identité managée ou une application, non par un utilisateur connecté.",
            ],
        ),
        Code::FederatedIssuerUnreachable => FindingText::new(
            [
                "Microsoft Entra cannot reach the issuer that vouches for the application {subject}.",
                "Microsoft Entra ne peut pas joindre l'émetteur qui se porte garant de l'application {subject}.",
            ],
            [
                "Publish the issuer's /.well-known/openid-configuration and its keys on the public internet with a trusted certificate.",
                "Publiez le /.well-known/openid-configuration de l'émetteur et ses clés sur l'internet public avec un certificat approuvé.",
            ],
        ),
        Code::SecurityDefaults => FindingText::new(
            [
                "The tenant's security defaults block the sign-in of {subject}.",
                "Les paramètres de sécurité par défaut du locataire bloquent la connexion de {subject}.",
            ],
            [
                "Sign in with the device code or browser instead of a password, and complete the second factor.",
                "Connectez-vous par code d'appareil ou navigateur plutôt que par mot de passe, et accomplissez le second facteur.",
            ],
        ),
        Code::ScopeInvalid => FindingText::new(
            [
                "The sign-in service takes no token request for Microsoft Graph at {subject}.",
                "Le service de connexion n'accepte pas de demande de jeton pour Microsoft Graph à {subject}.",
            ],
            [
                "Set `graph` in guichet.toml to the address of Microsoft Graph in your cloud, for example https://graph.microsoft.com.",
                "Réglez `graph` dans guichet.toml sur l'adresse de Microsoft Graph dans votre cloud, par exemple https://graph.microsoft.com.",
            ],
        ),
        Code::TokenRequestMalformed => FindingText::new(
            [
                "Our request did not reach the sign-in service {subject} as it was sent ({error}).",
                "Notre requête n'est pas parvenue au service de connexion {subject} telle qu'envoyée ({error}).",
            ],
            [
                "Look for a proxy or firewall that changes the bodies of requests, and except this host from it.",
                "Cherchez un proxy ou un pare-feu qui modifie le corps des requêtes, et exceptez-en cet hôte.",
            ],
        ),
        Code::UserUnknown => FindingText::new(
            [
                "The account that signed in is not in the directory of the tenant.",
                "Le compte qui s'est connecté n'est pas dans l'annuaire du locataire.",
            ],
            [
                "Sign in with an administrator's account of this tenant; guests must be invited first.",
                "Connectez-vous avec un compte d'administrateur de ce locataire ; les invités doivent d'abord y être conviés.",
            ],
        ),
        Code::DeviceCodeExpired => FindingText::new(
            [
                "The sign-in code has expired or was mistyped.",
                "Le code de connexion a expiré ou a été mal saisi.",
            ],
            [
                "Run the command again and enter the new code within 15 minutes.",
                "Relancez la commande et saisissez le nouveau code dans les 15 minutes.",
            ],
        ),
        Code::DeviceCodePending => FindingText::new(
            [
                "Nobody has finished the sign-in yet.",
                "Personne n'a encore terminé la connexion.",
            ],
            [
                "Open the shown address, enter the code and confirm.",
                "Ouvrez l'adresse affichée, saisissez le code et confirmez.",
            ],
        ),
        _ => return None,
    };
    Some(text)
}
