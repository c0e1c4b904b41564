//! The codes of findings. They are stable: scripts and documentation refer to them.

use guichet_domain::finding::Severity;
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident;)+) => {
        /// Code of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// How bad it is. A code has one severity, so that scripts can rely on it.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    // ---- what is recorded
    /// Nothing has been connected.
    IntegrationAbsent = "integration-absent", Error;
    /// The integration is switched off.
    IntegrationInactive = "integration-inactive", Info;
    /// The service reported that the integration fails.
    IntegrationError = "integration-error", Error;
    /// The integration is recorded and switched on.
    IntegrationActive = "integration-active", Ok;
    /// The store can't be read.
    StoreUnusable = "store-unusable", Error;
    /// The master key can't be had.
    KeyUnusable = "key-unusable", Error;
    /// No credential is stored.
    CredentialAbsent = "credential-absent", Error;
    /// The stored credential does not open with this master key.
    CredentialWrongKey = "credential-wrong-key", Error;
    /// The stored credential is damaged.
    CredentialDamaged = "credential-damaged", Error;
    /// The stored value is the secret's id.
    CredentialIsSecretId = "credential-is-secret-id", Error;
    /// A credential is stored and opens.
    CredentialPresent = "credential-present", Ok;
    // ---- the sign-in service
    /// The host name of the sign-in service has no address.
    AuthorityDns = "authority-dns", Error;
    /// No connection to the sign-in service.
    AuthorityConnect = "authority-connect", Error;
    /// The certificate of the sign-in service is not trusted.
    AuthorityTls = "authority-tls", Error;
    /// The sign-in service does not answer in time.
    AuthorityTimeout = "authority-timeout", Error;
    /// The connection to the sign-in service was cut.
    AuthorityCut = "authority-cut", Error;
    /// What answers is not a sign-in service.
    AuthorityNotEntra = "authority-not-entra", Error;
    /// What the sign-in service describes is not what is configured.
    DiscoveryMismatch = "discovery-mismatch", Error;
    /// The sign-in service is overloaded.
    AuthorityBusy = "authority-busy", Warning;
    /// The sign-in service limits our requests.
    AuthorityThrottled = "authority-throttled", Warning;
    /// The sign-in service answers.
    AuthorityOk = "authority-ok", Ok;
    /// There is no such tenant here.
    TenantUnknown = "tenant-unknown", Error;
    /// `common`, `organizations` or `consumers` stand in place of a tenant.
    TenantNotSpecific = "tenant-not-specific", Error;
    /// The text is no tenant identifier.
    TenantInvalid = "tenant-invalid", Error;
    /// The tenant is in another national cloud.
    TenantOtherCloud = "tenant-other-cloud", Error;
    /// The configured Graph belongs to another cloud than the tenant.
    CloudMismatch = "cloud-mismatch", Error;
    /// The configured tenant is not the recorded one.
    TenantMismatch = "tenant-mismatch", Error;
    /// The clock is off.
    ClockSkewed = "clock-skewed", Error;
    // ---- the credential at the token endpoint
    /// A token was issued.
    TokenOk = "token-ok", Ok;
    /// The secret is wrong.
    SecretWrong = "secret-wrong", Error;
    /// The secret has expired.
    SecretExpired = "secret-expired", Error;
    /// The application is not in the tenant.
    ApplicationNotInTenant = "application-not-in-tenant", Error;
    /// The application id is not one.
    ApplicationIdInvalid = "application-id-invalid", Error;
    /// The application or its service principal is disabled.
    ApplicationDisabled = "application-disabled", Error;
    /// The application is registered as a public client.
    ApplicationPublic = "application-public", Error;
    /// The application has no certificate of this thumbprint.
    CertificateNotRegistered = "certificate-not-registered", Error;
    /// The certificate that signs is past its end.
    CertificateExpired = "certificate-expired", Error;
    /// The assertion cannot be used: damaged, or for another audience, issuer or subject.
    AssertionRefused = "assertion-refused", Error;
    /// The file of the platform's token gives none.
    AssertionUnreadable = "assertion-unreadable", Error;
    /// No federated credential names the assertion's issuer.
    FederatedIssuer = "federated-issuer-unknown", Error;
    /// No federated credential names the assertion's audience.
    FederatedAudience = "federated-audience-unknown", Error;
    /// No federated credential names the assertion's subject.
    FederatedSubject = "federated-subject-unknown", Error;
    /// The assertion stands for a person.
    FederatedPerson = "federated-assertion-of-person", Error;
    /// Entra cannot reach the issuer of the assertion.
    FederatedIssuerUnreachable = "federated-issuer-unreachable", Error;
    /// Entra saw the assertion outside its time range.
    TokenClock = "token-clock", Error;
    /// Microsoft Graph is not in the tenant, or the wrong cloud's Graph was named.
    ResourceNotInTenant = "resource-not-in-tenant", Error;
    /// Conditional Access blocks the sign-in.
    ConditionalAccess = "conditional-access", Error;
    /// Security defaults block the sign-in.
    SecurityDefaults = "security-defaults", Error;
    /// Consent is required before a token is issued.
    ConsentRequired = "consent-required", Error;
    /// Only an administrator may give the consent.
    AdminConsentRequired = "admin-consent-required", Error;
    /// The resource requires that the application is assigned to it.
    AssignmentRequired = "assignment-required", Error;
    /// The registration does not list the resource that a token was asked for.
    ResourceNotRequested = "resource-not-requested", Error;
    /// The scope of the request names no resource, or several.
    ScopeInvalid = "scope-invalid", Error;
    /// The request did not arrive as it was sent.
    TokenRequestMalformed = "token-request-malformed", Error;
    /// The person who signs in is not in the directory.
    UserUnknown = "sign-in-user-unknown", Error;
    /// The code of a device sign-in has expired or is none.
    DeviceCodeExpired = "sign-in-code-expired", Error;
    /// Nobody has finished the device sign-in.
    DeviceCodePending = "sign-in-pending", Error;
    /// The same request came too often.
    TokenLoop = "token-loop", Warning;
    /// Entra refused for another reason.
    TokenRefused = "token-refused", Error;
    // ---- life of the secret
    /// The secret lives longer than 30 days.
    SecretValid = "secret-valid", Ok;
    /// Thirty days or less.
    SecretExpires30 = "secret-expires-30-days", Info;
    /// Fourteen days or less.
    SecretExpires14 = "secret-expires-14-days", Warning;
    /// Seven days or less.
    SecretExpires7 = "secret-expires-7-days", Warning;
    /// One day or less.
    SecretExpires1 = "secret-expires-1-day", Warning;
    /// The tenant's policy forbids client secrets, or such long ones.
    SecretPolicy = "secret-policy", Error;
    // ---- consent
    /// The token carries what is needed and nothing else.
    ConsentOk = "consent-ok", Ok;
    /// The token carries no permission that is needed.
    ConsentMissing = "consent-missing", Error;
    /// The token lacks the permission to read and change mail.
    ConsentMissingRead = "consent-missing-read", Error;
    /// The token lacks the permission to send mail.
    ConsentMissingSend = "consent-missing-send", Error;
    /// The token lacks a permission that only a switched-on feature needs.
    ConsentMissingOptional = "consent-missing-optional", Warning;
    /// The token lacks permissions, and Exchange's own roles give access.
    ConsentByRbac = "consent-by-rbac", Info;
    /// The token carries more than is needed.
    ConsentExcess = "consent-excess", Warning;
    // ---- Microsoft Graph
    /// The host name of Graph has no address.
    GraphDns = "graph-dns", Error;
    /// No connection to Graph.
    GraphConnect = "graph-connect", Error;
    /// The certificate of Graph is not trusted.
    GraphTls = "graph-tls", Error;
    /// Graph does not answer in time.
    GraphTimeout = "graph-timeout", Error;
    /// The connection to Graph was cut.
    GraphCut = "graph-cut", Error;
    /// What answers is not Graph.
    GraphForeign = "graph-not-graph", Error;
    /// Graph is overloaded or out of order.
    GraphBusy = "graph-busy", Warning;
    /// A tenant-wide consent opens more than the scope of access.
    ScopeDefeated = "scope-defeated", Warning;
    /// A mailbox outside the scope of access is denied.
    ScopeOk = "scope-ok", Ok;
    /// A mailbox outside the scope of access can be read.
    ScopeTooWide = "scope-too-wide", Error;
    /// Whether the scope of access holds could not be tried.
    ScopeUntested = "scope-untested", Info;
    // ---- what Exchange's own administration shows
    /// Every configured address is on the connection filter's allow list.
    AllowListOk = "allow-list-ok", Ok;
    /// Configured addresses are missing on the connection filter's allow list.
    AllowListMissing = "allow-list-missing", Warning;
    /// The allow list was in order, and nobody has looked for long.
    AllowListStale = "allow-list-stale", Info;
    /// Nobody has looked at the allow list.
    AllowListUnseen = "allow-list-unseen", Info;
    /// The report about Exchange can't be used.
    ExchangeReportUnusable = "exchange-report-unusable", Warning;
    // ---- mailboxes
    /// No mailbox is served.
    MailboxesAbsent = "mailboxes-absent", Warning;
    /// A configured mailbox has not been connected.
    MailboxNotConnected = "mailbox-not-connected", Warning;
    /// The mailbox and its folders are reachable.
    MailboxOk = "mailbox-ok", Ok;
    /// There is no such user.
    MailboxUnknown = "mailbox-unknown", Error;
    /// The user has no Exchange Online mailbox.
    MailboxNone = "mailbox-none", Error;
    /// The mailbox is half provisioned or being moved.
    MailboxStale = "mailbox-stale", Error;
    /// Access is denied.
    MailboxDenied = "mailbox-denied", Error;
    /// An application access policy blocks the application.
    MailboxPolicy = "mailbox-policy", Error;
    /// Graph refuses the token.
    MailboxTokenRefused = "mailbox-token-refused", Error;
    /// Graph throttles requests to the mailbox.
    MailboxBusy = "mailbox-busy", Warning;
    /// Graph answered with another error.
    MailboxRefused = "mailbox-refused", Error;
    /// The user has no plan that gives a mailbox.
    MailboxUnlicensed = "mailbox-unlicensed", Error;
    /// The mailbox opens, and its user may sign in and has no plan for it.
    MailboxLicenceLost = "mailbox-licence-lost", Warning;
    /// The mailbox has another display name than the recorded one.
    MailboxRenamed = "mailbox-renamed", Info;
    /// Which licences users have can't be seen.
    LicencesUnseen = "licences-unseen", Info;
    /// A rule takes every mail away.
    MailboxRuleAll = "mailbox-rule-takes-all", Warning;
    /// A rule takes some mail away.
    MailboxRuleSome = "mailbox-rule-takes-some", Info;
    /// The rules of the mailboxes can't be seen.
    RulesUnseen = "mailbox-rules-unseen", Info;
    /// A mailbox forwards its mail and keeps none.
    MailboxForwarded = "mailbox-forwarded", Warning;
    /// A mail that the mailbox sent to itself arrived.
    RoundTripOk = "round-trip-ok", Ok;
    /// A mail that the mailbox sent to itself did not arrive.
    RoundTripLost = "round-trip-lost", Warning;
    /// A mail that the mailbox sent to itself is in the junk folder.
    RoundTripJunk = "round-trip-junk", Warning;
    /// The mailbox could not send a mail to itself.
    RoundTripRefused = "round-trip-refused", Error;
    /// A followed folder is gone.
    FolderMissing = "folder-missing", Error;
    /// A folder of the configuration stands in the mailbox under the name of another language.
    FolderLocalised = "folder-localised", Error;
    /// A configured folder exists and has not been connected.
    FolderNotConnected = "folder-not-connected", Warning;
    /// A folder has not been read to its end for long.
    FolderBehind = "folder-behind", Warning;
    // ---- notifications
    /// Notifications are not configured.
    NotificationsOff = "notifications-off", Info;
    /// The notification endpoint answers as Microsoft wants it to.
    EndpointOk = "notification-endpoint-ok", Ok;
    /// The host name of the notification endpoint has no address.
    EndpointDns = "notification-endpoint-dns", Warning;
    /// No connection to the notification endpoint, or it was cut.
    EndpointConnect = "notification-endpoint-connect", Warning;
    /// The certificate of the notification endpoint is not trusted.
    EndpointTls = "notification-endpoint-tls", Warning;
    /// The notification endpoint does not answer in time.
    EndpointTimeout = "notification-endpoint-timeout", Warning;
    /// What answers at the notification endpoint is not Guichet.
    EndpointForeign = "notification-endpoint-foreign", Warning;
    /// A folder has no subscription.
    SubscriptionAbsent = "subscription-absent", Warning;
    /// A subscription has expired.
    SubscriptionExpired = "subscription-expired", Warning;
    /// A subscription delivers to another address.
    SubscriptionElsewhere = "subscription-elsewhere", Warning;
    /// The subscription lives.
    SubscriptionOk = "subscription-ok", Ok;
    // ---- work
    /// Replies or marks were given up.
    OutboxDead = "outbox-dead", Error;
    /// More waits than usual.
    OutboxBacklog = "outbox-backlog", Warning;
    /// Mails were set aside.
    QuarantinePresent = "quarantine-present", Warning;
    /// Microsoft refuses many requests for their number.
    ThrottledOften = "throttled-often", Warning;
    /// Nothing waits.
    WorkOk = "work-ok", Ok;
}

impl Code {
    /// The code of this stable text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Whether it is about a moment and not about a state, so that a look which does not ask again does not end it.
    pub const fn is_of_moment(self) -> bool {
        matches!(
            self,
            Self::RoundTripOk | Self::RoundTripLost | Self::RoundTripJunk | Self::RoundTripRefused
        )
    }

    /// Whether it is about the running service and not about the connection.
    pub const fn is_of_service(self) -> bool {
        matches!(
            self,
            Self::IntegrationError
                | Self::FolderBehind
                | Self::NotificationsOff
                | Self::EndpointOk
                | Self::EndpointDns
                | Self::EndpointConnect
                | Self::EndpointTls
                | Self::EndpointTimeout
                | Self::EndpointForeign
                | Self::SubscriptionAbsent
                | Self::SubscriptionExpired
                | Self::SubscriptionElsewhere
                | Self::SubscriptionOk
                | Self::OutboxDead
                | Self::OutboxBacklog
                | Self::QuarantinePresent
                | Self::ThrottledOften
                | Self::WorkOk
        )
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
