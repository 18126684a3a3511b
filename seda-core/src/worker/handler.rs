//! Handlers: the user code of a stage.

use crate::event::{Envelope, LossReason};
use crate::stage::StageCore;
use crate::worker::context::Context;
use std::collections::VecDeque;
use std::fmt;

/// The error of a handler's factory: any error of the user's code.
pub type FactoryError = Box<dyn std::error::Error + Send + Sync>;

/// Handles the events of a stage. Every worker has an instance of its own, made by the stage's
/// factory, so state in `self` needs no lock.
///
/// A panic fails the event in hand and drops the handler; the factory makes a new one.
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
    /// Handles one event. Report a domain error as an event on an edge or as an answer.
    fn handle(&mut self, event: E, cx: &mut Context);

    /// Handles a batch; by default one event after the other. Override it if work on many events at
    /// once is cheaper: see [`Batch::take_all`].
    fn handle_batch(&mut self, batch: &mut Batch<'_, E>, cx: &mut Context) {
        while let Some(event) = batch.next(cx) {
            self.handle(event, cx);
        }
    }

    /// Called for each event of a batch that `Worker::begin` has taken, when its simulated service
    /// begins. A whole [turn](crate::Worker::turn) and a worker's thread do not call it.
    #[cfg(feature = "simulation")]
    fn begin(&mut self, event: &E) {
        let _ = event;
    }

    /// Called once before the handler is dropped because its worker retires or the graph drains.
    /// Send held events on from here.
    fn finish(&mut self, cx: &mut Context) {
        let _ = cx;
    }
}

/// Returns a handler that calls a closure for each event.
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

/// The handler that [`each`] returns.
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

/// The events that a worker took at once.
///
/// ```
/// use seda_core::{Batch, Context, Handler};
///
/// struct Sum(u64);
///
/// impl Handler<u64> for Sum {
///     fn handle(&mut self, number: u64, _cx: &mut Context) {
///         self.0 += number;
///     }
///
///     fn handle_batch(&mut self, batch: &mut Batch<'_, u64>, cx: &mut Context) {
///         self.0 += batch.take_all(cx).into_iter().sum::<u64>();
///     }
/// }
/// ```
pub struct Batch<'a, E: Send + 'static> {
    pub(super) stage: &'a StageCore<E>,
    pub(super) events: &'a mut VecDeque<Envelope<E>>,
    /// True if their service was begun before: it ends even if a client has gone meanwhile.
    pub(super) in_service: bool,
}

impl<E: Send + 'static> Batch<'_, E> {
    /// Ends the event in hand, begins the next one and returns it; `None` at the end of the batch.
    /// From here on `cx` refers to that event: sent events inherit its class and deadline. An event
    /// is shed if its client has gone meanwhile.
    pub fn next(&mut self, cx: &mut Context) -> Option<E> {
        cx.end_events();
        loop {
            let envelope = self.events.pop_front()?;
            if envelope.meta.is_abandoned() && !self.in_service {
                self.stage.shed_in_hand(envelope, LossReason::Abandoned, cx.now());
                continue;
            }
            cx.begin_event(envelope.meta, envelope.enqueued, self.events.len());
            return Some(envelope.event);
        }
    }

    /// Begins and returns all remaining events at once, for work that is cheaper on many events.
    /// They end together with the batch, sent events inherit from the last one, and a panic fails
    /// them all.
    pub fn take_all(&mut self, cx: &mut Context) -> Vec<E> {
        cx.end_events();
        let taken = self.events.drain(..).map(|envelope| {
            cx.begin_another(envelope.meta, envelope.enqueued);
            envelope.event
        });
        taken.collect()
    }

    /// Returns the number of events that are not begun.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True if all events are begun.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl<E: Send + 'static> fmt::Debug for Batch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}
