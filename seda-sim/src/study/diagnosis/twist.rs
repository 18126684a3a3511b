//! What makes a generated graph special: its arrivals, queues, distributions, faults and bounds.

use super::draw::{Draw, Shape};
use super::kind::Kind;
use super::path::path_seconds;
use super::sketch::{Places, Sketch};
use crate::spec::{ClassSpec, Fault, Process, Spec};
use seda_core::{RateConfig, StageConfig, WorkerRange};
use std::time::Duration;

/// The moment at which the demand of [`Kind::Growing`] grows: all windows of a look are behind it.
const GROWN: Duration = Duration::from_secs(4);

/// Makes a line what its kind is about; `scarcest` is the index of its scarcest stage.
pub(super) fn twist(sketch: &mut Sketch, draw: &mut Draw, kind: Kind, scarcest: usize) {
    match kind {
        Kind::Retries => {
            sketch.spec.client.retries = draw.whole(1, 3) as u32;
            sketch.spec.client.backoff = Duration::from_millis(draw.whole(20, 200) as u64);
        }
        Kind::NoRoom => no_room(sketch, draw, scarcest),
        Kind::Blocking => sketch.at(scarcest, |node| {
            node.spec.cpu_share = draw.between(0.0, 0.2);
            node.spec.workers = Some(WorkerRange::exactly(draw.whole(8, 48)));
        }),
        Kind::Growing => growing(sketch, draw, scarcest),
        Kind::Rate => sketch.nodes.iter_mut().for_each(|node| node.load *= 0.6),
        Kind::Bursts => bursts(sketch, draw),
        Kind::HeavyTail => sketch.at(scarcest, |node| {
            node.shape = Shape::Lognormal { sigma: draw.between(1.2, 1.6) };
        }),
        Kind::Classes => {
            for (name, weight) in [("gold", 8), ("silver", 3), ("bulk", 1)] {
                let share = draw.between(0.2, 1.0);
                let class = ClassSpec { weight, share, ..ClassSpec::named(name) };
                sketch.spec.classes.push(class);
            }
        }
        Kind::Cached => sketch.at(scarcest, |node| {
            let (hit, uncached) = (draw.between(0.1, 0.4), draw.between(0.1, 0.5));
            node.shape = Shape::Cached { hit, uncached };
        }),
        Kind::Sized => sketch.nodes.iter_mut().for_each(|node| {
            let most = draw.whole(2, 12);
            node.spec.workers = Some(WorkerRange::new(1, most));
            node.spec.cpu_share = draw.one_of(&[0.0, 0.2]);
        }),
        Kind::Outside => outside(sketch, draw, scarcest),
        Kind::HotKey => sketch.at(scarcest, |node| {
            node.spec.hot_key = Some(draw.between(0.4, 0.8));
            node.spec.workers = Some(WorkerRange::exactly(draw.whole(4, 8)));
        }),
        Kind::Even => {
            sketch.spec.arrivals.process = Process::Uniform;
            sketch.nodes.iter_mut().for_each(|node| node.shape = Shape::Deterministic);
            sketch.at(scarcest, |node| {
                node.spec.workers = Some(WorkerRange::exactly(draw.whole(1, 12)));
            });
        }
        _ => {}
    }
}

fn no_room(sketch: &mut Sketch, draw: &mut Draw, scarcest: usize) {
    sketch.at(scarcest, |node| {
        node.spec.capacity = draw.whole(1, 3);
        node.spec.workers = Some(WorkerRange::exactly(1));
        node.shape = Shape::Deterministic;
    });
}

fn growing(sketch: &mut Sketch, draw: &mut Draw, scarcest: usize) {
    let factor = draw.between(2.0, 6.0);
    sketch.at(scarcest, |node| node.load /= factor);
    let stage = format!("s{scarcest}");
    sketch.spec.faults.push(Fault::Slow { stage, factor, from: GROWN, to: None });
}

/// Gives a stage few places outside.
fn outside(sketch: &mut Sketch, draw: &mut Draw, scarcest: usize) {
    let count = draw.whole(4, 40);
    let places = Places { count, load: 1.0, shape: draw.shape() };
    // The controller sizes the number where it may.
    let least = if draw.chance(0.3) { 1 } else { count };
    let (outstanding, pending) = (Some(least), Some(count));
    let config = StageConfig { outstanding, pending, ..StageConfig::default() };
    sketch.spec.graph.stages.insert(format!("s{scarcest}"), config);
    sketch.at(scarcest, |node| {
        node.load = draw.between(0.05, 0.3);
        node.outside = Some(places);
    });
}

/// Bursts of some ten milliseconds at twice to four times the mean rate.
fn bursts(sketch: &mut Sketch, draw: &mut Draw) {
    let peak = draw.between(1.6, 3.0);
    let on = draw.between(0.01, 0.03);
    let off = on * (peak - 1.0);
    let arrivals = &mut sketch.spec.arrivals;
    arrivals.process = Process::OnOff;
    arrivals.on = Some(Duration::from_secs_f64(on));
    arrivals.off = Some(Duration::from_secs_f64(off));
    arrivals.rate = Some(peak);
    // Counts in a long time: their variance over the mean is 1 + 2 x rate x off share / (1/on +
    // 1/off), here at a rate of 300 per second in the mean.
    let relaxation = on * off / (on + off);
    sketch.dispersion = 1.0 + 2.0 * 300.0 * peak * (1.0 - 1.0 / peak) * relaxation;
}

/// Declares the bound that the graph is about, below the `rate` at which a resource is full.
pub(super) fn limit(spec: &mut Spec, draw: &mut Draw, kind: Kind, rate: f64) {
    match kind {
        Kind::Rate => {
            // The first stage's, because a request that is refused later has used the others.
            let per_second = rate * draw.between(0.75, 0.95);
            let limit = RateConfig { per_second, burst: (per_second / 20.0).max(5.0) as u64 };
            let config = StageConfig { rate: Some(limit), ..StageConfig::default() };
            spec.graph.stages.insert("s0".to_owned(), config);
        }
        Kind::Budget => {
            // By Little's law, the requests inside at this rate or half as many again: the workers
            // are busy to 60 % at most then.
            let budget = rate * path_seconds(spec) * draw.between(1.0, 1.5);
            spec.graph.budget = Some(budget.max(4.0) as usize);
        }
        _ => {}
    }
}
