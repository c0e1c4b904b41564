//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The e-mail channel of a contact centre on Microsoft 365.
///
/// Exit codes: 0 done; 1 what was looked at is not right; 2 wrong usage; 3 wrong configuration;
/// 4 a service can't be reached; 5 a service refused us; 6 something on this machine is in the way;
/// 70 a defect.
#[derive(Clone, Debug, Parser)]
#[command(name = "guichet", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file.
    #[arg(long, short, global = true, default_value = "guichet.toml", env = "GUICHET_CONFIG")]
    pub config: PathBuf,
    /// Print data as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on stderr; repeat for more.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run an offline Microsoft 365 tenant.
    Sandbox(Box<SandboxArgs>),
    /// Set up the Microsoft side.
    #[command(subcommand)]
    Connect(ConnectCommand),
    /// Take mail in, route it, send the answers.
    Serve(ServeArgs),
    /// Show the integration's state, switch it on or off.
    #[command(subcommand)]
    Integration(IntegrationCommand),
    /// Check everything and say what to do.
    Doctor(DoctorArgs),
    /// Show every step of one mail.
    Trace {
        /// Message-ID of the mail (with or without angle brackets), its immutable id, or our id.
        id: String,
    },
    /// Look at mails that were set aside, try them again, or leave it at that.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Look at jobs that were given up, such as replies, try them again, or leave it at that.
    #[command(subcommand)]
    DeadLetters(DeadLetterCommand),
    /// Take the embedded database over into the PostgreSQL database of the configuration.
    Migrate,
    /// Manage the keys of the HTTP API.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Show the whole story: sandbox, connect, serve, mail.
    Demo(DemoArgs),
}

/// `guichet sandbox`.
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// Directory of the certificate authority, of sandbox.json and of the tenant's state, which is
    /// saved there and restored at the next start. Without it: sandbox-data, and nothing is saved.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Begin with a new tenant; the state in --dir is set aside as state.previous.
    #[arg(long, requires = "dir")]
    pub fresh: bool,
    /// HTTPS address; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Also serve plain HTTP at this address.
    #[arg(long)]
    pub http: Option<SocketAddr>,
    /// Address of the control API.
    #[arg(long, default_value = "127.0.0.1:8480")]
    pub control: SocketAddr,
    /// Address of the SMTP server.
    #[arg(long, default_value = "127.0.0.1:8425")]
    pub smtp: SocketAddr,
    /// Also hand mail for recipients outside to this SMTP server: HOST:PORT.
    #[arg(long, value_name = "HOST:PORT")]
    pub smtp_out: Option<String>,
    /// Also listen here as an HTTP proxy whose every CONNECT ends at the sandbox, for clients whose
    /// addresses can't be configured.
    #[arg(long)]
    pub connect_proxy: Option<SocketAddr>,
    /// Set the tenant up as this file says: users, applications, mail, faults, limits, and what happens later.
    #[arg(long)]
    pub scenario: Option<PathBuf>,
    /// Keep Microsoft's limits: requests, concurrency, upload, sign-ins. They can be changed while it runs.
    #[arg(long)]
    pub throttle: bool,
    /// A name of this machine under which the control API may be called, besides localhost and addresses; repeat
    /// for more.
    #[arg(long = "control-host")]
    pub control_hosts: Vec<String>,
    /// A mailbox of the tenant; repeat for more. Three by default.
    #[arg(long = "mailbox")]
    pub mailboxes: Vec<String>,
    /// Issue a certificate for localhost to a service under test: service.pem and service.key in the
    /// directory.
    #[arg(long)]
    pub service_certificate: bool,
    /// Deliver change notifications to http addresses too. Microsoft does not.
    #[arg(long)]
    pub notify_plain_http: bool,
    /// Certificate authority (PEM) trusted when notifications are delivered.
    #[arg(long)]
    pub notification_ca: Option<PathBuf>,
    /// Cache what applications may do in Exchange as Microsoft does: changes take 30 minutes to two hours.
    #[arg(long)]
    pub cache_permissions: bool,
}

/// `guichet connect …`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConnectCommand {
    /// Show what is and what would be changed; change nothing.
    Plan(SignInArgs),
    /// Bring the tenant into the configured state.
    Apply(SignInArgs),
    /// Take over an application that was made by hand or by an exported script.
    ///
    /// Its values are pasted, and no administrator signs in. The secret is asked for, or comes from
    /// GUICHET_CLIENT_SECRET or stdin.
    Adopt(AdoptArgs),
    /// Prove each part of the procedure with the application's own sign-in; exit code 1 if one is open.
    Verify(VerifyArgs),
    /// Replace the credential: make a new one, prove it with a token, then remove the old one.
    Rotate(RotateArgs),
    /// Remove what Guichet made in the tenant, and nothing else; without --yes only say what that is.
    Destroy(DestroyArgs),
    /// Print the procedure as a script or as portal steps; needs no sign-in.
    Export(ExportArgs),
    /// Fetch the platform's published address ranges (`addresses.url`) into `addresses.file`, and say what changed.
    Ranges(RangesArgs),
    /// Print what another program needs to use the application; needs no sign-in.
    Values(ValuesArgs),
}

impl ConnectCommand {
    /// The profile that is asked for.
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Plan(arguments) | Self::Apply(arguments) => arguments.profile.as_deref(),
            Self::Rotate(arguments) => arguments.sign_in.profile.as_deref(),
            Self::Destroy(arguments) => arguments.sign_in.profile.as_deref(),
            Self::Export(arguments) => arguments.profile.as_deref(),
            Self::Ranges(arguments) => arguments.profile.as_deref(),
            Self::Values(_) | Self::Verify(_) | Self::Adopt(_) => None,
        }
    }
}

/// `guichet connect adopt`.
#[derive(Clone, Debug, Args)]
pub struct AdoptArgs {
    /// Application (client) id.
    #[arg(long, value_name = "GUID")]
    pub application_id: String,
    /// The client secret's id.
    #[arg(long, value_name = "GUID")]
    pub secret_id: String,
    /// Day on which the client secret expires.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub secret_expires: jiff::civil::Date,
    /// The token endpoint in any form, to be compared with what discovery says.
    #[arg(long, value_name = "URL")]
    pub token_endpoint: Option<String>,
    /// Language of the texts.
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
}

/// `guichet connect verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// What the exported PowerShell script saw in Exchange, in place of `doctor.exchange_report`.
    #[arg(long, value_name = "FILE")]
    pub exchange_report: Option<PathBuf>,
    /// Language of the texts.
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
}

/// `guichet connect destroy`.
#[derive(Clone, Debug, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    pub sign_in: SignInArgs,
    /// Do it. Conversations and mail stay.
    #[arg(long)]
    pub yes: bool,
}

/// `guichet connect values`.
#[derive(Clone, Debug, Args)]
pub struct ValuesArgs {
    /// Print the client secret's value too.
    #[arg(long)]
    pub show_secret: bool,
}

/// `guichet connect ranges`.
#[derive(Clone, Debug, Args)]
pub struct RangesArgs {
    /// Profile instead of the configured one: guichet, genesys-cloud, or a file that ends in .toml.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
}

/// `guichet connect rotate`.
#[derive(Clone, Debug, Args)]
pub struct RotateArgs {
    /// How to sign in.
    #[command(flatten)]
    pub sign_in: SignInArgs,
    /// Leave the replaced credential in place until it expires.
    #[arg(long)]
    pub keep_old: bool,
    /// Do nothing unless the credential is in the last 30 days of its life, or the last third if that is shorter.
    #[arg(long)]
    pub if_due: bool,
}

/// `guichet connect export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// What to print.
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Profile instead of the configured one: guichet, genesys-cloud, or a file that ends in .toml.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Language of the steps, comments and messages.
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
}

/// Forms of the procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// PowerShell 7 with Microsoft.Graph and ExchangeOnlineManagement; the only script that reaches Exchange too.
    #[value(name = "powershell")]
    PowerShell,
    /// Bash with the Azure CLI.
    AzureCli,
    /// Terraform with the provider azuread.
    Terraform,
    /// Numbered steps in the portals.
    Portal,
}

/// How the administrator signs in.
#[derive(Clone, Debug, Args)]
pub struct SignInArgs {
    /// Way to sign in.
    #[arg(long, value_enum, default_value_t = SignInWay::DeviceCode)]
    pub sign_in: SignInWay,
    /// Application to sign in with. For a person: by default Microsoft Graph Command Line Tools.
    #[arg(long, env = "GUICHET_ADMIN_CLIENT_ID")]
    pub admin_client_id: Option<String>,
    /// Profile instead of the configured one: guichet, genesys-cloud, or a file that ends in .toml.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Language of the texts.
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
}

/// Ways to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignInWay {
    /// A code to be entered in a browser.
    DeviceCode,
    /// A browser on this machine.
    Browser,
    /// An administrative application with a secret in GUICHET_ADMIN_CLIENT_SECRET.
    Application,
    /// The application itself with its stored credential, for `rotate`: a certificate needs no permission for that.
    #[value(name = "self")]
    Own,
}

/// Languages of what an administrator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LanguageArg {
    /// English.
    En,
    /// French.
    Fr,
}

/// `guichet serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Listen here instead of at `server.listen`.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
}

/// `guichet doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Exit with code 1 for a warning too, not for an error alone.
    #[arg(long)]
    pub strict: bool,
    /// Also send a mail from each mailbox to itself, wait until it arrives, and remove it.
    #[arg(long)]
    pub round_trip: bool,
    /// Look again every so many seconds (60 without a number) and print what has changed, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60",
        value_parser = clap::value_parser!(u64).range(5..=86_400))]
    pub watch: Option<u64>,
    /// Language of the texts.
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
}

/// `guichet integration …`.
#[derive(Clone, Debug, Subcommand)]
pub enum IntegrationCommand {
    /// Show what is intended and what the service reports; exit code 1 if it reports an error.
    Show {
        /// Language of the texts.
        #[arg(long, value_enum)]
        language: Option<LanguageArg>,
    },
    /// Switch it on: a running service takes mail in and sends answers.
    Enable,
    /// Switch it off: mail waits in the mailboxes, answers wait in the outbox.
    Disable,
}

/// `guichet key …`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it; it is shown this once.
    Create {
        /// What the key is for.
        name: String,
    },
    /// List the keys.
    List,
    /// End a key.
    Revoke {
        /// Id of the key, from `key list`.
        id: String,
    },
}

/// `guichet quarantine`.
#[derive(Clone, Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List the mails that were set aside, each with the reason.
    List,
    /// Show one, and what happened to it.
    Show {
        /// Immutable id of the mail, from `quarantine list`.
        id: String,
        /// Also write its bytes to this file.
        #[arg(long, value_name = "FILE")]
        mime: Option<PathBuf>,
    },
    /// Try a mail again; the running service does it.
    Replay {
        /// Immutable id of the mail, from `quarantine list`.
        id: String,
    },
    /// Take a mail out of quarantine without taking it in; it does not come again.
    Discard {
        /// Immutable id of the mail, from `quarantine list`.
        id: String,
    },
}

/// `guichet dead-letters`.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLetterCommand {
    /// List the jobs that were given up, each with the reason.
    List,
    /// Try a job again; the running service does it. A reply is never sent twice.
    Retry {
        /// Id of the job, from `dead-letters list`.
        id: String,
    },
    /// Remove a job for good. A reply stays failed.
    Discard {
        /// Id of the job, from `dead-letters list`.
        id: String,
    },
}

/// `guichet demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Run the story once, check it, and end with 0 only if all is right.
    #[arg(long)]
    pub once: bool,
    /// Keep the demo's files here; by default in a temporary directory.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Directory of real mails (`mail/*.eml` in it).
    #[arg(long, env = "GUICHET_CORPUS")]
    pub corpus: Option<PathBuf>,
}
