//! `guichet connect export`: the procedure for administrators who do not hand over a sign-in.
//!
//! Needs the configuration and nothing else: no store, no key, no network.

use guichet_setup::export::{Format, export};

use crate::{
    args::{ExportArgs, ExportFormat},
    config::Config,
    failure::{Exit, Failure},
};

pub(super) fn run(config: &Config, arguments: &ExportArgs) -> Result<Exit, Failure> {
    let language = crate::commands::language(arguments.language);
    let format = match arguments.format {
        ExportFormat::PowerShell => Format::PowerShell,
        ExportFormat::AzureCli => Format::AzureCli,
        ExportFormat::Terraform => Format::Terraform,
        ExportFormat::Portal => Format::Portal,
    };
    let text = export(&config.desired(), &config.addresses.all(), format, language)
        .map_err(|error| super::failure(&error, language))?;
    print!("{text}");
    Ok(Exit::Success)
}
