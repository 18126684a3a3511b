//! One kind of request at multiples of the capacity, against the bound B and hand-tuned rivals.

use crate::judge::verdict::{Row, time};
use crate::measure::load_point::{LoadPoint, PointJudge, best_rival};
use crate::measure::round::Round;
use crate::measure::runner::Runner;
use crate::measure::servers::Subject;
use crate::settings::overload_spec::OverloadSpec;
use crate::settings::request_spec::Requests;
use peers::Contestant;
use seda_tools::sweep::Spread;
use seda_tools::units::rate;
use std::error::Error;

/// Measures the cell and returns a row for each load.
pub(crate) fn measure(
    spec: &OverloadSpec,
    runner: &mut Runner,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let Some(requests) = spec.requests()? else { return Ok(vec![not_run(spec)]) };
    let loads = spec.loads(&runner.settings);
    let mut points: Vec<Vec<LoadPoint>> = loads.iter().map(|_| Vec::new()).collect();
    for number in 0..runner.settings.rounds {
        let round = Round { spec, requests: &requests, number };
        let found = round.measure(runner, &loads)?;
        points.iter_mut().zip(found).for_each(|(points, point)| points.push(point));
    }
    let settings = runner.settings.clone();
    let rivals = spec.rivals(&settings);
    let rival = best_rival(&rivals, &points).ok_or("no rival is named")?;
    let judge = PointJudge { spec, settings: &settings, slo: spec.slo(&settings), rival };
    let mut rows = Vec::new();
    for (load, points) in loads.iter().zip(&points) {
        let mut row = judge.row(*load, points);
        if spec.generator && !settings.quick {
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
    let ours = points.iter().filter_map(|point| point.outcome(Subject::SloSet));
    let offered = Spread::of(ours.map(|ours| ours.load.offered_per_second));
    let offered = offered.ok_or("no round was measured")?.median;
    let hello = Requests::Mix("/=1".parse()?);
    let rival = Subject::Rival(Contestant::HyperInline);
    let round = Round { spec, requests: &hello, number: 0 };
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

fn not_run(spec: &OverloadSpec) -> Row {
    let why = format!("{} does not exist", spec.trace_file().display());
    Row::not_run("overload", &spec.name, &why)
}
