//! The events of a request, and its answer.

use benches::rng::Rng;
use parking_lot::Mutex;
use seda_core::Responder;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// An event.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) key: u64,
    pub(crate) is_second_class: bool,
    pub(crate) rng: Rng,
    /// `None` for an event that no client waits for.
    answer: Option<Arc<Answer>>,
    is_done: bool,
}

/// The answer to a request: given once all its events are done, unless one is lost.
#[derive(Debug)]
pub(crate) struct Answer {
    responder: Mutex<Option<Responder<()>>>,
    is_lost: AtomicBool,
}

impl Answer {
    pub(crate) fn new(responder: Responder<()>) -> Arc<Self> {
        Arc::new(Self { responder: Mutex::new(Some(responder)), is_lost: AtomicBool::new(false) })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // A responder that is dropped loses the request.
        let responder = self.responder.get_mut().take();
        if !self.is_lost.load(Relaxed) {
            responder.into_iter().for_each(|responder| responder.respond(()));
        }
    }
}

impl Job {
    pub(crate) fn new(
        key: u64,
        is_second_class: bool,
        seed: u64,
        answer: Option<Arc<Answer>>,
    ) -> Self {
        Self { key, is_second_class, rng: Rng(seed), answer, is_done: false }
    }

    /// Returns an event that goes on for this one.
    pub(crate) fn child(&mut self) -> Self {
        let seed = self.rng.next_u64();
        Self::new(self.key, self.is_second_class, seed, self.answer.clone())
    }

    /// Returns a number from 0 to 1.
    pub(crate) fn draw(&mut self) -> f64 {
        self.rng.below(1 << 20) as f64 / f64::from(1 << 20)
    }

    /// Ends the event; dropped without it, it counts as lost.
    pub(crate) fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.is_done
            && let Some(answer) = &self.answer
        {
            answer.is_lost.store(true, Relaxed);
        }
    }
}
