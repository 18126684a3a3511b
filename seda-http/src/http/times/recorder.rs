//! The side of a reactor: it records the time of each answer.

use super::label::{Label, SeriesKey};
use super::registry::TimeRegistry;
use super::series::Series;
use http::StatusCode;
use seda_core::{Clock, Time};
use std::sync::Arc;

/// The number of answers in the round of their requests that share one reading of the clock. A
/// flood of them, such as refusals, takes 1 to 2 µs each, and a reading 25 ns.
const SHARED_READING: u8 = 16;

/// The response times that one reactor records.
#[derive(Debug)]
pub(in crate::http) struct TimeRecorder {
    registry: Arc<TimeRegistry>,
    /// By the place of the route. Few series have the same route, so they are searched in order.
    known: Vec<Vec<(SeriesKey, Arc<Series>)>>,
    /// There are too many series for a new one.
    is_full: bool,
    clock: RoundClock,
}

/// The present within a round of the reactor.
#[derive(Debug)]
struct RoundClock {
    clock: Arc<dyn Clock>,
    /// The round of the last reading.
    round: Time,
    read: Time,
    /// The answers that may still share it.
    left: u8,
}

impl TimeRecorder {
    pub(in crate::http) fn new(registry: Arc<TimeRegistry>, clock: Arc<dyn Clock>) -> Self {
        let clock = RoundClock { clock, round: Time::ZERO, read: Time::ZERO, left: 0 };
        Self { registry, known: Vec::new(), is_full: false, clock }
    }

    /// Records an answer that goes out in the round that began at `round`.
    pub(in crate::http) fn record(&mut self, label: &Label, status: StatusCode, round: Time) {
        // An answer of another thread, or of a stage on this one, goes out in a later round.
        let end = if round > label.began { round } else { self.clock.now(round) };
        let time = end.since(label.began);
        let keeps_slo = label.keeps_slo(status, time);
        if let Some(series) = self.series(label.key(status)) {
            series.record(time, keeps_slo);
        }
    }

    fn series(&mut self, key: SeriesKey) -> Option<&Series> {
        let found = self.find(key);
        let (place, at) = if found.is_some() { found } else { self.open(key) }?;
        self.known.get(place)?.get(at).map(|(_, series)| &**series)
    }

    fn find(&self, key: SeriesKey) -> Option<(usize, usize)> {
        let place = key.route.place();
        let of_route = self.known.get(place)?;
        Some((place, of_route.iter().position(|(known, _)| *known == key)?))
    }

    /// Makes a series; beyond the bound, returns that of all others.
    fn open(&mut self, key: SeriesKey) -> Option<(usize, usize)> {
        let made = if self.is_full { None } else { self.registry.open(key) };
        if let Some(series) = made {
            return self.keep(key, series);
        }
        self.is_full = true;
        let others = SeriesKey::other();
        let found = self.find(others);
        if found.is_some() {
            return found;
        }
        let series = self.registry.open(others)?;
        self.keep(others, series)
    }

    fn keep(&mut self, key: SeriesKey, series: Arc<Series>) -> Option<(usize, usize)> {
        let place = key.route.place();
        if place >= self.known.len() {
            self.known.resize_with(place + 1, Vec::new);
        }
        let of_route = self.known.get_mut(place)?;
        of_route.push((key, series));
        Some((place, of_route.len() - 1))
    }
}

impl RoundClock {
    fn now(&mut self, round: Time) -> Time {
        if self.round != round || self.left == 0 {
            (self.round, self.read, self.left) = (round, self.clock.now(), SHARED_READING);
        }
        self.left -= 1;
        self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::times::RouteLabel;
    use http::Method;
    use seda_admin::RequestTimes;
    use seda_core::{Class, ManualClock};
    use std::time::Duration;

    /// A recorder of two routes, its registry, and its clock.
    fn recorder() -> (TimeRecorder, Arc<TimeRegistry>, Arc<ManualClock>) {
        let routes = vec!["/users/{id}".to_owned(), "/".to_owned()];
        let registry = Arc::new(TimeRegistry::new(routes));
        let clock = Arc::new(ManualClock::new());
        let recorder = TimeRecorder::new(Arc::clone(&registry), Arc::clone(&clock) as Arc<_>);
        (recorder, registry, clock)
    }

    fn label(route: u32) -> Label {
        Label::new(RouteLabel::Route(route), Some(&Method::GET))
    }

    fn count(all: &[RequestTimes]) -> u64 {
        all.iter().map(RequestTimes::count).sum()
    }

    #[test]
    fn a_time_is_recorded_under_route_method_class_and_status() {
        let (mut recorder, registry, _clock) = recorder();
        let at = Time::from_nanos;
        let gold = label(0).of_class(Class::HIGHEST, None);
        recorder.record(&gold, StatusCode::OK, at(4_000_000));
        recorder.record(&gold, StatusCode::OK, at(6_000_000));
        recorder.record(&gold, StatusCode::NOT_FOUND, at(1));
        let unmatched = Label::new(RouteLabel::Unmatched, None);
        recorder.record(&unmatched, StatusCode::BAD_REQUEST, at(1));
        let all = registry.read();
        let keys: Vec<_> =
            all.iter().map(|it| (&*it.route, it.method, it.class, it.status, it.count())).collect();
        let class = Some(Class::HIGHEST);
        assert_eq!(
            keys,
            [
                ("unmatched", "_OTHER", None, Some(400), 1),
                ("/users/{id}", "GET", class, Some(200), 2),
                ("/users/{id}", "GET", class, Some(404), 1),
            ]
        );
        assert_eq!((all[1].buckets[8], all[1].buckets[9]), (1, 1), "5 ms is a bound");
        assert!((all[1].sum_seconds - 0.01).abs() < 1e-12);
    }

    #[test]
    fn an_answer_keeps_its_slo_if_it_is_in_time_and_no_failure_of_the_server() {
        let (mut recorder, registry, _clock) = recorder();
        let slo = Duration::from_millis(5);
        let with = label(0).of_class(Class::HIGHEST, Some(slo)).begun(Time::from_nanos(1_000));
        let in_time = Time::from_nanos(1_000).after(slo);
        recorder.record(&with, StatusCode::OK, in_time);
        recorder.record(&with, StatusCode::NOT_FOUND, in_time);
        recorder.record(&with, StatusCode::SERVICE_UNAVAILABLE, in_time);
        recorder.record(&with, StatusCode::OK, Time::from_nanos(in_time.as_nanos() + 1));
        recorder.record(&label(1).of_class(Class::HIGHEST, None), StatusCode::OK, in_time);
        let within = |status| {
            let all = registry.read();
            all.iter().filter(|it| it.status == Some(status)).map(|it| it.within_slo).sum::<u64>()
        };
        assert_eq!([200, 404, 503].map(within), [1, 1, 0]);
    }

    #[test]
    fn an_answer_in_the_round_of_its_request_has_the_time_of_a_clock_that_few_answers_share() {
        let (mut recorder, registry, clock) = recorder();
        let round = Time::from_nanos(1_000);
        clock.advance_to(round);
        for _ in 0..=SHARED_READING {
            clock.advance(Duration::from_millis(1));
            recorder.record(&label(0).begun(round), StatusCode::OK, round);
        }
        let [times] = &*registry.read() else { panic!("one series") };
        // The first reading, 16 times, and a second one.
        assert!((times.sum_seconds - 0.033).abs() < 1e-9, "{}", times.sum_seconds);
    }

    #[test]
    fn series_are_bounded_and_no_answer_is_lost_beyond_the_bound() {
        let (mut recorder, registry, _clock) = recorder();
        let mut other = TimeRecorder::new(Arc::clone(&registry), Arc::new(ManualClock::new()));
        let mut recorded = 0;
        for route in 0..2 {
            for status in 100..=999 {
                let status = StatusCode::from_u16(status).unwrap();
                recorder.record(&label(route), status, Time::from_nanos(1));
                other.record(&label(route), status, Time::from_nanos(1));
                recorded += 2;
            }
        }
        let all = registry.read();
        assert_eq!((all.len(), count(&all)), (1_025, recorded));
        let others = all.iter().find(|it| it.route == "other").unwrap();
        assert_eq!((others.method, others.status, others.count()), ("_OTHER", None, 2 * 776));
    }
}
