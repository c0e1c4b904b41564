//! Storms over one to five nodes, seed by seed.

use std::sync::atomic::{AtomicU64, Ordering};

use guichet_sim::{Failure, Report, Scenario, run};

/// Runs every seed of a range, on as many threads as the machine has.
fn run_seeds(from: u64, count: u64) -> (Vec<Report>, Vec<Failure>) {
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // The trace is for whoever looks at one seed.
    let kept_lines = if count == 1 { 100_000 } else { 0 };
    let work = || {
        let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let scenarios = seeds.take_while(|seed| *seed < from + count).map(|seed| Scenario {
            kept_lines,
            ..Scenario::storm(seed)
        });
        scenarios.map(|scenario| run(&scenario)).collect::<Vec<_>>()
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().expect("no panic"));
        ended.flatten().collect()
    });
    let (well, badly): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let failures = badly.into_iter().filter_map(Result::err).collect();
    (well.into_iter().filter_map(Result::ok).collect(), failures)
}

#[test]
fn nothing_is_lost_or_doubled_in_any_storm() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from = number("GUICHET_SIM_FROM").unwrap_or(0);
    let count = number("GUICHET_SIM_SEEDS").unwrap_or(500);
    let (reports, mut failures) = run_seeds(from, count);
    for line in reports.iter().flat_map(|report| &report.last) {
        println!("{line}");
    }
    let mails: usize = reports.iter().map(|report| report.mails).sum();
    let replies: usize = reports.iter().map(|report| report.replies).sum();
    let troubles = (0..5).map(|kind| reports.iter().map(|report| report.troubles[kind]).sum::<u64>());
    let troubles: Vec<u64> = troubles.collect();
    println!(
        "{} seeds went well: {mails} mails, {replies} replies; deaths, standstills, failures of the store, requests \
         without an answer, refused requests: {troubles:?}",
        reports.len()
    );
    failures.sort_by_key(|failure| failure.seed);
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let was_a_storm = count < 50 || troubles.iter().all(|kind| *kind > count / 2);
    assert!(was_a_storm, "some trouble hardly happens: {troubles:?}");
    assert!(told.is_empty(), "{} seeds failed\n{}", told.len(), told.join("\n\n"));
}

#[test]
fn same_seed_gives_the_same_storm() {
    for seed in 0..10 {
        let report = || run(&Scenario::storm(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(report(), report(), "seed {seed}");
    }
}
