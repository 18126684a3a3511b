//! The cells of the matrix, as a file has them: `benches/peers/matrix.toml`, or one's own.

use crate::cases::burst::Burst;
use crate::cases::classes::Classes;
use crate::cases::controllers::Controllers;
use crate::cases::demand::Demand;
use crate::cases::fairness::Fairness;
use crate::cases::neighbour::Neighbour;
use crate::cases::overload::Overload;
use crate::cases::quiet::Quiet;
use crate::cases::rare::Rare;
use crate::cases::step::Step;
use crate::judge::verdict::Row;
use crate::measure::runner::Bench;
use crate::measure::servers::{Peer, ServerFlags};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cells {
    run: Settings,
    quick: Quick,
    pub(crate) server: ServerFlags,
    #[serde(default)]
    overload: Vec<Overload>,
    #[serde(default)]
    step: Vec<Step>,
    #[serde(default)]
    burst: Vec<Burst>,
    #[serde(default)]
    classes: Vec<Classes>,
    #[serde(default)]
    neighbour: Vec<Neighbour>,
    #[serde(default)]
    rare: Vec<Rare>,
    #[serde(default)]
    demand: Vec<Demand>,
    #[serde(default)]
    fairness: Vec<Fairness>,
    #[serde(default)]
    controllers: Vec<Controllers>,
    #[serde(default)]
    quiet: Vec<Quiet>,
}

/// What holds for every cell that does not say otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) rounds: u32,
    #[serde(with = "humantime_serde")]
    pub(crate) slo: Duration,
    /// When a client gives up; twice the SLO at least.
    #[serde(with = "humantime_serde")]
    pub(crate) deadline: Duration,
    #[serde(with = "humantime_serde")]
    pub(crate) warm_up: Duration,
    #[serde(with = "humantime_serde")]
    pub(crate) measured: Duration,
    /// The closed loop that finds the rates to offer.
    #[serde(with = "humantime_serde")]
    pub(crate) probe: Duration,
    /// Whom it asks.
    pub(crate) probed: Peer,
    /// Loads that only help to find C.
    pub(crate) at_capacity: Vec<f64>,
    /// The rate at which nearly all is refused, for c.
    pub(crate) flood: f64,
    #[serde(with = "humantime_serde")]
    pub(crate) refusal_p99: Duration,
    #[serde(with = "humantime_serde")]
    pub(crate) refusal_cpu: Duration,
    /// What two equal servers may differ by, as a share.
    pub(crate) no_worse_by: f64,
    /// Filled in from `[quick]`.
    #[serde(skip)]
    pub(crate) quick_loads: Vec<f64>,
    #[serde(skip)]
    pub(crate) quick_runs: u32,
}

/// What `--quick` makes of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick {
    rounds: u32,
    #[serde(with = "humantime_serde")]
    warm_up: Duration,
    #[serde(with = "humantime_serde")]
    measured: Duration,
    /// Of the loads of an overload cell, these.
    loads: Vec<f64>,
    /// Runs that are pooled, and pairs.
    runs: u32,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Overload(&'a Overload),
    Step(&'a Step),
    Burst(&'a Burst),
    Classes(&'a Classes),
    Neighbour(&'a Neighbour),
    Rare(&'a Rare),
    Demand(&'a Demand),
    Fairness(&'a Fairness),
    Controllers(&'a Controllers),
    Quiet(&'a Quiet),
}

/// Why a file of cells is none.
#[derive(Debug, Error)]
pub(crate) enum CellsError {
    #[error("--cells {}: {source}; name a readable file", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("--cells {}: {message}", file.display())]
    Parse { file: PathBuf, message: String },
    #[error("two cells are called {0:?}; give each a name of its own")]
    Twice(String),
    #[error("the cell {name:?} {fault}")]
    Cell { name: String, fault: &'static str },
    #[error("no cell is called {name:?}; there are {}", known.join(", "))]
    Unknown { name: String, known: Vec<String> },
}

impl Cells {
    /// Reads and checks a file.
    pub(crate) fn read(file: &Path) -> Result<Self, CellsError> {
        let text = fs::read_to_string(file)
            .map_err(|source| CellsError::Read { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, CellsError> {
        let message = |error: toml::de::Error| error.to_string().trim_end().to_owned();
        let cells: Self = toml::from_str(text).map_err(|error| CellsError::Parse {
            file: file.to_owned(),
            message: message(error),
        })?;
        let mut names = BTreeSet::new();
        if let Some(twice) = cells.all().iter().find(|cell| !names.insert(cell.name().to_owned())) {
            return Err(CellsError::Twice(twice.name().to_owned()));
        }
        let faulty = cells.overload.iter().find_map(|cell| Some((cell, cell.fault()?)));
        match faulty {
            Some((cell, fault)) => Err(CellsError::Cell { name: cell.name.clone(), fault }),
            None => Ok(cells),
        }
    }

    /// The settings of a run.
    pub(crate) fn settings(&self, quick: bool, rounds: Option<u32>) -> Settings {
        let mut settings = self.run.clone();
        settings.quick_loads.clone_from(&self.quick.loads);
        settings.quick_runs = self.quick.runs;
        if quick {
            settings.rounds = self.quick.rounds;
            (settings.warm_up, settings.measured) = (self.quick.warm_up, self.quick.measured);
            // C is then what the row's own loads come to.
            settings.at_capacity.clear();
        }
        settings.rounds = rounds.unwrap_or(settings.rounds).max(1);
        settings
    }

    /// Those of these names; all, if none is named.
    pub(crate) fn chosen(&self, only: &[String]) -> Result<Vec<Cell<'_>>, CellsError> {
        let all = self.all();
        let known = || all.iter().map(|cell| cell.name().to_owned()).collect();
        if let Some(name) = only.iter().find(|name| !all.iter().any(|cell| cell.name() == *name)) {
            return Err(CellsError::Unknown { name: name.clone(), known: known() });
        }
        let chosen = |cell: &Cell<'_>| only.is_empty() || only.iter().any(|n| n == cell.name());
        Ok(all.into_iter().filter(chosen).collect())
    }

    #[cfg(test)]
    pub(crate) fn overloads(&self) -> &[Overload] {
        &self.overload
    }

    fn all(&self) -> Vec<Cell<'_>> {
        let mut all: Vec<Cell<'_>> = self.overload.iter().map(Cell::Overload).collect();
        all.extend(self.step.iter().map(Cell::Step));
        all.extend(self.burst.iter().map(Cell::Burst));
        all.extend(self.classes.iter().map(Cell::Classes));
        all.extend(self.neighbour.iter().map(Cell::Neighbour));
        all.extend(self.rare.iter().map(Cell::Rare));
        all.extend(self.demand.iter().map(Cell::Demand));
        all.extend(self.fairness.iter().map(Cell::Fairness));
        all.extend(self.controllers.iter().map(Cell::Controllers));
        all.extend(self.quiet.iter().map(Cell::Quiet));
        all
    }
}

impl Cell<'_> {
    /// By which it is chosen.
    pub(crate) fn name(&self) -> &str {
        match self {
            Cell::Overload(cell) => &cell.name,
            Cell::Step(cell) => &cell.name,
            Cell::Burst(cell) => &cell.name,
            Cell::Classes(cell) => &cell.name,
            Cell::Neighbour(cell) => &cell.name,
            Cell::Rare(cell) => &cell.name,
            Cell::Demand(cell) => &cell.name,
            Cell::Fairness(cell) => &cell.name,
            Cell::Controllers(cell) => &cell.name,
            Cell::Quiet(cell) => &cell.name,
        }
    }

    /// As its rows have it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Cell::Overload(_) => "overload",
            Cell::Step(_) => "step",
            Cell::Burst(_) => "burst",
            Cell::Classes(_) => "classes",
            Cell::Neighbour(_) => "neighbour",
            Cell::Rare(_) => "rare class",
            Cell::Demand(_) => "demand",
            Cell::Fairness(_) => "fairness",
            Cell::Controllers(_) => "controllers",
            Cell::Quiet(_) => "quiet",
        }
    }

    /// Its rows.
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        match self {
            Cell::Overload(cell) => cell.measure(bench),
            Cell::Step(cell) => cell.measure(bench),
            Cell::Burst(cell) => cell.measure(bench),
            Cell::Classes(cell) => cell.measure(bench),
            Cell::Neighbour(cell) => cell.measure(bench),
            Cell::Rare(cell) => cell.measure(bench),
            Cell::Demand(cell) => cell.measure(bench),
            Cell::Fairness(cell) => cell.measure(bench),
            Cell::Controllers(cell) => cell.measure(bench),
            Cell::Quiet(cell) => cell.measure(bench),
        }
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
