//! What one server makes of recorded arrivals: they come in bursts and leave it idle in between, so
//! that no goodput should be held against a capacity that assumes neither.

/// One request: when it comes, and what it demands, in seconds.
pub(crate) type Job = (f64, f64);

/// By what requests are taken, one after the other, without a pause; what is not taken costs
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Taking {
    /// Whatever will be in time: the demand of each is known when it comes.
    Clairvoyant,
    /// Whatever waits for no longer than so many seconds: what waits is known, what comes is not.
    Wait(f64),
}

impl Taking {
    /// How many of the requests from a moment on are answered within the SLO.
    pub(crate) fn good(self, jobs: &[Job], slo: f64, from: f64) -> u64 {
        let (mut free, mut good) = (0.0_f64, 0);
        for (at, demand) in jobs {
            let wait = (free - at).max(0.0);
            let in_time = wait + demand <= slo;
            let taken = match self {
                Taking::Clairvoyant => in_time,
                Taking::Wait(most) => wait <= most,
            };
            if taken {
                free = at + wait + demand;
                good += u64::from(in_time && *at >= from);
            }
        }
        good
    }
}

/// The bounds on the wait that are tried, as shares of the SLO: a twentieth makes less difference
/// than a run varies by.
const STEPS: u32 = 20;

/// The same with the bound on the wait that turns out best.
pub(crate) fn best_wait(jobs: &[Job], slo: f64, from: f64) -> u64 {
    let bound = |step: u32| slo * f64::from(step) / f64::from(STEPS);
    let tried = (0..=STEPS).map(|step| Taking::Wait(bound(step)).good(jobs, slo, from));
    tried.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bursts() -> Vec<Job> {
        let burst = |at: f64| (0..5).map(move |_| (at, 0.05));
        burst(0.0).chain(burst(1.0)).collect()
    }

    #[test]
    fn a_burst_is_taken_as_far_as_it_is_in_time_and_the_rest_is_idle() {
        assert_eq!(Taking::Clairvoyant.good(&bursts(), 0.151, 0.0), 6);
        assert_eq!(Taking::Clairvoyant.good(&bursts(), 0.151, 0.5), 3, "the second burst's");
    }

    #[test]
    fn only_the_clairvoyant_refuses_what_alone_is_too_long() {
        let jobs = [(0.0, 0.3), (0.1, 0.1)];
        assert_eq!(Taking::Clairvoyant.good(&jobs, 0.2, 0.0), 1);
        assert_eq!(Taking::Wait(0.1).good(&jobs, 0.2, 0.0), 0, "it is busy with the long one");
    }

    #[test]
    fn the_best_bound_on_the_wait_is_never_better_than_the_clairvoyant() {
        assert_eq!(Taking::Wait(0.0).good(&bursts(), 0.151, 0.0), 2);
        assert_eq!(best_wait(&bursts(), 0.151, 0.0), 6);
        assert_eq!(best_wait(&[], 0.2, 0.0), 0);
    }
}
