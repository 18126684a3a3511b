//! Classes, SLOs, and what a request takes outside the stages.

use super::flow::Flow;
use crate::spec::bounds::REFUSAL;
use crate::spec::class::ClassSpec;
use crate::spec::senders::ClientSpec;
use seda_core::Report;
use seda_core::report::ClassReport;
use seda_core::{ClassSlo, SloConfig};
use std::time::Duration;

/// Above this share of requests that enter and are not answered, the events in the stages are not
/// those of answered requests.
const LOST: f64 = 0.02;

/// Returns the SLO of a class, if it has one.
pub(super) fn class_slo(class: &ClassReport) -> Option<Duration> {
    class.promised_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// Returns the SLOs of all classes, so that the simulation admits as the server does.
pub(super) fn slo_config(report: &Report) -> SloConfig {
    let mut config = SloConfig::default();
    for class in &report.classes {
        if let Some(p99) = class_slo(class) {
            config.classes.insert(class.name.clone(), ClassSlo { p99 });
        }
    }
    config
}

/// Returns the classes, with their shares of all requests.
pub(super) fn classes(report: &Report) -> Vec<ClassSpec> {
    let all: u64 = report.classes.iter().map(|class| requests(&class.name, report)).sum();
    let mut classes = Vec::with_capacity(report.classes.len());
    for class in &report.classes {
        let mut spec = ClassSpec::named(&class.name);
        if all > 0 {
            spec.share = requests(&class.name, report) as f64 / all as f64;
        }
        classes.push(spec);
    }
    classes
}

/// Returns the number of requests of a class: answered ones, and ones refused at the entry.
fn requests(class: &String, report: &Report) -> u64 {
    let answered = report.response_seconds.get(class).map_or(0, |class| class.quantiles.count);
    let gates = report.stages.iter().filter_map(|stage| stage.gate.as_ref());
    answered + gates.filter_map(|gate| gate.turned_away.get(class)).sum::<u64>()
}

/// Returns the core time of a request outside the stages: what the process used beyond them.
pub(super) fn cpu(report: &Report, rate: f64) -> Duration {
    let inside: Option<f64> = report.stages.iter().map(stage_cores).sum();
    let outside = report.machine.process.zip(inside).map(|(process, inside)| process - inside);
    let cores = outside.or(report.machine.reactors).unwrap_or(0.0).max(0.0);
    Duration::try_from_secs_f64(cores / rate).unwrap_or_default().min(*REFUSAL.end())
}

/// Returns the cores that a stage used, on average; `None` without procfs.
fn stage_cores(stage: &seda_core::report::StageReport) -> Option<f64> {
    let window = &stage.last_ten_seconds;
    match (window.holding.total, window.holding.cpu) {
        (Some(total), Some(cpu)) if total > 0.0 => Some(window.busy_workers * cpu / total),
        (Some(total), None) if total > 0.0 => None,
        _ => Some(0.0),
    }
}

/// Returns the clients: each request is one, and its answer takes some time outside the stages.
pub(super) fn client(report: &Report, flow: &Flow) -> ClientSpec {
    let latency = if flow.has_copies() { None } else { latency(report, flow) };
    ClientSpec { latency: latency.unwrap_or_default(), ..ClientSpec::default() }
}

/// Returns the mean time of an answered request outside all stages, by Little's law: its response
/// time without its part of the events in the stages.
fn latency(report: &Report, flow: &Flow) -> Option<Duration> {
    let answered: u64 = report.classes.iter().map(|class| class.last_ten_seconds.count).sum();
    let times = report.classes.iter().map(|class| &class.last_ten_seconds);
    let response: f64 = times.filter_map(|times| Some(times.mean? * times.count as f64)).sum();
    let lost: u64 = report
        .stages
        .iter()
        .map(|stage| &stage.last_ten_seconds)
        .fold(0, |sum, w| sum + w.shed + w.failed);
    let later = report.edges.iter().filter(|edge| edge.from.is_some());
    let refused: u64 = later.map(|edge| edge.last_ten_seconds.refused).sum();
    if answered == 0 || (lost + refused) as f64 > LOST * answered as f64 {
        return None;
    }
    let is_timer = |name: &str| flow.timers.iter().any(|timer| timer.stage == name);
    let stages = report.stages.iter().filter(|stage| !is_timer(&stage.name));
    let inside: f64 = stages.map(|stage| stage.last_ten_seconds.occupancy).sum();
    let outside = (response - inside * flow.seconds) / answered as f64;
    // A spec in TOML has whole nanoseconds.
    (outside > 0.0).then(|| Duration::from_nanos((outside * 1e9) as u64))
}
