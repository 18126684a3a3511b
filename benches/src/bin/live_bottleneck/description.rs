//! A graph with a known bottleneck, as plain data.
//!
//! Stages, pools and locks are named by their index. All times are in milliseconds. One function
//! builds the graph ([`crate::graph`]); a change made to the description is a change really made.

/// The rate, the budget and the mix of the requests that a graph is built for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    /// Stage 0 is the entry.
    pub(crate) stages: Vec<StageSpec>,
    pub(crate) pools: Vec<PoolSpec>,
    pub(crate) locks: Vec<LockKind>,
    /// The most events in the graph; `None`: the default.
    pub(crate) budget: Option<usize>,
    /// Share of the requests that are of the second class, 0 to 1.
    pub(crate) second_class: f64,
    /// Share of the requests that have the same key, 0 to 1.
    pub(crate) hot_key: f64,
    /// A stage that no request visits: it sends an event to itself for ever.
    pub(crate) spinner: Option<usize>,
}

/// A stage: its demand, its bounds and its way on.
#[derive(Clone, Debug)]
pub(crate) struct StageSpec {
    pub(crate) name: &'static str,
    pub(crate) demand: Demand,
    pub(crate) capacity: usize,
    /// Workers of its own pool.
    pub(crate) workers: usize,
    /// The shared pool that runs it instead.
    pub(crate) pool: Option<usize>,
    pub(crate) cap: Option<usize>,
    /// Events per second that may enter.
    pub(crate) rate: Option<f64>,
    pub(crate) is_keyed: bool,
    pub(crate) replicas: Option<ReplicaSpec>,
    pub(crate) remote: Option<RemoteSpec>,
    /// An event takes one of these edges, or ends.
    pub(crate) edges: Vec<EdgeSpec>,
}

/// The work of one event. All parts are drawn together, evenly between half and one and a half of
/// these.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    pub(crate) cpu: f64,
    pub(crate) sleep: f64,
    /// CPU time spent on allocating, filling and freeing memory.
    pub(crate) alloc: f64,
    pub(crate) hold: Option<Hold>,
    /// The factor for requests of the second class.
    pub(crate) second_class: Option<f64>,
}

/// A lock that is held during a part of the work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) lock: usize,
    pub(crate) cpu: f64,
    pub(crate) sleep: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    /// All threads wait on one futex.
    Std,
    /// Each thread waits on a futex of its own.
    ParkingLot,
}

#[derive(Clone, Debug)]
pub(crate) struct PoolSpec {
    pub(crate) name: &'static str,
    pub(crate) workers: usize,
}

/// Replicas that take turns; one of them is slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplicaSpec {
    pub(crate) count: usize,
    pub(crate) slow: usize,
    pub(crate) factor: f64,
}

/// A service outside, for which events are deferred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteSpec {
    /// Its service time.
    pub(crate) time: f64,
    /// Requests that it serves at once; `None`: any number.
    pub(crate) servers: Option<usize>,
    /// The initial number of events outside.
    pub(crate) outstanding: usize,
    /// The most events outside.
    pub(crate) pending: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeSpec {
    pub(crate) to: usize,
    pub(crate) probability: f64,
    /// Events sent over it.
    pub(crate) copies: usize,
    /// True if a send waits for room.
    pub(crate) waits: bool,
}

impl StageSpec {
    pub(crate) fn new(name: &'static str, workers: usize, demand: Demand) -> Self {
        Self {
            name,
            demand,
            capacity: 256,
            workers,
            pool: None,
            cap: None,
            rate: None,
            is_keyed: false,
            replicas: None,
            remote: None,
            edges: Vec::new(),
        }
    }

    /// Returns the stage with the edge that all its events take.
    pub(crate) fn to(self, to: usize) -> Self {
        self.also_to(to, 1.0)
    }

    /// Returns the stage with one more edge, which this share of the events takes.
    pub(crate) fn also_to(mut self, to: usize, probability: f64) -> Self {
        self.edges.push(EdgeSpec { to, probability, copies: 1, waits: false });
        self
    }
}

impl Demand {
    /// Returns a demand of CPU time.
    pub(crate) fn cpu(cpu: f64) -> Self {
        Self { cpu, ..Self::default() }
    }

    /// Returns a demand of sleep.
    pub(crate) fn sleep(sleep: f64) -> Self {
        Self { sleep, ..Self::default() }
    }

    /// Returns the demand with all its parts multiplied.
    pub(crate) fn times(self, factor: f64) -> Self {
        let hold = self.hold.map(|hold| Hold {
            cpu: hold.cpu * factor,
            sleep: hold.sleep * factor,
            ..hold
        });
        Self {
            cpu: self.cpu * factor,
            sleep: self.sleep * factor,
            alloc: self.alloc * factor,
            hold,
            ..self
        }
    }
}
