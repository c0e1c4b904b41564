//! The vault from outside: what is sealed opens under the same key for the same purpose, and under
//! no other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::PermissionsExt};

use guichet_setup::{Error, KeySource, Vault};
use secrecy::{ExposeSecret, SecretString};

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "//////////////////////////////////////////8=";

fn vault(key: &str) -> Vault {
    Vault::open(KeySource::Environment(key.to_owned())).unwrap()
}

fn secret() -> SecretString {
    "[6gyXA5S20@MN+WRXAJ]I-TO7g1:h2P8é".into()
}

#[test]
fn a_secret_comes_back_whole_and_is_sealed_differently_each_time() {
    let vault = vault(ONE);
    for text in ["", "x", secret().expose_secret()] {
        let sealed = vault.seal("client-secret/1", &text.into()).unwrap();
        assert_eq!(vault.unseal("client-secret/1", &sealed).unwrap().expose_secret(), text);
    }
    assert_ne!(vault.seal("p", &secret()).unwrap(), vault.seal("p", &secret()).unwrap());
}

#[test]
fn another_key_is_told_apart_from_damage_and_named() {
    let sealed = vault(ONE).seal("p", &secret()).unwrap();
    let error = vault(OTHER).unseal("p", &sealed).unwrap_err();
    assert!(matches!(error, Error::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("key from the environment"), "{error}");
}

#[test]
fn a_secret_does_not_open_for_another_purpose() {
    let vault = vault(ONE);
    let sealed = vault.seal("client-secret/1", &secret()).unwrap();
    let error = vault.unseal("client-secret/2", &sealed).unwrap_err();
    assert!(matches!(error, Error::SealDamaged { .. }), "{error}");
}

#[test]
fn every_altered_or_missing_byte_is_noticed() {
    let vault = vault(ONE);
    let sealed = vault.seal("p", &secret()).unwrap();
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        assert!(vault.unseal("p", &altered).is_err(), "byte {index}");
        assert!(vault.unseal("p", &sealed[..index]).is_err(), "cut at {index}");
    }
    let mut longer = sealed;
    longer.push(0);
    assert!(vault.unseal("p", &longer).is_err());
}

#[test]
fn a_newer_format_is_named() {
    let vault = vault(ONE);
    let mut sealed = vault.seal("p", &secret()).unwrap();
    sealed[0] = 2;
    assert!(matches!(
        vault.unseal("p", &sealed),
        Err(Error::SealVersion { version: 2, .. })
    ));
}

#[test]
fn derived_keys_depend_on_key_and_label_only() {
    assert_eq!(vault(ONE).derive("tokens"), vault(ONE).derive("tokens"));
    assert_ne!(vault(ONE).derive("tokens"), vault(ONE).derive("cookies"));
    assert_ne!(vault(ONE).derive("tokens"), vault(OTHER).derive("tokens"));
    // A stored token or sealed secret must open after an upgrade: the derivation is part of the
    // format. Computed independently with HMAC-SHA256 as RFC 5869 says.
    assert_eq!(hex(&vault(ONE).derive("tokens")), DERIVED);
}

const DERIVED: &str = "210c9bdb582cbea7dddf4f6e1a69356269aedcf7e5d86fd3e1e415f1816be8fc";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_key_file_is_made_once_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys").join("master.key");
    let source = KeySource::File(path.clone());
    let sealed = Vault::open(source.clone()).unwrap().seal("p", &secret()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&path).unwrap().len(), 32);
    let again = Vault::open(source).unwrap().unseal("p", &sealed).unwrap();
    assert_eq!(again.expose_secret(), secret().expose_secret());
    let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "something was left beside the key");
}

#[test]
fn a_credential_of_the_service_manager_is_taken_raw_or_in_base64_and_never_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("guichet-master-key");
    let open = || Vault::open(KeySource::Credential(path.clone()));
    assert!(open().is_err() && !path.exists());
    fs::write(&path, [7; 32]).unwrap();
    // systemd gives it to the service's user by an access list, which the mode shows as the group's.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let sealed = open().unwrap().seal("p", &secret()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(&path, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").unwrap();
    assert!(open().unwrap().unseal("p", &sealed).is_ok());
    for wrong in [&[7_u8; 31][..], b"BwcHBwc=", &[0xff; 64]] {
        fs::write(&path, wrong).unwrap();
        let error = open().unwrap_err().to_string();
        assert!(error.contains("guichet-master-key") && error.contains("32"), "{error}");
    }
}

#[test]
fn a_key_file_that_others_can_read_or_that_is_no_key_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    for (length, mode, expected) in [
        (32, 0o640, "chmod 600"),
        (32, 0o604, "chmod 600"),
        (31, 0o600, "31 bytes"),
        (4096, 0o600, "4096 bytes"),
        (0, 0o600, "0 bytes"),
    ] {
        let _ = fs::remove_file(&path);
        fs::write(&path, vec![7; length]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Vault::open(KeySource::File(path.clone())).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("master.key"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), vec![7; length], "the file was changed");
    }
    let error = Vault::open(KeySource::File(directory.path().to_owned()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("not a regular file") || error.contains("chmod"),
        "{error}"
    );
}

#[test]
fn a_bad_key_in_the_environment_is_explained_without_being_shown() {
    for (key, expected) in [("not base64!", "not base64"), ("c2hvcnQ=", "5 bytes"), ("", "0 bytes")] {
        let source = KeySource::Environment(key.to_owned());
        assert!(key.is_empty() || !format!("{source:?}").contains(key));
        let error = Vault::open(source).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(key.is_empty() || !error.contains(key), "{error}");
    }
    assert!(!format!("{:?}", vault(ONE)).contains("[0, 1, 2"));
}
