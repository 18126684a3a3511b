//! Infeasible SLOs, and evictions at a closed gate.

use crate::admission::Fixed;
use crate::admission::plant::{
    BASIC, GOLD, Job, MS, Plant, SLO, Sent, plant, plant_with, with_slo,
};
use seda_core::{
    Balance, Context, Graph, GraphConfig, ManualClock, RefusalReason, Replicas, Responder,
    SendOptions,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const CANNOT: &str = "no setting can meet the SLO: admits what the stage can serve";
const CAN: &str = "the SLO can be met again";

/// Returns the journaled verdicts about SLOs.
fn verdicts(plant: &Plant) -> Vec<String> {
    let decisions = plant.decisions().into_iter();
    decisions.filter(|action| action == CANNOT || action == CAN).collect()
}

fn cannot_keep(plant: &Plant) -> Vec<String> {
    plant.graph.report().stages[1].gate.as_ref().unwrap().cannot_keep.clone()
}

#[test]
fn an_infeasible_slo_is_journaled_once_and_the_server_stays_busy() {
    let mut plant = plant(MS * 500, with_slo(SLO), true);
    plant.world.offer(BASIC, 10.0);
    plant.run(Duration::from_secs(5));
    assert_eq!(verdicts(&plant), [CANNOT]);
    assert_eq!(cannot_keep(&plant), ["basic"]);
    let before = plant.world.answered(BASIC);
    plant.run(Duration::from_secs(60));
    // Two answers per second, although they are late.
    assert_eq!(plant.world.answered(BASIC) - before, 120);
    plant.world.set_demand(MS);
    plant.run(Duration::from_secs(5));
    assert_eq!(verdicts(&plant), [CANNOT, CAN]);
    assert!(cannot_keep(&plant).is_empty());
    plant.end();
}

#[test]
fn an_slo_that_one_service_in_ten_exceeds_is_infeasible() {
    // One job in ten takes 300 ms.
    let mut plant = plant(MS * 3, with_slo(SLO), true);
    plant.world.expensive_every.store(10, Ordering::Relaxed);
    plant.world.offer(BASIC, 20.0);
    plant.run(Duration::from_secs(30));
    assert_eq!(verdicts(&plant), [CANNOT]);
    assert_eq!(cannot_keep(&plant), ["basic"]);
    plant.end();
}

#[test]
fn a_service_time_near_the_slo_does_not_change_the_verdict_every_tick() {
    let mut plant = plant(MS * 190, with_slo(SLO), true);
    plant.world.offer(BASIC, 10.0);
    for n in 0..30 {
        plant.world.set_demand(if n % 2 == 0 { MS * 190 } else { MS * 220 });
        plant.run(Duration::from_secs(1));
    }
    assert!(verdicts(&plant).len() <= 1, "{:?}", verdicts(&plant));
    plant.end();
}

#[test]
fn the_slo_of_an_absent_class_is_not_judged_by_other_classes() {
    let text = "slo.p99 = \"2s\"\nslo.classes.gold.p99 = \"20ms\"";
    let mut plant = plant(MS * 300, toml::from_str(text).unwrap(), true);
    plant.world.offer(BASIC, 2.0);
    plant.run(Duration::from_secs(30));
    assert!(verdicts(&plant).is_empty());
    // Once gold arrives, its own service times are not yet known.
    plant.world.offer(GOLD, 1.0);
    plant.run(Duration::from_secs(5));
    assert!(verdicts(&plant).is_empty());
    plant.end();
}

/// Runs a route through two stages of service time `each`. Returns the stages of infeasible SLOs.
fn two_in_a_row(each: Duration) -> Vec<String> {
    let clock = Arc::new(ManualClock::new());
    let mut graph = Graph::new("row");
    let (first, second) =
        (graph.stage::<Responder<()>>("first", 64), graph.stage::<Responder<()>>("second", 64));
    let serving = |clock: &Arc<ManualClock>| {
        let clock = Arc::clone(clock);
        move || clock.advance(each)
    };
    let serve = serving(&clock);
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |reply, cx: &mut Context| {
                serve();
                cx.send(&second, reply).unwrap_or_else(seda_core::Refused::give_up);
            }
        })
        .unwrap();
    let serve = serving(&clock);
    graph
        .attach_each(second, |_wire| {
            move |reply: Responder<()>, _cx| {
                serve();
                reply.respond(());
            }
        })
        .unwrap();
    let route = Some(graph.route([first.id(), second.id()]).unwrap());
    let source =
        graph.source(first).unwrap().with_options(SendOptions { route, ..SendOptions::default() });
    graph.apply(with_slo(SLO)).unwrap();
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn seda_core::Clock>).unwrap();
    for _ in 0..50 {
        let _receiver = source.request(|reply| reply);
        while graph.step() > 0 {}
        clock.advance(MS);
        graph.tick();
    }
    let journal = graph.report().journal;
    journal.iter().filter(|entry| entry.action == CANNOT).filter_map(|e| e.stage.clone()).collect()
}

#[test]
fn stages_that_exceed_the_slo_together_are_named_together() {
    assert_eq!(two_in_a_row(MS * 120), ["first + second"]);
    assert!(two_in_a_row(MS * 80).is_empty());
}

#[test]
fn no_event_is_evicted_for_a_request_that_would_be_late() {
    let mut plant = plant_with(MS, with_slo(SLO), true, |graph, _work| {
        graph.admission_law(|_stage| Fixed(81.0));
    });
    plant.world.offer(BASIC, 2_000.0);
    plant.run(Duration::from_secs(2));
    // Gold's guarantee beside basic's full limit: the next request finds the gate closed.
    (0..64).for_each(|_| plant.world.send(GOLD));
    assert_eq!(plant.world.sent(GOLD), Sent { offered: 64, refused: 0 });
    let shed =
        |plant: &Plant| plant.graph.report().stages[1].shed.get("admission").copied().unwrap_or(0);
    let before = shed(&plant);
    let source = plant.world.source.lock().clone().unwrap();
    let terms =
        SendOptions { class: GOLD, route: *plant.world.route.lock(), ..SendOptions::default() };
    let late = SendOptions { deadline: Some(Duration::ZERO), ..terms };
    let refused =
        source.with_options(late).request(|reply| Job::of(GOLD, plant.world.now(), reply));
    assert_eq!(refused.unwrap_err().reason(), RefusalReason::Expired);
    assert_eq!(shed(&plant), before);
    let entered =
        source.with_options(terms).request(|reply| Job::of(GOLD, plant.world.now(), reply));
    assert!(entered.is_ok());
    assert_eq!(shed(&plant), before + 1);
    let gate = plant.graph.report().stages[1].gate.clone().unwrap();
    assert!(!gate.turned_away.contains_key("gold"), "it entered: {:?}", gate.turned_away);
    plant.end();
}

#[test]
fn replicas_share_one_gate_with_the_sum_of_their_limits() {
    for (count, balance) in [(4, Balance::RoundRobin), (16, Balance::ShortestQueue)] {
        let mut graph = Graph::new("replicas");
        let render = graph.replicated_stage("render", 1_024, Replicas { count, balance });
        graph.attach_each(render, |_wire| |reply: Responder<()>, _| reply.respond(())).unwrap();
        let route = Some(graph.route([render.id()]).unwrap());
        let source = graph.source(render).unwrap();
        graph.admission_law(|_stage| Fixed(13.0));
        graph.apply(GraphConfig { ..with_slo(SLO) }).unwrap();
        let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
        for terms in [SendOptions::default(), SendOptions { route, ..SendOptions::default() }] {
            let source = source.with_options(terms);
            let sent: Vec<_> = (0..1_000).map(|_| source.request(|reply| reply)).collect();
            assert_eq!(sent.iter().filter(|request| request.is_ok()).count(), 13 * count);
            let report = graph.report();
            let bound: Vec<_> =
                report.stages.iter().map(|s| s.gate.as_ref().map(|g| g.bound)).collect();
            assert_eq!(bound[0], Some(13 * count));
            assert_eq!(bound[1..], vec![None; count - 1]);
            while graph.step() > 0 {}
            assert_eq!(graph.report().stages[0].gate.as_ref().unwrap().bound, 0);
        }
    }
}
