//! The distributions of plans and steps.

use crate::conservation::plan::{
    Acting, EdgePlan, Factory, Lost, Overload, Plan, PoolPlan, Range, Sizing, StagePlan,
};
use crate::conservation::run::{Case, End};
use crate::conservation::step::Step;
use crate::conservation::world::{CLASSES, STAGES};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use seda_core::{Balance, Replicas};

/// Steps of a case at most. Longer cases find few faults that shorter ones miss.
const STEPS: usize = 60;

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let end = prop_oneof![
        4 => Just(End::Settled),
        4 => Just(End::Drain(100_000)),
        2 => (0..20_usize).prop_map(End::Drain),
        1 => Just(End::Dropped)
    ];
    (plan(), vec(step(), 1..STEPS), end).prop_map(|(plan, steps, end)| Case { plan, steps, end })
}

fn plan() -> impl Strategy<Value = Plan> {
    let stages = vec(stage(), 1..=STAGES);
    let edge = (0..STAGES, 0..STAGES, one_in(8));
    let edges = vec(edge, 0..2 * STAGES);
    let pool = (range(), one_in(4)).prop_map(|(workers, hosted)| PoolPlan { workers, hosted });
    let bounds = (1..=CLASSES, of(1..48_usize), weighted(0.3, 1_000..40_000_u64));
    let overload = prop_oneof![
        Just(Overload::LongestQueue),
        Just(Overload::TailDrop),
        Just(Overload::Random),
        Just(Overload::None)
    ];
    let valve =
        prop_oneof![6 => Just(Acting::On), 1 => Just(Acting::Observe), 1 => Just(Acting::Off)];
    let sizing = prop_oneof![
        3 => Just(Sizing::Usual),
        2 => any::<u64>().prop_map(Sizing::Random),
        1 => Just(Sizing::Panicking)
    ];
    // Statistics are rare, because merging histograms takes most of a debug build's time.
    let rest = (overload, valve, sizing, one_in(12));
    (stages, edges, vec(pool, 0..3), bounds, rest).prop_map(
        |(stages, edges, pools, (classes, budget, budget_bytes), rest)| {
            let (overload, valve, sizing, statistics) = rest;
            let n = stages.len();
            let edges = edges
                .into_iter()
                .map(|(from, to, waits)| EdgePlan { from: from % n, to: to % n, waits })
                .collect();
            Plan {
                stages,
                edges,
                pools,
                classes,
                budget,
                budget_bytes,
                overload,
                valve,
                sizing,
                statistics,
            }
        },
    )
}

fn stage() -> impl Strategy<Value = StagePlan> {
    let queue = (1..17_usize, 1..9_usize, 0..4_usize);
    let pool = (0..4_usize, range(), weighted(0.3, 1..3_usize), 1..4_u32);
    let balance = prop_oneof![
        Just(Balance::Central),
        Just(Balance::ShortestQueue),
        Just(Balance::TwoChoices),
        Just(Balance::RoundRobin)
    ];
    let replicas = (1..4_usize, balance).prop_map(|(count, balance)| Replicas { count, balance });
    let kind = (one_in(4), one_in(4), one_in(4), weighted(0.2, replicas));
    let lost = prop_oneof![
        2 => Just(Lost::Silent),
        6 => Just(Lost::Notified),
        1 => Just(Lost::Panicking),
        1 => Just(Lost::Sending)
    ];
    (queue, pool, kind, lost, factory()).prop_map(|(queue, pool, kind, lost, factory)| {
        let (capacity, batch, pending) = queue;
        let (pool, workers, cap, weight) = pool;
        let (cohort, keyed, weighs, replicas) = kind;
        StagePlan {
            capacity,
            pool,
            workers,
            cap,
            weight,
            batch,
            pending,
            cohort,
            replicas,
            keyed,
            weighs,
            lost,
            factory,
        }
    })
}

fn factory() -> impl Strategy<Value = Factory> {
    let first = prop_oneof![8 => Just(0), 1 => 1..4_usize, 1 => Just(40)];
    (first, weighted(0.3, 2..9_usize), weighted(0.2, 1..4_usize))
        .prop_map(|(first, every, drop_panics)| Factory { first, every, drop_panics })
}

fn step() -> impl Strategy<Value = Step> {
    let (to, class, seed, at) = (0..STAGES, 0..CLASSES, any::<u64>(), any::<usize>());
    let (hops, deadline) = (0..6_u8, weighted(0.3, 0..30_u8));
    let n = 0..9_usize;
    prop_oneof![
        8 => (to.clone(), class.clone(), deadline.clone(), hops.clone(), seed).prop_map(
            |(to, class, deadline, hops, seed)| Step::Send { to, class, deadline, hops, seed }),
        3 => (to.clone(), class.clone(), n.clone(), seed)
            .prop_map(|(to, class, n, seed)| Step::SendAll { to, class, n, seed }),
        5 => (to.clone(), class.clone(), deadline, hops, seed, any::<bool>()).prop_map(
            |(to, class, deadline, hops, seed, receiver)|
                Step::Request { to, class, deadline, hops, seed, receiver }),
        1 => (to, class, 0..5_usize).prop_map(|(to, class, n)| Step::Reserve { to, class, n }),
        1 => (at, 1..4_usize, seed).prop_map(|(at, n, seed)| Step::UsePermits { at, n, seed }),
        1 => at.prop_map(|at| Step::DropPermits { at }),
        8 => (1..6_u8).prop_map(Step::Turns),
        2 => Just(Step::Rest),
        3 => (0..40_u8).prop_map(Step::Advance),
        2 => Just(Step::Tick),
        3 => (at, 0..4_u8, seed).prop_map(|(at, how, seed)| Step::Complete { at, how, seed }),
        1 => at.prop_map(|at| Step::Leave { at }),
        1 => (0..STAGES + 3, 0..6_usize).prop_map(|(pool, workers)| Step::Resize { pool, workers }),
        1 => (0..STAGES, 0..17_usize).prop_map(|(stage, soft)| Step::Soft { stage, soft }),
        1 => any::<u64>().prop_map(Step::Reconfigure),
    ]
}

fn range() -> impl Strategy<Value = Range> {
    (1..3_usize, 0..3_usize).prop_map(|(min, more)| (min, min + more))
}

fn one_in(n: u32) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(1.0 / f64::from(n))
}
