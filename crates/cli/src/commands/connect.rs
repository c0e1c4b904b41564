//! `guichet connect`: the administrator's procedure, planned and applied.

mod adopt;
mod export;
mod print;
mod ranges;
mod values;
mod verify;

use std::{io::IsTerminal, path::Path, sync::Arc};

use guichet_graph::DeviceCodePrompt;
use guichet_setup::{
    COMMAND_LINE_TOOLS, Change, Language, Progress, Replaced, SignIn, StepId, Waiting, catalogue, doctor::Code,
};
use secrecy::SecretString;

use crate::{
    args::{ConnectCommand, SignInArgs, SignInWay},
    browser::Loopback,
    config::Config,
    failure::{Exit, Failure},
    wiring,
};

const SECRET_VARIABLE: &str = "GUICHET_ADMIN_CLIENT_SECRET";

/// What is done with the administrator's sign-in.
#[derive(Clone, Copy)]
enum Action {
    Plan,
    Apply,
    Rotate { replaced: Replaced, if_due: bool },
    Destroy { yes: bool },
}

pub(super) async fn run(path: &Path, command: &ConnectCommand, json: bool) -> Result<Exit, Failure> {
    let config = || Config::load_as(path, command.profile());
    let (arguments, action) = match command {
        // Makes a file of which the whole configuration consists in part.
        ConnectCommand::Ranges(arguments) => return ranges::run(path, arguments, json).await,
        ConnectCommand::Export(arguments) => return export::run(&config()?, arguments),
        ConnectCommand::Values(arguments) => return values::run(&config()?, arguments, json).await,
        ConnectCommand::Adopt(arguments) => return adopt::run(&config()?, arguments, json).await,
        ConnectCommand::Verify(arguments) => return verify::run(config()?, arguments, json).await,
        ConnectCommand::Plan(arguments) => (arguments, Action::Plan),
        ConnectCommand::Apply(arguments) => (arguments, Action::Apply),
        ConnectCommand::Destroy(destroy) => (&destroy.sign_in, Action::Destroy { yes: destroy.yes }),
        ConnectCommand::Rotate(rotate) => {
            let replaced = if rotate.keep_old {
                Replaced::Kept
            } else {
                Replaced::Removed
            };
            let if_due = rotate.if_due;
            (&rotate.sign_in, Action::Rotate { replaced, if_due })
        }
    };
    let config = &config()?;
    let language = super::language(arguments.language);
    let own = arguments.sign_in == SignInWay::Own;
    if own && !matches!(command, ConnectCommand::Rotate(_)) {
        let title =
            "--sign-in self is for `guichet connect rotate`: the application may not do what an administrator may";
        return Err(Failure::new(
            Exit::Configuration,
            title,
            "sign in with --sign-in device-code",
        ));
    }
    let desired = config.desired();
    let store = wiring::open_store(config).await?;
    let vault = Arc::new(wiring::open_vault(config)?);
    let sign_in = if own {
        wiring::own_sign_in(config, &store, &vault).await?
    } else {
        sign_in(arguments, language).await?
    };
    let transport = wiring::transport(config)?;
    let connect = wiring::signed_in(sign_in, &desired, transport, &store, &vault, &show_prompt)
        .await
        .map_err(|error| failure(&error, language))?;
    let ended = match action {
        Action::Plan => match connect.plan(&desired).await {
            Ok(plan) => print::plan(&plan, language, json),
            Err(error) => Err(failure(&error, language)),
        },
        Action::Apply => {
            let teller = Teller::new(language);
            match connect.apply(&desired, &teller).await {
                Ok(applied) => {
                    let proven = verify::procedure(config, &store).await?;
                    print::applied(&applied, &proven, language, json)
                }
                Err(error) => {
                    if let (guichet_setup::Error::Diagnosed { .. }, false) = (&error, json) {
                        // What was done stays; the list shows how far that is.
                        print::procedure(&verify::procedure(config, &store).await?.items, language);
                    }
                    Err(failure(&error, language))
                }
            }
        }
        Action::Destroy { yes } => {
            let destroyed = if yes {
                connect.destroy(&desired).await
            } else {
                connect.plan_destroy(&desired).await
            };
            match destroyed {
                Ok(destroyed) => print::destroyed(&destroyed, yes, language, json),
                Err(error) => Err(failure(&error, language)),
            }
        }
        Action::Rotate { replaced, if_due } => {
            let teller = Teller::new(language);
            let rotated = if if_due {
                connect.rotate_if_due(&desired, replaced, &teller).await
            } else {
                connect.rotate(&desired, replaced, &teller).await.map(Some)
            };
            match rotated {
                Ok(rotated) => print::rotated(rotated.as_ref(), language, json),
                Err(error) => Err(failure(&error, language)),
            }
        }
    };
    store.close().await;
    ended
}

async fn sign_in(arguments: &SignInArgs, language: Language) -> Result<SignIn, Failure> {
    let client_id = arguments.admin_client_id.clone();
    match arguments.sign_in {
        SignInWay::DeviceCode => Ok(SignIn::DeviceCode {
            client_id: client_id.unwrap_or_else(|| COMMAND_LINE_TOOLS.to_owned()),
        }),
        SignInWay::Browser => Ok(SignIn::Browser {
            client_id: client_id.unwrap_or_else(|| COMMAND_LINE_TOOLS.to_owned()),
            browser: Arc::new(Loopback::listen(language).await?),
        }),
        SignInWay::Own | SignInWay::Application => {
            let missing = |what: &str| {
                let fix = format!("set {what}, or sign in as a person with --sign-in device-code");
                Failure::new(Exit::Configuration, format!("--sign-in application needs {what}"), fix)
            };
            let client_id = client_id.ok_or_else(|| missing("GUICHET_ADMIN_CLIENT_ID"))?;
            let secret = std::env::var(SECRET_VARIABLE).map_err(|_| missing(SECRET_VARIABLE))?;
            Ok(SignIn::Application {
                client_id,
                secret: SecretString::from(secret),
            })
        }
    }
}

/// Shows where to type the code in, on stderr: stdout is data.
fn show_prompt(prompt: &DeviceCodePrompt) {
    eprintln!("{}", prompt.message);
    eprintln!(
        "  address  {}\n  code     {}",
        prompt.verification_uri, prompt.user_code
    );
}

struct Teller {
    language: Language,
    /// Whether stderr is a terminal.
    is_watched: bool,
}

impl Teller {
    fn new(language: Language) -> Self {
        Self {
            language,
            is_watched: std::io::stderr().is_terminal(),
        }
    }
}

/// Back to the start of the line, and what it held is gone.
const ERASE_LINE: &str = "\r\x1b[2K";

impl Progress for Teller {
    /// Who watches a terminal sees what is under way; its line gives way to the next.
    fn started(&self, step: StepId) {
        if self.is_watched {
            eprint!("… {}", catalogue::step(step, self.language));
        }
    }

    fn waiting(&self, _: StepId, reason: Waiting) {
        let line_break = if self.is_watched { "\n" } else { "" };
        eprint!("{line_break}    {}", catalogue::waiting(reason, self.language));
        if !self.is_watched {
            eprintln!();
        }
    }

    fn done(&self, step: StepId, changes: &[Change]) {
        let over = if self.is_watched { ERASE_LINE } else { "" };
        eprintln!("{over}✓ {}", catalogue::step(step, self.language));
        for change in changes {
            eprintln!("    {}", catalogue::change(change, self.language));
        }
    }
}

fn is_unreachable(code: Code) -> bool {
    matches!(
        code,
        Code::AuthorityBusy
            | Code::AuthorityThrottled
            | Code::AuthorityConnect
            | Code::AuthorityCut
            | Code::AuthorityDns
            | Code::AuthorityTimeout
            | Code::AuthorityTls
            | Code::GraphBusy
            | Code::GraphConnect
            | Code::GraphCut
            | Code::GraphDns
            | Code::GraphTimeout
            | Code::GraphTls
    )
}

/// The error with the catalogue's words where it has any.
pub(super) fn failure(error: &guichet_setup::Error, language: Language) -> Failure {
    use guichet_setup::Error;
    let findings = error.findings(language);
    let exit = match error {
        Error::Desired { .. } | Error::OtherTenant { .. } | Error::TenantMismatch { .. } | Error::NotConnected => {
            Exit::Configuration
        }
        Error::KeyUnusable { .. } | Error::WrongKey { .. } | Error::Store(_) => Exit::Local,
        Error::Diagnosed { problems } if problems.iter().all(|p| is_unreachable(p.code)) => Exit::Unreachable,
        Error::Diagnosed { .. }
        | Error::NotAllowed { .. }
        | Error::SelfRotationNotAllowed { .. }
        | Error::SecretIsId
        | Error::SecretEmpty => Exit::Refused,
        Error::Certificate { .. } => Exit::Configuration,
        Error::Graph { source, .. } | Error::SignIn(source) if source.is_retry() => Exit::Unreachable,
        Error::SignIn(_) => Exit::Refused,
        _ => Exit::NotRight,
    };
    match findings.as_slice() {
        [] => Failure::new(exit, error.to_string(), ""),
        findings => {
            let line = |text: &dyn Fn(&guichet_domain::finding::Finding) -> String| {
                findings.iter().map(text).collect::<Vec<_>>().join("\n")
            };
            let title = line(&|f| format!("{} ({}): {}", f.title, f.code, f.evidence));
            Failure::new(exit, title, line(&|f| f.fix.clone()))
        }
    }
}
