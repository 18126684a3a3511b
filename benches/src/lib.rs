//! The common parts of the benchmarks: CPU time, pinning, and rounds side by side.
//!
//! Absolute times on a shared machine mean little. Each benchmark therefore interleaves its cases
//! round by round, and prints the median and the range of each.

pub mod process;
pub mod rng;

use std::fmt::Display;
use std::fs;

/// The result of [`pin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// The process runs on the given processors only.
    Yes,
    /// The kernel refused, or the machine has fewer processors.
    No,
}

/// Pins this process, and the threads it starts from now on, to the given processors.
pub fn pin(cores: &[usize]) -> Pinned {
    let mut set = rustix::thread::CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    match rustix::thread::sched_setaffinity(None, &set) {
        Ok(()) => Pinned::Yes,
        Err(_) => Pinned::No,
    }
}

/// Returns the CPU seconds of this process so far: all threads, user and system.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the CPU seconds of another process so far, user and system; `None` if it has ended.
pub fn cpu_seconds_of(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Fields 14 and 15 of proc(5), counted from the end of the name, which may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// The figures of several cases, collected round by round.
#[derive(Debug)]
pub struct Rounds {
    cases: Vec<(String, Vec<f64>)>,
}

impl Rounds {
    /// Returns rounds of these cases without figures.
    pub fn new<C: Display>(cases: impl IntoIterator<Item = C>) -> Self {
        Self { cases: cases.into_iter().map(|case| (case.to_string(), Vec::new())).collect() }
    }

    /// Adds a figure to the case of this index.
    pub fn add(&mut self, case: usize, figure: f64) {
        if let Some((_, figures)) = self.cases.get_mut(case) {
            figures.push(figure);
        }
    }

    /// Prints the minimum, median and maximum of every case.
    pub fn print(&self, prefix: &str) {
        for (case, figures) in &self.cases {
            print_line(&format!("{prefix}{case}"), &Spread::of(figures));
        }
    }

    /// Prints the case `base` as it is, and of the others the difference to it in the same round.
    pub fn print_minus(&self, base: usize, prefix: &str) {
        let Some((_, base_figures)) = self.cases.get(base) else {
            return;
        };
        for (index, (case, figures)) in self.cases.iter().enumerate() {
            if index == base {
                print_line(&format!("{prefix}{case}"), &Spread::of(figures));
            } else {
                let beyond: Vec<f64> =
                    figures.iter().zip(base_figures).map(|(figure, base)| figure - base).collect();
                print_line(&format!("{prefix}{case}, beyond it"), &Spread::of(&beyond));
            }
        }
    }

    /// Prints the ratio of two cases, round by round.
    pub fn print_ratio(&self, case: usize, base: usize) {
        let (Some((name, figures)), Some((base_name, base_figures))) =
            (self.cases.get(case), self.cases.get(base))
        else {
            return;
        };
        let ratios: Vec<f64> = figures.iter().zip(base_figures).map(|(a, b)| a / b).collect();
        let Spread { low, median, high } = Spread::of(&ratios);
        println!("{name} / {base_name}: {median:.3} (range {low:.3} to {high:.3})");
    }
}

fn print_line(case: &str, Spread { low, median, high }: &Spread) {
    println!("{case:<42} {low:>9.2} {median:>9.2} {high:>9.2}");
}

/// Minimum, median and maximum; NaN without figures.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(figures: &[f64]) -> Self {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
        let low = sorted.first().copied().unwrap_or(f64::NAN);
        let high = sorted.last().copied().unwrap_or(f64::NAN);
        Self { low, median, high }
    }
}
