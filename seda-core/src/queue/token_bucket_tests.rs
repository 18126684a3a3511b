use crate::platform::Time;
use crate::queue::token_bucket::{Rate, TokenBucket};
use proptest::prelude::*;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// What a taker who takes all there is gets in a second, asking every `step` nanoseconds.
fn greedy(rate: f64, burst: u64, step: u64) -> u64 {
    let mut bucket = TokenBucket::new(Rate::per_second(rate), burst, Time::ZERO);
    (0..=SECOND / step).map(|n| bucket.take_up_to(u64::MAX, at(n * step))).sum()
}

#[test]
fn a_rate_is_exact_however_high_it_is_and_however_seldom_it_is_asked() {
    // The original's cap was 1000 per second, asked each millisecond or not.
    assert_eq!(greedy(5_000.0, 10, 1_000_000), 10 + 5_000);
    assert_eq!(greedy(1_000_000.0, 1, 1_000), 1 + 1_000_000);
    assert_eq!(greedy(1_000_000.0, 1_000, 1_000_000), 1_000 + 1_000_000);
    // 999,983 is a prime: every third question finds a part of a token.
    assert_eq!(greedy(999_983.0, 2, 1_000), 2 + 999_983);
    assert_eq!(greedy(0.25, 1, 1_000_000), 1);
}

#[test]
fn a_slow_rate_gives_its_token_at_the_nanosecond_and_not_before() {
    let mut bucket = TokenBucket::new(Rate::per_second(0.05), 1, Time::ZERO);
    assert!(bucket.take(1, Time::ZERO));
    assert!(!bucket.take(1, at(20 * SECOND - 1)));
    assert!(bucket.take(1, at(20 * SECOND)));
}

#[test]
fn a_new_rate_keeps_the_tokens_and_what_had_come_of_the_next() {
    let mut bucket = TokenBucket::new(Rate::per_second(10.0), 4, Time::ZERO);
    assert!(bucket.take(3, Time::ZERO));
    // One is left, and half of one has come at ten per second.
    bucket.set_rate(Rate::per_second(1.0), at(SECOND / 20));
    assert_eq!(bucket.available(at(SECOND / 20)), 1);
    assert_eq!(bucket.wait_for(2, at(SECOND / 20)), Some(Duration::from_millis(500)));
    assert_eq!(bucket.available(at(SECOND / 20 + SECOND / 2)), 2);
}

#[test]
fn a_smaller_burst_takes_what_exceeds_it_and_a_larger_one_gives_nothing() {
    let mut bucket = TokenBucket::new(Rate::LOWEST, 10, Time::ZERO);
    bucket.set_burst(3, Time::ZERO);
    bucket.set_burst(10, Time::ZERO);
    assert_eq!(bucket.available(Time::ZERO), 3);
    bucket.set_burst(0, Time::ZERO);
    assert_eq!((bucket.burst(), bucket.available(Time::ZERO)), (1, 1));
}

#[test]
fn a_refused_batch_burns_no_tokens() {
    let mut bucket = TokenBucket::new(Rate::LOWEST, 4, Time::ZERO);
    assert!(!bucket.take(5, Time::ZERO));
    assert_eq!(bucket.take_up_to(3, Time::ZERO), 3);
    bucket.give_back(3);
    assert!(bucket.take(4, Time::ZERO));
    bucket.give_back(u64::MAX);
    assert_eq!(bucket.available(Time::ZERO), 4);
}

#[test]
fn more_than_the_burst_never_comes() {
    let mut bucket = TokenBucket::new(Rate::per_second(1e6), 4, Time::ZERO);
    assert_eq!(bucket.wait_for(5, Time::ZERO), None);
    assert!(!bucket.take(5, Time::NEVER));
}

#[test]
fn a_clock_that_is_set_back_gives_no_tokens_twice() {
    let mut bucket = TokenBucket::new(Rate::per_second(1.0), 1, at(10 * SECOND));
    assert!(bucket.take(1, at(10 * SECOND)));
    assert!(!bucket.take(1, Time::ZERO));
    assert!(!bucket.take(1, at(10 * SECOND)));
    assert!(bucket.take(1, at(11 * SECOND)));
}

#[test]
fn no_number_makes_a_rate_of_zero() {
    for absurd in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY, 1e-9] {
        assert_eq!(Rate::per_second(absurd), Rate::LOWEST);
    }
    assert!(Rate::per_second(f64::INFINITY).as_per_second() > 1e16);
    assert_eq!(Rate::per_second(0.05).to_string(), "0.05/s");
}

proptest! {
    #[test]
    fn over_any_time_no_more_enter_than_the_burst_and_the_rate_allow(
        millitokens in 1_u64..10_000_000_000,
        burst in 1_u64..100,
        steps in proptest::collection::vec((0_u64..SECOND / 100, 0_u64..50), 1..60),
    ) {
        let rate = Rate::per_second(millitokens as f64 / 1e3);
        let mut bucket = TokenBucket::new(rate, burst, Time::ZERO);
        let mut now = 0;
        let mut entered = Vec::new();
        for (step, wanted) in steps {
            now += step;
            entered.push((now, bucket.take_up_to(wanted, at(now))));
        }
        for (first, (from, _)) in entered.iter().enumerate() {
            let mut sum = 0_u128;
            for (to, taken) in &entered[first..] {
                sum += u128::from(*taken);
                let came = u128::from(to - from) * u128::from(millitokens);
                prop_assert!(sum * 1_000_000_000_000 <= u128::from(burst) * 1_000_000_000_000 + came);
            }
        }
    }

    #[test]
    fn to_be_asked_in_between_changes_nothing(
        rate in 0.001..1e7_f64,
        burst in 1_u64..1_000,
        steps in proptest::collection::vec((0_u64..SECOND, 0_u64..50, any::<bool>()), 1..60),
    ) {
        let mut watched = TokenBucket::new(Rate::per_second(rate), burst, Time::ZERO);
        let mut alone = watched.clone();
        let mut now = 0;
        for (step, wanted, takes) in steps {
            now += step;
            if takes {
                prop_assert_eq!(watched.take(wanted, at(now)), alone.take(wanted, at(now)));
            } else {
                let _ = watched.available(at(now));
                let _ = watched.wait_for(wanted, at(now));
            }
        }
        prop_assert_eq!(watched.available(at(now)), alone.available(at(now)));
    }

    #[test]
    fn what_is_waited_for_is_there_then_and_not_a_nanosecond_before(
        rate in 0.001..1e7_f64,
        burst in 1_u64..1_000,
        taken in 1_u64..1_000,
        wanted in 1_u64..1_000,
    ) {
        let mut bucket = TokenBucket::new(Rate::per_second(rate), burst, Time::ZERO);
        let _ = bucket.take_up_to(taken, Time::ZERO);
        match bucket.wait_for(wanted, Time::ZERO) {
            None => prop_assert!(wanted > burst),
            Some(wait) => {
                if let Some(before) = wait.checked_sub(Duration::from_nanos(1)) {
                    prop_assert!(!bucket.clone().take(wanted, Time::ZERO.after(before)));
                }
                prop_assert!(bucket.take(wanted, Time::ZERO.after(wait)));
            }
        }
    }

    #[test]
    fn whatever_it_is_asked_it_holds_between_nothing_and_the_burst(
        questions in proptest::collection::vec(
            (any::<u64>(), any::<u64>(), proptest::num::f64::ANY, 0_u8..5), 0..50),
    ) {
        let mut bucket = TokenBucket::new(Rate::LOWEST, 7, Time::ZERO);
        for (now, n, rate, what) in questions {
            match what {
                0 => drop(bucket.take(n, at(now))),
                1 => drop(bucket.take_up_to(n, at(now))),
                2 => bucket.give_back(n),
                3 => bucket.set_rate(Rate::per_second(rate), at(now)),
                _ => bucket.set_burst(n, at(now)),
            }
            prop_assert!(bucket.available(at(now)) <= bucket.burst());
        }
    }
}
