//! Choices where the sources differ, and how each refusal of the login service is produced.
//!
//! Owns the rows of the page only; the behaviour is where the rows say.

/// A question the sources leave open.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// What is open.
    pub question: &'static str,
    /// What the sandbox does.
    pub choice: &'static str,
    /// How that is changed, or a dash.
    pub switch: &'static str,
}

const fn choice(question: &'static str, choice: &'static str, switch: &'static str) -> Choice {
    Choice {
        question,
        choice,
        switch,
    }
}

/// The choices.
pub const CHOICES: &[Choice] = &[
    choice(
        "refusal of a certificate nobody registered",
        "401 AADSTS700027; 50012 is the older form",
        "`PATCH /policies` `{\"unknown_certificate\": \"50012\"}`",
    ),
    choice(
        "life of access tokens",
        "3599 s; 86399 s for clients that announce `xms_cc: [\"CP1\"]`",
        "`{\"long_lived_tokens\": false}`",
    ),
    choice(
        "when a new application, principal, secret or consent is known",
        "at once",
        "`{\"replication_lag_seconds\": 30}`",
    ),
    choice(
        "a scope for several resources",
        "AADSTS700022; for none 700023; `.default` with permissions of the same resource 28002",
        "–",
    ),
    choice(
        "fields missing at the older token endpoint",
        "`resource`: AADSTS90014; others 900144 as at the newer one",
        "–",
    ),
    choice(
        "client request loops (AADSTS50196)",
        "counted while the throttle is on (15 equal requests in 300 s), else not",
        "`POST /throttling` `sign_in_loop`; `{\"identical_requests\": 15}`",
    ),
    choice(
        "HTTP status of 53003, 530035, 65001, 90094, 50034",
        "400 `invalid_grant`",
        "–",
    ),
    choice(
        "application that asks for a resource it does not list (650057)",
        "only where a person signs in with `.default` and nothing is granted yet",
        "–",
    ),
    choice(
        "restoring a deleted application",
        "its service principal is restored by itself, with what was granted to it",
        "–",
    ),
    choice(
        "tokens of `delta` in the directory",
        "the last 256 are kept; others answer 410 `syncStateNotFound`",
        "–",
    ),
    choice(
        "life of secrets",
        "no rule of the tenant",
        "`{\"secrets_allowed\": false}`, `{\"secret_max_days\": 90}`",
    ),
    choice(
        "certificate roll-over by the application itself",
        "`addKey` with proof needs no permission",
        "–",
    ),
    choice(
        "status of creating answers and drafts (examples say 200)",
        "the page's prose: 201, 202 for direct forms",
        "–",
    ),
    choice(
        "status of `ErrorExceededMessageLimit`",
        "429; 400 and 403 are reported too",
        "`PATCH /transport` `{\"over_limit_status\": 403}`",
    ),
    choice(
        "status of `ErrorQuotaExceeded`",
        "507, Graph's documented status of a full store",
        "`{\"over_quota_status\": 403}`",
    ),
    choice(
        "30 mails a minute for a mailbox",
        "not counted; when switched on, further mails are accepted and leave later",
        "`{\"messages_per_minute\": 30}`",
    ),
    choice(
        "rules and forwarding to the outside",
        "refused with a report 5.7.520, as Microsoft's default policy does",
        "`{\"external_forwarding\": true}`",
    ),
    choice(
        "`X-Auto-Response-Suppress: All` and non-delivery reports",
        "only `NDR` silences them",
        "`{\"all_suppresses_reports\": true}`",
    ),
    choice(
        "when a grant or policy of Exchange takes effect",
        "at once; cached 30 minutes to two hours when asked for",
        "`--cache-permissions`; `PUT /exchange/settings` of the control interface",
    ),
    choice(
        "whether a grant of RBAC for Applications suffices to subscribe",
        "yes",
        "`PUT /exchange/settings` `{\"subscriptions_by_rbac\": false}`",
    ),
    choice(
        "`New-ServicePrincipal` with ids that Entra does not pair",
        "refused",
        "–",
    ),
    choice(
        "`principalId` of `/beta/roleManagement/exchange/roleAssignments`",
        "`/ServicePrincipals/{id}` or the bare id",
        "–",
    ),
    choice(
        "permission for the preview `/adminapi/v2.0`",
        "`Exchange.ManageAsApp` suffices, as does `Exchange.ManageAsAppV2`",
        "–",
    ),
    choice(
        "field of `Test-ApplicationAccessPolicy`",
        "`AccessCheckResult`: Granted or Denied",
        "–",
    ),
    choice(
        "concurrency of four: per application and mailbox, or per application",
        "per application and mailbox",
        "`POST /throttling` `concurrency_scope`",
    ),
    choice("removing a distinguished folder", "403 `ErrorCannotDeleteObject`", "–"),
    choice(
        "messages that one `$search` finds",
        "1,000; 250 in 2021",
        "`PATCH /mail/behaviour` `{\"search_results\": 250}`",
    ),
    choice(
        "code of a lost delta state (410), and whether a fresh URL stands in `Location`",
        "`SyncStateNotFound`, none",
        "`{\"gone_code\": \"resyncRequired\", \"gone_location\": true}`",
    ),
    choice(
        "life of delta and skip tokens",
        "without end until expired by the control interface",
        "`{\"delta_token_life\": 600}`",
    ),
    choice(
        "empty pages that begin a delta round",
        "none",
        "`{\"empty_delta_pages\": true}`",
    ),
    choice(
        "`@microsoft.graph.tips` in lists without `$select`",
        "absent",
        "`{\"tips\": true}`",
    ),
    choice(
        "`$search` together with `$count`",
        "400 `SearchWithCount`, as with `$filter`, `$orderby` and `$skip`",
        "–",
    ),
    choice(
        "age at which a search cursor is `ErrorExecuteSearchStaleData`",
        "an hour",
        "–",
    ),
    choice("`$deltatoken=latest` on messages", "400", "–"),
    choice(
        "`Prefer: return=minimal` when a message is created or changed",
        "204 without a body",
        "–",
    ),
    choice(
        "`%2F` in an id",
        "ends the segment: 400 `RequestBroker--ParseUri` (observed)",
        "–",
    ),
    choice(
        "`dependsOn` in a batch",
        "all independent, each on the one before, or all on the same one; else 400",
        "–",
    ),
    choice(
        "bodies of batch items that are text",
        "stand for themselves; those of other types than JSON and text are base64",
        "–",
    ),
    choice("custom headers of a message", "five", "–"),
    choice("notifications through Event Hubs and Event Grid", "refused, 501", "–"),
    choice(
        "a subscription's life beyond the maximum",
        "400 `ExtensionError`, as observed; raised to 45 minutes below",
        "`PATCH /notifications/settings` `{\"life_minutes\": 4230}`",
    ),
    choice(
        "duplicates, full mailboxes and unknown users in `POST /subscriptions`",
        "409, 403 and 404 `ExtensionError` with the reason of the service behind Graph",
        "`{\"mailbox_limit\": 1000}`",
    ),
    choice(
        "when an endpoint is slow, and when it gets nothing",
        "more than 10 and 15 % of at least 100 replies in ten minutes took ten seconds",
        "`{\"slow_after_milliseconds\": 2900, \"delivery_timeout_milliseconds\": 3000, \"slow_delay_seconds\": 600, \"least_replies\": 100}`, as documented in 2023",
    ),
    choice(
        "a message that moves, seen by a subscription to the whole mailbox",
        "deleted and created, with either form of id",
        "–",
    ),
    choice(
        "resource data of a deleted message",
        "none: the notification has no `encryptedContent`",
        "–",
    ),
    choice(
        "when `reauthorizationRequired` comes",
        "before the end of the subscription and of its authorization, a quarter of the time but at most an hour ahead, then every 15 minutes; notifications go on meanwhile",
        "`{\"authorization_minutes\": 60, \"notice_minutes\": 60, \"remind_minutes\": 15}`",
    ),
    choice(
        "a failed handshake",
        "the one observed text for no answer and for another status than 200; what was wrong stands in `GET /notifications/handshakes`",
        "–",
    ),
    choice(
        "notifications that wait when the notification URL changes",
        "they follow to the new one",
        "–",
    ),
];

/// Codes of the login service with the mistake or state that produces them.
pub const REFUSALS: &[(u32, &str)] = &[
    (7_000_215, "a wrong secret, or its id"),
    (7_000_222, "the right secret after its end by the tenant's clock"),
    (7_000_218, "neither secret nor assertion"),
    (700_025, "a credential from a public client"),
    (
        700_016,
        "an application that is not in the tenant, was deleted or has not arrived yet",
    ),
    (700_038, "a client id that is none"),
    (7_000_112, "`accountEnabled: false` or `isDisabled: true`"),
    (
        700_027,
        "an assertion of a certificate that is not registered, has expired or did not sign it",
    ),
    (50_012, "the same after `{\"unknown_certificate\": \"50012\"}`"),
    (50_013, "an assertion with another audience, issuer or subject"),
    (50_027, "an assertion that cannot be read"),
    (500_133, "an assertion outside its time"),
    (700_211, "a federated assertion of an unknown issuer"),
    (700_212, "of an unknown audience"),
    (700_213, "of an unknown subject"),
    (700_229, "a person's token as federated assertion"),
    (90_002, "a tenant that does not exist"),
    (900_023, "a tenant name that is neither GUID nor domain"),
    (900_144, "a missing field"),
    (90_014, "`resource` missing at the older endpoint"),
    (9_002_313, "a body that is no form, or `claims` that are no JSON"),
    (70_011, "a scope that names nothing"),
    (1_002_012, "client credentials without `/.default`"),
    (28_002, "`.default` together with permissions of the same resource"),
    (700_022, "scopes of several resources"),
    (700_023, "client credentials with OpenID scopes only"),
    (500_011, "a resource without service principal"),
    (650_053, "a permission the resource does not publish"),
    (650_057, "`.default` of a resource that the registration does not list"),
    (65_005, "a registration that lists a resource the tenant has not"),
    (65_001, "no consent"),
    (90_094, "consent that only an administrator can give"),
    (50_034, "a user who does not exist"),
    (50_126, "a wrong password"),
    (50_057, "a user whose sign-in is blocked"),
    (53_003, "`{\"blocked\": [{\"application\": …}]}` (conditional access)"),
    (530_035, "`{\"security_defaults\": true}` and the password grant"),
    (50_194, "`/common` with an application of one tenant"),
    (
        9_001_023,
        "client credentials or a password on `/common` or `/consumers`",
    ),
    (50_059, "client credentials on `/organizations`"),
    (
        90_038,
        "`{\"other_clouds\": {\"fabrikam.example\": \"login.microsoftonline.us\"}}`",
    ),
    (900_382, "the same by a client that proves who it is"),
    (70_016, "polling before the person has finished"),
    (70_018, "an unknown device code"),
    (70_019, "a device code after fifteen minutes"),
    (65_004, "the person declined"),
    (
        50_196,
        "more equal requests in five minutes than `identical_requests` or the throttle's `sign_in_loop` allow",
    ),
    (70_003, "a grant type nobody knows"),
    (500_131, "on-behalf-of with a token for another client"),
    (7_000_114, "on-behalf-of with an application's token"),
];
