//! The choice of a replica for a send. A sink to an ordinary stage is its own target.

use crate::event::RefusalReason;
use crate::platform::sync::Arc;
use crate::stage::AnyStage;
use crate::stage::ports::{Outbox, Permits, Sink};
use crate::stage::replicas::ReplicaSet;
use crate::worker::context::Context;

impl Context {
    /// Returns the target of a send of `n` events. Of several replicas it is one that leased places
    /// for them, or the one that refuses on behalf of all.
    #[inline]
    pub(super) fn target<'s, E: Send + 'static>(
        &mut self,
        sink: &'s Sink<E>,
        n: usize,
    ) -> &'s Sink<E> {
        match &sink.replicas {
            None => sink,
            Some(replicas) => self.choose(replicas, n, None),
        }
    }

    /// Returns the target of one more event, beside an unsent one that goes to `first`.
    pub(super) fn target_beside<'s, A: Send + 'static, B: Send + 'static>(
        &mut self,
        first: &Sink<A>,
        sink: &'s Sink<B>,
    ) -> &'s Sink<B> {
        match &sink.replicas {
            None => sink,
            Some(replicas) => self.choose(replicas, 1, Some(first.outbox)),
        }
    }

    /// Reserves `n` places at `sink`; with several replicas, at the first that has them. Returns
    /// the target too.
    pub(super) fn reserve_at<'s, E: Send + 'static>(
        &mut self,
        sink: &'s Sink<E>,
        n: usize,
    ) -> (&'s Sink<E>, Result<Permits<E>, RefusalReason>) {
        match &sink.replicas {
            None => (sink, self.reserve_permits(sink, n)),
            Some(replicas) => replicas.ask(
                self,
                |cx, target| cx.present(target),
                |cx, target| cx.reserve_permits(target, n),
            ),
        }
    }

    fn reserve_permits<E: Send + 'static>(
        &self,
        target: &Sink<E>,
        n: usize,
    ) -> Result<Permits<E>, RefusalReason> {
        let edge = edge(&self.stage, target);
        Permits::reserve(&target.stage, edge, n, self.meta.clone(), true)
    }

    /// Asks the replicas. Out of line, so that a send to an ordinary stage stays small.
    #[inline(never)]
    fn choose<'s, E: Send + 'static>(
        &mut self,
        replicas: &'s ReplicaSet<Sink<E>>,
        n: usize,
        beside: Option<usize>,
    ) -> &'s Sink<E> {
        if replicas.first().stage.graph.id != self.graph.id {
            // A sink of another graph: the send refuses it.
            return replicas.first();
        }
        let ahead = n + self.ahead / replicas.count();
        let (target, _) = replicas.ask(
            self,
            |cx, target| cx.present(target) + unsent(target, beside),
            |cx, target| cx.lease(target, n + unsent(target, beside), ahead),
        );
        target
    }

    /// Returns how many events are at a replica, with those that this worker has not published.
    fn present<E: Send + 'static>(&self, target: &Sink<E>) -> usize {
        let outbox = self.outboxes.get(target.outbox).and_then(Option::as_ref);
        match outbox.and_then(|outbox| outbox.as_any().downcast_ref::<Outbox<E>>()) {
            Some(outbox) => outbox.present(),
            None => target.stage.present_hint(),
        }
    }
}

/// Returns how many events are bound for `target` and not sent: one if it is the outbox `beside`.
fn unsent<E: Send + 'static>(target: &Sink<E>, beside: Option<usize>) -> usize {
    usize::from(beside == Some(target.outbox))
}

/// Returns the number of an edge among those into its target; `stage` is the running one.
pub(super) fn edge<E: Send + 'static>(
    stage: &Option<(Arc<dyn AnyStage>, usize)>,
    sink: &Sink<E>,
) -> usize {
    stage.as_ref().map_or(sink.edge, |(stage, _)| sink.edge_from(stage.index()))
}
