//! `guichet sandbox`: the offline tenant, alone.

use guichet_sandbox::{Error, Persistence, Sandbox};

use crate::{
    args::SandboxArgs,
    failure::{Exit, Failure},
};

pub(super) async fn run(args: &SandboxArgs, json: bool) -> Result<Exit, Failure> {
    let running = Sandbox::start(configuration(args)).await.map_err(|error| {
        let fix = match error {
            Error::Config(_) => "correct the options or the scenario file: docs/sandbox.md describes both",
            Error::State { .. } => "restore the file, or start with --fresh",
            _ => "choose another address or directory; port 0 takes a free port",
        };
        Failure::new(Exit::Local, error.to_string(), fix)
    })?;
    let description = running.description();
    if json {
        super::print_json(description)?;
    } else {
        println!("An offline Microsoft 365 tenant is running.");
        let directory = description.ca_file.parent().unwrap_or(&description.ca_file);
        println!("  description    {}", directory.join("sandbox.json").display());
        println!("  authority      {}", description.authority);
        println!("  Graph          {}", description.graph_url);
        println!("  control        {}  (open it in a browser)", description.control_url);
        println!("  SMTP           {}", description.smtp_address);
        println!("  CA             {}", description.ca_file.display());
        println!("  administrator  {}", description.administrator.user_principal_name);
        println!("  mailboxes      {}", description.mailboxes.join(", "));
        eprintln!("Stop it with Ctrl-C.");
    }
    super::asked_to_stop().await;
    running.stop().await.map_err(|error| {
        Failure::new(
            Exit::Local,
            error.to_string(),
            "make room in the directory; what the last save could not write is lost",
        )
    })?;
    Ok(Exit::Success)
}

fn configuration(args: &SandboxArgs) -> guichet_sandbox::Config {
    let defaults = guichet_sandbox::Config::default();
    let directory = args.dir.clone().unwrap_or_else(|| defaults.data_directory.clone());
    guichet_sandbox::Config {
        https: args.listen,
        plain_http: args.http.is_some(),
        http: args.http.unwrap_or(defaults.http),
        control: args.control,
        smtp: args.smtp,
        smtp_out: args.smtp_out.clone(),
        connect_proxy: args.connect_proxy,
        description_file: Some(directory.join("sandbox.json")),
        data_directory: directory,
        persistence: match (&args.dir, args.fresh) {
            (Some(_), true) => Persistence::Fresh,
            (Some(_), false) => Persistence::Saved,
            (None, _) => Persistence::Memory,
        },
        service_certificate: args.service_certificate,
        notify_plain_http: args.notify_plain_http,
        notification_ca_file: args.notification_ca.clone(),
        exchange: if args.cache_permissions {
            guichet_sandbox::ExchangeSettings::documented()
        } else {
            guichet_sandbox::ExchangeSettings::default()
        },
        scenario: args.scenario.clone(),
        throttle: args.throttle,
        control_names: args.control_hosts.clone(),
        mailboxes: if args.mailboxes.is_empty() {
            defaults.mailboxes.clone()
        } else {
            args.mailboxes.clone()
        },
        ..defaults
    }
}
