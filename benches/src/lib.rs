//! What the benchmarks share: CPU time, pinning, and rounds side by side.
//!
//! Absolute times on a shared machine mean little. The benchmarks interleave their cases round by
//! round and print the median and the range of each.

pub mod process;
pub mod rng;

use std::fmt::Display;
use std::fs;

/// Whether the kernel gave the processors asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// It did.
    Yes,
    /// It did not, or there are not as many.
    No,
}

/// Keeps this process, and the threads it starts from now on, to the given processors.
pub fn pin(cores: &[usize]) -> Pinned {
    let mut set = rustix::thread::CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    match rustix::thread::sched_setaffinity(None, &set) {
        Ok(()) => Pinned::Yes,
        Err(_) => Pinned::No,
    }
}

/// CPU time of this process so far, all threads, user and system, in seconds.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// CPU time of another process so far, user and system, in seconds; `None` if it is gone.
pub fn cpu_seconds_of(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Fields 14 and 15 of proc(5), counted behind the name, which may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// Figures of several cases, taken round by round.
#[derive(Debug)]
pub struct Rounds {
    cases: Vec<(String, Vec<f64>)>,
}

impl Rounds {
    /// No figures yet, of these cases.
    pub fn new<C: Display>(cases: impl IntoIterator<Item = C>) -> Self {
        Self { cases: cases.into_iter().map(|case| (case.to_string(), Vec::new())).collect() }
    }

    /// Adds a figure of one case.
    pub fn add(&mut self, case: usize, figure: f64) {
        if let Some((_, figures)) = self.cases.get_mut(case) {
            figures.push(figure);
        }
    }

    /// The median of one case; NaN without figures.
    pub fn median(&self, case: usize) -> f64 {
        self.cases.get(case).map_or(f64::NAN, |(_, figures)| spread(figures).1)
    }

    /// Prints every case's minimum, median and maximum.
    pub fn print(&self, prefix: &str) {
        for (case, figures) in &self.cases {
            print_line(&format!("{prefix}{case}"), spread(figures));
        }
    }

    /// Prints one case as it is, and of the others what they cost beyond it in the same round.
    pub fn print_minus(&self, base: usize, prefix: &str) {
        let Some((_, base_figures)) = self.cases.get(base) else {
            return;
        };
        for (index, (case, figures)) in self.cases.iter().enumerate() {
            if index == base {
                print_line(&format!("{prefix}{case}"), spread(figures));
            } else {
                let beyond: Vec<f64> =
                    figures.iter().zip(base_figures).map(|(figure, base)| figure - base).collect();
                print_line(&format!("{prefix}{case}, beyond it"), spread(&beyond));
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
        let (low, median, high) = spread(&ratios);
        println!("{name} / {base_name}: {median:.3} (range {low:.3} to {high:.3})");
    }
}

fn print_line(case: &str, (low, median, high): (f64, f64, f64)) {
    println!("{case:<42} {low:>9.2} {median:>9.2} {high:>9.2}");
}

/// Minimum, median and maximum.
fn spread(figures: &[f64]) -> (f64, f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    (at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1)))
}
