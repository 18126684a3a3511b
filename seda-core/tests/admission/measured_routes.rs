//! Requests without a declared route: they are refused on behalf of the stages that their entry's
//! requests visit.

use crate::admission::plant::{BASIC, MS, SLO, plant, with_slo};
use seda_core::{
    Clock, Context, Graph, ManualClock, Report, Responder, Stage, StageConfig, Time, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The requests of one entry, and what became of them.
#[derive(Debug, PartialEq, Eq)]
struct Ends {
    refused: usize,
    admitted: usize,
    answered: u64,
}

/// A chain of three without a declared route, on one worker; the last stage takes 10 ms. Requests
/// come every 2 ms. With `busy`, the stages answer those that the next one refuses.
fn chain_of_three(busy: bool, seconds: u64) -> (Ends, Report) {
    let clock = Arc::new(ManualClock::new());
    let mut graph = Graph::new("chain");
    let stages: [Stage<Responder<()>>; 3] =
        ["first", "second", "third"].map(|name| graph.stage(name, 4_096));
    let pool = graph.pool("pool", WorkerRange::exactly(1));
    for [from, to] in [[stages[0], stages[1]], [stages[1], stages[2]]] {
        graph
            .attach_each_in(&pool, from, |wire| {
                let next = wire.sink(to);
                move |reply: Responder<()>, cx: &mut Context| {
                    if let Err(refused) = cx.send(&next, reply)
                        && busy
                    {
                        refused.into_event().respond(());
                    }
                }
            })
            .unwrap();
    }
    let outside = Arc::clone(&clock);
    graph
        .attach_each_in(&pool, stages[2], |_wire| {
            move |reply: Responder<()>, _cx| {
                outside.advance(MS * 10);
                reply.respond(());
            }
        })
        .unwrap();
    let source = graph.source(stages[0]).unwrap();
    graph.configure(stages[2], StageConfig { batch: Some(1), ..StageConfig::default() }).unwrap();
    graph.apply(with_slo(SLO)).unwrap();
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let end = Time::ZERO.after(Duration::from_secs(seconds));
    let (mut due, mut tick) = (Time::ZERO, Time::ZERO.after(MS * 100));
    let (mut refused, mut receivers) = (0, Vec::new());
    while clock.now() < end {
        for _ in 0..2 {
            while due <= clock.now() {
                match source.request(|reply| reply) {
                    Ok(receiver) => receivers.push(receiver),
                    Err(_) => refused += 1,
                }
                due = due.after(MS * 2);
            }
            graph.step();
        }
        if graph.step() == 0 {
            clock.advance(due.since(clock.now()));
        }
        if clock.now() >= tick {
            graph.tick();
            tick = tick.after(MS * 100);
        }
    }
    while graph.step() > 0 {}
    let report = graph.report();
    let ends = Ends { refused, admitted: receivers.len(), answered: report.requests.answered };
    (ends, report)
}

#[test]
fn a_chain_of_three_without_a_route_does_no_work_in_vain() {
    for busy in [false, true] {
        let (ends, report) = chain_of_three(busy, 20);
        // The last stage serves 2,000 of 10,000, and its queue refuses nothing.
        assert!(ends.refused + ends.admitted >= 9_990, "{report}");
        assert!((1_990..2_050).contains(&ends.answered), "{ends:?} {report}");
        assert_eq!(report.stages[2].refused.values().sum::<u64>(), 0, "{report}");
        // What is lost came in the first burst, before a service was measured.
        assert!(ends.answered as usize * 100 >= ends.admitted * 98, "{ends:?} {report}");
        let asks = report.journal.iter().filter(|entry| entry.action.starts_with("asks other"));
        let asks: Vec<_> = asks.map(|entry| (entry.stage.as_deref(), &*entry.changed)).collect();
        assert_eq!(asks, [(Some("first"), "second, third")]);
    }
}

#[test]
fn a_stage_that_few_requests_of_an_entry_visit_does_not_close_the_entry() {
    let mut plant = plant(MS * 20, with_slo(SLO), false);
    // `front` answers nine in ten itself; the others are four times as many as `work` can serve.
    plant.world.caches.store(true, Ordering::Relaxed);
    plant.world.offer(BASIC, 2_000.0);
    let turned_away = |report: &Report| {
        let gate = report.stages[0].gate.as_ref().unwrap();
        gate.turned_away.values().sum::<u64>()
    };
    // The first limit comes before any measurement.
    plant.run(Duration::from_secs(1));
    let first = turned_away(&plant.graph.report());
    plant.run(Duration::from_secs(10));
    let report = plant.graph.report();
    assert_eq!(turned_away(&report), first, "{report}");
    assert!(report.stages[1].refused["admission"] > 1_000, "{report}");
    plant.end();
}
