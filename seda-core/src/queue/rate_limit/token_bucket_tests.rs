use crate::platform::Time;
use crate::queue::rate_limit::token_bucket::{Rate, TokenBucket};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;
/// One token in a thousand seconds.
const LOWEST: f64 = 0.001;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// Takes single tokens as long as there are any; returns their number.
fn drain(bucket: &mut TokenBucket, now: Time) -> u64 {
    (0..).take_while(|_| bucket.take(1, now)).count() as u64
}

/// Returns the tokens taken in a second by a taker that drains the bucket every `step` nanoseconds.
fn greedy(rate: f64, burst: u64, step: u64) -> u64 {
    let mut bucket = TokenBucket::new(Rate::per_second(rate), burst, Time::ZERO);
    (0..=SECOND / step).map(|n| drain(&mut bucket, at(n * step))).sum()
}

#[test]
fn a_rate_is_exact_however_high_it_is_and_however_seldom_tokens_are_taken() {
    // The original's cap was 1,000 per second.
    assert_eq!(greedy(5_000.0, 10, 1_000_000), 10 + 5_000);
    assert_eq!(greedy(1_000_000.0, 1, 1_000), 1 + 1_000_000);
    assert_eq!(greedy(1_000_000.0, 1_000, 1_000_000), 1_000 + 1_000_000);
    // 999,983 is a prime: every third attempt finds a part of a token.
    assert_eq!(greedy(999_983.0, 2, 1_000), 2 + 999_983);
    assert_eq!(greedy(0.25, 1, 1_000_000), 1);
}

#[test]
fn a_token_arrives_at_its_nanosecond_and_not_before() {
    let mut bucket = TokenBucket::new(Rate::per_second(0.05), 1, Time::ZERO);
    assert!(bucket.take(1, Time::ZERO));
    assert!(!bucket.take(1, at(20 * SECOND - 1)));
    assert!(bucket.take(1, at(20 * SECOND)));
}

#[test]
fn a_new_rate_keeps_the_tokens_and_the_part_of_the_next() {
    let mut bucket = TokenBucket::new(Rate::per_second(10.0), 4, Time::ZERO);
    assert!(bucket.take(3, Time::ZERO));
    // One token is left, and half of the next has arrived at ten per second.
    bucket.set_rate(Rate::per_second(1.0), at(SECOND / 20));
    assert!(!bucket.take(2, at(SECOND / 20 + SECOND / 2 - 1)));
    assert!(bucket.take(2, at(SECOND / 20 + SECOND / 2)));
}

#[test]
fn a_smaller_burst_drops_the_excess_and_a_larger_one_adds_nothing() {
    let mut bucket = TokenBucket::new(Rate::per_second(LOWEST), 10, Time::ZERO);
    bucket.set_burst(3, Time::ZERO);
    bucket.set_burst(10, Time::ZERO);
    assert_eq!(drain(&mut bucket.clone(), Time::ZERO), 3);
    bucket.set_burst(0, Time::ZERO);
    assert_eq!((bucket.burst(), drain(&mut bucket, Time::ZERO)), (1, 1));
}

#[test]
fn a_refused_batch_uses_up_no_tokens() {
    let mut bucket = TokenBucket::new(Rate::per_second(LOWEST), 4, Time::ZERO);
    assert!(!bucket.take(5, Time::ZERO));
    assert!(bucket.take(3, Time::ZERO));
    bucket.give_back(3);
    assert!(bucket.take(4, Time::ZERO));
    bucket.give_back(u64::MAX);
    assert_eq!(drain(&mut bucket, Time::ZERO), 4);
}

#[test]
fn more_tokens_than_the_burst_are_never_there() {
    let mut bucket = TokenBucket::new(Rate::per_second(1e6), 4, Time::ZERO);
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
        assert_eq!(Rate::per_second(absurd), Rate::per_second(LOWEST));
    }
    assert!(Rate::per_second(f64::INFINITY) > Rate::per_second(1e16));
}

proptest! {
    #[test]
    fn in_any_time_no_more_events_enter_than_the_burst_and_the_rate_allow(
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
            let taken = (0..wanted).take_while(|_| bucket.take(1, at(now))).count();
            entered.push((now, taken as u64));
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
    fn attempts_that_fail_in_between_change_nothing(
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
                prop_assert!(!watched.take(burst + 1, at(now)));
            }
        }
        prop_assert_eq!(drain(&mut watched, at(now)), drain(&mut alone, at(now)));
    }

    #[test]
    fn the_bucket_never_holds_more_than_its_burst(
        steps in proptest::collection::vec(
            (any::<u64>(), any::<u64>(), proptest::num::f64::ANY, 0_u8..4), 0..50),
    ) {
        let mut bucket = TokenBucket::new(Rate::per_second(LOWEST), 7, Time::ZERO);
        for (now, n, rate, step) in steps {
            match step {
                0 => drop(bucket.take(n, at(now))),
                1 => bucket.give_back(n),
                2 => bucket.set_rate(Rate::per_second(rate), at(now)),
                _ => bucket.set_burst(n, at(now)),
            }
            let more = bucket.burst().saturating_add(1);
            prop_assert!(more == u64::MAX || !bucket.clone().take(more, at(now)));
        }
    }
}
