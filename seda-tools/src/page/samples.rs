//! Sample reports for tests: of a server that sheds the excess load, and of one that collapses.

use crate::experiment::step::{PartReport, Recovery, StepReport};
use crate::experiment::sweep::{
    LambdaMax, Point, ResponseSpreads, Round, Run, Spread, StagePoint, SweepReport,
};
use crate::report::outcome::Outcomes;
use crate::report::{Bin, LoadReport};

/// The behaviour of a server above its capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Overload {
    /// The server refuses the excess at once.
    Sheds,
    /// The server accepts everything and answers too late.
    Collapses,
}

const MULTIPLES: [f64; 10] = [0.25, 0.5, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0];
const SLO: f64 = 0.1;
const DEADLINE: f64 = 1.0;

/// Returns a sweep over ten loads in three rounds.
pub(super) fn sweep(name: &str, capacity: f64, overload: Overload) -> SweepReport {
    let points: Vec<Point> = MULTIPLES.iter().map(|at| point(*at, capacity, overload)).collect();
    SweepReport {
        name: name.to_owned(),
        url: "http://127.0.0.1:8080/work?us=400".to_owned(),
        command: "seda sweep http://127.0.0.1:8080/work?us=400 --slo 100ms,500ms --pid 4711"
            .to_owned(),
        slo_seconds: vec![SLO, 0.5],
        deadline_seconds: DEADLINE,
        cores: 2,
        capacity_per_second: spread(capacity, 0.02),
        lambda_max: Some(LambdaMax {
            per_second: spread(capacity * 0.9, 0.03),
            definition: "p99 within 100ms and 99 % of the scheduled good".to_owned(),
        }),
        interrupted: false,
        rounds: (0..3).map(|_| round(capacity, &points)).collect(),
        points,
    }
}

/// Returns a step above the capacity and back, in bins of 50 ms.
pub(super) fn step(name: &str, capacity: f64, overload: Overload) -> StepReport {
    let rates = [0.7, 1.5, 0.7].map(|share| share * capacity);
    let parts =
        rates.iter().zip([0.0, 5.0, 15.0, 25.0].windows(2)).map(|(rate, span)| PartReport {
            name: format!("{rate:.0}/s:{:.0}s", span[1] - span[0]),
            from_seconds: span[0],
            to_seconds: span[1],
            offered_per_second: spread(*rate, 0.01),
            goodput_per_second: spread(rate.min(capacity), 0.03),
            p50: Some(spread(0.004, 0.1)),
            p99: Some(spread(0.02, 0.2)),
        });
    let recovered = (overload == Overload::Sheds).then_some(0.35);
    StepReport {
        name: name.to_owned(),
        url: "http://127.0.0.1:8080/work?us=400".to_owned(),
        command: "seda step http://127.0.0.1:8080/work?us=400 --repeats 3".to_owned(),
        slo_seconds: SLO,
        deadline_seconds: DEADLINE,
        repeats: 3,
        parts: parts.collect(),
        bins: (0..500).map(|nth| bin(nth, rates, capacity, overload)).collect(),
        recoveries: vec![
            recovery(5.0, rates[0], rates[1], recovered),
            recovery(15.0, rates[1], rates[2], Some(2.4)),
        ],
        kept_schedule: true,
    }
}

fn recovery(at_seconds: f64, from: f64, to: f64, p99_after: Option<f64>) -> Recovery {
    Recovery {
        change: format!("{from:.0}/s -> {to:.0}/s"),
        at_seconds,
        p99_within_slo_after: p99_after,
        goodput_back_after: Some(0.15),
    }
}

fn point(multiple: f64, capacity: f64, overload: Overload) -> Point {
    let offered = multiple * capacity;
    let sheds = overload == Overload::Sheds;
    let excess = (multiple - 1.0).max(0.0);
    let ratio = match overload {
        Overload::Sheds => multiple.min(1.0) * (1.0 - 0.008 * excess),
        Overload::Collapses => multiple.min(1.0) / (1.0 + 6.0 * excess),
    };
    // Most of the remaining answers are late.
    let late = if sheds { 0.002 } else { 0.7 * (multiple.min(1.0) - ratio) / multiple };
    let good = ratio / multiple;
    let lost = (1.0 - good - late).max(0.0);
    let utilization = (multiple * 0.93).min(0.97);
    // The mean of an M/M/1 queue up to the capacity; above it, of a queue with a limit, or of one
    // as long as the deadline.
    let service = 2.0 * 0.93 / capacity;
    let mean = match overload {
        _ if multiple < 0.95 => service / (1.0 - utilization),
        Overload::Sheds => service * (12.0 + excess),
        Overload::Collapses => (service * 12.0 + 0.4 * excess).min(0.8 * DEADLINE),
    };
    let throughput = capacity * ratio + offered * late;
    Point {
        settled_after: Spread::default(),
        multiple,
        offered_per_second: spread(offered, 0.005),
        throughput_per_second: spread(throughput, 0.02),
        goodput_per_second: spread(capacity * ratio, 0.03),
        goodput_ratio: spread(ratio, 0.02),
        goodput_by_slo: vec![
            spread(capacity * ratio, 0.03),
            spread(capacity * ratio + offered * late * 0.7, 0.03),
        ],
        response: ResponseSpreads {
            mean: Some(spread(mean, 0.08)),
            p50: Some(spread(mean * 0.7, 0.08)),
            p99: Some(spread((mean * 4.6).min(DEADLINE), 0.08)),
            p999: Some(spread((mean * 6.9).min(DEADLINE), 0.08)),
        },
        refusal_p99: sheds.then(|| spread(0.002, 0.1)),
        shares: if sheds {
            [good, late, lost, 0.0, 0.0, 0.0, 0.0]
        } else {
            [good, late, 0.0, 0.0, lost * 0.9, lost * 0.06, lost * 0.04]
        },
        in_flight: spread(
            throughput * mean + offered * lost * if sheds { 0.001 } else { 0.9 },
            0.05,
        ),
        rate_times_response: spread(throughput * mean, 0.05),
        utilization: Some(spread(utilization, 0.01)),
        demand_seconds: Some(spread(service, 0.02)),
        predicted_mean: Some(service / (1.0 - utilization)),
        verdict: Some(
            if multiple < 0.95 { "nothing yet" } else { "CPU: all cores busy" }.to_owned(),
        ),
        kept_schedule: multiple < 5.0 || sheds,
        cdf: (1..=200)
            .map(|nth| f64::from(nth) / 200.0)
            .map(|share| (time(mean, share), share))
            .collect(),
        stages: if sheds { stages(offered, lost) } else { Vec::new() },
    }
}

/// Returns a quantile of an exponential that is limited by the deadline.
fn time(mean: f64, share: f64) -> f64 {
    (0.0002 - mean * (1.0 - share * 0.9999).ln()).min(DEADLINE)
}

fn stages(offered: f64, lost: f64) -> Vec<StagePoint> {
    let handled = whole(offered * 10.0 * (1.0 - lost));
    let refused = whole(offered * lost * 10.0);
    vec![
        stage("parse", whole(lost * 3.0), 1, handled, 0),
        stage("work", whole(lost * 120.0), 2 + whole(lost * 6.0), handled, refused),
        stage("render", whole(lost * 9.0), 1, handled, 0),
    ]
}

fn stage(name: &str, depth: u64, workers: u64, handled: u64, refused: u64) -> StagePoint {
    let (name, shed) = (name.to_owned(), refused / 20);
    StagePoint { name, depth, workers, utilization: 0.5, handled, refused, shed }
}

/// Returns a whole number, at least 0.
fn whole(figure: f64) -> u64 {
    figure.max(0.0) as u64
}

fn round(capacity: f64, points: &[Point]) -> Round {
    Round {
        probed_per_second: capacity,
        capacity_per_second: capacity,
        runs: points.iter().map(run).collect(),
    }
}

fn run(point: &Point) -> Run {
    let mut load = LoadReport { slo_seconds: vec![SLO], ..LoadReport::default() };
    load.generator.kept_schedule = point.kept_schedule;
    if !point.kept_schedule {
        let reason = "p99 of the lag was 14 ms, more than a tenth of the SLO";
        load.generator.why_not = Some(reason.to_owned());
    }
    let settled_after = point.settled_after.median;
    let stages = point.stages.clone();
    Run { multiple: point.multiple, load, settled_after, unwatched: None, stages }
}

/// Returns the requests of a bin in three runs.
fn count(per_second: f64) -> u64 {
    (per_second * 0.05 * 3.0) as u64
}

fn bin(nth: u32, rates: [f64; 3], capacity: f64, overload: Overload) -> Bin {
    let from = f64::from(nth) * 0.05;
    let wobble = 1.0 + 0.06 * (f64::from(nth) * 1.7).sin() * (f64::from(nth) * 0.37).cos();
    let over = (5.0..15.0).contains(&from);
    let rate = if over { rates[1] } else { rates[0] };
    let scheduled = count(rate * wobble);
    let settling = over && from < 5.4;
    let collapsed = overload == Overload::Collapses && (5.8..17.4).contains(&from);
    let good = match (over, collapsed) {
        (_, true) => count(capacity * 0.06 * wobble),
        (true, false) => count(capacity * 0.96 * wobble),
        (false, false) => scheduled,
    };
    let late = if settling || collapsed { (scheduled - good.min(scheduled)) / 3 } else { 0 };
    let rest = scheduled - good.min(scheduled) - late;
    let shed = if overload == Overload::Sheds { rest } else { 0 };
    let p99 = match (over, collapsed) {
        (_, true) => 0.96,
        (true, false) => {
            if settling {
                0.14
            } else {
                0.028
            }
        }
        (false, false) => 0.009,
    };
    let answered = !(collapsed && nth % 40 < 3);
    Bin {
        from_seconds: from,
        seconds: 0.05,
        outcomes: Outcomes {
            scheduled,
            good: good.min(scheduled),
            late,
            refused: shed,
            timed_out: rest - shed,
            ..Outcomes::default()
        },
        p50: answered.then_some(p99 / 4.0 * wobble),
        p99: answered.then_some(p99 * wobble),
    }
}

fn spread(median: f64, share: f64) -> Spread {
    Spread { median, low: median * (1.0 - share), high: median * (1.0 + share * 0.7) }
}
