//! The errors of settings and graphs: one enum for each operation.

use crate::config::fault::SettingFault;
use crate::config::pool::{MAX_WORKERS, WorkerRange};
use thiserror::Error;

/// Why settings do not fit a graph.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The settings name a stage, a pool or a class that does not exist.
    #[error("`{key}` names no {kind} of this graph; it has {known}")]
    Unknown {
        /// The key as written.
        key: String,
        /// Stage, pool or class.
        kind: &'static str,
        /// The names there are.
        known: String,
    },
    /// A setting is out of its bounds.
    #[error(transparent)]
    Setting(#[from] SettingFault),
    /// A queue that can hold no event.
    #[error("stage `{stage}` has capacity 0: no event could enter it; give it 1 or more")]
    ZeroCapacity {
        /// The stage.
        stage: String,
    },
    /// A pool with an impossible range of workers.
    #[error(
        "pool `{pool}` has the worker range {range}: it must begin at 1 or more, end no lower, \
         and at {MAX_WORKERS} at most"
    )]
    EmptyRange {
        /// The pool, or the stage with a pool of its own.
        pool: String,
        /// The range.
        range: WorkerRange,
    },
}

/// Why a running graph refuses new settings; it then keeps all of its settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// A graph with these settings could not start either.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The setting cannot change while the graph runs.
    #[error("`{key}` is {now} and cannot become {wanted} while the graph runs: {why}")]
    Fixed {
        /// The key, as in a file.
        key: String,
        /// The value in force.
        now: String,
        /// The value in the new settings.
        wanted: String,
        /// The reason, and the remedy.
        why: &'static str,
    },
}

/// Why a graph does not start, or refuses a declaration.
///
/// ```
/// use seda_core::{Graph, GraphError};
/// let mut graph = Graph::new("pages");
/// graph.stage::<String>("parse", 64);
/// let error = graph.start().unwrap_err();
/// assert!(matches!(error, GraphError::NoHandler { ref stage } if stage == "parse"));
/// assert_eq!(error.to_string(), "stage `parse` has no handler: attach one with `graph.attach`");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The graph has no stages.
    #[error("graph `{graph}` has no stages: declare one with `graph.stage(name, capacity)`")]
    NoStages {
        /// The graph.
        graph: String,
    },
    /// Two stages have the same name.
    #[error("stage `{stage}` is declared twice: give each stage a name of its own")]
    StageNameTwice {
        /// The name.
        stage: String,
    },
    /// Two pools have the same name.
    #[error("pool `{pool}` is declared twice: give each pool a name of its own")]
    PoolNameTwice {
        /// The name.
        pool: String,
    },
    /// A name that metrics, logs and threads cannot carry.
    #[error("`{name}` is not a name for a stage or pool: use 1 to 64 printable characters")]
    BadName {
        /// The name.
        name: String,
    },
    /// A stage without a handler.
    #[error("stage `{stage}` has no handler: attach one with `graph.attach`")]
    NoHandler {
        /// The stage.
        stage: String,
    },
    /// A stage with two handlers.
    #[error("stage `{stage}` is attached twice: a stage has one handler")]
    AttachedTwice {
        /// The stage.
        stage: String,
    },
    /// A waiting edge on a cycle: its worker would wait for a place that only it can free.
    #[error(
        "the waiting edge from `{from}` to `{to}` lies on a cycle of stages or pools: its workers \
         would wait for themselves; use a plain sink, which refuses instead of waiting"
    )]
    WaitingOnCycle {
        /// The stage that would wait.
        from: String,
        /// The stage at the end of the edge.
        to: String,
    },
    /// A token of another graph.
    #[error("`{token}` belongs to another graph: declare it with this one")]
    Foreign {
        /// The kind of token: stage or pool.
        token: &'static str,
    },
    /// The settings do not fit the graph.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A stage has two functions for its lost events.
    #[error("stage `{stage}` has `on_lost` twice: give it one function for its lost events")]
    OnLostTwice {
        /// The stage.
        stage: String,
    },
    /// A keyed stage with a queue for each replica.
    #[error(
        "stage `{stage}` cannot be keyed: each replica has a queue of its own, so events of one key \
         would be spread over them; use the central queue, where the workers divide the keys"
    )]
    KeyedReplicas {
        /// The stage.
        stage: String,
    },
    /// A stage has two functions for the key, or for the weight, of its events.
    #[error("stage `{stage}` has two functions for the {question} of an event: give it one")]
    ExtractorSetTwice {
        /// The stage.
        stage: String,
        /// The question: key or weight.
        question: &'static str,
    },
    /// The machine refused a thread.
    #[error("thread `{thread}` could not start: {source}; lower the worker ranges of the pools")]
    Thread {
        /// The thread's name.
        thread: String,
        /// The error of the machine.
        source: std::io::Error,
    },
}

impl From<SettingFault> for GraphError {
    fn from(fault: SettingFault) -> Self {
        SettingsError::from(fault).into()
    }
}

/// A setting or declaration that is allowed but has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphWarning {
    /// The budget is not below the sum of the capacities.
    #[error(
        "the budget of {budget} events can never bind: the queues hold at most {capacities}; \
         lower the budget, or the valve never acts"
    )]
    BudgetNeverBinds {
        /// The budget, in events.
        budget: usize,
        /// The sum of all queues' capacities.
        capacities: usize,
    },
    /// No source and no edge leads to a stage.
    #[error(
        "stage `{stage}` is unreachable: no source and no edge from a reachable stage leads to it"
    )]
    Unreachable {
        /// The stage.
        stage: String,
    },
}
