//! The administrator's sign-in.

use std::sync::Mutex;

use guichet_graph::DeviceCodePrompt;
use guichet_setup::{COMMAND_LINE_TOOLS, Error, Language, SignIn, administrator};

use crate::{
    fake::{ADMINISTRATOR, DOMAIN},
    world::{World, desired, wanted},
};

fn application(secret: &str) -> SignIn {
    SignIn::Application {
        client_id: ADMINISTRATOR.to_owned(),
        secret: secret.into(),
    }
}

#[tokio::test]
async fn the_secret_id_in_place_of_the_value_is_explained_without_asking_microsoft() {
    let world = World::new().await;
    let refused = world
        .administrator(application("f0b0b335-1d71-4883-8f98-567911bfdca6"))
        .await;
    let error = refused.expect_err("a GUID was accepted");
    assert!(matches!(error, Error::SecretIsId), "{error}");
    assert!(error.to_string().contains("copy its value"), "{error}");
}

#[tokio::test]
async fn a_wrong_administrator_secret_is_one_finding_in_both_languages() {
    let world = World::new().await;
    let error = world.administrator(application("nonsense~secret")).await.unwrap_err();
    let [english, french] = Language::ALL.map(|language| error.findings(language).remove(0));
    assert_eq!(english.code, "secret-wrong");
    assert!(english.evidence.contains("AADSTS7000215"), "{}", english.evidence);
    assert_ne!(english.title, french.title);
    assert!(!format!("{error} {error:?}").contains("nonsense~secret"));
}

#[tokio::test]
async fn an_unknown_tenant_is_named_before_anything_is_sent() {
    let world = World::new().await;
    let elsewhere = desired(|json| json["tenant"] = "fabrikam.example".into());
    let (transport, time, entropy) = (world.tenant.clone(), world.time.clone(), world.entropy.clone());
    let signed_in = administrator(application("x~y"), &elsewhere, transport, time, entropy, &|_| {}).await;
    let finding = signed_in.unwrap_err().findings(Language::English).remove(0);
    assert_eq!(finding.code, "tenant-unknown");
    assert_eq!(finding.subject, "fabrikam.example");
    assert_eq!(world.tenant.state().requests, 1);
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_and_the_shown_prompt_names_it() {
    let world = World::new().await;
    let shown = Mutex::new(Vec::new());
    let prompt = |prompt: &DeviceCodePrompt| shown.lock().unwrap().push(prompt.user_code.clone());
    let (transport, time, entropy) = (world.tenant.clone(), world.time.clone(), world.entropy.clone());
    let client = administrator(SignIn::default(), &wanted(), transport, time, entropy, &prompt)
        .await
        .unwrap();
    assert_eq!(*shown.lock().unwrap(), ["ABCD1234"]);
    let user = client.user(&format!("support@{DOMAIN}")).await.unwrap();
    assert_eq!(user.display_name, "support");
    assert!(matches!(SignIn::default(), SignIn::DeviceCode { client_id } if client_id == COMMAND_LINE_TOOLS));
}
