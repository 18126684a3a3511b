//! A kind of request at multiples of the capacity, against the bound B and a hand-tuned rival.

use crate::judge::verdict::Row;
use crate::measure::load_point::{Judging, Point};
use crate::measure::round::Rounds;
use crate::measure::runner::Bench;
use crate::measure::servers::{Peer, Subject};
use crate::settings::request_spec::{Asked, Requests, first};
use peers::Contestant;
use seda_tools::figures::rate;
use seda_tools::sweep::Spread;
use seda_tools::trace::{Trace, WorkScale};
use serde::Deserialize;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where hand-tuned limits are tried: some do well at one of them and not at the other.
const TUNED_AT: [f64; 2] = [1.2, 5.0];

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overload {
    pub(crate) name: String,
    /// Paths by weight; or `trace`.
    requests: Option<Asked>,
    /// A file with arrivals and their work, from the repository's root.
    trace: Option<PathBuf>,
    /// Of which so many are used.
    first: Option<usize>,
    /// What the tokens of a language model's requests cost, if not the usual.
    micros_per_token: Option<Tokens>,
    /// Whether B assumes no more of a server than that it knows how long a request would wait; else
    /// it assumes that it knows what each demands, which is no bound that a server can reach.
    #[serde(default)]
    pub(crate) demand_unknown: bool,
    loads: Vec<f64>,
    /// Instead of the usual one.
    #[serde(default, with = "humantime_serde")]
    slo: Option<Duration>,
    /// Instead of the usual time.
    #[serde(default, with = "humantime_serde")]
    measured: Option<Duration>,
    /// The capacity is what so many workers do that each wait so long.
    pub(crate) workers: Option<u32>,
    #[serde(default, with = "humantime_serde")]
    pub(crate) each: Option<Duration>,
    /// What each request demands, if so few of them fit into the SLO that chance leaves the best
    /// server idle: then what who knows everything would make of the same arrivals is shown.
    #[serde(default, with = "humantime_serde")]
    pub(crate) demand: Option<Duration>,
    /// Rivals with their limits; the best is compared, with `--quick` the first.
    rivals: Vec<Peer>,
    /// What of the bound is wanted.
    pub(crate) goodput: f64,
    /// What c is measured with, if the cell's own requests are so short that many of a flood are
    /// served.
    flooded: Option<Asked>,
    /// All else is shown and not judged.
    #[serde(default)]
    pub(crate) goodput_only: bool,
    /// Show what the generator does against a loop that only says hello, and c of a loop that only
    /// refuses.
    #[serde(default)]
    pub(crate) bare_loop: bool,
}

/// Microseconds of work for a token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: f64,
    output: f64,
}

impl Overload {
    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match (&self.requests, &self.trace) {
            (None, None) => Some("says neither `requests` nor `trace`; say one"),
            (Some(_), Some(_)) => Some("says `requests` and `trace`; say one"),
            _ if self.workers.is_some() != self.each.is_some() => {
                Some("says one of `workers` and `each`; say both or none")
            }
            _ if self.loads.iter().any(|load| *load <= 1.0) || self.loads.is_empty() => {
                Some("needs `loads` above 1")
            }
            _ if self.rivals.is_empty() => Some("has no `rivals`; name one"),
            _ => None,
        }
    }

    /// Its rows, one for each load.
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let Some(requests) = self.read()? else { return Ok(vec![self.not_run()]) };
        let loads = self.chosen_loads(bench);
        let rival = self.tuned(bench, &requests)?;
        let rounds = Rounds { cell: self, requests: &requests, rival: Subject::Rival(rival) };
        let mut points: Vec<Vec<Point>> = loads.iter().map(|_| Vec::new()).collect();
        for round in 0..bench.settings.rounds {
            let found = rounds.round(bench, &loads, round)?;
            points.iter_mut().zip(found).for_each(|(points, point)| points.push(point));
        }
        let judging = Judging { cell: self, slo: self.slo(bench), rival: rival.to_string() };
        let mut rows = Vec::new();
        for (load, points) in loads.iter().zip(&points) {
            let mut row = judging.row(&bench.settings, *load, points);
            if self.bare_loop {
                row.notes.push(self.bare(bench, points)?);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// What c is measured with.
    pub(crate) fn flooding(&self, own: &Requests) -> Requests {
        self.flooded.as_ref().map_or_else(|| own.clone(), Requests::from)
    }

    /// Whether an overload leaves the core no idle moment: waiting workers and bursts do.
    pub(crate) fn fills_the_core(&self) -> bool {
        self.workers.is_none() && self.trace.is_none()
    }

    /// The capacity that is stated, per second.
    pub(crate) fn stated(&self) -> Option<f64> {
        Some(f64::from(self.workers?) / self.each?.as_secs_f64())
    }

    pub(crate) fn slo(&self, bench: &Bench) -> Duration {
        self.slo.unwrap_or(bench.settings.slo)
    }

    /// Instead of the usual time its own; with `--quick` half of that, if it is longer.
    pub(crate) fn duration(&self, bench: &Bench) -> Duration {
        let usual = bench.settings.measured;
        match self.measured {
            Some(own) if bench.quick => usual.max(own / 2),
            Some(own) => own,
            None => usual,
        }
    }

    /// What the generator does at this rate against a server that only says hello.
    fn bare(&self, bench: &mut Bench, points: &[Point]) -> Result<String, Box<dyn Error>> {
        let offered = points.iter().map(|point| point.ours.load.offered_per_second);
        let offered = Spread::of(offered).ok_or("no round was measured")?.median;
        let hello = Requests::Mix("/".parse()?);
        let rounds =
            Rounds { cell: self, requests: &hello, rival: Subject::Rival(Contestant::HyperInline) };
        let ran = rounds.at_rate(bench, rounds.rival, 1.0, offered, 0)?.load;
        let lag = ran.generator.lag_seconds.p99.map_or("-".to_owned(), crate::judge::verdict::time);
        Ok(format!(
            "the generator against a bare loop: {} of {} answered, 1 % began {lag} late or more, \
             {:.0} % of its core",
            rate(ran.throughput_per_second),
            rate(ran.offered_per_second),
            ran.generator.cpu_share * 100.0
        ))
    }

    /// The rival with the most goodput.
    fn tuned(&self, bench: &mut Bench, requests: &Requests) -> Result<Contestant, Box<dyn Error>> {
        let known = self.rivals.first().ok_or("no rival is named")?.0;
        if bench.quick || self.rivals.len() == 1 {
            return Ok(known);
        }
        let rounds = Rounds { cell: self, requests, rival: Subject::Rival(known) };
        let base = rounds.base(bench, 0)?;
        let mut best = (known, 0.0);
        for Peer(rival) in &self.rivals {
            let mut goodput = 0.0;
            for load in TUNED_AT {
                goodput += rounds.at(bench, Subject::Rival(*rival), load, base, 0)?.goodput;
            }
            if goodput > best.1 {
                best = (*rival, goodput);
            }
        }
        Ok(best.0)
    }

    fn chosen_loads(&self, bench: &Bench) -> Vec<f64> {
        let loads = self.loads.iter().copied();
        loads.filter(|load| !bench.quick || bench.settings.quick_loads.contains(load)).collect()
    }

    /// What is asked for; `None` if its file is not here.
    fn read(&self) -> Result<Option<Requests>, Box<dyn Error>> {
        if let Some(Asked(mix)) = &self.requests {
            return Ok(Some(Requests::Mix(mix.clone())));
        }
        let file = peers::root().join(self.trace.as_deref().unwrap_or(&PathBuf::new()));
        if !file.is_file() {
            return Ok(None);
        }
        let scale = self.micros_per_token.map_or_else(WorkScale::default, |tokens| WorkScale {
            micros_per_input_token: tokens.input,
            micros_per_output_token: tokens.output,
        });
        Ok(Some(Requests::Trace(Arc::new(first(Trace::open_scaled(&file, scale)?, self.first)))))
    }

    fn not_run(&self) -> Row {
        let file = self.trace.as_deref().unwrap_or(&PathBuf::new()).display().to_string();
        Row::not_run("overload", &self.name, &format!("{file} is not there"))
    }
}
