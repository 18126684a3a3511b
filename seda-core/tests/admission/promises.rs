//! Promises that nothing can keep, and who gives way for whom.

use crate::plant::{BASIC, GOLD, Job, MS, Plant, SLO, plant, promised};
use seda_core::{
    Balance, Context, Graph, GraphConfig, ManualClock, RefusalReason, Replicas, Responder,
    SendOptions,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const CANNOT: &str = "no setting can meet the SLO: admits the requests that the stage can serve";
const CAN: &str = "the SLO can be met again";

/// What was said of promises.
fn said(plant: &Plant) -> Vec<String> {
    let of_promises = |action: &String| action == CANNOT || action == CAN;
    plant.decisions().into_iter().filter(of_promises).collect()
}

fn cannot_keep(plant: &Plant) -> Vec<String> {
    plant.graph.report().stages[1].gate.as_ref().unwrap().cannot_keep.clone()
}

#[test]
fn an_slo_that_nothing_can_keep_is_said_once_and_the_server_is_kept_busy_all_the_same() {
    let mut plant = plant(MS * 500, promised(SLO), true);
    plant.world.offer(BASIC, 10.0);
    plant.run(Duration::from_secs(5));
    assert_eq!(said(&plant), [CANNOT]);
    assert_eq!(cannot_keep(&plant), ["basic"]);
    let before = plant.world.answered(BASIC);
    plant.run(Duration::from_secs(60));
    // Two a second, late as they are.
    assert_eq!(plant.world.answered(BASIC) - before, 120);
    plant.world.set_demand(MS);
    plant.run(Duration::from_secs(5));
    assert_eq!(said(&plant), [CANNOT, CAN]);
    assert!(cannot_keep(&plant).is_empty());
    plant.end();
}

#[test]
fn an_slo_that_one_in_ten_services_exceeds_is_said_too() {
    // One in ten takes 300 ms.
    let mut plant = plant(MS * 3, promised(SLO), true);
    plant.world.dear.store(10, Ordering::Relaxed);
    plant.world.offer(BASIC, 20.0);
    plant.run(Duration::from_secs(30));
    assert_eq!(said(&plant), [CANNOT]);
    assert_eq!(cannot_keep(&plant), ["basic"]);
    plant.end();
}

#[test]
fn a_service_that_takes_about_what_was_promised_is_no_news_with_every_tick() {
    let mut plant = plant(MS * 190, promised(SLO), true);
    plant.world.offer(BASIC, 10.0);
    for n in 0..30 {
        plant.world.set_demand(if n % 2 == 0 { MS * 190 } else { MS * 220 });
        plant.run(Duration::from_secs(1));
    }
    assert!(said(&plant).len() <= 1, "{:?}", said(&plant));
    plant.end();
}

#[test]
fn a_promise_to_a_class_that_is_not_about_is_not_judged_by_others() {
    let text = "slo.p99 = \"2s\"\nslo.classes.gold.p99 = \"20ms\"";
    let mut plant = plant(MS * 300, toml::from_str(text).unwrap(), true);
    plant.world.offer(BASIC, 2.0);
    plant.run(Duration::from_secs(30));
    assert!(said(&plant).is_empty());
    // Once gold comes, nobody knows that its own services are short.
    plant.world.offer(GOLD, 1.0);
    plant.run(Duration::from_secs(5));
    assert!(said(&plant).is_empty());
    plant.end();
}

/// Two stages, each of which takes so long, and a route through both.
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
        graph.source(first).unwrap().with_terms(SendOptions { route, ..SendOptions::default() });
    graph.apply(promised(SLO)).unwrap();
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn seda_core::Clock>).unwrap();
    for _ in 0..50 {
        let _ticket = source.request(|reply| reply);
        while graph.step() > 0 {}
        clock.advance(MS);
        graph.tick();
    }
    let journal = graph.report().journal;
    journal.iter().filter(|entry| entry.action == CANNOT).filter_map(|e| e.stage.clone()).collect()
}

#[test]
fn stages_that_together_take_longer_than_was_promised_are_named_together() {
    assert_eq!(two_in_a_row(MS * 120), ["first + second"]);
    assert!(two_in_a_row(MS * 80).is_empty());
}

#[test]
fn nobody_gives_way_for_one_that_would_be_too_late() {
    let mut plant = plant(MS, promised(SLO), true);
    plant.world.offer(BASIC, 2_000.0);
    plant.run(Duration::from_secs(2));
    // As many as gold is guaranteed beside all that basic may have: the next finds the gate shut.
    (0..64).for_each(|_| plant.world.send(GOLD));
    assert_eq!(plant.world.sent(GOLD), (64, 0));
    let given_up =
        |plant: &Plant| plant.graph.report().stages[1].shed.get("admission").copied().unwrap_or(0);
    let before = given_up(&plant);
    let source = plant.world.source.lock().clone().unwrap();
    let terms =
        SendOptions { class: GOLD, route: *plant.world.route.lock(), ..SendOptions::default() };
    let late = SendOptions { deadline: Some(Duration::ZERO), ..terms };
    let refused = source.with_terms(late).request(|reply| Job::of(GOLD, plant.world.now(), reply));
    assert_eq!(refused.unwrap_err().reason(), RefusalReason::Expired);
    assert_eq!(given_up(&plant), before);
    let entered = source.with_terms(terms).request(|reply| Job::of(GOLD, plant.world.now(), reply));
    assert!(entered.is_ok());
    assert_eq!(given_up(&plant), before + 1);
    let gate = plant.graph.report().stages[1].gate.clone().unwrap();
    assert!(!gate.turned_away.contains_key("gold"), "it entered: {:?}", gate.turned_away);
    plant.end();
}

#[test]
fn replicas_have_the_limits_of_all_of_them_at_one_gate() {
    for (count, balance) in [(4, Balance::RoundRobin), (16, Balance::ShortestQueue)] {
        let mut graph = Graph::new("replicas");
        let render = graph.replicated_stage("render", 1_024, Replicas { count, balance });
        graph.attach_each(render, |_wire| |reply: Responder<()>, _| reply.respond(())).unwrap();
        let route = Some(graph.route([render.id()]).unwrap());
        let source = graph.source(render).unwrap();
        graph.apply(GraphConfig { ..promised(SLO) }).unwrap();
        let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
        for terms in [SendOptions::default(), SendOptions { route, ..SendOptions::default() }] {
            let source = source.with_terms(terms);
            let asked: Vec<_> = (0..1_000).map(|_| source.request(|reply| reply)).collect();
            // Nothing was measured: a worker and twelve that wait for each replica.
            assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 13 * count);
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
