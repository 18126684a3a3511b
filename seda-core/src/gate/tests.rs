use crate::config::MAX_CLASSES;
use crate::gate::gate_charge::{GateCharge, GateClosed};
use crate::gate::*;

const NOW: fn() -> Time = || Time::ZERO;
const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);
const SLO: [Option<Duration>; 1] = [Some(Duration::from_millis(200))];

/// Stages 0 to 2, and a route through the last two.
fn admission() -> (Admission, u16) {
    let admission = Admission::default();
    admission.build(Box::from([0, 1, 2]), &[Box::from([1, 2])]);
    admission.set(&SLO, Mode::On);
    let route = admission.route(0, Some(Route { graph: 0, index: 0 }));
    (admission, route)
}

fn passage(route: u16, class: Class, cost: u32) -> GateCharge {
    GateCharge { route, class, cost, declared: cost > 0 }
}

fn enter(admission: &Admission, route: u16, class: Class, cost: u32) -> Result<(), GateClosed> {
    admission.enter(&passage(route, class, cost), &[], NOW)
}

fn bound(admission: &Admission) -> Vec<usize> {
    (0..3).map(|stage| admission.gate(stage).unwrap().figures().bound).collect()
}

fn all(most: u64) -> Limits {
    Limits { most: [most; MAX_CLASSES], ..Limits::NONE }
}

#[test]
fn a_request_passes_all_gates_on_its_route_or_none() {
    let (admission, route) = admission();
    let mut limits = Limits::NONE;
    limits.most[0] = 1;
    admission.gate(2).unwrap().set_limits(&limits, &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, route, GOLD, 0), Err(GateClosed { stage: 2 }));
    assert_eq!(bound(&admission), [0, 1, 1]);
    assert_eq!(admission.gate(1).unwrap().figures().entered, 1, "it has turned back");
    // Another class has a limit of its own, and a request for stage 1 alone meets no other.
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(enter(&admission, admission.route(1, None), GOLD, 0), Ok(()));
    assert_eq!(bound(&admission), [0, 3, 2]);
    admission.turn_away(&passage(route, GOLD, 0), GateClosed { stage: 2 });
    assert_eq!(admission.gate(2).unwrap().figures().turned_away[..2], [1, 0]);
    admission.leave(&passage(route, GOLD, 0));
    admission.leave(&passage(route, BASIC, 0));
    assert_eq!((bound(&admission), enter(&admission, route, GOLD, 0)), (vec![0, 1, 0], Ok(())));
}

#[test]
fn replicas_have_one_gate_together() {
    let admission = Admission::default();
    admission.build(Box::from([0, 1, 1, 1]), &[Box::from([2, 3]), Box::from([0])]);
    admission.set(&SLO, Mode::On);
    admission.gate(3).unwrap().set_limits(&all(2), &Limits::NONE);
    let declared = |index| admission.route(0, Some(Route { graph: 0, index }));
    assert_eq!(enter(&admission, declared(0), GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, admission.route(2, None), GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, declared(0), GOLD, 0), Err(GateClosed { stage: 1 }));
    assert_eq!(enter(&admission, declared(1), GOLD, 0), Ok(()));
    let counted: Vec<_> = (0..4).map(|stage| admission.figures(stage).map(|g| g.bound)).collect();
    assert_eq!(counted, [Some(1), Some(2), None, None]);
    let on = |stage| admission.gate_on(&passage(declared(0), GOLD, 0), stage).is_some();
    assert_eq!([0, 1, 2, 3].map(on), [false, true, true, true]);
}

#[test]
fn where_way_was_made_a_request_enters_whoever_is_there() {
    let (admission, route) = admission();
    admission.gate(1).unwrap().set_limits(&all(1), &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 0), Ok(()));
    let next = passage(route, GOLD, 0);
    assert_eq!(admission.shut(&next, NOW), [1]);
    assert_eq!(admission.enter(&next, &[1], NOW), Ok(()));
    assert_eq!(bound(&admission), [0, 2, 2]);
    admission.gate(2).unwrap().set_limits(&all(2), &Limits::NONE);
    assert_eq!(admission.shut(&next, NOW), [1, 2]);
    assert_eq!(admission.enter(&next, &[1], NOW), Err(GateClosed { stage: 2 }));
    assert_eq!(bound(&admission), [0, 2, 2]);
}

#[test]
fn nobody_gives_way_for_a_class_that_fills_its_limit_by_itself_or_to_its_guarantee() {
    let (admission, route) = admission();
    let gate = admission.gate(1).unwrap();
    let mut most = [UNLIMITED; MAX_CLASSES];
    (most[0], most[1]) = (2, 10);
    gate.set_limits(&Limits::of(most, &[1, 1]), &Limits::NONE);
    (0..5).for_each(|_| assert_eq!(enter(&admission, route, BASIC, 0), Ok(())));
    assert_eq!(gate.is_preemptible(GOLD, 0, 2), None, "basic has no more than its half");
    (0..3).for_each(|_| assert_eq!(enter(&admission, route, BASIC, 0), Ok(())));
    assert_eq!(gate.is_preemptible(GOLD, 0, 2), Some(BASIC));
    assert_eq!(gate.is_preemptible(GOLD, 0, 1), None, "there is no lower class");
    (0..2).for_each(|_| admission.gate(1).unwrap().enter_anyway(GOLD, 0));
    assert_eq!(gate.is_preemptible(GOLD, 0, 2), None);
}

#[test]
fn what_a_class_is_guaranteed_it_has_whoever_else_is_there() {
    let (admission, route) = admission();
    let mut limits = Limits::NONE;
    (limits.most[0], limits.most[1], limits.guaranteed[1]) = (3, 2, 1);
    admission.gate(1).unwrap().set_limits(&limits, &Limits::NONE);
    assert!((0..3).all(|_| enter(&admission, route, GOLD, 0).is_ok()));
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(enter(&admission, route, BASIC, 0), Err(GateClosed { stage: 1 }));
    assert!(!admission.gate(1).unwrap().exceeds_guarantee(BASIC));
}

#[test]
fn an_observing_gate_counts_whom_it_would_have_turned_away() {
    let (admission, route) = admission();
    admission.set(&SLO, Mode::Observe);
    admission.gate(1).unwrap().set_limits(&all(0), &Limits::NONE);
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(admission.gate(1).unwrap().figures().turned_away[..2], [0, 1]);
    assert_eq!(bound(&admission), [0, 1, 1]);
}

#[test]
fn costs_are_bounded_instead_of_requests_where_they_are_declared() {
    let (admission, route) = admission();
    let gate = admission.gate(1).unwrap();
    gate.set_limits(&all(1), &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 5), Ok(()));
    let refused = enter(&admission, route, GOLD, 5);
    assert_eq!(refused, Err(GateClosed { stage: 1 }), "not known what 5 is");
    gate.set_limits(&all(1), &all(12));
    assert_eq!(enter(&admission, route, GOLD, 8), Err(GateClosed { stage: 1 }));
    assert_eq!(enter(&admission, route, GOLD, 7), Ok(()));
    assert_eq!(enter(&admission, route, GOLD, 0), Err(GateClosed { stage: 1 }), "one may be");
    assert_eq!((gate.figures().bound, gate.figures().cost), (2, 12));
    assert_eq!(gate.fullness(GOLD, 0), Some(1.0));
    admission.leave(&passage(route, GOLD, 7));
    assert_eq!((gate.figures().bound, gate.figures().cost), (1, 5));
}

#[test]
fn what_was_measured_tells_nothing_of_the_unit_in_which_requests_declare() {
    let (admission, route) = admission();
    let measured = GateCharge { declared: false, ..passage(route, GOLD, 50_000) };
    assert!(admission.prices(&measured));
    let declared = admission.passage(route, GOLD, Some(7));
    assert!(admission.costs_are_declared());
    assert!(admission.prices(&declared) && !admission.prices(&measured));
}

#[test]
fn a_promise_is_a_deadline_of_its_class_while_it_can_be_kept() {
    let (admission, route) = admission();
    let deadline = |class| admission.deadline(route, class);
    assert_eq!(deadline(GOLD), Some(Duration::from_millis(190)));
    assert_eq!(deadline(BASIC), None);
    assert_eq!(admission.shortest_promise(), Some(Duration::from_millis(200)));
    admission.gate(2).unwrap().set_feasibility(0, true, true);
    assert_eq!(deadline(GOLD), None);
    assert!(admission.deadline(admission.route(1, None), GOLD).is_some());
    admission.set(&SLO, Mode::Observe);
    admission.gate(2).unwrap().set_feasibility(0, false, false);
    assert_eq!((deadline(GOLD), admission.shortest_promise()), (None, None));
}

#[test]
fn switched_off_it_counts_nothing() {
    let (admission, _) = admission();
    admission.set(&SLO, Mode::Off);
    assert_eq!(admission.route(1, None), NO_ROUTE);
    assert_eq!(enter(&admission, NO_ROUTE, GOLD, 0), Ok(()));
    admission.leave(&passage(NO_ROUTE, GOLD, 0));
    assert_eq!(bound(&admission), [0, 0, 0]);
}
