//! Whether the other end is still there (Y-27). Libp2p's ping is off, and its failures would close nothing:
//! a line that was silent for long is asked for a sign of life, one byte, and dropped without one.
//! The same byte keeps routers from forgetting the line.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Limits;
use super::stream::Shared;

/// Answers are not given more often: nobody makes this node chatter.
const PAUSE: Duration = Duration::from_secs(1);
/// By how much longer a silence is borne after each that a line has survived.
const GROWTH: Duration = Duration::from_secs(60);

pub(super) struct Life(Mutex<Signs>);

struct Signs {
    heard: Instant,
    answered: Option<Instant>,
    /// A sign was asked for and has not come: the next one is the answer, not a question.
    asked: bool,
}

impl Life {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Signs { heard: Instant::now(), answered: None, asked: false }))
    }

    fn signs(&self) -> std::sync::MutexGuard<'_, Signs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame or a sign was heard; true if it asks for an answer.
    pub(super) fn heard(&self, sign: bool) -> bool {
        let (now, mut signs) = (Instant::now(), self.signs());
        signs.heard = now;
        if !sign || std::mem::take(&mut signs.asked) {
            return false;
        }
        let chatter = signs.answered.is_some_and(|at| now.duration_since(at) < PAUSE);
        if !chatter {
            signs.answered = Some(now);
        }
        !chatter
    }

    fn ask(&self) {
        self.signs().asked = true;
    }

    fn last_heard(&self) -> Instant {
        self.signs().heard
    }
}

/// Returns once the line is dead. Wakes up when a silence is too long, and never otherwise.
pub(super) async fn watch(shared: &Shared, dialler: bool, limits: &Limits) {
    let (mut patience, longest) = limits.keep_alive;
    if !dialler {
        // The dialler keeps the line open; this side only has to find out that it is gone.
        patience = longest.saturating_mul(2);
    }
    loop {
        let doubted = tokio::select! {
            () = sleep_until(shared.life.last_heard() + patience) => false,
            () = shared.doubt.notified() => true,
        };
        if !doubted && shared.life.last_heard() + patience > Instant::now() {
            continue;
        }
        if !answers(shared, limits).await {
            return;
        }
        if !doubted && dialler {
            patience = (patience + GROWTH).min(longest);
        }
    }
}

/// Asks for a sign of life and says whether one came. A new doubt asks anew: what came before it says
/// nothing.
async fn answers(shared: &Shared, limits: &Limits) -> bool {
    loop {
        let asked = Instant::now();
        shared.life.ask();
        shared.ping.notify_one();
        tokio::select! {
            () = sleep_until(asked + limits.answer_time) => return shared.life.last_heard() >= asked,
            () = shared.doubt.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_and_an_answer_is_not() {
        let (asking, asked) = (Life::new(), Life::new());
        asking.ask();
        assert!(asked.heard(true));
        assert!(!asking.heard(true), "no endless ping-pong");
        asked.ask();
        assert!(asking.heard(true), "the next question is one again");
    }

    #[test]
    fn both_may_ask_at_once() {
        let sides = [Life::new(), Life::new()];
        sides.iter().for_each(Life::ask);
        assert!(sides.iter().all(|side| !side.heard(true)), "each takes the other's question for its answer");
    }

    #[test]
    fn nobody_makes_a_node_chatter() {
        let life = Life::new();
        assert_eq!((0..1000).filter(|_| life.heard(true)).count(), 1);
    }
}
