//! Bounds by operational analysis (Denning & Buzen 1978): they hold for every order of service and
//! every distribution.

/// Returns the throughput that no closed network exceeds, per second: `clients` clients with the
/// thinking time `think`, centers with these demands in seconds (Lazowska et al. 1984, chapter 5).
///
/// ```
/// use seda_sim::laws::bounds::most_throughput;
///
/// // Light load: the clients alone bound it. Heavy load: the slowest center does.
/// assert_eq!(most_throughput(1, 15.0, &[1.0, 4.0]), 0.05);
/// assert_eq!(most_throughput(1_000, 15.0, &[1.0, 4.0]), 0.25);
/// ```
pub fn most_throughput(clients: u32, think: f64, demands: &[f64]) -> f64 {
    let all: f64 = demands.iter().sum();
    let most = demands.iter().copied().fold(0.0, f64::max);
    (f64::from(clients) / (all + think)).min(1.0 / most)
}

/// Returns the response time that no closed network goes below, in seconds.
pub fn least_response(clients: u32, think: f64, demands: &[f64]) -> f64 {
    let all: f64 = demands.iter().sum();
    let most = demands.iter().copied().fold(0.0, f64::max);
    all.max(f64::from(clients) * most - think)
}

/// Returns the factor by which the throughput of a full resource grows when a share of the work,
/// `improved`, becomes `factor` times as fast (Amdahl 1967).
///
/// ```
/// assert_eq!(seda_sim::laws::bounds::speedup(0.5, 2.0), 1.0 / 0.75);
/// ```
pub fn speedup(improved: f64, factor: f64) -> f64 {
    1.0 / (1.0 - improved + improved / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CPU and two disks, as in Lazowska et al. 1984, chapter 5.
    const DEMANDS: [f64; 3] = [2.0, 0.5, 3.0];

    #[test]
    fn the_asymptotes_of_a_closed_network_meet_at_the_saturation_point() {
        // Five and a half seconds of demand and 15 of thinking: N* = 20.5 / 3.
        let light = most_throughput(6, 15.0, &DEMANDS);
        let heavy = most_throughput(7, 15.0, &DEMANDS);
        assert!((light - 6.0 / 20.5).abs() < 1e-12 && (heavy - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(least_response(1, 15.0, &DEMANDS), 5.5);
        assert_eq!(least_response(20, 15.0, &DEMANDS), 45.0);
    }

    #[test]
    fn what_is_not_improved_bounds_the_speedup() {
        assert!((speedup(0.9, 1e12) - 10.0).abs() < 1e-6);
        assert_eq!(speedup(0.0, 8.0), 1.0);
    }
}
