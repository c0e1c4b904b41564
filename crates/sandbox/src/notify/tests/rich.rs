//! Notifications with resource data: the rules, and what the holder of the key can read.

use std::io::Write as _;
use std::process::{Command, Stdio};

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::receiver::{Hook, Manners, each, ids, subscribe, with};
use crate::entra::jwt::{hex, sha1};
use crate::mail::tests::world::{SUPPORT, World, mail, support};

/// A certificate of 1024 bits, which is too short.
const SHORT: &str = "MIIB/jCCAWegAwIBAgIUBgLib+Y03E1ZiLpc9uwN6DEgVdEwDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYx\
MTI1MjIzOTM1WhgPMjEyNjExMDEyMjM5MzVaMBAxDjAMBgNVBAMMBXNob3J0MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDr\
XOFiebcTDU9ADy6dejiowgZ79Vu0pSl/CdbjE1oEFqWNYOyd1IAEPkt6FiaHch1KuSNYYEdVrE58OBjavMc5KKlcNTgl8hQTU7Gg\
92VRgftXlBo30tZdsLMShhvIQFUAuNiX17BIklVKr0viF/CFyq8U9EKl6ury3XB+7CzCQwIDAQABo1MwUTAdBgNVHQ4EFgQUuaN7\
Oqha6xvN3jWAJrpq7hySmZYwHwYDVR0jBBgwFoAUuaN7Oqha6xvN3jWAJrpq7hySmZYwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG\
9w0BAQsFAAOBgQC1qxFSKPpg9TpD5PPYeKZRRWsSCUBp/rL6Fw29rb+GzZWede/ShE6TFaylnMujs7n0jnMhwfwCWeGV/Vf0mF8l\
FVZXrjmSyrdMXr38bTYfySvvLvQbxH/VH0BCc04XBYBLfLjWoxWTWut1UVQ/NXK3j9Vl+kIysR0z/8DTK/cpUg==";

/// A certificate with its private key in PKCS #8.
struct Holder {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

fn certify(key: &KeyPair) -> Vec<u8> {
    let params = CertificateParams::new(Vec::new()).unwrap();
    params.self_signed(key).unwrap().der().to_vec()
}

impl Holder {
    fn new() -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        Self {
            certificate: certify(&key),
            key: key.serialize_der(),
        }
    }

    fn base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }

    /// Opens `encryptedContent` as the documentation tells a client to.
    fn open(&self, content: &Value) -> Value {
        let part = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
        let mut data = part("data");
        let private = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&self.key).unwrap()).unwrap();
        let mut key = vec![0; private.min_output_size()];
        let key = private
            .decrypt(&OAEP_SHA1_MGF1SHA1, &part("dataKey"), &mut key, None)
            .unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &data, &part("dataSignature")).unwrap();
        let iv: [u8; 16] = key[..16].try_into().unwrap();
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
        let plain = cipher.decrypt(&mut data, DecryptionContext::Iv128(iv.into())).unwrap();
        serde_json::from_slice(plain).unwrap()
    }
}

fn rich(hook: &Hook, holder: &Holder, select: &str) -> Value {
    json!({
        "changeType": "created,updated,deleted", "notificationUrl": hook.url, "clientState": "secret",
        "resource": format!("users/{SUPPORT}/mailFolders('inbox')/messages?$select={select}"),
        "expirationDateTime": "2026-03-02T09:00:00Z", "includeResourceData": true,
        "encryptionCertificate": holder.base64(), "encryptionCertificateId": "mine",
    })
}

#[tokio::test]
async fn the_holder_of_the_key_reads_the_selected_properties() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    let select = "Subject,bodyPreview,importance,receivedDateTime,from,toRecipients";
    let made = subscribe(&world, rich(&hook, &holder, select)).await.expect(201);
    assert_eq!(made.json["includeResourceData"], true);
    assert_eq!(made.json["encryptionCertificateId"], "mine");
    let arrived = world.inject(mail("hello", "1@x")).await;
    let whole = hook.whole().await;
    let told = &whole["value"][0];
    let user = "00000000-0000-0000-0000-000000001001";
    let path = format!("Users('{user}')/messages('{}')", arrived.id);
    assert_eq!(
        (told["resource"].as_str(), told["resourceData"]["@odata.id"].as_str()),
        (Some(&*path), Some(&*path))
    );
    assert_eq!(told["resourceData"]["@odata.type"], "#microsoft.graph.message");
    let content = &told["encryptedContent"];
    assert_eq!(content["encryptionCertificateId"], "mine");
    assert_eq!(
        content["encryptionCertificateThumbprint"],
        hex(&sha1(&holder.certificate))
    );
    let message = holder.open(content);
    assert_eq!(message["id"], arrived.id.as_str());
    assert_eq!(message["@odata.etag"], told["resourceData"]["@odata.etag"]);
    assert_eq!(message["subject"], "hello");
    assert_eq!(message["receivedDateTime@odata.type"], "#DateTimeOffset");
    assert_eq!(message["from"]["@odata.type"], "#microsoft.graph.recipient");
    assert_eq!(
        message["from"]["emailAddress"]["@odata.type"],
        "#microsoft.graph.emailAddress"
    );
    assert_eq!(
        message["toRecipients@odata.type"],
        "#Collection(microsoft.graph.recipient)"
    );
    assert!(message.get("isRead").is_none() && message.get("body").is_none());
    let tokens = whole["validationTokens"].as_array().unwrap();
    let claims: Value = serde_json::from_str(tokens[0].as_str().unwrap()).unwrap();
    assert_eq!(tokens.len(), 1);
    assert_eq!(claims["aud"], world.caller.app_id.to_string());
    assert_eq!(claims["appid"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
    assert_eq!(
        claims["iss"],
        "https://sts.windows.net/00000000-0000-0000-0000-00000000007e/"
    );
}

fn openssl(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    let output = child.wait_with_output().ok()?;
    assert!(output.status.success(), "{arguments:?}");
    Some(output.stdout)
}

#[tokio::test]
async fn another_implementation_decrypts_the_content() {
    if openssl(&["version"], b"").is_none() {
        eprintln!("skipped: no openssl command");
        return;
    }
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    subscribe(&world, rich(&hook, &holder, "subject")).await.expect(201);
    world.inject(mail("hello", "1@x")).await;
    let content = hook.next().await[0]["encryptedContent"].clone();
    let part = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.der");
    std::fs::write(&file, &holder.key).unwrap();
    let key = openssl(
        &[
            "pkeyutl",
            "-decrypt",
            "-inkey",
            file.to_str().unwrap(),
            "-keyform",
            "DER",
            "-pkeyopt",
            "rsa_padding_mode:oaep",
            "-pkeyopt",
            "rsa_oaep_md:sha1",
        ],
        &part("dataKey"),
    )
    .unwrap();
    assert_eq!(key.len(), 32);
    let (key_hex, iv_hex) = (hex(&key), hex(&key[..16]));
    let signature = openssl(
        &[
            "dgst",
            "-sha256",
            "-mac",
            "HMAC",
            "-macopt",
            &format!("hexkey:{key_hex}"),
            "-binary",
        ],
        &part("data"),
    );
    assert_eq!(signature.unwrap(), part("dataSignature"));
    let plain = openssl(
        &["enc", "-d", "-aes-256-cbc", "-K", &key_hex, "-iv", &iv_hex],
        &part("data"),
    )
    .unwrap();
    let message: Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!(message["subject"], "hello");
}

#[tokio::test]
async fn every_notification_has_a_key_of_its_own() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    subscribe(&world, rich(&hook, &holder, "subject")).await.expect(201);
    for number in 0..2 {
        world.inject(mail("same", &format!("{number}@x"))).await;
    }
    let told = hook.collect(2).await;
    assert_ne!(
        told[0]["encryptedContent"]["dataKey"],
        told[1]["encryptedContent"]["dataKey"]
    );
    assert_ne!(told[0]["encryptedContent"]["data"], told[1]["encryptedContent"]["data"]);
}

#[tokio::test]
async fn a_deleted_message_has_no_content_to_tell() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    subscribe(&world, rich(&hook, &holder, "subject")).await.expect(201);
    let arrived = world.inject(mail("a", "1@x")).await;
    world
        .delete(&support(&format!("messages/{}", arrived.id)))
        .await
        .expect(204);
    let told = hook.collect(2).await;
    assert_eq!(each(&told, "changeType"), ["created", "deleted"]);
    assert!(told[0].get("encryptedContent").is_some() && told[1].get("encryptedContent").is_none());
    assert_eq!(ids(&told), vec![arrived.id; 2]);
}

#[tokio::test]
async fn wishes_against_the_rules_are_refused() {
    let world = World::new();
    let hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    let good = rich(&hook, &holder, "subject");
    let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let resource = |query: &str| json!(format!("users/{SUPPORT}/messages{query}"));
    for (name, value) in [
        ("resource", resource("")),
        ("resource", resource("?$filter=isRead eq false")),
        ("resource", resource("?$select=")),
        ("resource", resource("?$select=*")),
        ("resource", resource("?$select=subject,Body")),
        ("resource", resource("?$select=uniqueBody")),
        ("resource", resource("?$select=nonsense")),
        ("resource", resource("?$select=subject&$top=1")),
        ("resource", resource("?$select=subject&$skip=1")),
        ("resource", resource("?$select=subject&$orderby=subject")),
        ("resource", resource("?$select=subject&$expand=attachments")),
        ("encryptionCertificate", Value::Null),
        ("encryptionCertificate", json!("not base64!")),
        ("encryptionCertificate", json!("aGVsbG8=")),
        ("encryptionCertificate", json!(STANDARD.encode(&holder.key))),
        ("encryptionCertificate", json!(STANDARD.encode(certify(&elliptic)))),
        ("encryptionCertificate", json!(SHORT)),
        ("encryptionCertificateId", Value::Null),
        ("encryptionCertificateId", json!("x".repeat(129))),
        ("expirationDateTime", json!("2026-03-02T10:05:00Z")),
        ("includeResourceData", json!("perhaps")),
    ] {
        let refused = subscribe(&world, with(good.clone(), name, value.clone())).await;
        assert_eq!(refused.status, 400, "{name} {value}: {}", refused.json);
    }
    subscribe(&world, good).await.expect(201);
}

#[tokio::test]
async fn a_new_certificate_takes_the_place_of_the_old() {
    let world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let (old, new) = (Holder::new(), Holder::new());
    let made = subscribe(&world, rich(&hook, &old, "subject")).await.expect(201);
    let path = format!("/subscriptions/{}", made.text("id"));
    let bad = json!({"encryptionCertificate": SHORT, "encryptionCertificateId": "next"});
    world.patch(&path, bad).await.expect(400);
    let change = json!({"encryptionCertificate": new.base64(), "encryptionCertificateId": "next"});
    world.patch(&path, change).await.expect(200);
    world.inject(mail("hello", "1@x")).await;
    let content = hook.next().await[0]["encryptedContent"].clone();
    assert_eq!(content["encryptionCertificateId"], "next");
    assert_eq!(new.open(&content)["subject"], "hello");
}

#[tokio::test]
async fn basic_permission_leaves_the_preview_out() {
    let mut world = World::new();
    world.caller.roles = vec!["Mail.ReadBasic.All".to_owned()];
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    subscribe(&world, rich(&hook, &holder, "subject,bodyPreview"))
        .await
        .expect(201);
    world.inject(mail("hello", "1@x")).await;
    let message = holder.open(&hook.next().await[0]["encryptedContent"]);
    assert_eq!(message["subject"], "hello");
    assert!(message.get("bodyPreview").is_none());
}

#[tokio::test]
async fn one_request_vouches_once_for_each_application() {
    let mut world = World::new();
    let mut hook = Hook::start(&world, Manners::Echo).await;
    let holder = Holder::new();
    for app in [0xa, 0xb] {
        world.caller.app_id = uuid::Uuid::from_u128(app);
        subscribe(&world, rich(&hook, &holder, "subject")).await.expect(201);
    }
    hook.answer(503);
    world.inject(mail("first", "1@x")).await;
    hook.next().await;
    world.inject(mail("second", "2@x")).await;
    hook.answer(202);
    world.advance(60);
    let whole = loop {
        let whole = hook.whole().await;
        if whole["value"].as_array().unwrap().len() == 4 {
            break whole;
        }
    };
    assert_eq!(whole["validationTokens"].as_array().unwrap().len(), 2);
}
