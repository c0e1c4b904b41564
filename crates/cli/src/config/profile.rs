//! `profile` and `--profile`: what the program that uses the application wants of its registration.
//!
//! Owns the rule that a key of the file beats the profile.

use std::path::{Path, PathBuf};

use guichet_setup::profile::Profile;
use serde::{Deserialize, de::IgnoredAny};

use super::Config;
use crate::failure::{Exit, Failure};

/// The profile of a file that names none.
const DEFAULT: &str = "guichet";

/// Which of the keys that a profile decides are set in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    account_types: bool,
    redirect_uri: bool,
}

impl Given {
    pub(super) fn in_text(text: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Keys {
            account_types: Option<IgnoredAny>,
            redirect_uri: Option<IgnoredAny>,
        }
        #[derive(Default, Deserialize)]
        struct File {
            #[serde(default)]
            application: Keys,
        }
        // The whole file was read already, so it can be read once more.
        let keys = toml::from_str::<File>(text).unwrap_or_default().application;
        Self {
            account_types: keys.account_types.is_some(),
            redirect_uri: keys.redirect_uri.is_some(),
        }
    }
}

impl Config {
    /// Takes over what the profile decides, but for the ranges. `asked` is the one of the command line, which beats the
    /// file's.
    pub(super) fn take_profile(&mut self, asked: Option<&str>, base: &Path) -> Result<Profile, Failure> {
        let refuse = |title: String| {
            let fix = "correct `profile` in guichet.toml or --profile; profiles are described in docs/operations.md";
            Failure::new(Exit::Configuration, title, fix)
        };
        let (name, file) = match (asked, self.profile.as_deref()) {
            (Some(asked), _) => (asked, PathBuf::from(asked)),
            (None, Some(name)) => (name, base.join(name)),
            (None, None) => (DEFAULT, PathBuf::new()),
        };
        let is_toml = |file: &Path| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
        let profile = if is_toml(&file) {
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|error| refuse(format!("profile {} can't be read: {error}", file.display())))?;
            Profile::parse(&text).map_err(|error| refuse(format!("{}: {error}", file.display())))?
        } else {
            Profile::named(name).map_err(|error| refuse(error.to_string()))?
        };
        if !self.given.account_types {
            self.application.account_types = profile.account_types;
        }
        if !self.given.redirect_uri {
            self.application.redirect_uri = profile.redirect_uri.clone();
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use guichet_setup::AccountTypes;

    use super::*;

    fn load(head: &str, tail: &str, asked: Option<&str>) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("dir");
        let text = format!(
            "{head}\n[microsoft]\ntenant = \"contoso.example\"\n[[mailbox]]\naddress = \"a@contoso.example\"\n{tail}\n"
        );
        let file = dir.path().join("guichet.toml");
        std::fs::write(&file, text).expect("written");
        let list = r#"{"entities":[{"cidr":"203.0.113.0/28","service":"smtp","region":"eu"},
            {"cidr":"192.0.2.1/32","service":"smtp","region":"us"}]}"#;
        std::fs::write(dir.path().join("ranges.json"), list).expect("written");
        let own = "name = \"own\"\naccount_types = \"any-organisation\"\nredirect_uri = \"https://own.example/\"\n\
                   permissions = [\"Mail.ReadWrite\", \"Mail.Send\", \"User.Read\"]\n";
        std::fs::write(dir.path().join("own.toml"), own).expect("written");
        Config::load_as(&file, asked).map_err(|failure| failure.title)
    }

    #[test]
    fn profile_decides_what_the_file_leaves_open() {
        let types = |config: Result<Config, String>| config.expect("valid").application.account_types;
        assert_eq!(types(load("", "", None)), AccountTypes::SingleTenant);
        assert_eq!(
            types(load("profile = \"genesys-cloud\"", "", None)),
            AccountTypes::AnyOrganisation
        );
        assert_eq!(
            types(load("", "", Some("genesys-cloud"))),
            AccountTypes::AnyOrganisation
        );
        assert_eq!(
            types(load("profile = \"genesys-cloud\"", "", Some("guichet"))),
            AccountTypes::SingleTenant
        );
        let given = "[application]\naccount_types = \"single-tenant\"";
        assert_eq!(
            types(load("profile = \"genesys-cloud\"", given, None)),
            AccountTypes::SingleTenant
        );
    }

    #[test]
    fn profile_of_ones_own_is_a_file_beside_the_configuration() {
        let config = load("profile = \"own.toml\"", "", None).expect("valid");
        assert_eq!(config.application.redirect_text(), "https://own.example");
        let error = load("profile = \"absent.toml\"", "", None).expect_err("absent");
        assert!(error.contains("absent.toml"), "{error}");
    }

    #[test]
    fn unknown_profile_is_refused_with_the_known_ones() {
        let error = load("", "", Some("genesis")).expect_err("unknown");
        for told in ["genesis", "guichet", "genesys-cloud"] {
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn ranges_of_the_platform_are_read_from_its_list() {
        let tail =
            "[addresses]\nfile = \"ranges.json\"\nonly = [\"eu\"]\n[addresses.regions]\nhere = [\"198.51.100.7\"]";
        let config = load("", tail, Some("genesys-cloud")).expect("valid");
        let shown: Vec<_> = config.addresses.all().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["198.51.100.7", "203.0.113.0/28"]);
        let error = load("", &tail.replace("[\"eu\"]", "[\"ap\"]"), None).expect_err("no such region");
        assert!(error.contains("`ap`") && error.contains("eu, us"), "{error}");
        let error = load("", &tail.replace("ranges.json", "gone.json"), None).expect_err("no such file");
        assert!(
            error.contains("addresses.file") && error.contains("gone.json"),
            "{error}"
        );
    }
}
