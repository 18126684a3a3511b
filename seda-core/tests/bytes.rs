//! Weights in bytes: charged when an event is sent, credited at each of its ends.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{ON_PURPOSE, assert_balanced, quiet_panics};
use parking_lot::Mutex;
use seda_core::{
    Context, Graph, Held, LossReason, Manual, ManualClock, Pending, RefusalReason, Responder,
    SendOptions, Source, Stage,
};
use std::sync::Arc;
use std::time::Duration;

/// An event of a number of bytes, named after the handler's action.
#[derive(Debug)]
enum Piece {
    Handle(usize),
    Fail(usize),
    Defer(usize),
    Hold(usize),
    Later(usize),
    Ask(usize, Responder<()>),
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Self::Handle(bytes)
            | Self::Fail(bytes)
            | Self::Defer(bytes)
            | Self::Hold(bytes)
            | Self::Later(bytes)
            | Self::Ask(bytes, _) => *bytes,
        }
    }
}

struct Weighing {
    graph: Manual,
    clock: Arc<ManualClock>,
    source: Source<Piece>,
    parked: Arc<Mutex<Vec<Pending>>>,
    held: Arc<Mutex<Vec<Held>>>,
}

impl Weighing {
    fn used(&self) -> u64 {
        let report = self.graph.report();
        assert_balanced(&report);
        assert_eq!(report.stages[0].bytes, Some(report.budget.bytes_used), "{report}");
        report.budget.bytes_used
    }
}

fn weighing(budget: u64) -> Weighing {
    let mut graph = Graph::new("bytes");
    let stage: Stage<Piece> = graph.stage("stage", 64);
    graph.weigh(stage, Piece::bytes).unwrap();
    graph.budget_bytes(budget);
    let (parked, held) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let (parking, holding) = (Arc::clone(&parked), Arc::clone(&held));
    graph
        .attach_each(stage, |wire| {
            let again = wire.sink(stage);
            move |piece, cx: &mut Context| match piece {
                Piece::Handle(_) => {}
                Piece::Ask(_, reply) => reply.respond(()),
                Piece::Fail(_) => std::panic::panic_any(ON_PURPOSE),
                Piece::Defer(_) => parking.lock().push(cx.defer().unwrap()),
                Piece::Hold(_) => holding.lock().push(cx.hold().unwrap()),
                Piece::Later(bytes) => {
                    let later = Duration::from_millis(1);
                    cx.send_after(later, &again, Piece::Handle(bytes))
                        .unwrap_or_else(|refused| refused.give_up());
                }
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let clock = Arc::new(ManualClock::new());
    let graph = graph.start_manual(clock.clone()).unwrap();
    Weighing { graph, clock, source, parked, held }
}

#[test]
fn bytes_are_charged_at_the_send_and_credited_at_every_end() {
    quiet_panics();
    let mut w = weighing(10_000);
    w.source
        .send_all(vec![
            Piece::Handle(1_000),
            Piece::Fail(100),
            Piece::Defer(10),
            Piece::Hold(20),
            Piece::Later(1),
        ])
        .unwrap();
    assert_eq!(w.used(), 1_131);
    w.graph.run_until_idle();
    // Deferred, held and delayed events still count.
    assert_eq!(w.used(), 31);
    w.parked.lock().drain(..).for_each(Pending::complete);
    assert_eq!(w.used(), 21);
    w.held.lock().drain(..).for_each(Held::release);
    assert_eq!(w.used(), 1);
    w.clock.advance(Duration::from_millis(1));
    w.graph.run_until_idle();
    assert_eq!(w.used(), 0);
}

#[test]
fn an_event_that_does_not_fit_is_refused_and_one_that_never_can_is_too_large() {
    let mut w = weighing(100);
    w.source.send(Piece::Handle(60)).unwrap();
    let refused = w.source.send(Piece::Handle(41)).unwrap_err();
    assert_eq!((refused.reason(), refused.into_event().bytes()), (RefusalReason::Budget, 41));
    assert_eq!(w.source.send(Piece::Handle(101)).unwrap_err().reason(), RefusalReason::TooLarge);
    w.source.send(Piece::Handle(40)).unwrap();
    assert_eq!(w.used(), 100);
    w.graph.run_until_idle();
    w.source.send(Piece::Handle(41)).unwrap();
    assert_eq!(w.used(), 41);
}

#[test]
fn several_events_are_sent_together_or_not_at_all() {
    let w = weighing(100);
    let refused = w.source.send_all(vec![Piece::Handle(60), Piece::Handle(60)]).unwrap_err();
    assert_eq!((refused.reason(), refused.into_event().len()), (RefusalReason::Budget, 2));
    assert_eq!(w.used(), 0);
    w.source.send_all(vec![Piece::Handle(60), Piece::Handle(40)]).unwrap();
    assert_eq!(w.used(), 100);
}

#[test]
fn a_handlers_send_is_charged_in_addition_to_the_event_in_hand() {
    let mut w = weighing(100);
    w.source.send(Piece::Later(60)).unwrap();
    w.graph.run_until_idle();
    let report = w.graph.report();
    assert_eq!(report.stages[0].refused.get("budget"), Some(&1));
    assert_eq!(w.used(), 0);
}

#[test]
fn shed_and_cancelled_events_credit_their_bytes() {
    let mut w = weighing(1_000);
    let terms = SendOptions { deadline: Some(Duration::from_millis(5)), ..SendOptions::default() };
    w.source.with_options(terms).send(Piece::Handle(7)).unwrap();
    w.clock.advance(Duration::from_millis(5));
    w.graph.run_until_idle();
    assert_eq!(w.used(), 0);
    w.source.send(Piece::Later(9)).unwrap();
    w.graph.run_until_idle();
    w.source.send(Piece::Handle(11)).unwrap();
    assert_eq!(w.used(), 20);
    // This drain may begin no event: the queued one is shed, the delayed one is cancelled.
    let drained = w.graph.drain(0);
    assert_eq!((drained.cancelled, drained.given_up), (1, 1));
    assert_eq!(drained.report.budget.bytes_used, 0);
    assert_balanced(&drained.report);
}

#[test]
fn permits_refuse_an_event_that_is_too_heavy_and_keep_its_place() {
    let w = weighing(100);
    let mut permits = w.source.reserve(2).unwrap();
    assert_eq!(permits.send(Piece::Handle(101)).unwrap_err().reason(), RefusalReason::TooLarge);
    permits.send(Piece::Handle(90)).unwrap();
    assert_eq!(permits.send_all([Piece::Handle(20)]), 0);
    assert_eq!((permits.left(), w.used()), (1, 90));
    let refused = w.graph.report().events.refused;
    assert_eq!(refused, 2);
}

#[test]
fn a_request_with_an_event_too_heavy_is_lost_as_refused() {
    let mut w = weighing(100);
    let heavy = w.source.request(|reply| Piece::Ask(101, reply)).unwrap();
    assert_eq!(heavy.try_take(), Some(Err(LossReason::Refused)));
    let light = w.source.request(|reply| Piece::Ask(100, reply)).unwrap();
    w.graph.run_until_idle();
    assert_eq!(light.try_take(), Some(Ok(())));
    let requests = w.graph.report().requests;
    assert_eq!((requests.admitted, requests.answered, requests.open), (2, 1, 0));
    assert_eq!(w.used(), 0);
}

#[test]
fn at_the_byte_budget_a_higher_class_displaces_a_lower_and_no_other() {
    let mut graph = Graph::new("bytes");
    let stage: Stage<Vec<u8>> = graph.stage("stage", 64);
    graph.classes(&[("gold", 3), ("basic", 1)]);
    graph.weigh(stage, Vec::len).unwrap();
    graph.budget_bytes(100);
    let lost = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lost);
    graph.on_lost(stage, move |event, reason| kept.lock().push((event.len(), reason))).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let basic = source.with_options(crate::support::class(1));
    for bytes in [30, 40, 20] {
        basic.send(vec![0; bytes]).unwrap();
    }
    assert_eq!(basic.send(vec![0; 11]).unwrap_err().reason(), RefusalReason::Budget);
    // 10 bytes are free, so evicting the oldest event, of 30 bytes, is enough.
    source.send(vec![0; 35]).unwrap();
    assert_eq!(graph.report().budget.bytes_used, 95);
    // No class may evict gold, and no event is shed for a send that is then refused.
    assert_eq!(source.send(vec![0; 66]).unwrap_err().reason(), RefusalReason::Budget);
    assert_eq!(graph.report().budget.bytes_used, 95);
    source.send(vec![0; 65]).unwrap();
    graph.tell_owners();
    let valve = LossReason::Valve;
    assert_eq!(*lost.lock(), [(30, valve), (40, valve), (20, valve)]);
    let report = graph.report();
    assert_eq!((report.budget.used, report.budget.bytes_used), (2, 100));
    assert_balanced(&report);
    let journal: Vec<_> = report.journal.iter().map(|entry| entry.to_string()).collect();
    assert!(
        journal[0].contains("evicted 1 of class basic for 1 of class gold from `stage`"),
        "{journal:?}"
    );
    assert!(journal[1].ends_with("[95 → 35 bytes]"), "{journal:?}");
}

#[test]
fn an_observing_valve_journals_the_events_that_it_would_have_evicted_for_bytes() {
    let mut graph = Graph::new("bytes");
    let stage: Stage<Vec<u8>> = graph.stage("stage", 64);
    graph.classes(&[("gold", 3), ("basic", 1)]);
    graph.weigh(stage, Vec::len).unwrap();
    graph.budget_bytes(100);
    let mut config = seda_core::GraphConfig::default();
    config.control.valve = seda_core::Mode::Observe;
    graph.apply(config).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.with_options(crate::support::class(1)).send(vec![0; 90]).unwrap();
    for _ in 0..3 {
        assert_eq!(source.send(vec![0; 11]).unwrap_err().reason(), RefusalReason::Budget);
    }
    let report = graph.report();
    assert_eq!((report.budget.bytes_used, report.journal.len()), (90, 1));
    let entry = &report.journal[0];
    assert!(!entry.acted && entry.action.starts_with("evicted 3 for 3 of class gold"), "{entry}");
}
