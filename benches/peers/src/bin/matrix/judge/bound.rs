//! The best goodput that a server could have at an offered load, from the costs of its parts.
//!
//! A refusal uses CPU time that then serves no request. Let a served request cost s seconds, and a
//! refusal c seconds in a loop that only refuses. A server that is never idle and refuses all
//! requests beyond its capacity C keeps a goodput of `B = C * (1 - (k - 1) * c / s)` at k times C.
//! With the server's own c, an expensive refusal would lower its own target.

/// The costs that a round has measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Costs {
    /// C: the best goodput of any server at any load of the round, per second.
    pub(crate) capacity: f64,
    /// s: CPU seconds of a served request, all threads.
    pub(crate) served: f64,
    /// c: CPU seconds of a refused request in a loop that does nothing else.
    pub(crate) refused: f64,
}

impl Costs {
    /// Returns the costs of requests that keep a core busy: one of them takes `1 / capacity`.
    pub(crate) fn of_a_core(capacity: f64, refused: f64) -> Self {
        Self { capacity, served: 1.0 / capacity, refused }
    }

    /// Returns B, per second, where a served request keeps the server's core busy to its end.
    pub(crate) fn bound(&self, offered: f64) -> f64 {
        let multiple = (offered / self.capacity).max(1.0);
        let left = self.capacity * (1.0 - (multiple - 1.0) * self.refused / self.served);
        // A short run may by chance be offered less than planned.
        left.clamp(0.0, offered)
    }

    /// Returns B, per second, where the scarce resource is workers that only wait. Refusals take
    /// nothing from them until the core is full.
    pub(crate) fn bound_by_workers(&self, offered: f64) -> f64 {
        let refusals = (offered - self.capacity).max(0.0) * self.refused;
        self.capacity.min((1.0 - refusals) / self.served).clamp(0.0, offered)
    }
}

/// CPU time and counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CpuUsage {
    /// CPU seconds of the process.
    pub(crate) cpu: f64,
    /// CPU seconds of the front: the threads that receive, refuse and answer, and do no request's
    /// own work. `None` if they cannot be told apart.
    pub(crate) front: Option<f64>,
    /// Seconds that threads were ready and had no core, summed over all threads.
    pub(crate) ready: Option<f64>,
    /// Right answers received during the run, late ones too.
    pub(crate) served: f64,
    /// Refused requests.
    pub(crate) refused: f64,
}

/// Returns s, from a run below the capacity with hardly any refusals; `None` if nothing was served.
pub(crate) fn served_cost(below: &CpuUsage) -> Option<f64> {
    quotient(below.cpu, below.served)
}

/// Returns c, from a run that refuses nearly all and a run below the capacity; `None` if nothing
/// was refused.
///
/// If the front's threads are known, c is their CPU time alone, less their share for each served
/// request below the capacity. The whole process would be too coarse: at twice the capacity and
/// 1 ms of work, an error of 1 % in s is 10 us in c, and a request half done at an edge of the run
/// is more. Without a known front c is (cpu - s * served) / refused.
pub(crate) fn refused_cost(flooded: &CpuUsage, below: &CpuUsage) -> Option<f64> {
    let (flood, each) = match (flooded.front, below.front) {
        (Some(flood), Some(front)) => (flood, quotient(front, below.served)?),
        _ => (flooded.cpu, served_cost(below)?),
    };
    quotient((flood - each * flooded.served).max(0.0), flooded.refused)
}

/// Returns CPU seconds per request; `None` for no request.
fn quotient(cpu: f64, count: f64) -> Option<f64> {
    (count >= 1.0).then(|| cpu / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs { capacity: 1_000.0, served: 1e-3, refused: 5e-6 };

    fn usage(cpu: f64, front: Option<f64>, served: f64, refused: f64) -> CpuUsage {
        CpuUsage { cpu, front, ready: None, served, refused }
    }

    #[test]
    fn the_bound_loses_the_cpu_time_of_refusals() {
        assert_eq!(COSTS.bound(1_000.0), 1_000.0);
        assert!((COSTS.bound(5_000.0) - 980.0).abs() < 1e-9);
        assert!((COSTS.bound(10_000.0) - 955.0).abs() < 1e-9);
    }

    #[test]
    fn the_bound_is_never_above_the_offered_load_and_never_negative() {
        assert_eq!(COSTS.bound(500.0), 500.0);
        assert_eq!(COSTS.bound(1e9), 0.0);
    }

    #[test]
    fn waiting_workers_lose_nothing_until_the_core_is_full() {
        let costs = Costs { capacity: 3_200.0, served: 5e-5, refused: 5e-6 };
        assert_eq!(costs.bound_by_workers(32_000.0), 3_200.0);
        let full = costs.bound_by_workers(183_200.0);
        assert!((full - 2_000.0).abs() < 1e-6, "{full}");
        assert_eq!(costs.bound_by_workers(1e9), 0.0);
    }

    #[test]
    fn a_refusal_costs_the_cpu_time_of_the_front_beyond_its_share_for_served_requests() {
        let below = usage(0.88, Some(0.032), 800.0, 0.0);
        let flooded = usage(1.0, Some(0.135), 875.0, 20_000.0);
        assert_eq!(served_cost(&below), Some(1.1e-3));
        assert!((refused_cost(&flooded, &below).unwrap() - 5e-6).abs() < 1e-12);
    }

    #[test]
    fn without_a_front_a_refusal_costs_the_cpu_time_of_the_process_beyond_served_requests() {
        let below = usage(0.8, None, 800.0, 0.0);
        let flooded = usage(1.0, Some(0.1), 900.0, 20_000.0);
        assert!((refused_cost(&flooded, &below).unwrap() - 5e-6).abs() < 1e-12);
        let cheap = CpuUsage { cpu: 0.7, ..flooded };
        assert_eq!(refused_cost(&cheap, &below), Some(0.0), "never less than nothing");
    }

    #[test]
    fn without_a_served_or_refused_request_there_is_no_cost() {
        let idle = CpuUsage { cpu: 1.0, ..CpuUsage::default() };
        assert_eq!((served_cost(&idle), refused_cost(&idle, &idle)), (None, None));
    }
}
