//! The engine on a virtual clock, against models of servers with answers that are known to the
//! nanosecond. The measured times must equal those of the model. All tests use the wire at the top
//! of the file.

use super::*;
use crate::generator::attempt::Failure;
use crate::generator::source::{Clients, Schedule};
use crate::generator::tally::Categories;
use crate::generator::tally::window::Window;
use crate::h1::AnswerFault;
use crate::load::retry::Retry;
use proptest::prelude::*;
use rand_core::{RngCore, SeedableRng};

const MILLI: u64 = 1_000_000;

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * MILLI)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A model of a server.
trait Model {
    /// Returns the end of an attempt that is sent at `now`; `None` if it has no end.
    fn end(&mut self, now: Time) -> Option<(Time, End)>;
}

fn answer(status: u16, sent: Time) -> End {
    End::Answered { answer: Answer { status, keep_alive: true, retry_after: None }, sent }
}

/// One server, first come first served, with given service times.
struct SingleServer {
    services: std::vec::IntoIter<u64>,
    free_at: Time,
}

impl Model for SingleServer {
    fn end(&mut self, now: Time) -> Option<(Time, End)> {
        let service = self.services.next()?;
        self.free_at = Time::from_nanos(self.free_at.max(now).as_nanos() + service);
        Some((self.free_at, answer(200, now)))
    }
}

impl<F: FnMut(Time) -> Option<(Time, End)>> Model for F {
    fn end(&mut self, now: Time) -> Option<(Time, End)> {
        self(now)
    }
}

/// Connections to a model: at most `limit` attempts are at the server, the others wait here.
struct Wire<M> {
    now: Time,
    model: M,
    limit: usize,
    carried: Vec<(Time, Attempt, End)>,
    silent: Vec<Attempt>,
    backlog: VecDeque<Dispatch>,
    sent: u64,
    abandoned: u64,
}

impl<M: Model> Wire<M> {
    fn new(model: M, limit: usize) -> Self {
        let (carried, silent, backlog) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { now: Time::ZERO, model, limit, carried, silent, backlog, sent: 0, abandoned: 0 }
    }

    fn pass_on(&mut self) {
        while self.carried.len() + self.silent.len() < self.limit {
            let Some(dispatch) = self.backlog.pop_front() else {
                return;
            };
            self.sent += 1;
            match self.model.end(self.now) {
                Some((when, end)) => self.carried.push((when, dispatch.attempt, end)),
                None => self.silent.push(dispatch.attempt),
            }
        }
    }

    fn next(&self) -> Option<Time> {
        self.carried.iter().map(|(when, ..)| *when).min()
    }

    fn take(&mut self) -> Option<(Attempt, End)> {
        let due = self.carried.iter().position(|(when, ..)| *when <= self.now)?;
        let first = self.carried.iter().enumerate().min_by_key(|(_, (when, ..))| *when);
        let index = first.map_or(due, |(index, _)| index);
        let (_, attempt, end) = self.carried.remove(index);
        Some((attempt, end))
    }
}

impl<M: Model> Transport for Wire<M> {
    fn send(&mut self, dispatch: Dispatch) {
        self.backlog.push_back(dispatch);
        self.pass_on();
    }

    fn abandon(&mut self, attempt: Attempt) {
        self.abandoned += 1;
        self.carried.retain(|(_, carried, _)| *carried != attempt);
        self.silent.retain(|silent| *silent != attempt);
        self.backlog.retain(|dispatch| dispatch.attempt != attempt);
        self.pass_on();
    }
}

/// Steps the engine and the wire until every request has ended.
fn run<M: Model>(mut engine: Engine, wire: &mut Wire<M>) -> Tally {
    while !engine.is_done() {
        while engine.start_one(wire.now, wire) {}
        engine.expire(wire.now, wire);
        while let Some((attempt, end)) = wire.take() {
            engine.ended(attempt, end, wire.now);
            wire.pass_on();
        }
        let next = [engine.next_at(), wire.next()].into_iter().flatten().min();
        wire.now = next.unwrap_or(wire.now).max(wire.now);
    }
    engine.into_tally()
}

struct Setup {
    slo: Option<Duration>,
    deadline: Duration,
    retry: Retry,
    length: u64,
    clients: usize,
}

const SETUP: Setup = Setup {
    slo: Some(Duration::from_millis(200)),
    deadline: Duration::from_secs(10),
    retry: Retry::NONE,
    length: 1_000_000,
    clients: 0,
};

fn engine(source: Source, setup: &Setup) -> Engine {
    let window =
        Window { name: "all".to_owned(), from: Time::ZERO, to: at(setup.length), measured: true };
    let categories = Categories {
        windows: vec![window],
        slos: setup.slo.into_iter().collect(),
        labels: 1,
        clients: setup.clients,
        bin: None,
        is_open_ended: false,
    };
    let rules = Rules {
        slo: setup.slo,
        deadline: setup.deadline,
        retry: setup.retry,
        last_retry: at(setup.length).after(setup.deadline),
        expected: Vec::new(),
    };
    let target = PreparedTarget {
        bytes: Vec::new(),
        label: 0,
        is_head: false,
        expected: None,
        varying: None,
    };
    let rng = Xoshiro256PlusPlus::seed_from_u64(5);
    Engine::new(source, [target].into(), rules, Tally::new(&categories), rng)
}

fn open(times: impl IntoIterator<Item = u64>) -> Source {
    let times: Vec<_> = times.into_iter().map(|nanos| (nanos, 0)).collect();
    Source::Open(Schedule::new(times.into_iter()))
}

fn exponential(rng: &mut Xoshiro256PlusPlus, mean: f64) -> u64 {
    let unit = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    (-(1.0 - unit).ln() * mean) as u64
}

/// Lindley's recursion (1952): W(n+1) = max(0, W(n) + S(n) - A(n)).
fn lindley(arrivals: &[u64], services: &[u64]) -> Vec<u64> {
    let mut wait = 0_u64;
    let mut waits = vec![0];
    for (pair, service) in arrivals.windows(2).zip(services) {
        wait = (wait + service).saturating_sub(pair[1] - pair[0]);
        waits.push(wait);
    }
    waits
}

#[test]
fn the_measured_waits_equal_lindleys_recursion_to_the_nanosecond() {
    for utilization in [0.5, 0.8, 0.95] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        let (service_mean, count) = (5e6, 20_000);
        let services: Vec<u64> = (0..count).map(|_| exponential(&mut rng, service_mean)).collect();
        let mut now = 0;
        let arrivals: Vec<u64> = (0..count)
            .map(|_| {
                now += exponential(&mut rng, service_mean / utilization);
                now
            })
            .collect();
        let services_sum: u128 = services.iter().map(|nanos| u128::from(*nanos)).sum();
        let waits: u128 =
            lindley(&arrivals, &services).iter().map(|nanos| u128::from(*nanos)).sum();

        let model = SingleServer { services: services.into_iter(), free_at: Time::ZERO };
        let mut wire = Wire::new(model, usize::MAX);
        let tally = run(engine(open(arrivals), &SETUP), &mut wire);
        assert_eq!(tally.windows[0].response.total_nanos(), waits + services_sum);
        assert_eq!(tally.raw.total_nanos(), waits + services_sum, "no attempt waited here");
        // Little's law, from two independent counts.
        let integral = tally.occupancy.mean(Time::NEVER) * (SETUP.length * MILLI) as f64;
        assert_eq!(integral.round() as u128, waits + services_sum);
    }
}

#[test]
fn a_stall_has_its_full_weight_as_intended_and_none_as_sent() {
    // One request per millisecond over one connection. Each takes 0.1 ms, but the one at 1 s takes
    // 500 ms, and later requests wait on this side.
    let arrivals = (0..5_000).map(|number| number * MILLI);
    let stalled = move |now: Time| {
        let service = if now == at(1_000) { 500 * MILLI } else { MILLI / 10 };
        Some((Time::from_nanos(now.as_nanos() + service), answer(200, now)))
    };
    let mut wire = Wire::new(stalled, 1);
    let tally = run(engine(open(arrivals), &SETUP), &mut wire);
    assert_eq!(tally.windows[0].outcomes.ended(), 5_000);
    // The k-th request after the stalled one starts at 1500 + 0.1(k-1) ms instead of 1000 + k and
    // ends 0.1 ms later, so it takes 500 - 0.9k ms: above 200 ms up to k = 333.
    assert_eq!((tally.windows[0].outcomes.late, tally.windows[0].outcomes.good), (334, 4_666));
    // In units of 0.1 ms: 5000 - 9k until that is below 1, then 1.
    let delayed: Vec<u64> =
        (0..600).map(|k| 5_000_u64.saturating_sub(9 * k)).take_while(|time| *time > 1).collect();
    let intended = delayed.iter().sum::<u64>() + (5_000 - delayed.len() as u64);
    let unit = u128::from(MILLI / 10);
    assert_eq!(tally.windows[0].response.total_nanos(), u128::from(intended) * unit);
    assert_eq!(tally.raw.total_nanos(), (5_000 + 4_999) * unit, "as sent, one request was slow");
}

#[test]
fn a_request_without_an_answer_is_abandoned_at_the_deadline() {
    let setup = Setup { deadline: millis(1_000), ..SETUP };
    let mut wire = Wire::new(|_: Time| None, 2);
    let tally = run(engine(open((0..10).map(|n| n * 100 * MILLI)), &setup), &mut wire);
    assert_eq!(tally.windows[0].outcomes.timed_out, 10);
    assert_eq!((wire.abandoned, wire.now), (10, at(1_900)));
    assert_eq!(tally.sojourn.total_nanos(), u128::from(10 * 1_000 * MILLI));
    assert_eq!(tally.failures, [("no answer before the deadline", 10)].into());
}

#[test]
fn an_answer_after_the_deadline_is_a_timeout_even_if_expire_was_late() {
    let setup = Setup { deadline: millis(100), ..SETUP };
    let mut engine = engine(open([0]), &setup);
    let mut wire = Wire::new(|_: Time| None, 1);
    assert!(engine.start_one(at(0), &mut wire));
    let attempt = wire.silent[0];
    engine.ended(attempt, answer(200, at(0)), at(101));
    assert_eq!(engine.tally().windows[0].outcomes.timed_out, 1);
    engine.ended(attempt, answer(200, at(0)), at(102));
    assert!(engine.is_done());
    assert_eq!(engine.into_tally().windows[0].outcomes.ended(), 1, "an end counts once");
}

#[test]
fn every_end_has_its_outcome() {
    let mut ends = [
        (10, answer(200, at(0))),
        (250, answer(200, at(0))),
        (1, answer(503, at(0))),
        (1, answer(429, at(0))),
        (1, answer(404, at(0))),
        (1, answer(500, at(0))),
        (1, End::Failed(Failure::ConnectRefused)),
        (1, End::Failed(Failure::Malformed(AnswerFault::NotHttp))),
        (1, End::Failed(Failure::ClosedInAnswer)),
        (1, End::Failed(Failure::Reset)),
    ]
    .into_iter();
    let model = move |now: Time| ends.next().map(|(delay, end)| (now.after(millis(delay)), end));
    let mut wire = Wire::new(model, 1_000);
    let setup = Setup { deadline: millis(1_000), ..SETUP };
    let tally = run(engine(open((0..11).map(|n| n * 300 * MILLI)), &setup), &mut wire);
    let expected = crate::report::outcome::Outcomes {
        scheduled: 11,
        good: 1,
        late: 1,
        refused: 2,
        wrong: 2,
        timed_out: 1,
        connect_error: 1,
        broken: 3,
    };
    assert_eq!(tally.windows[0].outcomes, expected);
    assert_eq!(tally.labels[0].outcomes, expected);
    assert_eq!(expected.ended(), expected.scheduled);
    assert_eq!(tally.statuses.values().sum::<u64>(), 6);
}

#[test]
fn retries_are_one_request_whose_time_counts_from_the_first_start() {
    let mut tried = 0;
    let model = move |now: Time| {
        tried += 1;
        let end = match tried {
            1 => answer(503, now),
            2 => End::Failed(Failure::Reset),
            3 => return None,
            _ => answer(200, now),
        };
        Some((now.after(millis(10)), end))
    };
    let pause = Duration::ZERO;
    let retry =
        Retry { most: 3, least_backoff: pause, most_backoff: pause, honour_retry_after: false };
    let setup = Setup { retry, deadline: millis(100), slo: Some(millis(150)), ..SETUP };
    let mut wire = Wire::new(model, 10);
    let tally = run(engine(open([0]), &setup), &mut wire);
    // 10 ms refused, 10 ms reset, 100 ms timed out, 10 ms right.
    let window = &tally.windows[0];
    assert_eq!((window.outcomes.scheduled, window.outcomes.good, tally.attempts), (1, 1, 4));
    assert_eq!(window.response.total_nanos(), u128::from(130 * MILLI));
    assert_eq!(tally.raw.total_nanos(), u128::from(10 * MILLI));
}

#[test]
fn a_client_of_a_closed_loop_asks_again_only_after_its_answer() {
    let clients = Clients::new(0..4, millis(20), at(1_000), std::iter::repeat(0));
    let setup = Setup { clients: 4, length: 1_000, ..SETUP };
    let model = SingleServer { services: vec![5 * MILLI; 1_000].into_iter(), free_at: Time::ZERO };
    let mut wire = Wire::new(model, usize::MAX);
    let tally = run(engine(Source::Closed(clients), &setup), &mut wire);
    // A cycle is 20 ms of thinking and 5 ms of service. The four clients start at 0, 5, 10, 15 ms
    // and never queue: 40 cycles each.
    assert_eq!(tally.clients, [40, 40, 40, 40]);
    assert_eq!(tally.windows[0].outcomes.good, 160);
    assert_eq!((tally.occupancy.mean(Time::NEVER) * 1e6).round(), 0.8e6);
}

#[test]
fn requests_under_way_when_a_run_ends_early_do_not_count_as_scheduled() {
    let mut engine = engine(open((0..10).map(|n| n * MILLI)), &SETUP);
    let mut wire = Wire::new(|now: Time| (now < at(3)).then(|| (now, answer(200, now))), 100);
    for now in 0..6 {
        wire.now = at(now);
        while engine.start_one(wire.now, &mut wire) {}
        while let Some((attempt, end)) = wire.take() {
            engine.ended(attempt, end, wire.now);
        }
    }
    engine.abort(at(6));
    assert!(engine.is_done());
    let tally = engine.into_tally();
    let outcomes = tally.windows[0].outcomes;
    assert_eq!((outcomes.scheduled, outcomes.good, tally.unfinished), (3, 3, 3));
}

/// A retry policy with pauses that the server asks for.
fn patient(most_backoff: Duration) -> Retry {
    Retry { most: 9, least_backoff: Duration::ZERO, most_backoff, honour_retry_after: true }
}

/// A refusal that asks for an hour of pause.
fn refused_for_an_hour(now: Time) -> Option<(Time, End)> {
    let retry_after = Some(Duration::from_secs(3_600));
    let answer = Answer { status: 503, keep_alive: true, retry_after };
    Some((now.after(millis(1)), End::Answered { answer, sent: now }))
}

#[test]
fn a_server_that_asks_for_long_pauses_does_not_keep_a_run_alive() {
    // The wire steps on to the deadline of the last attempt, which has ended.
    for (most_backoff, most) in [(millis(50), 1_600), (Duration::from_secs(86_400), 2_100)] {
        let retry = patient(most_backoff);
        let setup = Setup { retry, deadline: millis(1_000), length: 100, ..SETUP };
        let mut wire = Wire::new(refused_for_an_hour, 10);
        let tally = run(engine(open([0, 90 * MILLI]), &setup), &mut wire);
        assert_eq!(tally.windows[0].outcomes.refused, 2);
        assert!(wire.now <= at(most), "{:?} with pauses of {most_backoff:?}", wire.now);
    }
}

#[test]
fn a_request_that_waits_for_a_retry_when_a_run_is_stopped_counts_as_refused() {
    let setup = Setup { retry: patient(millis(5_000)), ..SETUP };
    let mut engine = engine(open([0, MILLI]), &setup);
    let mut wire = Wire::new(refused_for_an_hour, 10);
    for now in 0..4 {
        wire.now = at(now);
        while engine.start_one(wire.now, &mut wire) {}
        while let Some((attempt, end)) = wire.take() {
            engine.ended(attempt, end, wire.now);
        }
    }
    assert_eq!((engine.under_way(), engine.tally().windows[0].outcomes.refused), (2, 0));
    engine.stop(at(4));
    assert!(engine.is_done());
    let outcomes = engine.into_tally().windows[0].outcomes;
    assert_eq!((outcomes.scheduled, outcomes.refused), (2, 2));
}

#[test]
fn warm_up_counts_only_in_its_own_window() {
    let mut categories = Categories {
        windows: Vec::new(),
        slos: vec![millis(200)],
        labels: 1,
        clients: 0,
        bin: Some(millis(50)),
        is_open_ended: false,
    };
    for (name, from, to, measured) in
        [("warm-up", 0, 100, false), ("all", 100, 300, true), ("cool-down", 300, 400, false)]
    {
        let window = Window { name: name.to_owned(), from: at(from), to: at(to), measured };
        categories.windows.push(window);
    }
    let mut engine = engine(open((0..40).map(|n| n * 10 * MILLI)), &SETUP);
    engine.tally = Tally::new(&categories);
    let mut wire = Wire::new(|now: Time| Some((now.after(millis(25)), answer(200, now))), 100);
    let tally = run(engine, &mut wire);
    let scheduled: Vec<_> = tally.windows.iter().map(|w| w.outcomes.scheduled).collect();
    assert_eq!(scheduled, [10, 20, 10]);
    assert_eq!((tally.labels[0].outcomes.good, tally.raw.count(), tally.attempts), (20, 20, 20));
    // The answers to the requests of 80 and 90 ms arrived in the measured part.
    let completed: Vec<_> = tally.windows.iter().map(|window| window.completed).collect();
    assert_eq!(completed, [8, 20, 10]);
    assert_eq!(tally.windows[1].completed_within, [20]);
    assert_eq!(tally.occupancy.mean(Time::NEVER), 2.5);
    let bins = tally.series.unwrap().report();
    assert_eq!(bins.iter().map(|bin| bin.outcomes.good).collect::<Vec<_>>(), [5; 8]);
}

#[test]
fn a_run_that_is_shortened_counts_as_one_that_was_planned_so_short() {
    let of_lengths = |measured: u64, shorten: bool| {
        let mut categories = Categories {
            windows: Vec::new(),
            slos: vec![millis(200)],
            labels: 1,
            clients: 0,
            bin: None,
            is_open_ended: shorten,
        };
        let ends = [("warm-up", 0, 100), ("all", 100, measured), ("end", measured, measured + 50)];
        for (name, from, to) in ends {
            let is_measured = name == "all";
            let (from, to) = (at(from), at(to));
            let window = Window { name: name.to_owned(), from, to, measured: is_measured };
            categories.windows.push(window);
        }
        let last = categories.windows[2].to;
        let times = (0..1_000).map(|n| n * 10 * MILLI).take_while(|nanos| *nanos < last.as_nanos());
        let mut engine = engine(open(times), &SETUP);
        engine.tally = Tally::new(&categories);
        engine.rules.last_retry = last.after(engine.rules.deadline);
        if shorten {
            engine.shorten(at(300));
        }
        let last_retry = engine.rules.last_retry;
        let mut wire = Wire::new(|now: Time| Some((now.after(millis(25)), answer(200, now))), 100);
        let tally = run(engine, &mut wire);
        let windows = tally.windows.iter().map(|tally| tally.report(Time::NEVER));
        let windows: Vec<_> = windows.collect();
        (windows, tally.attempts, tally.occupancy.mean(Time::NEVER), last_retry)
    };
    assert_eq!(of_lengths(5_000, true), of_lengths(300, false));
}

#[test]
fn goodput_does_not_exceed_the_capacity() {
    // A server of 1,000/s gets 2,000/s. Of the requests that start in the measured part, from 100
    // to 200 ms, half are answered within 150 ms, but most of these answers arrive after it.
    let services = vec![MILLI; 1_000];
    let model = SingleServer { services: services.into_iter(), free_at: Time::ZERO };
    let mut categories = Categories {
        windows: Vec::new(),
        slos: vec![millis(150)],
        labels: 1,
        clients: 0,
        bin: None,
        is_open_ended: false,
    };
    for (name, from, to, measured) in [("warm-up", 0, 100, false), ("all", 100, 200, true)] {
        let window = Window { name: name.to_owned(), from: at(from), to: at(to), measured };
        categories.windows.push(window);
    }
    let mut engine = engine(open((0..400).map(|n| n * MILLI / 2)), &SETUP);
    engine.tally = Tally::new(&categories);
    engine.rules.slo = Some(millis(150));
    let tally = run(engine, &mut Wire::new(model, usize::MAX));
    let window = &tally.windows[1];
    assert_eq!(
        (window.outcomes.scheduled, window.completed, window.completed_good()),
        (200, 100, 100)
    );
    // The n-th starts at n/2 ms and ends at n+1 ms: it takes n/2 + 1 <= 150 ms up to n = 298.
    assert_eq!(window.outcomes.good, 99);
}

proptest! {
    /// For any behaviour of the server, every request ends exactly once and leaves no state.
    #[test]
    fn every_request_has_exactly_one_outcome(
        delays in proptest::collection::vec((0..400_u64, 0..6_u8), 1..200),
        gap in 0..20_u64,
        limit in 1..20_usize,
        most in 0..4_u32,
    ) {
        let count = delays.len() as u64;
        let mut ends = delays.into_iter().cycle();
        let model = move |now: Time| {
            let (delay, kind) = ends.next()?;
            let end = match kind {
                0 => return None,
                1 => answer(503, now),
                2 => End::Failed(Failure::ConnectFailed),
                3 => End::Failed(Failure::ClosedBeforeAnswer),
                4 => answer(404, now),
                _ => answer(200, now),
            };
            Some((now.after(millis(delay)), end))
        };
        let retry = Retry {
            most,
            least_backoff: millis(5),
            most_backoff: millis(50),
            honour_retry_after: true,
        };
        let setup = Setup { deadline: millis(300), retry, ..SETUP };
        let mut wire = Wire::new(model, limit);
        let tally = run(engine(open((0..count).map(|n| n * gap * MILLI)), &setup), &mut wire);
        let outcomes = tally.windows[0].outcomes;
        prop_assert_eq!(outcomes.scheduled, count);
        prop_assert_eq!(outcomes.ended(), count);
        prop_assert_eq!(tally.sojourn.count(), count);
        prop_assert!(tally.attempts >= count && tally.attempts <= count * u64::from(most + 1));
        prop_assert!(wire.carried.is_empty() && wire.silent.is_empty() && wire.backlog.is_empty());
        prop_assert!(wire.sent <= tally.attempts);
    }
}
