//! Virtual time: it stands while anybody has something to do, and then jumps to the next moment that is waited for.
//!
//! Owns the one clock of a simulation and the loop that moves it. Never reads real time. Invariant: who waits for the
//! same moment is woken in the order in which the waits began.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use guichet_sandbox::SandboxClock;
use jiff::{SignedDuration, Timestamp};

/// Turns given to tasks that gave way to others, before time moves.
const TURNS: u32 = 4;

/// The clock of everything in a simulation.
#[derive(Debug)]
pub struct VirtualTime {
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    begun: u64,
    waiting: BTreeMap<(Timestamp, u64), Waker>,
}

impl VirtualTime {
    /// A clock that shows `at`.
    pub fn from(at: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            hands: Mutex::new(Hands {
                now: at,
                begun: 0,
                waiting: BTreeMap::new(),
            }),
        })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.hands().now
    }

    /// The moment that is so far away.
    pub fn after(&self, duration: Duration) -> Timestamp {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.now().checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// Waits for a moment.
    pub fn until(self: &Arc<Self>, at: Timestamp) -> Wait {
        Wait {
            time: self.clone(),
            at,
            place: None,
        }
    }

    /// Waits for so long.
    pub fn sleep(self: &Arc<Self>, duration: Duration) -> Wait {
        self.until(self.after(duration))
    }

    fn next(&self) -> Option<Timestamp> {
        self.hands().waiting.keys().next().map(|(at, _)| *at)
    }

    fn move_to(&self, at: Timestamp) {
        let due = {
            let mut hands = self.hands();
            let now = hands.now.max(at);
            hands.now = now;
            let later = hands.waiting.split_off(&(now, u64::MAX));
            std::mem::replace(&mut hands.waiting, later)
        };
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// Lets everything run until nothing is left to do at this moment, then moves time on, again and again, until
    /// `is_over`. Gives back whether it is; `false` means that nobody waits for anything any more.
    ///
    /// For a runtime on one thread whose loop asks for other work only when no task is ready.
    pub async fn drive(&self, tenant: &SandboxClock, mut is_over: impl FnMut() -> bool) -> bool {
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if is_over() {
                return true;
            }
            let Some(next) = [self.next(), tenant.next_alarm()].into_iter().flatten().min() else {
                return false;
            };
            let step = next.duration_since(tenant.now());
            tenant.advance(step.unsigned_abs());
            self.move_to(next);
        }
    }
}

/// A wait for a moment.
#[derive(Debug)]
pub struct Wait {
    time: Arc<VirtualTime>,
    at: Timestamp,
    place: Option<u64>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let wait = &mut *self;
        let mut hands = wait.time.hands();
        if hands.now >= wait.at {
            return Poll::Ready(());
        }
        let place = *wait.place.get_or_insert_with(|| {
            hands.begun += 1;
            hands.begun
        });
        hands.waiting.insert((wait.at, place), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.time.hands().waiting.remove(&(self.at, place));
        }
    }
}
