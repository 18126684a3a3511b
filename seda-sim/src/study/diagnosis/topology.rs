//! The stages of a generated graph, and the routes between them.

use super::draw::Draw;
use super::kind::Kind;
use super::sketch::Sketch;
use super::twist::twist;
use crate::spec::{Fault, PoolSpec};
use seda_core::{Balance, WorkerRange};
use std::time::Duration;

/// Draws the stages and the property that makes their kind.
pub(super) fn draw_graph(sketch: &mut Sketch, draw: &mut Draw, kind: Kind) {
    match kind {
        Kind::Branch => branch(sketch, draw),
        Kind::FanOut => fan_out(sketch, draw),
        Kind::Join => join(sketch, draw),
        Kind::Cycle => cycle(sketch, draw),
        Kind::TwoFull => two_full(sketch, draw),
        Kind::SharedPool => shared_pool(sketch, draw),
        Kind::Cap => cap(sketch, draw),
        Kind::BatchFront => batch_front(sketch, draw),
        Kind::Cores => cores(sketch, draw),
        Kind::CoresVictim => cores_victim(sketch, draw),
        Kind::SlowReplica | Kind::Replicas => replicas(sketch, draw, kind),
        Kind::Beside => beside(sketch, draw),
        Kind::LongLine => {
            let line = sketch.add_line(draw, 12);
            sketch.fill_one(draw, &line);
        }
        Kind::Budget => budget_line(sketch, draw),
        Kind::Promised => {
            // The stages before it are short, so that its services are most of the path.
            let front = sketch.add_line(draw, 1);
            let work = sketch.add(draw, 1.0);
            front.iter().for_each(|from| {
                sketch.route(*from, work, 1.0);
                sketch.at(*from, |node| {
                    node.load = 0.1;
                    node.spec.workers = Some(WorkerRange::exactly(1));
                });
            });
        }
        _ => {
            let count = draw.whole(2, 6);
            let line = sketch.add_line(draw, count);
            let scarcest = sketch.fill_one(draw, &line);
            twist(sketch, draw, kind, scarcest);
        }
    }
}

/// A tree of three to nine stages.
fn branch(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(3, 9);
    let all: Vec<usize> = (0..count)
        .map(|_| {
            let load = draw.between(0.15, 0.85);
            sketch.add(draw, load)
        })
        .collect();
    for index in 0..count {
        let children: Vec<usize> =
            [2 * index + 1, 2 * index + 2].into_iter().filter(|child| *child < count).collect();
        let first = draw.between(0.35, 0.65);
        let shares = if children.len() == 2 { [first, 1.0 - first] } else { [1.0, 0.0] };
        children.iter().zip(shares).for_each(|(child, share)| sketch.route(index, *child, share));
    }
    sketch.fill_one(draw, &all);
}

fn fan_out(sketch: &mut Sketch, draw: &mut Draw) {
    let first = sketch.add(draw, 0.6);
    let count = draw.whole(3, 8);
    let weights: Vec<f64> = (0..count).map(|_| draw.between(0.6, 1.4)).collect();
    let sum: f64 = weights.iter().sum::<f64>() / draw.between(0.8, 0.99);
    let leaves: Vec<usize> = weights
        .iter()
        .map(|weight| {
            let load = draw.between(0.2, 0.85);
            let leaf = sketch.add(draw, load);
            sketch.route(first, leaf, weight / sum);
            leaf
        })
        .collect();
    sketch.fill_one(draw, &leaves);
}

fn join(sketch: &mut Sketch, draw: &mut Draw) {
    let load = draw.between(0.2, 0.8);
    let first = sketch.add(draw, load);
    let branches: Vec<usize> = (0..draw.whole(2, 4))
        .map(|_| {
            let load = draw.between(0.2, 0.85);
            sketch.add(draw, load)
        })
        .collect();
    let tail = sketch.add_line(draw, 2);
    let share = 1.0 / branches.len() as f64;
    for branch in &branches {
        sketch.route(first, *branch, share);
        tail.first().into_iter().for_each(|join| sketch.route(*branch, *join, 1.0));
    }
    let all: Vec<usize> = branches.into_iter().chain(tail).collect();
    sketch.fill_one(draw, &all);
}

fn cycle(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(2, 6);
    let line = sketch.add_line(draw, count);
    sketch.fill_one(draw, &line);
    // From the last stage, or the one before it, back to an earlier one or to itself.
    let from = draw.whole(count - 2, count - 1);
    let to = draw.whole(0, from);
    let back = draw.between(0.1, 0.4);
    sketch.at(from, |node| node.spec.routes.iter_mut().for_each(|route| route.share -= back));
    sketch.route(from, to, back);
}

fn two_full(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(2, 5);
    let line = sketch.add_line(draw, count);
    let first = draw.whole(0, count - 2);
    sketch.at(first, |node| node.load = draw.between(0.84, 0.92));
    let second = sketch.fill_one(draw, line.get(first + 1..).unwrap_or_default());
    // A queue in the first one is not cut by the budget.
    sketch.at(first, |node| node.spec.capacity = 600);
    sketch.at(second, |node| node.spec.capacity = node.spec.capacity.max(100));
}

fn shared_pool(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(2, 4);
    let behind = draw.whole(0, 2);
    let line = sketch.add_line(draw, count + behind);
    let workers = WorkerRange::exactly(draw.whole(1, 6));
    sketch.spec.pools.push(PoolSpec { name: "both".to_owned(), workers });
    let weights: Vec<f64> = (0..count).map(|_| draw.between(0.3, 1.0)).collect();
    let sum: f64 = weights.iter().sum();
    let is_weighted = draw.chance(0.3);
    for (index, weight) in line.iter().zip(weights) {
        let priority = draw.whole(1, 4) as u32;
        sketch.at(*index, |node| {
            node.load = weight / sum;
            node.spec.workers = None;
            node.spec.pool = Some("both".to_owned());
            node.spec.weight = is_weighted.then_some(priority);
        });
    }
}

fn cap(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(2, 4);
    let line = sketch.add_line(draw, count);
    let most = draw.whole(4, 8);
    let workers = WorkerRange::exactly(most);
    sketch.spec.pools.push(PoolSpec { name: "all".to_owned(), workers });
    for index in &line {
        sketch.at(*index, |node| {
            node.load = draw.between(0.05, 0.15);
            node.spec.workers = None;
            node.spec.pool = Some("all".to_owned());
        });
    }
    let capped = sketch.fill_one(draw, &line);
    sketch.at(capped, |node| node.spec.cap = Some(draw.whole(1, 2)));
}

fn batch_front(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(2, 5);
    let line = sketch.add_line(draw, count);
    let later = line.get(1..).unwrap_or_default();
    sketch.fill_one(draw, later);
    let batch = draw.whole(8, 32);
    line.first().into_iter().for_each(|front| {
        sketch.at(*front, |node| {
            node.spec.batch = batch;
            node.spec.workers = Some(WorkerRange::exactly(1));
        });
    });
    // A batch that arrives at once fits.
    later.iter().for_each(|index| {
        sketch.at(*index, |node| node.spec.capacity = node.spec.capacity.max(4 * batch));
    });
}

/// Cores for the computing stages. Their pools have more workers than they need.
fn cores(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(1, 5);
    let line = sketch.add_line(draw, count);
    let cores = draw.whole(1, 4);
    let weights: Vec<f64> = (0..count).map(|_| draw.between(0.2, 1.0)).collect();
    let sum: f64 = weights.iter().sum();
    sketch.spec.cores = cores;
    for (index, weight) in line.iter().zip(weights) {
        let used = cores as f64 * weight / sum;
        let workers = 3 * cores + 4;
        sketch.at(*index, |node| {
            node.spec.cpu_share = 1.0;
            node.spec.workers = Some(WorkerRange::exactly(workers));
            node.load = used / workers as f64;
        });
    }
    // A stage that blocks takes no cores.
    if draw.chance(0.5) {
        let load = draw.between(0.2, 0.6);
        let blocking = sketch.add(draw, load);
        sketch.at(blocking, |node| node.spec.cpu_share = 0.0);
        line.last().into_iter().for_each(|last| sketch.route(*last, blocking, 1.0));
    }
}

fn cores_victim(sketch: &mut Sketch, draw: &mut Draw) {
    let cores = draw.whole(2, 4);
    sketch.spec.cores = cores;
    let used = draw.between(0.1, 0.3);
    let victim = sketch.add(draw, used);
    let workers = cores * draw.whole(3, 6);
    let hog = sketch.add(draw, (cores as f64 - used) / workers as f64);
    sketch.route(victim, hog, 1.0);
    sketch.at(victim, |node| {
        node.spec.cpu_share = 1.0;
        node.spec.workers = Some(WorkerRange::exactly(1));
    });
    sketch.at(hog, |node| {
        node.spec.cpu_share = 1.0;
        node.spec.workers = Some(WorkerRange::exactly(workers));
    });
}

fn replicas(sketch: &mut Sketch, draw: &mut Draw, kind: Kind) {
    let count = draw.whole(2, 5);
    let line = sketch.add_line(draw, count);
    let replicated = sketch.fill_one(draw, &line);
    let replicas = draw.whole(2, 4);
    let balance = match kind {
        Kind::SlowReplica => Balance::RoundRobin,
        _ => draw.one_of(&[Balance::Central, Balance::ShortestQueue, Balance::TwoChoices]),
    };
    sketch.at(replicated, |node| {
        node.spec.workers = None;
        node.spec.replicas = Some(replicas);
        node.spec.balance = Some(balance);
    });
    if kind == Kind::SlowReplica {
        let stage = format!("s{replicated}-{}", draw.whole(1, replicas));
        let factor = draw.between(1.6, 3.0);
        // The slow one is full, and its siblings are not.
        sketch.at(replicated, |node| node.load = 1.0 / factor);
        sketch.spec.faults.push(Fault::Slow { stage, factor, from: Duration::ZERO, to: None });
    }
}

/// A busy stage that a part of the requests needs, beside a path with the scarcest stage.
fn beside(sketch: &mut Sketch, draw: &mut Draw) {
    let load = draw.between(0.1, 0.4);
    let first = sketch.add(draw, load);
    let load = draw.between(0.7, 0.9);
    let beside = sketch.add(draw, load);
    sketch.at(beside, |node| node.spec.cpu_share = 1.0);
    let count = draw.whole(1, 4);
    let path = sketch.add_line(draw, count);
    let share = draw.between(0.1, 0.4);
    sketch.route(first, beside, share);
    path.first().into_iter().for_each(|start| sketch.route(first, *start, 1.0 - share));
    sketch.fill_one(draw, &path);
}

/// A stage with many workers that wait for something outside.
fn budget_line(sketch: &mut Sketch, draw: &mut Draw) {
    let count = draw.whole(1, 3);
    let line = sketch.add_line(draw, count);
    for index in line {
        sketch.at(index, |node| {
            node.load = draw.between(0.2, 0.4);
            node.spec.cpu_share = 0.02;
            node.spec.workers = Some(WorkerRange::exactly(draw.whole(20, 60)));
        });
    }
}
