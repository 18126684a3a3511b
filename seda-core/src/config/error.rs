//! The errors of settings and graphs, one enum for each operation.

use crate::config::pool::{MAX_WORKERS, WorkerRange};
use std::borrow::Cow;
use std::fmt;
use thiserror::Error;

/// A text that is none of the words that a setting can be.
///
/// ```
/// use seda_core::Mode;
/// let error = "maybe".parse::<Mode>().unwrap_err();
/// assert_eq!(error.to_string(), "`maybe` is not a control mode: write on, observe or off");
/// assert_eq!(error.expected, ["on", "observe", "off"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{got}` is not {what}: write {}", OneOf(expected, ""))]
#[non_exhaustive]
pub struct ParseWordError {
    /// The setting, with its article: "a control mode".
    pub what: &'static str,
    /// The text.
    pub got: String,
    /// The words that are allowed.
    pub expected: &'static [&'static str],
}

/// Shows words as a list whose last two are joined by "or", each between two quotes.
pub(super) struct OneOf<'a>(pub(super) &'a [&'a str], pub(super) &'static str);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(words, quote) = self;
        for (index, word) in words.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == words.len() => " or ",
                _ => ", ",
            };
            write!(f, "{separator}{quote}{word}{quote}")?;
        }
        Ok(())
    }
}

/// A setting out of its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{key}` is {value}: allowed is {allowed}")]
#[non_exhaustive]
pub struct SettingFault {
    /// The key, as in a file.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The bounds, or the remedy.
    pub allowed: Cow<'static, str>,
}

impl SettingFault {
    pub(crate) fn new(
        key: impl Into<String>,
        value: impl ToString,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }

    /// The same fault with its key inside the table `table`.
    pub(super) fn within(self, table: &str) -> Self {
        Self { key: format!("{table}.{}", self.key), ..self }
    }
}

/// Why settings cannot be those of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting for something that does not exist.
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
    /// A queue that can hold nothing.
    #[error("stage `{stage}` has capacity 0: nothing could ever be sent to it; give it 1 or more")]
    ZeroCapacity {
        /// The stage.
        stage: String,
    },
    /// A pool that can have no worker.
    #[error(
        "pool `{pool}` has the worker range {range}: it must begin at 1 or more, end no lower, \
         and at {MAX_WORKERS} at most"
    )]
    EmptyRange {
        /// The pool, or the stage whose own pool it is.
        pool: String,
        /// The range.
        range: WorkerRange,
    },
}

/// Why a running graph does not take new settings; it keeps all of those that it has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// No graph like this one could start with these settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A setting cannot change while the graph runs.
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

/// Why a graph does not start, or a part of it cannot be declared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// There is nothing to run.
    #[error("graph `{graph}` has no stages: declare one with `graph.stage(name, capacity)`")]
    NoStages {
        /// The graph.
        graph: String,
    },
    /// Two stages have one name.
    #[error("stage `{stage}` is declared twice: give each stage a name of its own")]
    StageNameTwice {
        /// The name.
        stage: String,
    },
    /// Two pools have one name.
    #[error("pool `{pool}` is declared twice: give each pool a name of its own")]
    PoolNameTwice {
        /// The name.
        pool: String,
    },
    /// A name that metrics, logs and thread names cannot carry.
    #[error("`{name}` is no name for a stage or pool: use 1 to 64 printable characters")]
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
    /// A worker that waits for room which only itself could make.
    #[error(
        "the waiting edge from `{from}` to `{to}` lies on a cycle of stages or pools: its workers \
         would wait for themselves; use a plain sink, which refuses instead of waiting"
    )]
    WaitingOnCycle {
        /// The stage that would wait.
        from: String,
        /// The stage it would wait for.
        to: String,
    },
    /// A token of another graph.
    #[error("`{token}` belongs to another graph: declare it with this one")]
    Foreign {
        /// What kind of token.
        token: &'static str,
    },
    /// The settings cannot be those of this graph.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A handler for lost events was given twice.
    #[error("stage `{stage}` has `on_lost` twice: one function hears of its lost events")]
    OnLostTwice {
        /// The stage.
        stage: String,
    },
    /// A keyed stage with several queues.
    #[error(
        "stage `{stage}` cannot be keyed: its replicas have a queue each, so events of one key would \
         be spread over them; use the central queue, whose workers share out the keys"
    )]
    KeyedReplicas {
        /// The stage.
        stage: String,
    },
    /// A stage was told twice how to ask its events something.
    #[error(
        "stage `{stage}` is told twice how to ask for the {question} of an event: once is enough"
    )]
    ExtractorSetTwice {
        /// The stage.
        stage: String,
        /// Key or weight.
        question: &'static str,
    },
    /// The machine did not give a thread.
    #[error("no thread for `{thread}`: {source}; lower the pools' worker ranges")]
    Thread {
        /// The thread's name.
        thread: String,
        /// What the machine said.
        source: std::io::Error,
    },
}

impl From<SettingFault> for GraphError {
    fn from(fault: SettingFault) -> Self {
        SettingsError::from(fault).into()
    }
}

/// What is odd about a graph, though it can run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphWarning {
    /// The queues fill up before the budget does.
    #[error(
        "the budget of {budget} events can never bind: the queues hold {capacities} at most; \
         lower it, or the valve will never act"
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
