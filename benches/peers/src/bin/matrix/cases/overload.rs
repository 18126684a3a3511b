//! One kind of request at multiples of the capacity, against the bound B and a hand-tuned rival.

use crate::judge::verdict::{Row, time};
use crate::measure::load_point::{LoadPoint, Targets};
use crate::measure::round::Round;
use crate::measure::runner::Runner;
use crate::measure::servers::Subject;
use crate::settings::Peer;
use crate::settings::overload_spec::OverloadSpec;
use crate::settings::request_spec::Requests;
use peers::Contestant;
use seda_tools::sweep::Spread;
use seda_tools::units::rate;
use std::error::Error;

/// Loads that choose the best hand-tuned limit. Some limits do well at one of them only.
const TUNED_AT: [f64; 2] = [1.2, 5.0];

/// Measures the cell and returns a row for each load.
pub(crate) fn measure(
    spec: &OverloadSpec,
    runner: &mut Runner,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let Some(requests) = spec.requests()? else { return Ok(vec![not_run(spec)]) };
    let loads = spec.loads(&runner.settings);
    let rival = best_rival(spec, runner, &requests)?;
    let mut points: Vec<Vec<LoadPoint>> = loads.iter().map(|_| Vec::new()).collect();
    for number in 0..runner.settings.rounds {
        let round = Round { spec, requests: &requests, rival: Subject::Rival(rival), number };
        let found = round.measure(runner, &loads)?;
        points.iter_mut().zip(found).for_each(|(points, point)| points.push(point));
    }
    let targets = Targets { spec, slo: spec.slo(&runner.settings), rival: rival.to_string() };
    let mut rows = Vec::new();
    for (load, points) in loads.iter().zip(&points) {
        let mut row = targets.row(&runner.settings, *load, points);
        if spec.bare_loop {
            row.notes.push(generator_note(spec, runner, points)?);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Measures the generator at the rate of `points` against a server that only says hello.
fn generator_note(
    spec: &OverloadSpec,
    runner: &mut Runner,
    points: &[LoadPoint],
) -> Result<String, Box<dyn Error>> {
    let offered = points.iter().map(|point| point.ours.load.offered_per_second);
    let offered = Spread::of(offered).ok_or("no round was measured")?.median;
    let hello = Requests::Mix("/".parse()?);
    let rival = Subject::Rival(Contestant::HyperInline);
    let round = Round { spec, requests: &hello, rival, number: 0 };
    let load = round.at_rate(runner, rival, 1.0, offered)?.load;
    let lag = load.generator.lag_seconds.p99.map_or("-".to_owned(), time);
    Ok(format!(
        "the generator against a bare loop: {} of {} answered, 1 % began at least {lag} late, \
         {:.0} % of its core",
        rate(load.throughput_per_second),
        rate(load.offered_per_second),
        load.generator.cpu_share * 100.0
    ))
}

/// Tries the rivals and returns the one with the most goodput; with `--quick`, the first.
fn best_rival(
    spec: &OverloadSpec,
    runner: &mut Runner,
    requests: &Requests,
) -> Result<Contestant, Box<dyn Error>> {
    let first = spec.rivals.first().ok_or("no rival is named")?.0;
    if runner.settings.quick || spec.rivals.len() == 1 {
        return Ok(first);
    }
    let round = Round { spec, requests, rival: Subject::Rival(first), number: 0 };
    let capacity = round.capacity(runner)?;
    let mut best = (first, 0.0);
    for Peer(rival) in &spec.rivals {
        let mut goodput = 0.0;
        for load in TUNED_AT {
            goodput += round.at(runner, Subject::Rival(*rival), load, capacity)?.goodput;
        }
        if goodput > best.1 {
            best = (*rival, goodput);
        }
    }
    Ok(best.0)
}

fn not_run(spec: &OverloadSpec) -> Row {
    let why = format!("{} does not exist", spec.trace_file().display());
    Row::not_run("overload", &spec.name, &why)
}
