//! The truth about a graph: each change is made, and the rate at which the graph is full measured.

use crate::change::Change;
use crate::description::Description;
use crate::fault::Fault;
use crate::graph::{Settings, start};
use crate::load::Clients;
use std::collections::BTreeSet;
use std::time::Duration;

/// The time in which the closed loop's requests gather at the bottleneck: several times their
/// number, divided by the rates of these graphs.
const WARM_UP: Duration = Duration::from_millis(900);
/// The length of a measurement.
const LENGTH: Duration = Duration::from_millis(1_400);
/// The gain, as a share of the largest one, from which a change is as right as the best.
const AS_GOOD: f64 = 0.8;

/// The truth about a graph.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// Requests per second at which the graph is full.
    pub(crate) rate: f64,
    /// The share by which each change raises that rate, the largest first.
    pub(crate) gains: Vec<(Change, f64)>,
    /// The stages that a report may name.
    pub(crate) stages: BTreeSet<String>,
}

impl Truth {
    /// Makes every change and measures its gain.
    pub(crate) fn find(description: &Description, seed: u64) -> Result<Self, Fault> {
        let before = full_rate(description, seed)?;
        let mut rates = Vec::new();
        for change in Change::all(description) {
            rates.push((change, full_rate(&change.apply(description), seed)?));
        }
        // The better one counts, because a neighbour of the machine only takes.
        let rate = before.max(full_rate(description, seed)?);
        let gain = |(change, changed)| (change, changed / rate - 1.0);
        let mut gains: Vec<_> = rates.into_iter().map(gain).collect();
        gains.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let stages = right_stages(description, &gains);
        Ok(Self { rate, gains, stages })
    }

    /// Returns whether a declared bound is the best thing to change.
    pub(crate) fn is_bound(&self) -> bool {
        as_good(&self.gains).any(|change| matches!(change, Change::Rate(_) | Change::Budget))
    }
}

/// Returns the stages that gain most if their demand is halved. Where that gains little, the bound
/// itself is the bottleneck, and the stages of the best change are right.
fn right_stages(description: &Description, gains: &[(Change, f64)]) -> BTreeSet<String> {
    let best = gains.first().map_or(0.0, |(_, gain)| *gain);
    let halvings: Vec<_> =
        gains.iter().filter(|(change, _)| matches!(change, Change::Halve(_))).copied().collect();
    let best_halving = halvings.first().map_or(0.0, |(_, gain)| *gain);
    let right = if best_halving > best / 2.0 { &halvings } else { gains };
    as_good(right).flat_map(|change| change.stages(description)).collect()
}

/// Returns the changes that gain nearly as much as the first.
fn as_good(gains: &[(Change, f64)]) -> impl Iterator<Item = Change> {
    let best = gains.first().map_or(0.0, |(_, gain)| *gain);
    gains.iter().filter(move |(_, gain)| *gain >= best * AS_GOOD).map(|(change, _)| *change)
}

/// Returns the answers per second of the graph while it is kept full, and refuses nothing.
fn full_rate(description: &Description, seed: u64) -> Result<f64, Fault> {
    let live = start(description, Settings::Open)?;
    let mut clients = Clients::new(&live, description, seed);
    clients.saturate(WARM_UP);
    let rate = clients.saturate(LENGTH);
    drop(live.running.shutdown());
    Ok(rate)
}
