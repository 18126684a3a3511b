//! The trials of a lab, spread over threads.

use super::report::{CellReport, LabReport, MapReport, VariantReport};
use seda_sim::SimError;
use seda_sim::study::{Map, Summary, Trial, Variant};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The seeds that are set apart for each cell, so that the trials of a cell do not depend on the
/// number of trials.
const SEEDS_PER_CELL: u64 = 1_000_000;

/// The trials of a lab.
#[derive(Clone, Debug)]
pub struct LabPlan {
    /// The maps, with their numbers in reports.
    pub maps: Vec<Numbered>,
    /// The servers.
    pub variants: Vec<Variant>,
    /// Trials for each cell and server; 1 to 1,000,000.
    pub seeds: u64,
    /// Threads that run trials.
    pub threads: usize,
}

/// A map and its number.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// The number, from 1.
    pub number: usize,
    /// The map.
    pub map: Map,
}

/// One trial: indices into a plan.
#[derive(Clone, Copy, Debug)]
struct Task {
    map: usize,
    variant: usize,
    cell: usize,
    seed: u64,
}

/// A trial that was run.
type Done = (Task, Trial);

impl LabPlan {
    /// Runs all trials.
    ///
    /// # Errors
    /// A cell of a map is no valid spec; or no thread can be started.
    pub fn run(&self) -> Result<LabReport, SimError> {
        let tasks = self.tasks();
        let next = AtomicUsize::new(0);
        let mut done: Vec<Done> = Vec::with_capacity(tasks.len());
        thread::scope(|scope| {
            let threads: Vec<_> = (1..self.threads.max(1))
                .map_while(|number| {
                    let thread = thread::Builder::new().name(format!("lab-{number}"));
                    // Fewer threads take longer and find the same.
                    thread.spawn_scoped(scope, || self.work(&tasks, &next)).ok()
                })
                .collect();
            done.extend(self.work(&tasks, &next)?);
            for thread in threads {
                match thread.join() {
                    Ok(trials) => done.extend(trials?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok::<(), SimError>(())
        })?;
        done.sort_by_key(|(task, _)| (task.map, task.variant, task.cell, task.seed));
        Ok(self.report(&done))
    }

    fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (map, numbered) in self.maps.iter().enumerate() {
            for variant in 0..self.variants.len() {
                for cell in 0..numbered.map.cells.len() {
                    let first = cell as u64 * SEEDS_PER_CELL + 1;
                    let seeds = first..first + self.seeds.min(SEEDS_PER_CELL);
                    tasks.extend(seeds.map(|seed| Task { map, variant, cell, seed }));
                }
            }
        }
        tasks
    }

    /// Runs the next task until there is none.
    fn work(&self, tasks: &[Task], next: &AtomicUsize) -> Result<Vec<Done>, SimError> {
        let mut done = Vec::new();
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let map = self.maps.get(task.map).map(|numbered| &numbered.map);
            let variant = self.variants.get(task.variant);
            let (Some(map), Some(variant)) = (map, variant) else {
                debug_assert!(false, "a task is of the plan");
                continue;
            };
            if let Some(cell) = map.cells.get(task.cell) {
                let spec = variant.apply(map.spec_at(*cell)?);
                done.push((*task, Trial::run(&spec, task.seed)?));
            }
        }
        Ok(done)
    }

    fn report(&self, done: &[Done]) -> LabReport {
        let mut maps = Vec::with_capacity(self.maps.len());
        for (map, Numbered { number, map: of }) in self.maps.iter().enumerate() {
            let mut variants = Vec::with_capacity(self.variants.len());
            for (variant, name) in self.variants.iter().enumerate() {
                let own =
                    done.iter().filter(|(task, _)| (task.map, task.variant) == (map, variant));
                let cells = of.cells.iter().enumerate().map(|(index, cell)| {
                    let trials = own.clone().filter(|(task, _)| task.cell == index);
                    CellReport { cell: *cell, summary: Summary::of(trials.map(|(_, trial)| trial)) }
                });
                let all = Summary::of(own.clone().map(|(_, trial)| trial));
                variants.push(VariantReport { variant: *name, all, cells: cells.collect() });
            }
            let (title, capacity_per_second) = (of.title.clone(), of.capacity);
            maps.push(MapReport { number: *number, title, capacity_per_second, variants });
        }
        LabReport { maps }
    }
}
