use crate::config::Class;
use crate::event::{EventMeta, ShardSet, Weight};
use crate::queue::lanes::*;
use crate::queue::victim::{Evict, Shed, VictimFilter};
use proptest::prelude::*;
use std::collections::VecDeque;

const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);

fn envelope(event: u32, class: Class, deadline: Time) -> Envelope<u32> {
    let mut meta = EventMeta::new(Time::ZERO, class, deadline);
    meta.spent.add(64);
    Envelope { event, meta, enqueued: Time::ZERO }
}

fn lanes(capacity: usize, weights: &[u32]) -> Lanes<u32> {
    let mut lanes = Lanes::new(capacity);
    lanes.set_classes(weights);
    lanes.ledger_mut().add_edge();
    lanes.set_open(true);
    lanes
}

fn push(lanes: &mut Lanes<u32>, event: u32, class: Class) {
    push_until(lanes, event, class, Time::NEVER);
}

fn push_until(lanes: &mut Lanes<u32>, event: u32, class: Class, deadline: Time) {
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Ok(1));
    lanes.push_reserved(&mut vec![envelope(event, class, deadline)], 0, Time::ZERO);
}

fn take(lanes: &mut Lanes<u32>, most: usize) -> Vec<u32> {
    let (mut batch, mut shed) = (VecDeque::new(), Vec::new());
    lanes.take(0, most, Time::ZERO, &mut batch, &mut shed);
    batch.into_iter().map(|envelope| envelope.event).collect()
}

fn events(shed: &[Shed<u32>]) -> Vec<(u32, LossReason)> {
    shed.iter().map(|(envelope, reason)| (envelope.event, *reason)).collect()
}

#[test]
fn reserved_places_count_against_the_capacity_until_given_back() {
    let mut lanes = lanes(4, &[1]);
    assert_eq!(lanes.reserve(1, 3, || Time::ZERO), Ok(3));
    assert_eq!(lanes.reserve(2, 2, || Time::ZERO), Err(RefusalReason::Full));
    assert_eq!(lanes.reserve(1, 9, || Time::ZERO), Ok(1));
    lanes.unreserve(4);
    assert_eq!(lanes.reserve(5, 5, || Time::ZERO), Err(RefusalReason::TooLarge));
    lanes.set_open(false);
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Err(RefusalReason::Closed));
}

#[test]
fn above_the_soft_capacity_nothing_is_admitted_and_queued_events_stay() {
    let mut lanes = lanes(4, &[1]);
    (0..4).for_each(|event| push(&mut lanes, event, GOLD));
    lanes.set_soft(2);
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Err(RefusalReason::Full));
    assert_eq!(take(&mut lanes, 3), [0, 1, 2]);
    assert_eq!(lanes.reserve(1, 9, || Time::ZERO), Ok(1));
}

#[test]
fn a_reserved_place_stays_valid_after_the_lanes_were_closed() {
    let mut lanes = lanes(1, &[1]);
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Ok(1));
    lanes.set_open(false);
    lanes.push_reserved(&mut vec![envelope(1, GOLD, Time::NEVER)], 0, Time::ZERO);
    assert_eq!(take(&mut lanes, 1), [1]);
}

#[test]
fn lanes_take_turns_by_weight_and_keep_order_within_a_class() {
    let mut lanes = lanes(32, &[3, 1]);
    (0..6).for_each(|event| push(&mut lanes, event, GOLD));
    (10..16).for_each(|event| push(&mut lanes, event, BASIC));
    assert_eq!(take(&mut lanes, 8), [0, 1, 2, 10, 3, 4, 5, 11]);
    assert_eq!(take(&mut lanes, 8), [12, 13, 14, 15]);
}

#[test]
fn an_expired_event_is_shed_at_dequeue_and_does_not_count_as_taken() {
    let mut lanes = lanes(8, &[1]);
    push_until(&mut lanes, 1, GOLD, Time::from_nanos(5));
    push(&mut lanes, 2, GOLD);
    let (mut batch, mut shed) = (VecDeque::new(), Vec::new());
    lanes.take(0, 1, Time::from_nanos(5), &mut batch, &mut shed);
    assert_eq!(batch.front().unwrap().event, 2);
    assert_eq!(events(&shed), [(1, LossReason::Expired)]);
    assert_eq!(lanes.wasted_nanos(), 64);
}

#[test]
fn eviction_takes_expired_heads_then_the_lowest_class_oldest_first() {
    let mut lanes = lanes(8, &[1, 1]);
    push_until(&mut lanes, 1, GOLD, Time::from_nanos(5));
    push(&mut lanes, 2, GOLD);
    push(&mut lanes, 3, BASIC);
    push(&mut lanes, 4, BASIC);
    let mut shed = Vec::new();
    let victims = VictimFilter::LowerThan(GOLD);
    assert_eq!(lanes.eligible(victims), 2);
    let now = Time::from_nanos(9);
    assert_eq!(lanes.evict(victims, Evict::Oldest, 2, now, &mut shed), 2);
    assert_eq!(events(&shed), [(1, LossReason::Expired), (3, LossReason::Valve)]);
    assert_eq!(lanes.evict(victims, Evict::Oldest, 9, now, &mut shed), 1);
    assert_eq!(lanes.evict(victims, Evict::Oldest, 9, now, &mut shed), 0);
    assert_eq!(lanes.evict(VictimFilter::UpTo(GOLD), Evict::Newest, 9, now, &mut shed), 1);
    assert_eq!(lanes.depth(), 0);
}

#[test]
fn occupancy_is_the_time_integral_of_all_events_in_the_stage() {
    let mut lanes = lanes(8, &[1]);
    push(&mut lanes, 1, GOLD);
    push(&mut lanes, 2, GOLD);
    let (mut batch, mut shed) = (VecDeque::new(), Vec::new());
    lanes.take(0, 1, Time::from_nanos(10), &mut batch, &mut shed);
    let mut outcome = Outcome::default();
    outcome.handled[GOLD] = 1;
    lanes.settle(&outcome, Time::from_nanos(15));
    // Two events for 15 ns (one of them in hand for 5), then one for 5.
    assert_eq!(lanes.occupancy(Time::from_nanos(20)), 35);
}

#[test]
fn a_capacity_below_the_depth_sinks_with_it_and_admits_nothing_meanwhile() {
    let mut lanes = lanes(8, &[1]);
    (0..6).for_each(|event| push(&mut lanes, event, GOLD));
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Ok(1));
    lanes.set_capacity(4);
    assert_eq!((lanes.bound(), lanes.soft()), (7, 4));
    assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Err(RefusalReason::Full));
    assert_eq!(lanes.reserve(5, 5, || Time::ZERO), Err(RefusalReason::TooLarge));
    lanes.unreserve(1);
    assert_eq!(take(&mut lanes, 1), [0]);
    assert_eq!((lanes.bound(), lanes.reserve(1, 1, || Time::ZERO)), (5, Err(RefusalReason::Full)));
    assert_eq!(take(&mut lanes, 2), [1, 2]);
    assert_eq!((lanes.bound(), lanes.reserve(1, 1, || Time::ZERO)), (4, Ok(1)));
}

#[test]
fn shares_that_change_during_a_turn_hold_from_then_on() {
    let mut lanes = lanes(32, &[4, 1]);
    (0..12).for_each(|n| push(&mut lanes, n, GOLD));
    (100..112).for_each(|n| push(&mut lanes, n, BASIC));
    assert_eq!(take(&mut lanes, 1), [0]);
    lanes.set_shares(&[1, 2]);
    assert_eq!(take(&mut lanes, 7), [1, 100, 101, 2, 102, 103, 3]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(u8),
    Lease(usize),
    Return,
    Take(usize),
    Evict(u8, usize),
    Settle,
    Soft(usize),
    Capacity(usize),
    Shares(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Push),
        1 => (0..4_usize).prop_map(Step::Lease),
        1 => Just(Step::Return),
        2 => (0..5_usize).prop_map(Step::Take),
        1 => (0..3_u8, 0..5_usize).prop_map(|(class, most)| Step::Evict(class, most)),
        1 => Just(Step::Settle),
        1 => (1..12_usize).prop_map(Step::Soft),
        1 => (1..12_usize).prop_map(Step::Capacity),
        1 => (1..5_u32).prop_map(Step::Shares),
    ]
}

proptest! {
    #[test]
    fn depth_plus_reserved_never_exceeds_capacity_and_every_class_balances(
        steps in proptest::collection::vec(step(), 0..200),
        keyed in any::<bool>(),
    ) {
        let mut lanes = lanes(8, &[4, 2, 1]);
        lanes.set_weighing();
        if keyed {
            lanes.set_keyed();
        }
        let mut worker = 0;
        let (mut batch, mut shed, mut leased) = (VecDeque::new(), Vec::new(), 0);
        let mut bound = usize::MAX;
        for step in steps {
            match step {
                Step::Push(class) => match lanes.reserve(1, 1, || Time::ZERO) {
                    Ok(_) => {
                        let mut envelope = envelope(0, Class::new(class), Time::NEVER);
                        envelope.meta.weight = Weight::of(3);
                        envelope.meta.shard = 255 - class;
                        lanes.push_reserved(&mut vec![envelope], 0, Time::ZERO);
                    }
                    Err(reason) => lanes.ledger_mut().refuse(Class::new(class), 0, reason, 1),
                },
                Step::Lease(n) => leased += lanes.reserve(n, n, || Time::ZERO).unwrap_or(0),
                Step::Return => lanes.unreserve(std::mem::take(&mut leased)),
                Step::Take(most) => {
                    let before = batch.len();
                    let claimed =
                        lanes.take(worker, most, Time::ZERO, &mut batch, &mut shed);
                    for taken in batch.iter().skip(before).filter(|_| keyed) {
                        prop_assert!(claimed.contains(taken.meta.shard));
                        let shards = batch.iter().take(before).map(|other| other.meta.shard);
                        prop_assert!(!shards.collect::<Vec<_>>().contains(&taken.meta.shard));
                    }
                    worker += 1;
                }
                Step::Evict(class, most) => {
                    let victims = VictimFilter::LowerThan(Class::new(class));
                    lanes.evict(victims, Evict::Oldest, most, Time::ZERO, &mut shed);
                }
                Step::Settle => {
                    let mut outcome = Outcome::default();
                    let mut claimed = ShardSet::default();
                    for envelope in batch.drain(..) {
                        outcome.handled[envelope.meta.class] += 1;
                        outcome.bytes += envelope.meta.weight.bytes();
                        claimed.insert(envelope.meta.shard);
                    }
                    lanes.settle(&outcome, Time::ZERO);
                    lanes.release(&claimed);
                    // No shard is in hand, so every worker may take every event.
                    prop_assert_eq!(lanes.is_ready_for(worker), lanes.depth() > 0);
                }
                Step::Soft(soft) => lanes.set_soft(soft),
                Step::Capacity(capacity) => {
                    lanes.set_capacity(capacity);
                    bound = usize::MAX;
                }
                Step::Shares(share) => lanes.set_shares(&[share, 1, 2]),
            }
            let held = lanes.depth() + lanes.reserved();
            prop_assert!(held <= lanes.bound() && lanes.soft() <= lanes.capacity());
            // Between two changes of the capacity the bound only sinks, down to the capacity.
            prop_assert!(lanes.capacity() <= lanes.bound() && lanes.bound() <= bound);
            prop_assert_eq!(lanes.bound(), lanes.capacity().max(held));
            bound = lanes.bound();
            prop_assert!(lanes.ledger().classes().iter().all(|class| class.balances()));
            let queued: u64 = lanes.ledger().classes().iter().map(|class| class.queued).sum();
            prop_assert_eq!(queued, lanes.depth() as u64);
            prop_assert_eq!(lanes.bytes(), 3 * (queued + batch.len() as u64));
        }
    }
}

proptest! {
    #[test]
    fn a_look_sheds_every_expired_event_and_keeps_the_order_of_the_others(
        queued in proptest::collection::vec((0..2_u8, 0..4_u8, 1..20_u64), 0..60),
        times in proptest::collection::vec((0..20_u64, 1..12_usize), 1..8),
        keyed in any::<bool>(),
    ) {
        let mut lanes = lanes(64, &[1, 1]);
        if keyed {
            lanes.set_keyed();
        }
        let mut sound = Vec::new();
        for (event, (class, shard, deadline)) in (0..).zip(queued) {
            prop_assert_eq!(lanes.reserve(1, 1, || Time::ZERO), Ok(1));
            let mut envelope = envelope(event, Class::new(class), Time::from_nanos(deadline));
            envelope.meta.shard = shard;
            lanes.push_reserved(&mut vec![envelope], 0, Time::ZERO);
            sound.push((class, shard, event, deadline));
        }
        for (now, part) in times {
            // All parts of a pass that goes on from the last call's, and those of a whole one.
            let mut shed = Vec::new();
            for _ in 0..2 {
                while !lanes.shed_expired(part, Time::from_nanos(now), &mut shed).is_over {}
            }
            let (expired, left): (Vec<_>, Vec<_>) =
                sound.into_iter().partition(|(.., deadline)| *deadline <= now);
            sound = left;
            let mut shed: Vec<_> = shed.iter().map(|(shed, _)| shed.event).collect();
            shed.sort_unstable();
            prop_assert_eq!(shed, expired.iter().map(|(_, _, event, _)| *event).collect::<Vec<_>>());
            prop_assert!(lanes.ledger().classes().iter().all(|class| class.balances()));
            prop_assert_eq!(lanes.depth(), sound.len());
        }
        // Within a class, and a shard if the stage is keyed, the order is that of arrival.
        let mut taken = Vec::new();
        while lanes.depth() > 0 {
            taken.extend(take(&mut lanes, 1));
            (0..4).for_each(|shard| {
                let mut all = ShardSet::default();
                all.insert(shard);
                lanes.release(&all);
            });
        }
        for class in 0..2 {
            for shard in 0..4 {
                let is_of = |other: &u8| !keyed || *other == shard;
                let of_row = |(other, key, event, _): &(u8, u8, u32, u64)| {
                    (*other == class && is_of(key)).then_some(*event)
                };
                let expected: Vec<u32> = sound.iter().filter_map(of_row).collect();
                let order = taken.iter().copied().filter(|event| expected.contains(event));
                prop_assert_eq!(order.collect::<Vec<_>>(), expected);
            }
        }
    }
}

#[test]
fn without_a_deadline_that_has_passed_no_event_is_looked_at() {
    let mut lanes = lanes(8, &[1]);
    let mut shed = Vec::new();
    push(&mut lanes, 1, GOLD);
    push_until(&mut lanes, 2, GOLD, Time::from_nanos(5));
    let mut looks = [4, 5, 6, 7].map(|now| {
        let looked = lanes.shed_expired(8, Time::from_nanos(now), &mut shed);
        assert!(looked.is_over);
        looked.events
    });
    assert_eq!(looks, [0, 2, 0, 0]);
    assert_eq!(events(&shed), [(2, LossReason::Expired)]);
    // A longer queue is looked through in parts.
    (3..8)
        .for_each(|event| push_until(&mut lanes, event, GOLD, Time::from_nanos(u64::from(event))));
    looks = [5; 4].map(|now| lanes.shed_expired(2, Time::from_nanos(now), &mut shed).events);
    assert_eq!(looks, [2, 2, 2, 0]);
    assert_eq!(lanes.depth(), 3);
}
