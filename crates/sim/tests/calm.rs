//! Nodes without troubles: the simulation itself works, and is the same in every run.

use guichet_sim::{Scenario, Troubles, run};

fn calm(seed: u64, nodes: usize) -> Scenario {
    Scenario {
        nodes: Some(nodes),
        troubles: Troubles::None,
        ..Scenario::storm(seed)
    }
}

#[test]
fn one_node_without_troubles_takes_in_every_mail_and_sends_every_reply() {
    for seed in 0..5 {
        let report = run(&calm(seed, 1)).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(report.mails > 0, "{report:?}");
    }
}

#[test]
fn same_seed_gives_the_same_trace() {
    let report = || run(&calm(3, 1)).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(report(), report());
}
