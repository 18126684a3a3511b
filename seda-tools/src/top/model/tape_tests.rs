use super::*;
use crate::top::model::testing::{chain, empty, shop};
use serde_json::json;

fn minute(at: &[f64]) -> History {
    let stages = ["accept", "parse", "cache", "render-pages", "reply"];
    let edges: Vec<_> = (0..6).map(|_| json!({ "to": "accept" })).collect();
    let seconds: Vec<_> = at
        .iter()
        .map(|at| json!({ "at": at, "seconds": 1.0, "stages": [{}, {}, {}, {}, {}] }))
        .collect();
    let history = json!({
        "graph": "shop", "stages": stages, "classes": ["gold", "basic", "batch"], "edges": edges,
        "seconds": seconds
    });
    serde_json::from_value(history).unwrap()
}

fn ends(tape: &Tape) -> Vec<f64> {
    tape.history().seconds.iter().map(|second| second.at).collect()
}

#[test]
fn each_report_adds_the_second_before_it() {
    let mut tape = Tape::live(Box::new(shop(1)), None);
    tape.push(Box::new(shop(2)));
    tape.push(Box::new(shop(4)));
    assert_eq!(ends(&tape), [1.0, 2.0, 4.0]);
    let last = &tape.history().seconds[2];
    // Two seconds of 2,000 a second, while a poll was missed.
    assert_eq!((last.seconds, last.requests.admitted), (2.0, 4_000));
    assert_eq!(last.detail.as_ref().unwrap().edges[0].refused, 1_080);
    assert!(tape.report_at(1).is_none() && tape.report_at(2).is_some());
}

#[test]
fn the_first_report_alone_has_the_counts_of_its_last_second() {
    let tape = Tape::of_report(Box::new(shop(600)));
    let second = &tape.history().seconds[0];
    assert_eq!((second.at, second.seconds), (600.0, 1.0));
    let render = &second.stages[3].events;
    assert_eq!((render.handled, render.refused, render.shed), (780, 12, 20));
    assert_eq!(second.detail.as_ref().unwrap().edges[0].refused, 540);
    assert!(second.detail.as_ref().unwrap().classes[1].stages.is_empty(), "not known");
}

#[test]
fn a_history_goes_up_to_the_first_report() {
    let mut tape = Tape::live(Box::new(shop(60)), Some(minute(&[58.2, 59.2])));
    assert_eq!(ends(&tape), [58.2, 59.2]);
    tape.push(Box::new(shop(61)));
    assert_eq!(ends(&tape), [58.2, 59.2, 61.0]);
    assert_eq!(tape.restarts(), 0);
}

#[test]
fn the_same_snapshot_adds_nothing() {
    let mut tape = Tape::live(Box::new(shop(5)), None);
    tape.push(Box::new(shop(6)));
    tape.push(Box::new(shop(6)));
    assert_eq!(ends(&tape), [5.0, 6.0]);
}

#[test]
fn a_restarted_server_begins_anew() {
    let mut tape = Tape::live(Box::new(shop(500)), None);
    tape.push(Box::new(shop(501)));
    tape.push(Box::new(shop(2)));
    assert_eq!((ends(&tape), tape.restarts()), (vec![2.0], 1));
    // Another graph at the same address.
    tape.push(Box::new(chain("other", &[], 3)));
    assert_eq!((&*tape.history().graph, tape.restarts()), ("other", 2));
    // After a restart the history is read first.
    let mut tape = Tape::live(Box::new(shop(500)), None);
    tape.refill(minute(&[1.0, 2.0]));
    tape.push(Box::new(shop(3)));
    assert_eq!((ends(&tape), tape.restarts()), (vec![1.0, 2.0], 1));
}

#[test]
fn a_history_fills_the_gap_after_a_break() {
    let mut tape = Tape::live(Box::new(shop(40)), None);
    tape.refill(minute(&[48.0, 49.0, 50.0]));
    tape.push(Box::new(shop(50)));
    tape.push(Box::new(shop(51)));
    assert_eq!((ends(&tape), tape.restarts()), (vec![48.0, 49.0, 50.0, 51.0], 0));
}

#[test]
fn old_seconds_are_forgotten() {
    let mut tape = Tape::live(Box::new(empty("still", 1.0)), None);
    (2..=700).for_each(|at| tape.push(Box::new(empty("still", f64::from(at)))));
    let seconds = &tape.history().seconds;
    assert_eq!((seconds.len(), seconds[0].at), (600, 101.0));
    assert_eq!(seconds.iter().filter(|second| second.detail.is_some()).count(), 60);
}

#[test]
fn the_past_ends_with_a_second() {
    let tape = Tape::of_history(minute(&[1.0, 2.0, 3.0, 4.0]));
    let past = |index, span| tape.past(index, span).iter().map(|second| second.at).collect();
    let (two, all): (Vec<f64>, Vec<f64>) = (past(2, 2.0), past(9, 60.0));
    assert_eq!((two, all), (vec![2.0, 3.0], vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!([0.0, 1.0, 2.7, 9.0].map(|at| tape.index_at(at)), [0, 0, 1, 3]);
    assert!(Tape::default().past(0, 60.0).is_empty());
}
