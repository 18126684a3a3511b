use crate::config::{CodelConfig, CodelLaw};
use crate::platform::Time;
use crate::queue::codel::{Codel, Dequeued, Verdict};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000 * MICRO;
const SECOND: u64 = 1_000 * MILLI;

/// A single server with arrivals and services at exact distances, and its record.
#[derive(Debug, Default)]
struct Plant {
    /// The begin of each served event, and its wait.
    served: Vec<(u64, u64)>,
    shed: u64,
    /// Events shed with nothing queued behind them.
    emptied: u64,
}

impl Plant {
    /// Runs until `until` with arrivals every `gap` and services of `service` nanoseconds.
    fn run(config: CodelConfig, gap: u64, service: u64, until: u64) -> Self {
        let mut codel = Codel::new(config);
        let (mut plant, mut queue) = (Self::default(), VecDeque::new());
        let (mut now, mut arrival) = (0, 0);
        while now < until {
            while arrival <= now {
                queue.push_back(arrival);
                arrival += gap;
            }
            let Some(arrived) = queue.pop_front() else {
                now = arrival;
                continue;
            };
            let waited = now - arrived;
            let event = Dequeued { sojourn: Duration::from_nanos(waited), behind: queue.len() };
            match codel.verdict(event, Time::from_nanos(now)) {
                Verdict::Keep => {
                    plant.served.push((now, waited));
                    now += service;
                }
                Verdict::Drop => {
                    plant.shed += 1;
                    plant.emptied += u64::from(queue.is_empty());
                }
            }
        }
        plant
    }

    /// Returns the longest wait of the events begun in `from..to`.
    fn longest(&self, from: u64, to: u64) -> u64 {
        let waits = self.served.iter().filter(|(begun, _)| (from..to).contains(begun));
        waits.map(|(_, waited)| *waited).max().unwrap_or(0)
    }
}

fn config(law: CodelLaw) -> CodelConfig {
    CodelConfig { law, ..CodelConfig::default() }
}

#[test]
fn below_capacity_nothing_is_shed() {
    for law in [CodelLaw::ServerCodel, CodelLaw::Rfc8289] {
        let plant = Plant::run(config(law), 2 * MILLI, MILLI, 10 * SECOND);
        assert_eq!((plant.shed, plant.served.len()), (0, 5_000));
    }
}

#[test]
fn at_twice_the_capacity_server_codel_limits_the_wait_to_twice_the_target_by_the_third_interval() {
    let plant = Plant::run(config(CodelLaw::ServerCodel), 500 * MICRO, MILLI, 10 * SECOND);
    // In two intervals an excess of one half makes a queue of 100 ms.
    assert_eq!(plant.longest(0, 10 * SECOND), 100 * MILLI);
    // Then, of 200 queued events, nine are shed per event served while two arrive: for 23 ms. The
    // first event of an interval is kept and waits half a service longer than others at most.
    assert!(plant.longest(225 * MILLI, 10 * SECOND) <= 10 * MILLI + 500 * MICRO);
    assert_eq!((plant.served.len(), plant.emptied), (10_000, 0));
}

#[test]
fn rfc_8289_never_reaches_its_target_if_senders_do_not_slow_down() {
    let plant = Plant::run(config(CodelLaw::Rfc8289), 800 * MICRO, MILLI, 30 * SECOND);
    assert_eq!(plant.longest(0, 30 * SECOND), 496 * MILLI);
    let seconds = (10..30).map(|second| plant.longest(second * SECOND, (second + 1) * SECOND));
    assert!(seconds.clone().all(|longest| longest > 80 * MILLI && longest < 300 * MILLI));
    assert_eq!((plant.served.len(), plant.emptied), (30_000, 0));
}

#[test]
fn a_burst_that_is_worked_off_in_an_interval_loses_no_event() {
    for law in [CodelLaw::ServerCodel, CodelLaw::Rfc8289] {
        let mut codel = Codel::new(config(law));
        let verdicts = (0..90_usize).map(|n| {
            let waited = Duration::from_millis(n as u64);
            let event = Dequeued { sojourn: waited, behind: 89 - n };
            codel.verdict(event, Time::ZERO.after(waited))
        });
        assert_eq!(verdicts.filter(|verdict| *verdict == Verdict::Drop).count(), 0);
    }
}

#[test]
fn rfc_8289_drops_at_the_times_of_the_rfc() {
    let mut codel = Codel::new(config(CodelLaw::Rfc8289));
    let late = Dequeued { sojourn: Duration::from_millis(50), behind: 9 };
    // The cap keeps the first event of each interval; here none of these is due.
    let _ = codel.verdict(Dequeued { sojourn: Duration::ZERO, behind: 9 }, Time::ZERO);
    let dropped: Vec<u64> = (0..500)
        .filter(|ms| codel.verdict(late, Time::from_nanos((30 + ms) * MILLI)) == Verdict::Drop)
        .collect();
    // An interval above the target; then 100, 100/√2, 100/√3, 100/√4 ms and so on apart.
    assert_eq!(dropped, [100, 200, 271, 329, 379, 424, 464]);
}

#[test]
fn rfc_8289_resumes_its_drop_rate_after_a_short_pause() {
    let drops_of_the_next_episode = |pause: u64| {
        let mut codel = Codel::new(config(CodelLaw::Rfc8289));
        let late = Dequeued { sojourn: Duration::from_millis(50), behind: 9 };
        let quick = Dequeued { sojourn: Duration::ZERO, behind: 9 };
        for ms in 0..500 {
            let _ = codel.verdict(late, Time::from_nanos(ms * MILLI));
        }
        assert_eq!(codel.verdict(quick, Time::from_nanos(500 * MILLI)), Verdict::Keep);
        assert!(!codel.is_shedding());
        let from = 501 + pause;
        let times = (from..from + 251).map(|ms| Time::from_nanos(ms * MILLI));
        times.filter(|now| codel.verdict(late, *now) == Verdict::Drop).count()
    };
    // After a short pause the next drops are 100/√6 ms apart and so on, after a long one 100 ms.
    assert_eq!((drops_of_the_next_episode(0), drops_of_the_next_episode(1_600)), (5, 2));
}

#[test]
fn if_shedding_does_not_help_at_most_nine_events_in_ten_are_shed() {
    let mut codel = Codel::new(CodelConfig::default());
    let late = Dequeued { sojourn: Duration::from_secs(1), behind: 1_000 };
    let shed_by_interval: Vec<usize> = (0..5)
        .map(|interval| {
            let times = (0..100).map(|ms| Time::from_nanos((interval * 100 + ms) * MILLI));
            times.filter(|now| codel.verdict(late, *now) == Verdict::Drop).count()
        })
        .collect();
    // The first interval only observes.
    assert_eq!(shed_by_interval, [0, 90, 90, 90, 90]);
}

#[test]
fn beyond_ten_times_the_capacity_the_cap_lets_the_queue_grow_and_the_server_is_busy() {
    let plant = Plant::run(CodelConfig::default(), 50 * MICRO, MILLI, 2 * SECOND);
    assert!(plant.longest(0, 2 * SECOND) > 500 * MILLI);
    assert_eq!((plant.served.len(), plant.emptied), (2_000, 0));
}

#[test]
fn with_one_in_one_to_keep_nothing_is_ever_shed() {
    for keep_one_in in [0, 1] {
        let config = CodelConfig { keep_one_in, ..CodelConfig::default() };
        assert_eq!(Plant::run(config, 100 * MICRO, MILLI, SECOND).shed, 0);
    }
}

#[test]
fn settings_are_read_by_name_and_an_unknown_one_is_refused() {
    let read: CodelConfig = toml::from_str("target = \"20ms\"\nlaw = \"spaced\"").unwrap();
    assert_eq!((read.target, read.law), (Duration::from_millis(20), CodelLaw::Rfc8289));
    let error = toml::from_str::<CodelConfig>("aim = \"20ms\"").unwrap_err().to_string();
    assert!(error.contains("aim"), "{error}");
}

proptest! {
    #[test]
    fn under_any_load_shedding_never_idles_the_server_and_the_cap_holds(
        spaced in any::<bool>(),
        gap in 20 * MICRO..3 * MILLI,
        service in 20 * MICRO..20 * MILLI,
        keep_one_in in 1_u32..20,
    ) {
        let law = if spaced { CodelLaw::Rfc8289 } else { CodelLaw::ServerCodel };
        let config = CodelConfig { law, keep_one_in, ..CodelConfig::default() };
        let plant = Plant::run(config, gap, service, SECOND);
        prop_assert_eq!(plant.emptied, 0);
        let taken = plant.served.len() as u64 + plant.shed;
        prop_assert!(plant.shed * u64::from(keep_one_in) <= taken * u64::from(keep_one_in - 1));
        if gap <= service {
            prop_assert_eq!(plant.served.len() as u64, SECOND.div_ceil(service));
        }
    }

    #[test]
    fn the_last_event_of_a_queue_is_never_shed(
        spaced in any::<bool>(),
        target in any::<u64>(),
        interval in any::<u64>(),
        events in proptest::collection::vec((any::<u64>(), any::<u64>(), 0_usize..3), 0..100),
    ) {
        let law = if spaced { CodelLaw::Rfc8289 } else { CodelLaw::ServerCodel };
        let (target, interval) = (Duration::from_nanos(target), Duration::from_nanos(interval));
        let mut codel = Codel::new(CodelConfig { target, interval, law, keep_one_in: 10 });
        for (waited, now, behind) in events {
            let event = Dequeued { sojourn: Duration::from_nanos(waited), behind };
            let verdict = codel.verdict(event, Time::from_nanos(now));
            prop_assert!(behind > 0 || verdict == Verdict::Keep);
        }
    }
}
