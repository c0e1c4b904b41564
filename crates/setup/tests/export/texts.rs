//! What must stand in every export.

use guichet_setup::{Language, export::Format, permissions};

use super::{exported, nasty};

#[test]
fn no_placeholder_is_left_in_any_format_and_language() {
    for format in Format::ALL {
        for language in Language::ALL {
            let text = exported(format, language);
            assert!(!text.contains("@@"), "{format:?}: {text}");
            if format == Format::Portal {
                for (name, _) in text
                    .match_indices('{')
                    .filter_map(|(at, _)| text[at + 1..].split_once('}'))
                {
                    assert!(["x", "y"].contains(&name), "{name} is left in {text}");
                }
            }
        }
    }
}

#[test]
fn scripts_ask_for_the_three_permissions_by_id() {
    for format in [Format::PowerShell, Format::AzureCli, Format::Terraform] {
        let text = exported(format, Language::English);
        for permission in permissions::ALL {
            assert!(text.contains(permission.id), "{format:?} lacks {}", permission.name);
        }
        assert!(text.contains(permissions::GRAPH_APP_ID), "{format:?}");
        assert!(text.contains("AzureADMultipleOrgs"), "{format:?}");
        assert!(text.contains("oauth2/v2.0/token"), "{format:?}");
    }
}

#[test]
fn portal_steps_are_numbered_without_a_gap_and_name_every_value() {
    for language in Language::ALL {
        let text = exported(Format::Portal, language);
        let numbers: Vec<usize> = text
            .lines()
            .filter_map(|line| line.split_once(". ")?.0.parse().ok())
            .collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
        assert!(numbers.len() > 20, "{text}");
        let desired = nasty();
        let application = &desired.application;
        for value in [
            desired.tenant.as_str(),
            application.name.as_str(),
            application.secret_description.as_str(),
            application.redirect_text(),
            "90",
            "support@contoso.example",
            "203.0.113.0/28, 198.51.100.7",
            "Mail.ReadWrite",
            "Mail.Send",
            "User.Read",
        ] {
            assert!(text.contains(value), "{language:?} lacks {value}: {text}");
        }
    }
}

#[test]
fn languages_differ_in_words_and_not_in_what_is_done() {
    for format in [Format::PowerShell, Format::AzureCli, Format::Terraform] {
        let [english, french] = Language::ALL.map(|language| exported(format, language));
        assert_ne!(english, french);
        let code = |text: &str| text.lines().filter(|line| !line.trim_start().starts_with('#')).count();
        assert_eq!(code(&english), code(&french), "{format:?}");
    }
}

#[test]
fn powershell_limits_access_to_the_listed_mailboxes_and_fills_the_allow_list() {
    let text = exported(Format::PowerShell, Language::English);
    for wanted in [
        "New-ServicePrincipal -AppId",
        "New-ManagementScope -Name",
        "New-ManagementRoleAssignment -Name",
        "-Role \"Application $role\"",
        "Test-ServicePrincipalAuthorization -Identity",
        "Get-ApplicationAccessPolicy",
        "$AllowList = @('203.0.113.0/28', '198.51.100.7')",
        "'o''brien+$x@contoso.example'",
        "-gt 1273",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
}

#[test]
fn terraform_is_valid_where_terraform_is_at_hand() {
    let text = exported(Format::Terraform, Language::French);
    let formatted = std::process::Command::new("terraform").arg("version").output();
    if !formatted.is_ok_and(|out| out.status.success()) {
        return;
    }
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("main.tf"), &text).expect("written");
    let out = std::process::Command::new("terraform")
        .args(["fmt", "-check", "-diff"])
        .current_dir(dir.path())
        .output()
        .expect("terraform runs");
    let told = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
}

#[test]
fn what_cannot_be_brought_about_is_not_exported() {
    let mut desired = nasty();
    desired.tenant = "contoso.example'; rm -rf /".to_owned();
    let refused = guichet_setup::export::export(&desired, &[], Format::AzureCli, Language::English);
    assert!(refused.expect_err("refused").to_string().contains("tenant"));
}

#[test]
fn certificate_is_not_passed_over_in_silence() {
    let mut json = serde_json::json!({ "tenant": "contoso.example", "application": { "credential": "certificate" } });
    json["mailboxes"] = serde_json::json!(["support@contoso.example"]);
    let desired: guichet_setup::Desired = serde_json::from_value(json).expect("a configuration");
    let refused = guichet_setup::export::export(&desired, &[], Format::Portal, Language::English);
    let told = refused.expect_err("refused").to_string();
    assert!(
        told.contains("application.credential") && told.contains("client secret"),
        "{told}"
    );
}
