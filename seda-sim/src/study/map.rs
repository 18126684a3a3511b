//! Maps: a spec over loads, and over sizes and lengths of its trigger.

use super::cell::Cell;
use super::trigger::Trigger;
use crate::spec::{Spec, SpecError};
use humantime_serde::Serde;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file of a folder that lists its maps.
const MAPS: &str = "maps.toml";

/// A spec over loads, and over sizes and lengths of its trigger: the one fault of the spec.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Map {
    /// The title in reports.
    pub title: String,
    /// Requests per second that the spec serves, at its highest.
    pub capacity: f64,
    /// All combinations of the axes.
    pub cells: Vec<Cell>,
    spec: Spec,
}

/// The file of a folder, as TOML has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapsFile {
    map: Vec<MapEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapEntry {
    title: String,
    spec: PathBuf,
    capacity: f64,
    loads: Vec<f64>,
    #[serde(default)]
    sizes: Vec<f64>,
    lengths: Vec<Serde<Duration>>,
}

/// Reads the maps of a folder: its file `maps.toml`, and the specs that it names.
///
/// # Errors
/// A file cannot be read, or a value is invalid: the error names the key, the value and the values
/// that are allowed.
pub fn read_maps(folder: &Path) -> Result<Vec<Map>, SpecError> {
    let file = folder.join(MAPS);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| SpecError::Unreadable { path: file, error })?;
    let file: MapsFile = toml::from_str(&text).map_err(Box::new)?;
    file.map.into_iter().map(|entry| Map::read(folder, entry)).collect()
}

impl Map {
    fn read(folder: &Path, entry: MapEntry) -> Result<Self, SpecError> {
        let spec = Spec::read(&folder.join(&entry.spec))?;
        let title = entry.title;
        if !(entry.capacity > 0.0 && entry.capacity.is_finite()) {
            let key = format!("map.{title}.capacity");
            return Err(SpecError::value(key, entry.capacity, "above 0 per second"));
        }
        if entry.loads.is_empty() || entry.lengths.is_empty() {
            let key = format!("map.{title}.loads and lengths");
            return Err(SpecError::value(key, "empty", "one of each at least"));
        }
        let sizes: Vec<Option<f64>> = match entry.sizes.as_slice() {
            [] => vec![None],
            sizes => sizes.iter().copied().map(Some).collect(),
        };
        let mut cells = Vec::new();
        for load in &entry.loads {
            for size in &sizes {
                for length in &entry.lengths {
                    let length_seconds = length.as_secs_f64();
                    cells.push(Cell { load: *load, size: *size, length_seconds });
                }
            }
        }
        let map = Self { title, capacity: entry.capacity, cells, spec };
        // Every cell is a valid spec.
        map.cells.iter().try_for_each(|cell| map.spec_at(*cell)?.check())?;
        Ok(map)
    }

    /// Returns the spec of a cell: its load, and the trigger with its size and length. The window
    /// begins when the trigger is over.
    ///
    /// # Errors
    /// The spec has not exactly one fault, or the cell has a value that is not allowed.
    pub fn spec_at(&self, cell: Cell) -> Result<Spec, SpecError> {
        let mut spec = self.spec.at_rate(cell.load * self.capacity)?;
        let Trigger { fault, end } = Trigger::at(&self.spec, self.capacity, cell)?;
        spec.faults = vec![fault];
        spec.warm_up = end;
        Ok(spec)
    }
}
