//! Four replicas of a stage under each balance, in virtual time: the same seed gives the same
//! times.
//!
//! Arrivals are Poisson. Service times are drawn at arrival, so all balances get the same work. The
//! choice is the graph's own ([`Balancer`]). The model has a queue for each replica, or one for
//! all. Times are in mean service times of an ordinary replica.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "a benchmark and a test use more of it than the lab; replicas and columns are four"
)]

use seda::{Balance, Balancer};
use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};

/// The number of replicas.
pub(crate) const REPLICAS: usize = 4;
/// Shape of the heavy tail. At 1.5 the variance of an unbounded Pareto distribution is infinite, as
/// measured for process lifetimes and file sizes (Crovella & Bestavros 1997, Harchol-Balter 2013).
const SHAPE: f64 = 1.5;
/// The longest service of the heavy tail, in multiples of the shortest one.
const LONGEST: f64 = 10_000.0;

/// The distribution of service times; its mean is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Squared coefficient of variation 1.
    Exponential,
    /// Bounded Pareto: squared coefficient of variation 32.7.
    HeavyTailed,
}

impl Service {
    /// Returns a service time from a uniform number in (0, 1].
    fn draw(self, uniform: f64) -> f64 {
        match self {
            Self::Exponential => -uniform.ln(),
            Self::HeavyTailed => {
                let cut = LONGEST.powf(-SHAPE);
                let least =
                    (SHAPE - 1.0) * (1.0 - cut) / (SHAPE * (1.0 - LONGEST.powf(1.0 - SHAPE)));
                least * (cut + uniform * (1.0 - cut)).powf(-1.0 / SHAPE)
            }
        }
    }
}

impl Display for Service {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exponential => "exponential",
            Self::HeavyTailed => "heavy-tailed",
        })
    }
}

/// The arrivals, and the replicas that serve them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// Distribution of the work.
    pub(crate) service: Service,
    /// The speed of each replica; 1 is ordinary.
    pub(crate) speeds: [f64; REPLICAS],
    /// Work that arrives, as a share of the capacity of all replicas.
    pub(crate) load: f64,
}

impl Scenario {
    /// Returns a scenario with replicas of one speed, or with the last one half as fast.
    pub(crate) fn new(service: Service, slow: bool, load: f64) -> Self {
        let last = if slow { 0.5 } else { 1.0 };
        Self { service, speeds: [1.0, 1.0, 1.0, last], load }
    }

    /// Returns whether no replica gets more than its capacity. Round robin gives all replicas the
    /// same load; every other balance avoids a slow one.
    fn is_stable(&self, balance: Balance) -> bool {
        let each = self.load * self.speeds.iter().sum::<f64>() / REPLICAS as f64;
        balance != Balance::RoundRobin || self.speeds.iter().all(|speed| each < *speed)
    }

    /// Returns an endless stream of arrivals, each with its time and its work.
    pub(crate) fn arrivals(&self, seed: u64) -> impl Iterator<Item = (f64, f64)> + use<> {
        let (service, mut random) = (self.service, Random(seed));
        let rate = self.load * self.speeds.iter().sum::<f64>();
        let mut now = 0.0;
        std::iter::repeat_with(move || {
            now += -random.uniform().ln() / rate;
            (now, service.draw(random.uniform()))
        })
    }

    /// Returns the response times of `n` events, after a warm-up of `n / 10` events.
    pub(crate) fn run(&self, balance: Balance, seed: u64, n: usize) -> Vec<f64> {
        let mut replicas = Servers::new(balance, self.speeds, seed);
        let arrivals = self.arrivals(seed).take(n + n / 10);
        let responses = arrivals.map(|(at, work)| replicas.serve(at, work));
        responses.skip(n / 10).collect()
    }
}

/// The replicas, with the times of their departures.
pub(crate) struct Servers {
    speeds: [f64; REPLICAS],
    balancer: Balancer,
    central: bool,
    /// The future departures from each replica, if each has a queue.
    ahead: [VecDeque<f64>; REPLICAS],
    /// The time at which each replica is free.
    free: [f64; REPLICAS],
}

impl Servers {
    /// Returns idle replicas.
    pub(crate) fn new(balance: Balance, speeds: [f64; REPLICAS], seed: u64) -> Self {
        Self {
            speeds,
            balancer: Balancer::new(balance, REPLICAS, seed),
            central: balance == Balance::Central,
            ahead: Default::default(),
            free: [0.0; REPLICAS],
        }
    }

    /// Returns the response time of an event that arrives at `at`. Times must not descend.
    pub(crate) fn serve(&mut self, at: f64, work: f64) -> f64 {
        let replica = if self.central { self.next_free(at) } else { self.chosen(at) };
        let done = self.free[replica].max(at) + work / self.speeds[replica];
        self.free[replica] = done;
        if !self.central {
            self.ahead[replica].push_back(done);
        }
        done - at
    }

    /// Returns the replica that became idle last, as a pool wakes its workers; or the next one to
    /// become idle, if all are busy.
    fn next_free(&self, at: f64) -> usize {
        let by_time = |a: &usize, b: &usize| self.free[*a].total_cmp(&self.free[*b]);
        let idle = (0..REPLICAS).filter(|replica| self.free[*replica] <= at).max_by(by_time);
        idle.or_else(|| (0..REPLICAS).min_by(by_time)).unwrap_or(0)
    }

    /// Returns the replica that the balance chooses.
    fn chosen(&mut self, at: f64) -> usize {
        for ahead in &mut self.ahead {
            while ahead.front().is_some_and(|done| *done <= at) {
                ahead.pop_front();
            }
        }
        self.balancer.choose(|replica| self.ahead[replica].len())
    }
}

/// Mean and quantiles of response times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures(pub(crate) [f64; 4]);

impl Figures {
    /// The names of the columns.
    pub(crate) const NAMES: [&str; 4] = ["mean", "p50", "p99", "p99.9"];

    /// Returns the figures of one time or more.
    pub(crate) fn of(mut times: Vec<f64>) -> Self {
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let [mut p50, mut p99, mut p999] = [0.5, 0.99, 0.999];
        for quantile in [&mut p50, &mut p99, &mut p999] {
            let rank = (*quantile * times.len() as f64) as usize;
            *quantile = *times.select_nth_unstable_by(rank, f64::total_cmp).1;
        }
        Self([mean, p50, p99, p999])
    }
}

/// Runs each balance in each situation: prints a table, and calls `seen` with the figures of every
/// stable scenario.
pub(crate) fn compare(
    n: usize,
    seeds: u64,
    mut seen: impl FnMut(&Scenario, bool, Balance, &[Figures]),
) {
    println!(
        "4 replicas, {n} events for each of {seeds} seeds: median (range); mean service is 1\n"
    );
    println!("| service | replicas | load | balance | {} |", Figures::NAMES.join(" | "));
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (service, slow, load) in situations() {
        let scenario = Scenario::new(service, slow, load);
        for balance in Balance::ALL {
            let replicas = if slow { "one slow" } else { "alike" };
            print!("| {service} | {replicas} | {load} | {balance} | ");
            if !scenario.is_stable(balance) {
                println!("{} |", ["unbounded"; 4].join(" | "));
                continue;
            }
            let run = |seed| Figures::of(scenario.run(balance, seed, n));
            let runs: Vec<Figures> = (1..=seeds).map(run).collect();
            let cells: Vec<String> = (0..4).map(|column| cell(&runs, column)).collect();
            println!("{} |", cells.join(" | "));
            seen(&scenario, slow, balance, &runs);
        }
    }
}

/// Returns both distributions, with equal replicas and with one slow replica, at three loads.
fn situations() -> impl Iterator<Item = (Service, bool, f64)> {
    let services = [Service::Exponential, Service::HeavyTailed];
    let kinds = services.into_iter().flat_map(|service| [(service, false), (service, true)]);
    kinds.flat_map(|(service, slow)| [0.5, 0.8, 0.95].map(|load| (service, slow, load)))
}

/// Returns the median and the range of one column.
fn cell(runs: &[Figures], column: usize) -> String {
    let mut values: Vec<f64> = runs.iter().map(|figures| figures.0[column]).collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| Short(values[index]);
    format!("{} ({} to {})", at(values.len() / 2), at(0), at(values.len() - 1))
}

/// A number with about three digits.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = if self.0 < 10.0 { 2 } else { usize::from(self.0 < 100.0) };
        write!(f, "{:.digits$}", self.0)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    /// Returns a uniform number in (0, 1], so that its logarithm is finite.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}
