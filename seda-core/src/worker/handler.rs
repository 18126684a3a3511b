//! User code: what a stage does with its events.

use crate::event::{Envelope, LossReason};
use crate::stage::StageCore;
use crate::worker::context::Context;
use std::collections::VecDeque;
use std::fmt;

/// Why a handler could not be made; anything a user's code fails with.
pub type FactoryError = Box<dyn std::error::Error + Send + Sync>;

/// What a stage does with its events. Every worker has an instance of its own, made by the
/// stage's factory, so state in `self` needs no lock.
///
/// A panic costs the event in hand; the handler is dropped and made anew.
///
/// ```
/// use seda_core::{Context, Handler};
///
/// struct Count { seen: u64 }
///
/// impl Handler<String> for Count {
///     fn handle(&mut self, line: String, _cx: &mut Context) {
///         self.seen += line.len() as u64;
///     }
/// }
/// ```
pub trait Handler<E: Send + 'static>: Send {
    /// Handles one event. A domain error is an event on an edge, or an answer.
    fn handle(&mut self, event: E, cx: &mut Context);

    /// Handles a batch. Override it where working on many events at once pays (see
    /// [`Batch::take_all`]); the default takes one after the other.
    fn handle_batch(&mut self, batch: &mut Batch<'_, E>, cx: &mut Context) {
        while let Some(event) = batch.next(cx) {
            self.handle(event, cx);
        }
    }

    /// Called for each event of a batch that [`Worker::begin`](crate::worker::Worker::begin) has taken, when
    /// its service begins: whoever simulates the service can see what it is of. A
    /// [turn](crate::worker::Worker::turn) in one does not call it, and neither does a worker's thread.
    fn begin(&mut self, event: &E) {
        let _ = event;
    }

    /// Called once before the handler goes away in good order: its worker retires or the graph
    /// drains. What was held back can be sent on here.
    fn finish(&mut self, cx: &mut Context) {
        let _ = cx;
    }
}

/// A handler made of a closure.
///
/// ```
/// use seda_core::{Context, each};
/// let handler = each(|line: String, _cx: &mut Context| println!("{line}"));
/// # let _ = handler;
/// ```
pub fn each<E, F>(handle: F) -> Each<F>
where
    E: Send + 'static,
    F: FnMut(E, &mut Context) + Send,
{
    Each(handle)
}

/// See [`each`].
pub struct Each<F>(F);

impl<F> fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Each")
    }
}

impl<E, F> Handler<E> for Each<F>
where
    E: Send + 'static,
    F: FnMut(E, &mut Context) + Send,
{
    fn handle(&mut self, event: E, cx: &mut Context) {
        (self.0)(event, cx);
    }
}

/// The events a worker took in one go.
pub struct Batch<'a, E: Send + 'static> {
    pub(crate) stage: &'a StageCore<E>,
    pub(crate) events: &'a mut VecDeque<Envelope<E>>,
    /// Their service was begun before, so it ends even if a client has gone meanwhile.
    pub(crate) in_service: bool,
}

impl<E: Send + 'static> Batch<'_, E> {
    /// Ends the event before and begins the next one: from here on `cx` speaks of that one, and
    /// what is sent inherits its class and deadline. An event whose client has gone meanwhile is
    /// passed over.
    pub fn next(&mut self, cx: &mut Context) -> Option<E> {
        cx.end_events();
        loop {
            let envelope = self.events.pop_front()?;
            if envelope.meta.is_abandoned() && !self.in_service {
                self.stage.shed_in_hand(envelope, LossReason::Abandoned, cx.now());
                continue;
            }
            cx.begin_event(envelope.meta, self.events.len());
            return Some(envelope.event);
        }
    }

    /// Begins all remaining events at once, for work that is cheaper on many. They end together
    /// when the batch does; what is sent inherits from the last one; a panic costs them all.
    pub fn take_all(&mut self, cx: &mut Context) -> Vec<E> {
        cx.end_events();
        let taken = self.events.drain(..).map(|envelope| {
            cx.begin_another(envelope.meta);
            envelope.event
        });
        taken.collect()
    }

    /// How many events have not been begun.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether all events have been begun.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl<E: Send + 'static> fmt::Debug for Batch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}
