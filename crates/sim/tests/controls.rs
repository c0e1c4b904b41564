//! Negative controls: a safeguard is taken out, and some storm must show that it is missing.

use guichet_sim::{Failure, Scenario, Troubles, Weakness, run};

/// Storms after which a weakness that nobody noticed is taken for unnoticeable: as many as the ordinary tests run.
const MOST: u64 = 500;

/// The first storm that goes wrong without the safeguard, and well with it.
fn first_to_notice(weakness: Weakness) -> Failure {
    let noticed = (0..MOST).find_map(|seed| {
        let scenario = Scenario {
            weakness: Some(weakness),
            ..Scenario::storm(seed)
        };
        run(&scenario).err()
    });
    let failure = noticed.unwrap_or_else(|| panic!("no storm of {MOST} noticed {weakness:?}"));
    let safe = run(&Scenario::storm(failure.seed));
    assert!(safe.is_ok(), "it is not the weakness: {safe:?}");
    println!("{weakness:?}: {failure}");
    failure
}

fn assert_says(failure: &Failure, words: &str) {
    assert!(failure.wrong.iter().any(|line| line.contains(words)), "{failure}");
}

#[test]
fn missing_receipts_are_noticed() {
    assert_says(&first_to_notice(Weakness::NoReceipts), "times in the ledger");
}

#[test]
fn missing_look_before_sending_again_is_noticed() {
    assert_says(&first_to_notice(Weakness::NoLook), "reached");
}

#[test]
fn missing_fence_is_noticed() {
    // Two nodes drive one reply: it is doubled, or the slower one declares it failed.
    assert_says(&first_to_notice(Weakness::NoFence), "reply");
}

/// What the oracle says without the safeguard when nothing else goes wrong.
fn in_calm(weakness: Weakness) -> Failure {
    let scenario = Scenario {
        weakness: Some(weakness),
        troubles: Troubles::None,
        ..Scenario::storm(0)
    };
    run(&scenario).expect_err("the weakness shows")
}

#[test]
fn cursor_that_moves_without_its_mails_is_noticed() {
    assert_says(&in_calm(Weakness::NoMails), "the cursor has passed mail");
}

#[test]
fn bytes_that_are_not_kept_are_noticed() {
    assert_says(&in_calm(Weakness::NoBytes), "are not those that arrived");
}
