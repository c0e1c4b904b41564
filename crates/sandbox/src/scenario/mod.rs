//! Scenarios: a tenant, its mail and its misfortunes, written down in a file.
//!
//! Owns what is planned and what has happened. Steps run one after the other in the order of their times, when the
//! sandbox's clock shows them. A step that fails is noted and the others go on. At most [`MAX_PLANNED`] steps wait.

mod apply;
mod compose;
mod format;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::state::Sandbox;

pub use apply::apply;
pub use format::Scenario;

/// Steps that wait at once.
const MAX_PLANNED: usize = 10_000;
/// Steps remembered after they happened.
const MAX_HAPPENED: usize = 1000;

/// What is planned and what has happened.
#[derive(Debug, Default)]
pub struct Plan {
    state: Mutex<State>,
    changed: Notify,
    /// Held while steps run, so that none overtakes another.
    running: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    name: String,
    description: String,
    /// In the order of their times.
    planned: VecDeque<Planned>,
    happened: VecDeque<Value>,
}

#[derive(Debug)]
struct Planned {
    at: Timestamp,
    step: format::Step,
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, scenario: &Scenario, start: Timestamp) -> Result<(), String> {
        let mut state = self.lock();
        if state.planned.len() + scenario.steps.len() > MAX_PLANNED {
            return Err(format!("at most {MAX_PLANNED} steps wait at once"));
        }
        state.name.clone_from(&scenario.name);
        state.description.clone_from(&scenario.description);
        for step in &scenario.steps {
            let at = start.checked_add(step.at).unwrap_or(Timestamp::MAX);
            let position = state.planned.partition_point(|planned| planned.at <= at);
            let step = step.clone();
            state.planned.insert(position, Planned { at, step });
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Whether so many more steps can wait.
    fn has_room(&self, steps: usize) -> bool {
        self.lock().planned.len() + steps <= MAX_PLANNED
    }

    fn next(&self) -> Option<Timestamp> {
        self.lock().planned.front().map(|planned| planned.at)
    }

    fn due(&self, now: Timestamp) -> Option<Planned> {
        let mut state = self.lock();
        let is_due = state.planned.front().is_some_and(|planned| planned.at <= now);
        is_due.then(|| state.planned.pop_front()).flatten()
    }

    fn note(&self, happened: Value) {
        let mut state = self.lock();
        if state.happened.len() >= MAX_HAPPENED {
            state.happened.pop_front();
        }
        state.happened.push_back(happened);
    }

    /// Drops what is planned; gives how many steps that were.
    pub fn clear(&self) -> usize {
        let mut state = self.lock();
        let dropped = state.planned.len();
        *state = State::default();
        dropped
    }

    /// What is planned and what has happened, for the control interface.
    #[must_use]
    pub fn report(&self) -> Value {
        let state = self.lock();
        let planned: Vec<Value> = state
            .planned
            .iter()
            .map(|planned| json!({"at": planned.at, "name": planned.step.name, "does": does(&planned.step)}))
            .collect();
        json!({
            "name": state.name,
            "description": state.description,
            "planned": planned,
            "happened": state.happened,
        })
    }
}

/// Reads a scenario file.
///
/// # Errors
/// Text that names the file and the line.
pub fn read(path: &Path) -> Result<Scenario, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Scenario::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Carries out every step whose time has come.
pub async fn run_due(sandbox: &Arc<Sandbox>) {
    if sandbox.plan.next().is_none() {
        return;
    }
    let _turn = sandbox.plan.running.lock().await;
    while let Some(Planned { at, step }) = sandbox.plan.due(sandbox.clock.now()) {
        let outcome = apply::step(sandbox, &step).await;
        let failure = outcome.err();
        if let Some(error) = &failure {
            tracing::warn!(step = step.name, %error, "a step of the scenario failed");
        }
        sandbox.plan.note(json!({
            "at": at,
            "name": step.name,
            "does": does(&step),
            "happened_at": sandbox.clock.now(),
            "error": failure,
        }));
    }
}

/// Carries steps out as time passes, until the sandbox stops.
pub async fn keep_time(sandbox: Arc<Sandbox>, stop: CancellationToken) {
    let work = async {
        loop {
            let changed = sandbox.plan.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match sandbox.plan.next() {
                None => changed.await,
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = sandbox.clock.until(at) => run_due(&sandbox).await,
                    }
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = work => {}
    }
}

fn does(step: &format::Step) -> &'static str {
    if step.mail.is_some() {
        "mail"
    } else if step.fault.is_some() {
        "fault"
    } else if step.throttling.is_some() {
        "throttling"
    } else if step.call.is_some() {
        "call"
    } else {
        "remove_faults"
    }
}
