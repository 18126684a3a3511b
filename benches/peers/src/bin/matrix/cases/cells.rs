//! The file of cells: `benches/peers/matrix.toml`, or another one given by `--cells`.

use crate::cases::at_once::AtOnce;
use crate::cases::burst::Burst;
use crate::cases::classes::Classes;
use crate::cases::controllers::Controllers;
use crate::cases::demand::Demand;
use crate::cases::fairness::Fairness;
use crate::cases::neighbour::Neighbour;
use crate::cases::on_off::OnOff;
use crate::cases::overload;
use crate::cases::quiet::Quiet;
use crate::cases::rare::Rare;
use crate::cases::step::Step;
use crate::judge::verdict::Row;
use crate::measure::runner::Runner;
use crate::measure::servers::ServerFlags;
use crate::settings::Settings;
use crate::settings::overload_spec::{OverloadSpec, SpecError};
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
    overload: Vec<OverloadSpec>,
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
    below: Below,
}

/// The table `[below]`: cells with less load than capacity on average, in which hardly any request
/// may be refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Below {
    #[serde(default)]
    on_off: Vec<OnOff>,
    #[serde(default)]
    at_once: Vec<AtOnce>,
    #[serde(default)]
    quiet: Vec<Quiet>,
}

/// The table `[quick]`: values that replace those of `[run]` with `--quick`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick {
    rounds: u32,
    #[serde(with = "humantime_serde")]
    warm_up: Duration,
    #[serde(with = "humantime_serde")]
    measured: Duration,
    /// Loads that an overload cell keeps.
    loads: Vec<f64>,
    /// Number of runs to pool, and of pairs.
    runs: u32,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Overload(&'a OverloadSpec),
    Step(&'a Step),
    Burst(&'a Burst),
    Classes(&'a Classes),
    Neighbour(&'a Neighbour),
    Rare(&'a Rare),
    Demand(&'a Demand),
    Fairness(&'a Fairness),
    Controllers(&'a Controllers),
    OnOff(&'a OnOff),
    AtOnce(&'a AtOnce),
    Quiet(&'a Quiet),
}

/// A file of cells that cannot be used, or a name that is not in it.
#[derive(Debug, Error)]
pub(crate) enum CellsError {
    #[error("--cells {}: {source}; name a readable file", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("--cells {}: {message}", file.display())]
    Parse { file: PathBuf, message: String },
    #[error("two cells are called {0:?}; give each a name of its own")]
    Twice(String),
    #[error("the cell {name:?} {source}")]
    Cell { name: String, source: SpecError },
    #[error("no cell is called {name:?}; the file has {}", known.join(", "))]
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
        let cells: Self = toml::from_str(text).map_err(|error| CellsError::Parse {
            file: file.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut names = BTreeSet::new();
        if let Some(twice) = cells.all().iter().find(|cell| !names.insert(cell.name().to_owned())) {
            return Err(CellsError::Twice(twice.name().to_owned()));
        }
        for spec in &cells.overload {
            let fault = |source| CellsError::Cell { name: spec.name.clone(), source };
            spec.check().map_err(fault)?;
        }
        Ok(cells)
    }

    /// Returns the settings of a run; `rounds` overrides those of the file.
    pub(crate) fn settings(&self, quick: bool, rounds: Option<u32>) -> Settings {
        let mut settings = self.run.clone();
        settings.quick = quick;
        settings.quick_loads.clone_from(&self.quick.loads);
        settings.quick_runs = self.quick.runs;
        if quick {
            settings.rounds = self.quick.rounds;
            settings.warm_up = self.quick.warm_up;
            settings.measured = self.quick.measured;
        }
        settings.rounds = rounds.unwrap_or(settings.rounds).max(1);
        settings
    }

    /// Returns the cells with these names; all if none is given.
    pub(crate) fn chosen(&self, only: &[String]) -> Result<Vec<Cell<'_>>, CellsError> {
        let all = self.all();
        if let Some(name) = only.iter().find(|name| !all.iter().any(|cell| cell.name() == *name)) {
            let known = all.iter().map(|cell| cell.name().to_owned()).collect();
            return Err(CellsError::Unknown { name: name.clone(), known });
        }
        if only.is_empty() {
            return Ok(all);
        }
        Ok(all.into_iter().filter(|cell| only.iter().any(|name| name == cell.name())).collect())
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
        all.extend(self.below.on_off.iter().map(Cell::OnOff));
        all.extend(self.below.at_once.iter().map(Cell::AtOnce));
        all.extend(self.below.quiet.iter().map(Cell::Quiet));
        all
    }
}

impl Cell<'_> {
    /// Returns the name that `--only` takes.
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
            Cell::OnOff(cell) => &cell.name,
            Cell::AtOnce(cell) => &cell.name,
            Cell::Quiet(cell) => &cell.name,
        }
    }

    /// Returns the kind as its rows show it.
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
            Cell::OnOff(_) => "on and off",
            Cell::AtOnce(_) => "at once",
            Cell::Quiet(_) => "quiet",
        }
    }

    /// Measures the cell and returns its rows.
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        match self {
            Cell::Overload(spec) => overload::measure(spec, runner),
            Cell::Step(cell) => cell.measure(runner),
            Cell::Burst(cell) => cell.measure(runner),
            Cell::Classes(cell) => cell.measure(runner),
            Cell::Neighbour(cell) => cell.measure(runner),
            Cell::Rare(cell) => cell.measure(runner),
            Cell::Demand(cell) => cell.measure(runner),
            Cell::Fairness(cell) => cell.measure(runner),
            Cell::Controllers(cell) => cell.measure(runner),
            Cell::OnOff(cell) => cell.measure(runner),
            Cell::AtOnce(cell) => cell.measure(runner),
            Cell::Quiet(cell) => cell.measure(runner),
        }
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
