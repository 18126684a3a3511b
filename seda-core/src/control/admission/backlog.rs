//! The shortest backlog that keeps workers busy.
//!
//! The backlog of an overloaded stage is a random walk between zero and the limit: arrivals add to
//! it, services take from it. At zero a worker idles, and its capacity is lost. A longer backlog
//! touches zero less often, and delays every answer.

/// The offered load above which a stage counts as overloaded: at 98 % its queue empties several
/// times a second, and no refusal is needed.
pub(super) const OVERLOAD: f64 = 0.98;

/// Returns how many events have to wait, so that an overload of `load` times the capacity loses at
/// most the part `loss` of it. Infinite below [`OVERLOAD`], where every refusal is a loss.
///
/// In an M/M/1/K system at ρ > 1 the worker idles for (ρ − 1) / (ρⁿ − 1) of the time with n = K + 1
/// (Kleinrock, "Queueing systems", volume 1, section 3.6). A variation c² of the services stretches
/// n by (1 + c²) / 2: the random walk has that part of the variance (Kingman's formula). Several
/// workers need no more than one worker of their total speed.
pub(super) fn busy_backlog(load: f64, variation: f64, loss: f64) -> f64 {
    if load.is_nan() || load < OVERLOAD {
        return f64::INFINITY;
    }
    // At a load of one the quotient of the logarithms tends to 1 / loss.
    let excess = load - 1.0;
    let states = if excess < 1e-6 { 1.0 / loss } else { (excess / loss).ln_1p() / load.ln() };
    (states * (1.0 + variation) / 2.0 - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::rng::SplitMix64;

    /// The share of its time that one worker idles with room for `waiting` events, at a load of
    /// `load`; simulated over `n` services.
    fn idle_share(load: f64, waiting: usize, n: usize, service: fn(f64) -> f64) -> f64 {
        let rng = SplitMix64::new(7);
        let uniform = move || -> f64 { (rng.next() >> 11) as f64 / (1_u64 << 53) as f64 };
        let (mut queued, mut idle, mut busy) = (0, 0.0, 0.0);
        let mut next = 0.0;
        for _ in 0..n {
            if queued == 0 {
                // The worker waits for the next arrival.
                idle += next;
                next = -(1.0 - uniform()).ln() / load;
            } else {
                queued -= 1;
            }
            let lasts = service(uniform());
            busy += lasts;
            let mut left = lasts;
            while next <= left {
                left -= next;
                next = -(1.0 - uniform()).ln() / load;
                queued = (queued + 1).min(waiting);
            }
            next -= left;
        }
        idle / (idle + busy)
    }

    #[test]
    fn the_backlog_loses_no_more_than_asked_for() {
        let deterministic: fn(f64) -> f64 = |_| 1.0;
        let exponential: fn(f64) -> f64 = |u| -(1.0 - u).ln();
        for (variation, service) in [(0.0, deterministic), (1.0, exponential)] {
            for load in [1.05, 1.2, 2.0, 5.0] {
                let waiting = busy_backlog(load, variation, 0.005).round() as usize;
                let idle = idle_share(load, waiting.max(1), 400_000, service);
                assert!(idle <= 0.007, "c² {variation}, {load}x, {waiting} waiting: {idle}");
            }
        }
    }

    #[test]
    fn the_backlog_grows_with_variation_and_falls_with_load() {
        let waiting = |load, variation| busy_backlog(load, variation, 0.005).round();
        assert_eq!([1.05, 1.2, 2.0, 10.0].map(|load| waiting(load, 1.0)), [48.0, 19.0, 7.0, 2.0]);
        assert_eq!([1.2, 2.0].map(|load| waiting(load, 0.0)), [9.0, 3.0]);
        assert_eq!(waiting(1.0, 1.0), 199.0);
        assert_eq!(waiting(0.97, 1.0), f64::INFINITY);
        assert_eq!(busy_backlog(f64::NAN, 0.0, 0.005), f64::INFINITY);
    }
}
