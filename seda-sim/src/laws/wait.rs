//! The mean wait in a queue with several servers.

/// Returns the probability that an arrival has to wait, with Poisson arrivals and exponential
/// services: Erlang's C. `servers` may be fractional only by mistake and is rounded; `load` is the
/// share of the servers that is busy. 1 at a load of 1 and more.
///
/// ```
/// let two = seda_sim::laws::wait::erlang_c(2.0, 0.75);
/// assert!((two - 9.0 / 14.0).abs() < 1e-12);
/// ```
pub fn erlang_c(servers: f64, load: f64) -> f64 {
    if load >= 1.0 {
        return 1.0;
    }
    if load <= 0.0 {
        return 0.0;
    }
    // Erlang's B by its recursion in the number of servers, which stays between 0 and 1.
    let offered = servers.round().max(1.0) * load;
    let mut blocked = 1.0;
    for n in 1..=servers.round().max(1.0) as u64 {
        blocked = offered * blocked / (n as f64 + offered * blocked);
    }
    blocked / (1.0 - load * (1.0 - blocked))
}

/// Returns the mean wait in seconds of a G/G/c queue (Allen & Cunneen, in Allen 1990): that of
/// M/M/c, times the mean of the squared coefficients of variation of the gaps between arrivals and
/// of the services. Exact for M/M/c and M/G/1. Infinite at a load of 1 and more.
///
/// ```
/// use seda_sim::laws::wait::mean_wait;
///
/// // M/M/1 at a half: as long as a service. M/D/1: half of that.
/// assert_eq!(mean_wait(1.0, 0.5, 0.01, 1.0, 1.0), 0.01);
/// assert_eq!(mean_wait(1.0, 0.5, 0.01, 1.0, 0.0), 0.005);
/// ```
pub fn mean_wait(servers: f64, load: f64, service: f64, arrivals: f64, services: f64) -> f64 {
    if load >= 1.0 {
        return f64::INFINITY;
    }
    let exponential = erlang_c(servers, load) * service / (servers * (1.0 - load));
    exponential * (arrivals + services) / 2.0
}

/// Returns the squared coefficient of variation of the gaps between departures (Whitt 1983, the
/// queueing network analyzer): that of the arrivals at a low load, that of the services at a high
/// one.
pub fn departures(servers: f64, load: f64, arrivals: f64, services: f64) -> f64 {
    let load = load.clamp(0.0, 1.0);
    let square = load * load;
    1.0 + (1.0 - square) * (arrivals - 1.0)
        + square / servers.max(1.0).sqrt() * (services.max(0.2) - 1.0)
}

/// Returns the squared coefficient of variation of the gaps in a part of a stream, where each
/// event belongs to the part with probability `share`.
pub fn thinned(variation: f64, share: f64) -> f64 {
    share * variation + 1.0 - share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_c_has_the_values_of_the_tables() {
        // M/M/1: the load itself. M/M/2: 2 ρ² / (1 + ρ).
        for load in [0.1, 0.5, 0.9, 0.99] {
            assert!((erlang_c(1.0, load) - load).abs() < 1e-12);
            assert!((erlang_c(2.0, load) - 2.0 * load * load / (1.0 + load)).abs() < 1e-12);
        }
        // Five servers with four erlangs: 0.5541 in the tables.
        assert!((erlang_c(5.0, 0.8) - 0.5541).abs() < 5e-5);
        assert_eq!((erlang_c(3.0, 0.0), erlang_c(3.0, 1.2)), (0.0, 1.0));
    }

    #[test]
    fn the_wait_is_exact_for_one_server_and_any_service() {
        // Pollaczek and Khinchine: λ E[S²] / 2 (1 - ρ), here with c² = 3.
        let (rate, service, variation) = (80.0, 0.01, 3.0);
        let square = service * service * (1.0 + variation);
        let exact = rate * square / (2.0 * (1.0 - rate * service));
        assert!((mean_wait(1.0, 0.8, service, 1.0, variation) - exact).abs() < 1e-12);
        assert_eq!(mean_wait(4.0, 1.0, 0.01, 1.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn departures_go_from_the_arrivals_variation_to_the_services() {
        assert_eq!(departures(1.0, 0.0, 4.0, 0.5), 4.0);
        assert_eq!(departures(1.0, 1.0, 4.0, 0.5), 0.5);
        // Of M/M/c they are Poisson again.
        assert_eq!(departures(3.0, 0.7, 1.0, 1.0), 1.0);
        assert_eq!((thinned(5.0, 0.25), thinned(5.0, 1.0)), (2.0, 5.0));
    }
}
