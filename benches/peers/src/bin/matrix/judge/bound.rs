//! The best that a server could do at an offered load, from what its parts cost.
//!
//! A refusal costs CPU that then serves nobody. With s seconds for a served request and c for a
//! refused one, a server that is never idle and refuses all that it cannot serve has
//! `B = C * (1 - (k - 1) * c / s)` of goodput left at k times its capacity C.

/// What a round has measured of a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Costs {
    /// C: the best goodput of anybody at any load of the round, per second.
    pub(crate) capacity: f64,
    /// s: CPU seconds of a served request, all threads.
    pub(crate) served: f64,
    /// c: CPU seconds of a refused one.
    pub(crate) refused: f64,
    /// What it costs a loop that does nothing but refuse, if that was measured.
    pub(crate) least: Option<f64>,
}

impl Costs {
    /// B where a served request takes the server's core for as long as it takes.
    pub(crate) fn bound(&self, offered: f64) -> f64 {
        let multiple = (offered / self.capacity).max(1.0);
        let left = self.capacity * (1.0 - (multiple - 1.0) * self.refused / self.served);
        // Chance may offer less in a short run than what was meant.
        left.clamp(0.0, offered)
    }

    /// B where workers that only wait are what is scarce: refusals take nothing from them as long
    /// as the core has time for those, too.
    pub(crate) fn bound_by_workers(&self, offered: f64) -> f64 {
        let refusals = (offered - self.capacity).max(0.0) * self.refused;
        self.capacity.min((1.0 - refusals) / self.served).clamp(0.0, offered)
    }
}

/// CPU and counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// CPU seconds of the process.
    pub(crate) cpu: f64,
    /// Of the threads among them that do no request's own work: what receives, refuses, answers.
    pub(crate) front: Option<f64>,
    /// Seconds that its threads stood ready without a core, added up.
    pub(crate) ready: Option<f64>,
    /// Right answers that came in meanwhile, late ones too.
    pub(crate) served: f64,
    /// Requests that were refused.
    pub(crate) refused: f64,
}

/// s, of a run below the capacity, which refuses next to nothing.
pub(crate) fn served_cost(below: &Spent) -> Option<f64> {
    quotient(below.cpu, below.served)
}

/// c, of a run that refuses nearly all, and one below the capacity.
///
/// Where the threads of the front can be told, their CPU alone is taken, less what it was for each
/// served request below the capacity. With the whole process's, at twice the capacity and 1 ms of
/// work, an error of 1 % in s would be 10 us in c, and a request that is half done at an edge of the
/// run more. Without a front it is (cpu - s * served) / refused.
pub(crate) fn refused_cost(flooded: &Spent, below: &Spent) -> Option<f64> {
    let (flood, each) = match (flooded.front, below.front) {
        (Some(flood), Some(front)) => (flood, quotient(front, below.served)?),
        _ => (flooded.cpu, served_cost(below)?),
    };
    quotient((flood - each * flooded.served).max(0.0), flooded.refused)
}

fn quotient(cpu: f64, count: f64) -> Option<f64> {
    (count >= 1.0).then(|| cpu / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs { capacity: 1_000.0, served: 1e-3, refused: 5e-6, least: None };

    fn spent(cpu: f64, front: Option<f64>, served: f64, refused: f64) -> Spent {
        Spent { cpu, front, ready: None, served, refused }
    }

    #[test]
    fn the_bound_loses_what_refusals_cost() {
        assert_eq!(COSTS.bound(1_000.0), 1_000.0);
        assert!((COSTS.bound(5_000.0) - 980.0).abs() < 1e-9);
        assert!((COSTS.bound(10_000.0) - 955.0).abs() < 1e-9);
    }

    #[test]
    fn the_bound_is_no_more_than_what_is_offered_and_never_negative() {
        assert_eq!(COSTS.bound(500.0), 500.0);
        assert_eq!(COSTS.bound(1e9), 0.0);
    }

    #[test]
    fn waiting_workers_lose_nothing_until_the_core_is_full() {
        let costs = Costs { capacity: 3_200.0, served: 5e-5, refused: 5e-6, least: None };
        assert_eq!(costs.bound_by_workers(32_000.0), 3_200.0);
        let full = costs.bound_by_workers(183_200.0);
        assert!((full - 2_000.0).abs() < 1e-6, "{full}");
        assert_eq!(costs.bound_by_workers(1e9), 0.0);
    }

    #[test]
    fn a_refusal_costs_what_the_front_used_beyond_the_served() {
        let below = spent(0.88, Some(0.032), 800.0, 0.0);
        let flooded = spent(1.0, Some(0.135), 875.0, 20_000.0);
        assert_eq!(served_cost(&below), Some(1.1e-3));
        assert!((refused_cost(&flooded, &below).unwrap() - 5e-6).abs() < 1e-12);
    }

    #[test]
    fn without_a_front_it_is_what_the_process_used_beyond_the_served() {
        let below = spent(0.8, None, 800.0, 0.0);
        let flooded = spent(1.0, Some(0.1), 900.0, 20_000.0);
        assert!((refused_cost(&flooded, &below).unwrap() - 5e-6).abs() < 1e-12);
        let cheap = Spent { cpu: 0.7, ..flooded };
        assert_eq!(refused_cost(&cheap, &below), Some(0.0), "never less than nothing");
    }

    #[test]
    fn nothing_served_or_refused_has_no_cost() {
        let idle = Spent { cpu: 1.0, ..Spent::default() };
        assert_eq!((served_cost(&idle), refused_cost(&idle, &idle)), (None, None));
    }
}
