//! Closed networks by exact mean value analysis (Reiser & Lavenberg 1980).

/// A center of a closed network.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Center {
    /// Seconds of service that a request demands there, over all its visits.
    pub demand: f64,
    /// The number of servers, 1 and more. Several are taken for one that is as fast as all of them,
    /// behind a delay of the rest (Seidmann, Schweitzer & Shalev-Oren 1987): exact for one server
    /// and for a single client.
    pub servers: f64,
}

impl Center {
    /// Returns a center.
    pub fn new(demand: f64, servers: f64) -> Self {
        Self { demand, servers }
    }

    /// Returns the demand of the one fast server.
    fn queued(self) -> f64 {
        self.demand / self.servers.max(1.0)
    }
}

/// The figures of a closed network with a number of clients.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Closed {
    /// Requests per second.
    pub throughput: f64,
    /// Mean response time, in seconds.
    pub response: f64,
    /// Mean time at each center, in seconds.
    pub residence: Vec<f64>,
    /// Mean number of requests at each center.
    pub inside: Vec<f64>,
}

/// Solves a closed network of `clients` clients that think for `think` seconds.
///
/// ```
/// use seda_sim::laws::closed::{Center, solve};
///
/// // Two clients and one server: one of them always waits, for nothing but the other.
/// let busy = solve(&[Center::new(0.5, 1.0)], 2, 0.0);
/// assert_eq!((busy.throughput, busy.response), (2.0, 1.0));
/// ```
pub fn solve(centers: &[Center], clients: u32, think: f64) -> Closed {
    let delay: f64 = centers.iter().map(|center| center.demand - center.queued()).sum();
    let mut waiting = vec![0.0; centers.len()];
    let mut throughput = 0.0;
    for n in 1..=clients {
        // An arriving request sees the network with one client less.
        let times = centers.iter().zip(&waiting);
        let times: Vec<f64> =
            times.map(|(center, waiting)| center.queued() * (1.0 + waiting)).collect();
        let all = times.iter().sum::<f64>() + delay + think;
        throughput = if all > 0.0 { f64::from(n) / all } else { f64::INFINITY };
        waiting.iter_mut().zip(times).for_each(|(waiting, time)| *waiting = throughput * time);
    }
    let residence: Vec<f64> = centers
        .iter()
        .zip(&waiting)
        .map(|(center, waiting)| waiting / throughput + center.demand - center.queued())
        .map(|time| if time.is_finite() { time } else { 0.0 })
        .collect();
    let inside = residence.iter().map(|time| time * throughput).collect();
    Closed { throughput, response: residence.iter().sum(), residence, inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that a figure is the printed one, to its last digit.
    #[track_caller]
    fn is(found: f64, printed: f64, digits: f64) {
        assert!((found - printed).abs() <= 0.6 / digits, "{found} is not {printed}");
    }

    #[test]
    fn the_textbook_example_has_its_printed_figures() {
        // Lazowska et al. 1984, section 6.4: a CPU and two disks, 15 s of thinking.
        let centers = [0.605, 2.1, 1.35].map(|demand| Center::new(demand, 1.0));
        let one = solve(&centers, 1, 15.0);
        is(one.response, 4.055, 1e3);
        is(one.throughput, 0.0525, 1e4);
        let two = solve(&centers, 2, 15.0);
        is(two.throughput, 0.1031, 1e4);
        let three = solve(&centers, 3, 15.0);
        for (found, printed) in three.residence.iter().zip([0.644, 2.605, 1.551]) {
            is(*found, printed, 1e3);
        }
        is(three.throughput, 0.1515, 1e4);
        for (found, printed) in three.inside.iter().zip([0.0976, 0.3947, 0.2350]) {
            is(*found, printed, 1e4);
        }
    }

    #[test]
    fn many_clients_fill_the_slowest_center() {
        let centers = [Center::new(0.01, 1.0), Center::new(0.08, 4.0)];
        let full = solve(&centers, 500, 0.1);
        assert!((full.throughput - 50.0).abs() < 0.01, "{full:?}");
        // N = X (R + Z).
        assert!((full.throughput * (full.response + 0.1) - 500.0).abs() < 1e-6, "{full:?}");
        let alone = solve(&centers, 1, 0.0);
        assert!((alone.response - 0.09).abs() < 1e-12, "{alone:?}");
    }
}
