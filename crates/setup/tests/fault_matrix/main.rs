//! The fault matrix: every misconfiguration and outage, injected into the sandbox, is diagnosed as exactly its finding,
//! and the finding goes when its cause goes.
//!
//! Owns the runs and `docs/findings.md`, which lists the same tables. The tables are in the files beside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod endpoint;
mod fault;
mod faults_application;
mod faults_certificate;
mod faults_consent;
mod faults_endpoint;
mod faults_exchange;
mod faults_federated;
mod faults_folders;
mod faults_graph;
mod faults_mailboxes;
mod faults_network;
mod faults_records;
mod faults_refusals;
mod faults_round_trip;
mod faults_scope;
mod faults_service;
mod faults_settings;
mod faults_tenant;
mod page;
mod stage;

use std::collections::BTreeSet;

use fault::Fault;
use guichet_domain::finding::Severity;
use guichet_setup::doctor::Code;
use stage::Stage;

/// Every fault, in the order of the checks.
pub(crate) const GROUPS: [&[Fault]; 17] = [
    faults_records::FAULTS,
    faults_network::FAULTS,
    faults_tenant::FAULTS,
    faults_application::FAULTS,
    faults_certificate::FAULTS,
    faults_federated::FAULTS,
    faults_refusals::FAULTS,
    faults_consent::FAULTS,
    faults_scope::FAULTS,
    faults_exchange::FAULTS,
    faults_graph::FAULTS,
    faults_mailboxes::FAULTS,
    faults_settings::FAULTS,
    faults_round_trip::FAULTS,
    faults_folders::FAULTS,
    faults_service::FAULTS,
    faults_endpoint::FAULTS,
];

/// What the matrix promises, not counting refusals that are only quoted.
const LEAST: usize = 45;

#[test]
fn the_matrix_is_large_and_its_names_are_distinct() {
    let faults: Vec<&Fault> = GROUPS.into_iter().flatten().collect();
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults.len(), "two faults share a name");
    let quoted: BTreeSet<&str> = faults_refusals::FAULTS.iter().map(|fault| fault.name).collect();
    let troubles = faults
        .iter()
        .filter(|fault| fault.code.severity() >= Severity::Warning && !quoted.contains(fault.name));
    let troubles = troubles.count();
    assert!(troubles >= LEAST, "{troubles} faults, {LEAST} are promised");
}

#[test]
fn no_fault_is_explained_by_a_code_that_explains_nothing() {
    for fault in GROUPS.into_iter().flatten() {
        assert!(
            ![Code::TokenRefused, Code::MailboxRefused].contains(&fault.code),
            "{} has no finding of its own",
            fault.name
        );
    }
}

macro_rules! groups {
    ($($test:ident: $module:ident;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                fault::walk(Stage::connected().await, $module::FAULTS).await;
            }
        )+
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_certificate() {
    fault::walk(faults_certificate::stage().await, faults_certificate::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_federated_credential() {
    fault::walk(faults_federated::stage().await, faults_federated::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_round_trip() {
    fault::walk(faults_round_trip::stage().await, faults_round_trip::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_optional_permissions_show() {
    fault::walk(faults_settings::stage().await, faults_settings::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_scope() {
    fault::walk(faults_scope::stage().await, faults_scope::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_what_exchange_alone_shows() {
    fault::walk(faults_exchange::stage().await, faults_exchange::FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_notification_endpoint() {
    fault::walk(faults_endpoint::stage().await, faults_endpoint::FAULTS).await;
}

groups! {
    faults_of_what_is_recorded: faults_records;
    faults_of_the_network: faults_network;
    faults_of_the_tenant: faults_tenant;
    faults_of_the_application: faults_application;
    faults_that_entra_names: faults_refusals;
    faults_of_the_consent: faults_consent;
    faults_of_graph: faults_graph;
    faults_of_mailboxes: faults_mailboxes;
    faults_of_folders: faults_folders;
    faults_of_the_service: faults_service;
}
