//! How a send finds its replica. A sink to an ordinary stage is its own target.

use crate::event::RefusalReason;
use crate::platform::sync::Arc;
use crate::stage::AnyStage;
use crate::stage::ports::{Outbox, Permits, Sink};
use crate::stage::replicas::ReplicaSet;
use crate::worker::context::Context;

impl Context {
    /// Where a send of `n` events goes. Of several replicas it is one that has leased them places,
    /// or the one that is to refuse.
    #[inline]
    pub(super) fn target<'s, E: Send + 'static>(
        &mut self,
        sink: &'s Sink<E>,
        n: usize,
    ) -> &'s Sink<E> {
        match &sink.ways {
            None => sink,
            Some(ways) => self.choose(ways, n, None),
        }
    }

    /// Where one more event goes, beside one that goes to `first` but is not there yet.
    pub(super) fn target_beside<'s, A: Send + 'static, B: Send + 'static>(
        &mut self,
        first: &Sink<A>,
        sink: &'s Sink<B>,
    ) -> &'s Sink<B> {
        match &sink.ways {
            None => sink,
            Some(ways) => self.choose(ways, 1, Some(first.outbox)),
        }
    }

    /// Reserves `n` places, of several replicas at the first that has them; and where that was.
    pub(super) fn reserve_at<'s, E: Send + 'static>(
        &mut self,
        sink: &'s Sink<E>,
        n: usize,
    ) -> (&'s Sink<E>, Result<Permits<E>, RefusalReason>) {
        let reserve = |cx: &mut Self, target: &Sink<E>| {
            Permits::reserve(&target.stage, edge(&cx.stage, target), n, cx.meta.clone(), true)
        };
        match &sink.ways {
            None => (sink, reserve(self, sink)),
            Some(ways) => ways.ask(self, |cx, target| cx.present(target), reserve),
        }
    }

    /// Out of line, so that a send to an ordinary stage stays as small as it was.
    #[inline(never)]
    fn choose<'s, E: Send + 'static>(
        &mut self,
        ways: &'s ReplicaSet<Sink<E>>,
        n: usize,
        beside: Option<usize>,
    ) -> &'s Sink<E> {
        if ways.first().stage.graph.id != self.graph.id {
            // Nothing of this graph: the send refuses it.
            return ways.first();
        }
        let promised = |target: &Sink<E>| usize::from(beside == Some(target.outbox));
        let ahead = n + self.ahead / ways.count();
        let length = |cx: &Self, target: &Sink<E>| cx.present(target) + promised(target);
        let lease = |cx: &mut Self, target: &Sink<E>| cx.lease(target, n + promised(target), ahead);
        ways.ask(self, length, lease).0
    }

    /// How many events are at a replica, with those that this worker has sent and not published.
    fn present<E: Send + 'static>(&self, target: &Sink<E>) -> usize {
        let outbox = self.outboxes.get(target.outbox).and_then(Option::as_ref);
        match outbox.and_then(|outbox| outbox.as_any().downcast_ref::<Outbox<E>>()) {
            Some(outbox) => outbox.present(),
            None => target.stage.present_hint(),
        }
    }
}

/// The number of an edge among those into its target, when `stage` is the one that is run.
pub(crate) fn edge<E: Send + 'static>(
    stage: &Option<(Arc<dyn AnyStage>, usize)>,
    sink: &Sink<E>,
) -> usize {
    stage.as_ref().map_or(sink.edge, |(stage, _)| sink.edge_from(stage.index()))
}
