//! A thin client for Microsoft Graph and the Entra ID sign-in service.
//!
//! Owns the wire: addresses, tokens, repetition, and the one table that turns Microsoft's errors
//! into what a caller can do. Never decides anything about mail, never stores anything, never logs
//! mail content or secrets. Time, entropy and the network come in as ports, so that every wait and
//! every failure can be simulated.

mod batch;
mod class;
mod client;
mod directory;
mod discovery;
mod endpoints;
mod error;
mod governor;
mod mail;
mod path;
mod ports;
mod request;
mod retry;
mod subscription;
mod token;
mod traffic;
mod wire;

pub use batch::MAX_BATCH;
pub use class::Class;
pub use client::GraphClient;
pub use directory::certificates::NewCertificate;
pub use discovery::{OpenIdConfiguration, discover};
pub use endpoints::{Endpoints, Resource};
pub use error::{Error, Failure, Result};
pub use mail::messages::{ListQuery, MessagePage};
pub use ports::{Entropy, Time};
pub use retry::RetryPolicy;
pub use token::{
    AccessToken, AssertionSource, AuthorizationCode, BrowserSignIn, CertificateKey, ClientCredential,
    ClientCredentials, DeviceCode, DeviceCodePrompt, EntraError, FixedToken, GET_TOKEN, TokenClaims, TokenSource,
    UserToken, parse_token_error,
};
pub use traffic::{Metered, Requests, Traffic};
pub use wire::attachment::{AttachmentInfo, AttachmentKind, NewAttachment, UploadProgress, UploadSession};
pub use wire::delta::{DeltaFrom, DeltaItem, DeltaNext, DeltaPage, MessageSummary};
pub use wire::directory::{
    AccessKind, AppRole, AppRoleAssignment, Application, ApplicationPatch, Ensured, FederatedCredential, KeyCredential,
    NewApplication, NewSecret, PasswordCredential, PermissionGrant, PermissionScope, RedirectUris,
    RequiredResourceAccess, ResourceAccess, ServicePrincipal,
};
pub use wire::exchange_roles::{AppScope, ExchangeAssignment, ExchangeRole};
pub use wire::folder::MailFolder;
pub use wire::message::{ExtendedProperty, Header, ItemBody, Message, Recipient};
pub use wire::outgoing::{Audience, DraftPatch, NewMessage, ReplyDraft, SentCopy};
pub use wire::rule::{MessageRule, RuleActions};
pub use wire::subscription::{NewSubscription, Subscription};
pub use wire::user::{AssignedPlan, LicenseDetails, MailboxSettings, Organization, ServicePlan, User, VerifiedDomain};
