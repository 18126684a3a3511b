use super::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

fn drawn(process: Process, profile: &str, seed: u64) -> Vec<u64> {
    Arrivals::drawn(process, &profile.parse().unwrap(), seed).collect()
}

fn ascends(times: &[u64]) -> bool {
    times.is_sorted()
}

#[test]
fn a_seed_determines_the_times_in_every_version() {
    let profile: Profile = "1000/s:1s,5/s:2s".parse().unwrap();
    let first =
        |seed| -> Vec<u64> { Arrivals::drawn(Process::Poisson, &profile, seed).take(5).collect() };
    assert_eq!(first(42), [1_683_650, 2_067_580, 6_196_154, 7_403_919, 8_981_396]);
    assert_eq!(first(42), first(42));
    assert_ne!(first(42), first(43));
}

#[test]
fn a_poisson_process_has_its_rate_and_exponential_gaps() {
    // 100,000 are expected; the standard deviation is the root of that, and four of them are 1,265.
    let times = drawn(Process::Poisson, "1000/s:100s", 7);
    assert!(times.len().abs_diff(100_000) < 1_265, "{}", times.len());
    let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
    let variation = variance.sqrt() / mean;
    // The coefficient of variation of n exponentials deviates by about 1/√n, here 0.003.
    assert!((variation - 1.0).abs() < 0.0127, "{variation}");
    // An exponential exceeds its mean with probability 1/e.
    let long = gaps.iter().filter(|gap| **gap > mean).count() as f64 / n;
    assert!((long - (-1f64).exp()).abs() < 0.0062, "{long}");
}

#[test]
fn each_part_of_a_profile_has_its_own_rate() {
    let times = drawn(Process::Poisson, "9000/s:5s,0/s:1s,100/s:30s,14000/s:2s", 3);
    let within = |from: u64, to: u64| {
        times.iter().filter(|at| (from * SECOND..to * SECOND).contains(at)).count()
    };
    for (from, to, expected) in [(0, 5, 45_000), (6, 36, 3_000), (36, 38, 28_000)] {
        let deviation = 4.0 * f64::from(expected).sqrt();
        let found = within(from, to) as f64;
        assert!((found - f64::from(expected)).abs() < deviation, "{found} in {from}..{to}");
    }
    assert_eq!(within(5, 6), 0);
    assert_eq!(within(38, 1_000), 0);
}

#[test]
fn a_boundary_between_equal_rates_changes_nothing() {
    // The process has no memory: divided into parts it is the same, up to the rounding of a sum.
    let whole = drawn(Process::Poisson, "500/s:10s", 11);
    let pieces = drawn(Process::Poisson, "500/s:1ms,500/s:4s,500/s:1999ms,500/s:4s", 11);
    assert_eq!(whole.len(), pieces.len());
    assert!(whole.iter().zip(&pieces).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn a_pause_only_shifts_later_arrivals() {
    let pressed = drawn(Process::Poisson, "500/s:4s,20/s:6s", 5);
    let paused = drawn(Process::Poisson, "0/s:1s,500/s:4s,0/s:2s,20/s:6s,0/s:9s", 5);
    let shifted: Vec<u64> =
        pressed.iter().map(|at| at + if *at < 4 * SECOND { SECOND } else { 3 * SECOND }).collect();
    assert_eq!(paused, shifted);
}

#[test]
fn uniform_arrivals_are_exact_and_do_not_drift() {
    let times = drawn(Process::Uniform, "3/s:1000s", 0);
    assert_eq!(times.len(), 3_000);
    assert_eq!(times[..4], [0, 333_333_333, 666_666_667, SECOND]);
    assert!((0..1_000).all(|second| times[3 * second] == second as u64 * SECOND));
    let parts = drawn(Process::Uniform, "900/s:5s,0/s:1s,1400/s:10s", 0);
    assert_eq!(parts.len(), 4_500 + 14_000);
    assert_eq!((parts[4_499], parts[4_500]), (4_998_888_889, 6 * SECOND));
}

#[test]
fn a_recording_is_played_at_its_speed() {
    let times: Arc<[u64]> = Arc::from([0, 10, 10, 25, u64::MAX]);
    let played = |speed| -> Vec<u64> { Arrivals::recorded(Arc::clone(&times), speed).collect() };
    assert_eq!(played(1.0), *times);
    assert_eq!(played(2.0)[..4], [0, 5, 5, 13]);
    assert_eq!(played(0.5)[..4], [0, 20, 20, 50]);
    for unusable in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(played(unusable).is_empty(), "{unusable}");
    }
}

#[test]
fn a_shard_of_zero_is_the_whole_and_one_beyond_the_end_is_empty() {
    let all = || Arrivals::recorded(Arc::from([1, 2, 3]), 1.0);
    assert_eq!(all().shard(0, 0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(all().shard(3, 4).next(), None);
    assert_eq!(all().shard(usize::MAX, usize::MAX).shard(1, 9).next(), None);
}

fn parts() -> impl Strategy<Value = Profile> {
    let rate = prop_oneof![Just(0.0), Just(1_000.0), 0.0..20_000.0f64, 1e6..=MAX_RATE];
    let part = (rate, 1u64..200_000_000).prop_map(|(rate, nanos)| {
        // At most 20,000 arrivals, so that a test can count them.
        let most = (20_000.0 * 1e9 / f64::max(rate, 1.0)) as u64;
        Part { rate, duration: Duration::from_nanos(nanos.min(most).max(1)) }
    });
    prop::collection::vec(part, 1..6)
        .prop_filter_map("only pauses", |parts| Profile::new(parts).ok())
}

fn process() -> impl Strategy<Value = Process> {
    prop_oneof![Just(Process::Poisson), Just(Process::Uniform)]
}

proptest! {
    #[test]
    fn arrivals_ascend_and_end_before_the_profile(
        process in process(), profile in parts(), seed: u64
    ) {
        let times: Vec<u64> = Arrivals::drawn(process, &profile, seed).collect();
        prop_assert!(ascends(&times));
        let end = profile.total().as_nanos();
        prop_assert!(times.last().is_none_or(|last| u128::from(*last) < end));
    }

    #[test]
    fn uniform_counts_are_the_products(rate in 1u64..50_000, seconds in 1u64..4) {
        let profile = Profile::constant(rate as f64, Duration::from_secs(seconds)).unwrap();
        let times = Arrivals::drawn(Process::Uniform, &profile, 0);
        prop_assert_eq!(times.count() as u64, rate * seconds);
    }

    #[test]
    fn shards_are_a_partition(
        process in process(), profile in parts(), seed: u64, of in 1usize..7, inner in 1usize..4
    ) {
        let all = || Arrivals::drawn(process, &profile, seed);
        let whole: Vec<u64> = all().collect();
        for nth in 0..of {
            let expected: Vec<u64> = whole.iter().copied().skip(nth).step_by(of).collect();
            prop_assert_eq!(all().shard(nth, of).collect::<Vec<_>>(), &expected[..]);
            for within in 0..inner {
                let shard = all().shard(nth, of).shard(within, inner);
                let expected = expected.iter().copied().skip(within).step_by(inner);
                prop_assert!(shard.eq(expected));
            }
        }
    }

    #[test]
    fn shards_of_a_recording_are_a_partition(
        mut times in prop::collection::vec(0u64..1_000_000, 0..50), of in 1usize..7
    ) {
        times.sort_unstable();
        let all = || Arrivals::recorded(times.clone().into(), 1.0);
        let mut together: Vec<u64> = (0..of).flat_map(|nth| all().shard(nth, of)).collect();
        together.sort_unstable();
        prop_assert_eq!(together, times.clone());
    }
}
