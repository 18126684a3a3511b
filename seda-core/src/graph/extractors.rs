//! What a stage asks of its events: a key, a weight.

use crate::config::GraphError;
use crate::event::shard_of;
use crate::graph::builder::Graph;
use crate::platform::sync::Arc;
use crate::stage::Stage;
use std::hash::Hash;

impl Graph {
    /// Makes `stage` a keyed stage: events with one key are handled one after the other, in the
    /// order in which they were sent, however many workers there are. Keys are spread over
    /// [`SHARDS`](crate::event::SHARDS) shards; a shard is in one worker's hand at a time, and moves to
    /// another only when nothing of it is in hand, deferred or held. So a key that is too busy
    /// for one worker holds up its shard: [`StageReport::busiest_shard_share`] shows it.
    ///
    /// An event that is deferred keeps its shard until it is completed, but those that were taken
    /// in one batch with it go on: set the stage's `batch` to 1 where completions have to be in
    /// order, too. Between classes there is no order.
    ///
    /// `key` is asked once per send, on the sender's thread; it should be cheap and not panic.
    ///
    /// [`StageReport::busiest_shard_share`]: crate::monitor::report::StageReport::busiest_shard_share
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use seda_core::Graph;
    /// struct Transfer { account: u64, cents: i64 }
    /// let mut graph = Graph::new("bank");
    /// let book = graph.stage::<Transfer>("book", 1_024);
    /// graph.keyed(book, |transfer| transfer.account)?;
    /// graph.attach_each(book, |_wire| |transfer, _cx| println!("{}", transfer.cents))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If it is keyed already, is replicated with a queue for each replica (events of one key would
    /// be spread over them), or belongs to another graph.
    pub fn keyed<E: Send + 'static, K: Hash>(
        &mut self,
        stage: Stage<E>,
        key: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        let core = self.typed(stage)?;
        if let Some(replicated) = self.replicated(stage) {
            return Err(GraphError::KeyedReplicas { stage: replicated.name.clone() });
        }
        if core.set_keyed(Box::new(move |event| shard_of(key(event)))) {
            Ok(())
        } else {
            Err(GraphError::ExtractorSetTwice { stage: core.name.to_string(), question: "key" })
        }
    }

    /// Makes `stage` weigh its events, in bytes: they count in the graph's
    /// [byte budget](Graph::budget_bytes) from being sent until they end here. An event that does
    /// not fit is refused for [`Budget`](crate::event::RefusalReason::Budget), one that never can for
    /// [`TooLarge`](crate::event::RefusalReason::TooLarge). Weights are rounded up by less than 0.1 %.
    ///
    /// `bytes` is asked once per send, on the sender's thread; it should be cheap and not panic.
    ///
    /// # Errors
    /// If it weighs its events already, or belongs to another graph.
    pub fn weigh<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
        bytes: impl Fn(&E) -> usize + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        let bytes = Arc::new(bytes);
        for member in self.members(stage).collect::<Vec<_>>() {
            let (core, bytes) = (self.typed(member)?, Arc::clone(&bytes));
            if !core.set_weighing(Box::new(move |event| bytes(event))) {
                let stage = core.name.to_string();
                return Err(GraphError::ExtractorSetTwice { stage, question: "weight" });
            }
        }
        Ok(())
    }
}
