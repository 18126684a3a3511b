//! Waits and response times as loads and variances predict them.
//!
//! A pool is a queue with c workers. Its mean wait is that of M/M/c, times the mean of the squared
//! coefficients of variation of arrivals and services (Allen, "Probability, Statistics and Queueing
//! Theory", 1990: the approximation of Allen and Cunneen for G/G/c).

use crate::monitor::report::Report;
use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::diagnosis::holding::Held;
use crate::monitor::report::diagnosis::resource::pool_size;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326;
/// Steps by which the highest rate within an SLO is found; 40 halvings are exact to 1e-12.
const HALVINGS: usize = 40;

/// A graph as a network of queues, one for each stage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    pub(super) queues: Vec<Queue>,
}

/// A stage as a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Queue {
    /// Events per request of the graph.
    pub(super) visits: f64,
    /// Seconds of a worker per event.
    pub(super) service: f64,
    /// The squared coefficients of variation of services and arrivals.
    pub(super) service_variation: f64,
    pub(super) arrival_variation: f64,
    /// Time outside after the worker has let the event go, in seconds.
    pub(super) outside: f64,
    pub(super) workers: f64,
    /// Busy workers of the same pool per request of the graph and second, over all of its stages.
    pub(super) pool_demand: f64,
}

impl Model {
    pub(super) fn of(report: &Report, flows: &Flows, held: &[Held]) -> Self {
        let per_request = |rate: &f64| rate / flows.entering.max(f64::MIN_POSITIVE);
        let demand = |pool: &str| -> f64 {
            let stages = report.stages.iter().zip(held).zip(&flows.per_second);
            let own = stages.filter(|((stage, _), _)| stage.pool == pool);
            own.map(|((_, held), rate)| per_request(rate) * held.worker()).sum()
        };
        let stages = report.stages.iter().zip(held).zip(&flows.per_second);
        let queues = stages.map(|((stage, held), rate)| Queue {
            visits: per_request(rate),
            service: held.worker(),
            service_variation: held.variation,
            arrival_variation: stage.last_ten_seconds.dispersion.unwrap_or(1.0),
            outside: (held.outside - held.worker()).max(0.0),
            workers: pool_size(stage).min(stage.limits.cap.unwrap_or(usize::MAX) as f64),
            pool_demand: demand(&stage.pool),
        });
        Self { queues: queues.collect() }
    }

    /// Returns the 99th percentile of the response at `rate` requests per second, in seconds;
    /// `None` at a rate that fills a pool. The sum of the stages' times is taken as a gamma
    /// distribution of the same mean and variance.
    pub(super) fn p99(&self, rate: f64) -> Option<f64> {
        let (mut mean, mut variance) = (0.0, 0.0);
        for queue in self.queues.iter().filter(|queue| queue.visits > 0.0) {
            let wait = queue.wait(rate)?;
            let served = queue.service + queue.outside;
            mean += queue.visits * (wait.mean + served);
            let spread = queue.service_variation * served * served;
            variance += queue.visits * (wait.variance() + spread);
        }
        Some(gamma_p99(mean, variance))
    }

    /// Returns the highest rate at which the 99th percentile is at most `seconds`; `None` if none.
    pub(super) fn rate_within(&self, seconds: f64) -> Option<f64> {
        let keeps = |rate| self.p99(rate).is_some_and(|p99| p99 <= seconds);
        let filled = self.queues.iter().filter(|queue| queue.pool_demand > 0.0);
        let most = filled.map(|queue| queue.workers / queue.pool_demand).fold(f64::MAX, f64::min);
        let (mut low, mut high) = (0.0, most);
        if most >= f64::MAX || !keeps(most * 1e-6) {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if keeps(middle) { low = middle } else { high = middle }
        }
        Some(low)
    }
}

/// A wait: zero, or exponential.
struct Wait {
    /// The mean over all events, and the probability of any wait.
    mean: f64,
    waiting: f64,
}

impl Wait {
    fn variance(&self) -> f64 {
        if self.waiting <= 0.0 {
            return 0.0;
        }
        self.mean * self.mean * (2.0 / self.waiting - 1.0)
    }
}

impl Queue {
    fn wait(&self, rate: f64) -> Option<Wait> {
        wait_at(rate * self.pool_demand, self)
    }
}

/// Returns the wait with `busy` mean busy workers; `None` if there are no more workers than that.
fn wait_at(busy: f64, queue: &Queue) -> Option<Wait> {
    let Queue { workers, service, .. } = *queue;
    if busy >= workers {
        return None;
    }
    let waiting = erlang_c(workers, busy);
    let variation = f64::midpoint(queue.arrival_variation, queue.service_variation);
    Some(Wait { mean: variation * waiting * service / (workers - busy), waiting })
}

/// Returns the mean wait at a stage at the utilization that was measured; `None` if its workers are
/// full, or no event came.
pub(super) fn wait_of(report: &Report, model: &Model, place: usize) -> Option<f64> {
    let (stage, queue) = (report.stages.get(place)?, model.queues.get(place)?);
    let pool = report.stages.iter().filter(|other| other.pool == stage.pool);
    let busy: f64 = pool.map(|other| other.last_ten_seconds.busy_workers).sum();
    let queue = Queue { workers: stage.workers.now as f64, ..*queue };
    (queue.service > 0.0).then(|| wait_at(busy, &queue))?.map(|wait| wait.mean)
}

/// Returns the probability that an event waits in M/M/c with `busy` mean busy workers (Erlang C).
pub(super) fn erlang_c(workers: f64, busy: f64) -> f64 {
    // Erlang's B by recursion, over whole workers.
    let mut blocked = 1.0;
    let mut n = 1.0;
    while n <= workers {
        blocked = busy * blocked / (n + busy * blocked);
        n += 1.0;
    }
    let utilization = busy / workers;
    blocked / (1.0 - utilization * (1.0 - blocked))
}

/// Returns the part of the workers that is busy in M/M/c/K: at `load` per worker, with room for
/// `room` requests, those in service included.
pub(super) fn bounded_utilization(workers: f64, room: f64, load: f64) -> f64 {
    let (mut all, mut busy, mut weight) = (0.0, 0.0, 1.0);
    let mut n = 0.0;
    while n <= room.max(workers) {
        all += weight;
        busy += weight * f64::min(n, workers);
        n += 1.0;
        weight *= load * workers / f64::min(n, workers);
        if weight > 1e200 {
            return 1.0;
        }
    }
    busy / all / workers
}

/// Returns the 99th percentile of a gamma distribution (Wilson and Hilferty, PNAS 17, 1931).
fn gamma_p99(mean: f64, variance: f64) -> f64 {
    if mean <= 0.0 || variance <= 0.0 {
        return mean;
    }
    let shape = mean * mean / variance;
    let root = 1.0 - 1.0 / (9.0 * shape) + Z99 / (3.0 * shape.sqrt());
    mean * root.max(0.0).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_c_is_the_utilization_of_one_worker_and_less_of_many() {
        assert!((erlang_c(1.0, 0.9) - 0.9).abs() < 1e-12);
        // Two workers at 75 %: 2ρ²/(1+ρ) = 0.642857.
        assert!((erlang_c(2.0, 1.5) - 9.0 / 14.0).abs() < 1e-12);
    }

    #[test]
    fn a_queue_with_little_room_is_not_full_at_a_load_above_one() {
        // M/M/1/4 at 1.3: ρ(1 − ρ⁴)/(1 − ρ⁵).
        let expected = 1.3 * (1.0 - 1.3_f64.powi(4)) / (1.0 - 1.3_f64.powi(5));
        assert!((bounded_utilization(1.0, 4.0, 1.3) - expected).abs() < 1e-12);
        assert!(bounded_utilization(8.0, 4_000.0, 1.3) > 0.999);
    }

    #[test]
    fn the_tail_of_an_exponential_time_is_predicted_within_five_percent() {
        let p99 = gamma_p99(1.0, 1.0);
        assert!((p99 / 100.0_f64.ln() - 1.0).abs() < 0.05, "{p99}");
    }
}
