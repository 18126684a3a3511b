//! Admission with an SLO, on a manual clock: a server with a known demand, and arrivals during its
//! service.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod costs;
mod measured_routes;
mod modes;
mod plant;
mod slos;

use parking_lot::Mutex;
use plant::{BASIC, GOLD, MS, SLO, Sent, World, plant, plant_with, with_slo};
use seda_core::control::{AdmissionLaw, AdmissionObservation};
use seda_core::{Clock, Graph, GraphConfig, ManualClock, Responder, SendOptions, SloConfig, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A law with a fixed limit of three requests.
struct Three;

impl AdmissionLaw for Three {
    fn decide(&mut self, _seen: &AdmissionObservation) -> Option<f64> {
        Some(3.0)
    }
}

/// A law with a fixed limit.
struct Fixed(f64);

impl AdmissionLaw for Fixed {
    fn decide(&mut self, _seen: &AdmissionObservation) -> Option<f64> {
        Some(self.0)
    }
}

/// A law with a limit of one request that sums what it sees: offered, and of these admitted.
struct Sums(Arc<Mutex<[u64; 2]>>);

impl AdmissionLaw for Sums {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let mut sums = self.0.lock();
        *sums = [sums[0] + seen.offered, sums[1] + seen.admitted];
        Some(1.0)
    }
}

struct Panics;

impl AdmissionLaw for Panics {
    fn decide(&mut self, _seen: &AdmissionObservation) -> Option<f64> {
        panic!("no limit");
    }
}

/// Overloads a new plant for 20 s. Returns its world and its utilization.
fn overload(demand: Duration, times: f64, slo: Duration) -> (Arc<World>, f64) {
    let mut plant = plant(demand, with_slo(slo), true);
    plant.world.offer(BASIC, times / demand.as_secs_f64());
    plant.run(Duration::from_secs(20));
    let utilization = plant.world.answered(BASIC) as f64 * demand.as_secs_f64()
        / plant.world.now().since(Time::ZERO).as_secs_f64();
    (plant.end(), utilization)
}

#[test]
fn under_overload_every_answer_is_in_time_and_the_server_is_never_idle() {
    for (micros, times) in [(100, 2.0), (1_000, 1.2), (1_000, 5.0), (1_000, 10.0), (10_000, 1.2)] {
        let (world, utilization) = overload(Duration::from_micros(micros), times, SLO);
        assert!(world.slowest(BASIC) <= SLO, "{micros} us at {times}: {:?}", world.slowest(BASIC));
        assert!(utilization >= 0.97, "{micros} us at {times}: {utilization}");
        let Sent { offered, refused } = world.sent(BASIC);
        assert!(refused as f64 >= offered as f64 * (1.0 - 1.1 / times), "{refused} of {offered}");
    }
}

#[test]
fn with_a_service_of_a_quarter_of_the_slo_the_server_is_as_busy_as_a_queue_of_two_allows() {
    // An M/D/1/3 queue at twice its capacity is busy 98.8 % of the time.
    let (world, utilization) = overload(MS * 50, 2.0, SLO);
    assert!(world.slowest(BASIC) <= SLO, "{:?}", world.slowest(BASIC));
    assert!(utilization >= 0.97, "{utilization}");
}

#[test]
fn other_slos_are_kept_too() {
    for slo in [MS * 50, MS * 1_000] {
        let (world, utilization) = overload(MS, 5.0, slo);
        assert!(world.slowest(BASIC) <= slo, "{slo:?}: {:?}", world.slowest(BASIC));
        assert!(utilization >= 0.97, "{slo:?}: {utilization}");
    }
}

#[test]
fn at_half_load_nothing_is_refused_in_24_hours() {
    let mut config = with_slo(Duration::from_secs(20));
    config.control.tick = Duration::from_secs(1);
    let mut plant = plant(MS * 500, config, true);
    plant.world.offer(BASIC, 1.0);
    plant.run(Duration::from_secs(24 * 3_600));
    assert!(plant.decisions().is_empty());
    let world = plant.end();
    let Sent { offered, refused } = world.sent(BASIC);
    assert!(offered > 80_000, "{offered}");
    assert_eq!((refused, world.answered(BASIC)), (0, offered));
}

#[test]
fn a_short_stall_of_the_machine_at_half_load_refuses_no_request() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(BASIC, 450.0);
    plant.run(Duration::from_secs(1));
    plant.world.expensive_every.store(500, Ordering::Relaxed);
    plant.run(Duration::from_secs(100));
    let world = plant.end();
    let Sent { offered, refused } = world.sent(BASIC);
    assert_eq!((refused, world.answered(BASIC)), (0, offered));
    assert!(world.slowest(BASIC) <= SLO);
}

/// Requests of one minute, by their end.
#[derive(Clone, Copy)]
struct Ends {
    refused: u64,
    cheap: u64,
    answered: u64,
}

impl Ends {
    fn of(world: &World) -> Self {
        Self {
            refused: world.sent(BASIC).refused,
            cheap: world.cheap.load(Ordering::Relaxed),
            answered: world.answered(BASIC),
        }
    }
}

/// Offers `times` the capacity for full answers, for one minute. A first second, without any
/// figures yet, does not count.
fn degrading(times: f64) -> Ends {
    let mut plant = plant(MS * 2, with_slo(SLO), true);
    plant.world.degrades.store(true, Ordering::Relaxed);
    plant.world.offer(BASIC, 500.0 * times);
    plant.run(Duration::from_secs(1));
    let world = Arc::clone(&plant.world);
    let before = Ends::of(&world);
    plant.run(Duration::from_secs(60));
    let after = Ends::of(&world);
    assert!(world.slowest(BASIC) <= SLO);
    Ends {
        refused: after.refused - before.refused,
        cheap: after.cheap - before.cheap,
        answered: after.answered - before.answered,
    }
}

#[test]
fn cheap_answers_come_before_refusals_and_only_under_pressure() {
    let Ends { refused, cheap, answered } = degrading(0.5);
    assert_eq!((refused, cheap), (0, 0), "of {answered}");
    // Three times the capacity for full answers, a third of that for cheap ones.
    let Ends { refused, cheap, answered } = degrading(3.0);
    assert!(refused * 1_000 <= answered, "{refused} beside {answered}");
    assert!(cheap > answered / 2 && cheap < answered, "{cheap} of {answered}");
    // Beyond the capacity for cheap answers.
    let Ends { refused, cheap, answered } = degrading(20.0);
    assert!(refused > 0 && cheap > answered * 99 / 100, "{cheap} of {answered}");
}

#[test]
fn the_law_can_be_replaced_and_one_that_panics_falls_back_to_the_default() {
    let limit = |more: fn(&mut Graph)| {
        let mut plant = plant_with(MS, with_slo(SLO), true, |graph, _work| more(graph));
        plant.world.offer(BASIC, 2_000.0);
        plant.run(Duration::from_secs(1));
        plant.graph.report().stages[1].gate.as_ref().unwrap().limit
    };
    assert_eq!(limit(|graph| graph.admission_law(|_stage| Three)), Some(3));
    let broken = |graph: &mut Graph| {
        graph.admission_law(|stage| -> Three { panic!("no law for {stage}") });
    };
    assert_eq!(limit(broken), limit(|_graph| {}));
    assert_eq!(limit(|graph| graph.admission_law(|_stage| Panics)), limit(|_graph| {}));
    for none in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let own = limit(match none {
            n if n.is_nan() => |graph: &mut Graph| graph.admission_law(|_stage| Fixed(f64::NAN)),
            n if n > 0.0 => |graph: &mut Graph| graph.admission_law(|_stage| Fixed(f64::INFINITY)),
            _ => |graph: &mut Graph| graph.admission_law(|_stage| Fixed(f64::NEG_INFINITY)),
        });
        assert_eq!(own, None, "{none}");
    }
    assert_eq!(limit(|graph| graph.admission_law(|_stage| Fixed(-5.0))), Some(1));
}

#[test]
fn the_law_sees_each_request_once_whether_it_is_refused_or_admitted() {
    let clock = Arc::new(ManualClock::new());
    let mut graph = Graph::new("one stage");
    let stage = graph.stage::<Responder<()>>("stage", 100);
    graph.attach_each(stage, |_wire| |reply: Responder<()>, _cx| reply.respond(())).unwrap();
    let source = graph.source(stage).unwrap();
    let sums = Arc::new(Mutex::new([0, 0]));
    let law = Arc::clone(&sums);
    graph.admission_law(move |_stage| Sums(Arc::clone(&law)));
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    clock.advance(MS * 100);
    graph.tick();
    let receivers: Vec<_> = (0..10).filter_map(|_| source.request(|reply| reply).ok()).collect();
    clock.advance(MS * 100);
    graph.tick();
    assert!((1..10).contains(&receivers.len()), "{}", receivers.len());
    assert_eq!(*sums.lock(), [10, receivers.len() as u64]);
    while graph.step() > 0 {}
}

#[test]
fn a_refusal_is_counted_at_the_entry_and_reported_at_the_gate_that_closed() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(BASIC, 5_000.0);
    plant.run(Duration::from_secs(2));
    let report = plant.graph.report();
    let Sent { offered, refused } = plant.world.sent(BASIC);
    let [front, work] = report.stages.as_slice() else { panic!("two stages") };
    assert_eq!((front.offered, front.refused["admission"]), (offered, refused));
    assert_eq!(work.gate.as_ref().unwrap().turned_away["basic"], refused);
    assert!(front.gate.as_ref().unwrap().turned_away.is_empty());
    assert!(work.refused.is_empty());
    assert_eq!(plant.decisions(), ["began refusing requests"]);
    plant.world.offer(BASIC, 100.0);
    plant.run(Duration::from_secs(2));
    assert_eq!(plant.decisions().last().unwrap(), "stopped refusing requests");
    plant.end();
}

#[test]
fn without_a_route_the_entry_refuses_work_that_would_be_late() {
    let mut plant = plant(MS, with_slo(SLO), false);
    plant.world.offer(BASIC, 5_000.0);
    plant.run(Duration::from_secs(10));
    let report = plant.graph.report();
    // Until the route is measured, in the first ticks, the stage itself refuses.
    assert!(report.stages[1].refused.values().sum::<u64>() < 1_000, "{report}");
    assert!(report.stages[0].refused["admission"] > 30_000, "{report}");
    let world = plant.end();
    assert!(world.slowest(BASIC) <= SLO, "{:?}", world.slowest(BASIC));
    assert!(world.answered(BASIC) as f64 * 1e-3 >= 0.97 * 10.0, "{}", world.answered(BASIC));
}

#[test]
fn the_higher_class_is_rarely_refused_and_the_lower_gets_the_remaining_capacity() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(GOLD, 500.0);
    plant.world.offer(BASIC, 4_500.0);
    plant.run(Duration::from_secs(20));
    let world = plant.end();
    let (offered, answered) = (world.sent(GOLD).offered, world.answered(GOLD));
    assert!(offered - answered <= offered / 100, "{answered} of {offered}");
    let rest = 20_000 - answered;
    assert!(world.answered(BASIC) as f64 >= 0.95 * rest as f64, "{}", world.answered(BASIC));
    assert!(world.slowest(BASIC) <= SLO && world.slowest(GOLD) <= SLO);
}

#[test]
fn without_a_route_the_higher_class_is_rarely_refused_either() {
    let mut plant = plant(MS, with_slo(SLO), false);
    plant.world.offer(GOLD, 500.0);
    plant.world.offer(BASIC, 4_500.0);
    plant.run(Duration::from_secs(20));
    let world = plant.end();
    let (offered, answered) = (world.sent(GOLD).offered, world.answered(GOLD));
    assert!(offered - answered <= offered / 100, "{answered} of {offered}");
    let (rest, basic) = (20_000 - answered, world.answered(BASIC));
    assert!(basic as f64 >= 0.95 * rest as f64, "{basic} of {rest}");
    assert!(world.slowest(BASIC) <= SLO && world.slowest(GOLD) <= SLO);
}

#[test]
fn a_flood_of_which_few_visit_a_stage_does_not_delay_requests_admitted_with_a_route_to_it() {
    let mut plant = plant(MS, with_slo(SLO), true);
    // One job in ten goes on to `work`.
    plant.world.caches.store(true, Ordering::Relaxed);
    plant.world.offer(BASIC, 3_000.0);
    let unrouted = plant.world.source.lock().clone().unwrap();
    let unrouted = unrouted.with_options(SendOptions { class: BASIC, ..SendOptions::default() });
    let mut refused = 0;
    for _ in 0..2_000 {
        for _ in 0..100 {
            match unrouted.request(|reply| plant::Job::of(BASIC, plant.world.now(), reply)) {
                Ok(receiver) => plant.world.receivers.lock().push(receiver),
                Err(_) => refused += 1,
            }
        }
        plant.run(MS * 2);
    }
    let report = plant.graph.report();
    // The stage refuses requests that no gate counted, long before its queue is full.
    assert!(report.stages[1].refused["admission"] > 10_000, "{report}");
    assert!(report.stages[1].queue.depth < 200, "{report}");
    assert!(plant.world.slowest(BASIC) <= SLO, "{:?}", plant.world.slowest(BASIC));
    // They arrive by the half dozen, and the cut queue holds as many.
    let sent = plant.world.sent(BASIC);
    assert!(sent.refused * 7 < sent.offered, "{sent:?}, {refused}");
    plant.end();
}

#[test]
fn a_rare_lower_class_is_served_beside_a_flood_of_the_higher() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(GOLD, 2_000.0);
    plant.world.offer(BASIC, 10.0);
    plant.run(Duration::from_secs(20));
    let world = plant.end();
    let Sent { offered, refused } = world.sent(BASIC);
    assert_eq!((refused, world.answered(BASIC)), (0, offered));
    assert!(world.slowest(BASIC) <= SLO && world.slowest(GOLD) <= SLO);
}

#[test]
fn after_a_tenfold_step_of_demand_the_limit_follows_within_two_seconds() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(BASIC, 3_000.0);
    plant.run(Duration::from_secs(5));
    // A worker, and 5 ms of work or two events, whichever is more.
    for (demand, expected) in [(MS * 10, 3..=5), (MS, 6..=16)] {
        plant.world.set_demand(demand);
        plant.run(Duration::from_secs(2));
        let limit = plant.limit();
        assert!(expected.contains(&limit), "{demand:?}: {limit}");
        let before = (plant.world.answered(BASIC), plant.world.now());
        plant.run(Duration::from_secs(3));
        let busy = (plant.world.answered(BASIC) - before.0) as f64 * demand.as_secs_f64();
        assert!(busy >= 0.97 * plant.world.now().since(before.1).as_secs_f64(), "{busy}");
    }
    let world = plant.end();
    assert!(world.slowest(BASIC) <= SLO + MS * 10, "{:?}", world.slowest(BASIC));
}

#[test]
fn a_late_tick_and_an_idle_hour_do_not_affect_later_requests() {
    let mut plant = plant(MS, with_slo(SLO), true);
    plant.world.offer(BASIC, 5_000.0);
    plant.run(Duration::from_secs(3));
    // Five seconds of overload without a tick.
    plant.next_tick = plant.world.now().after(Duration::from_secs(5));
    plant.run(Duration::from_secs(6));
    plant.world.stop_offering();
    plant.run(Duration::from_secs(2));
    plant.world.clock.advance(Duration::from_secs(3_600));
    plant.next_tick = plant.world.now();
    let before = plant.world.sent(BASIC);
    plant.world.offer(BASIC, 500.0);
    plant.run(Duration::from_secs(3));
    let after = plant.world.sent(BASIC);
    assert_eq!(after.refused - before.refused, 0, "{before:?} {after:?}");
    let world = plant.end();
    assert!(world.slowest(BASIC) <= SLO, "{:?}", world.slowest(BASIC));
}

#[test]
fn an_slo_out_of_bounds_is_refused_by_name() {
    for (slo, value) in [(Duration::ZERO, "0ns"), (Duration::from_secs(3_600), "3600s")] {
        let mut graph = Graph::new("g");
        let stage = graph.stage::<u32>("s", 8);
        graph.attach_each(stage, |_wire| |_n, _cx| {}).unwrap();
        graph.slo(SloConfig::new(slo));
        let error = graph.start_manual(Arc::new(ManualClock::new())).unwrap_err().to_string();
        for part in ["slo.p99", value, "1ms to 10m"] {
            assert!(error.contains(part), "{error}");
        }
    }
    // Also if each class has its own SLO.
    let text = "slo.p99 = \"1h\"\nslo.classes.default.p99 = \"1s\"";
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_n, _cx| {}).unwrap();
    graph.apply(toml::from_str(text).unwrap()).unwrap();
    let error = graph.start_manual(Arc::new(ManualClock::new())).unwrap_err().to_string();
    assert!(error.contains("`slo.p99` is 3600s"), "{error}");
    let text = "slo.classes.silver.p99 = \"1s\"";
    let mut graph = Graph::new("g");
    graph.stage::<u32>("s", 8);
    let error = graph.apply(toml::from_str(text).unwrap()).unwrap_err().to_string();
    assert!(error.contains("silver") && error.contains("default"), "{error}");
    let error = toml::from_str::<GraphConfig>("slo.p99 = \"-1s\"").unwrap_err().to_string();
    assert!(error.contains("p99") || error.contains("-1s"), "{error}");
}

#[test]
fn a_class_can_have_its_own_slo() {
    let text = "slo.p99 = \"200ms\"\nslo.classes.basic.p99 = \"50ms\"";
    let mut plant = plant(MS, toml::from_str(text).unwrap(), true);
    plant.world.offer(BASIC, 5_000.0);
    plant.run(Duration::from_secs(5));
    let world = plant.end();
    assert!(world.slowest(BASIC) <= MS * 50, "{:?}", world.slowest(BASIC));
}

/// Floods of gold and basic. The SLO of gold is 200 ms. Returns the number of expired events too.
fn both_flood(slo: &str) -> (Arc<World>, u64) {
    let mut plant = plant(MS, toml::from_str(slo).unwrap(), true);
    plant.world.offer(GOLD, 3_000.0);
    plant.world.offer(BASIC, 3_000.0);
    plant.run(Duration::from_secs(10));
    let expired = plant.graph.report().stages[1].shed.get("expired").copied().unwrap_or(0);
    (plant.end(), expired)
}

#[test]
fn the_tighter_slo_of_the_higher_class_bounds_it_whatever_the_slo_of_the_lower() {
    for basic in
        ["slo.p99 = \"200ms\"\nslo.classes.basic.p99 = \"2s\"", "slo.classes.gold.p99 = \"200ms\""]
    {
        let (world, expired) = both_flood(basic);
        assert!(world.slowest(GOLD) <= SLO, "{basic}: {:?}", world.slowest(GOLD));
        // The excess is refused at the entry; few admitted events are shed later.
        // Most of these came in the first burst, before a service was measured.
        assert!(expired < 256, "{basic}: {expired}");
        let (gold, lower) = (world.answered(GOLD), world.answered(BASIC));
        assert!((7_800..8_200).contains(&gold), "{basic}: {gold} beside {lower}");
        assert!(lower >= 1_900, "{basic}: {lower}");
    }
}
