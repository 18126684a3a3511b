use crate::gate::gate_charge::{GateCharge, GateClosed};
use crate::gate::*;

const NOW: fn() -> Time = || Time::ZERO;
const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);
const SLO: [Option<Duration>; 1] = [Some(Duration::from_millis(200))];

/// Stages 0 to 2, and a route through the last two.
fn admission() -> (Admission, Option<RouteIndex>) {
    let admission = Admission::default();
    admission.build(Box::from([0, 1, 2]), &[Box::from([1, 2])]);
    admission.set(&SLO, Mode::On);
    let route = admission.route(0, Some(Route { graph: 0, index: 0 }));
    (admission, route)
}

fn charge(route: Option<RouteIndex>, class: Class, cost: u32) -> GateCharge {
    GateCharge { route, class, cost, declared: cost > 0, tenant: None }
}

fn enter(
    admission: &Admission,
    route: Option<RouteIndex>,
    class: Class,
    cost: u32,
) -> Result<(), GateClosed> {
    admission.enter(&charge(route, class, cost), &[], NOW)
}

fn bound(admission: &Admission) -> Vec<usize> {
    (0..3).map(|stage| admission.gate(stage).unwrap().figures().bound).collect()
}

/// The refused requests of the classes gold and basic.
fn turned_away(admission: &Admission, stage: usize) -> [u64; 2] {
    [GOLD, BASIC].map(|class| admission.gate(stage).unwrap().figures().turned_away[class])
}

fn all(most: u64) -> Limits {
    Limits { most: PerClass::splat(most), ..Limits::NONE }
}

#[test]
fn a_request_passes_all_gates_on_its_route_or_none() {
    let (admission, route) = admission();
    let mut limits = Limits::NONE;
    limits.most[GOLD] = 1;
    admission.gate(2).unwrap().set_limits(&limits, &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, route, GOLD, 0), Err(GateClosed { stage: 2 }));
    assert_eq!(bound(&admission), [0, 1, 1]);
    assert_eq!(admission.gate(1).unwrap().figures().entered, 1, "the second request was undone");
    // Another class has a limit of its own, and a request for stage 1 alone passes no other gate.
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(enter(&admission, admission.route(1, None), GOLD, 0), Ok(()));
    assert_eq!(bound(&admission), [0, 3, 2]);
    admission.turn_away(&charge(route, GOLD, 0), GateClosed { stage: 2 });
    assert_eq!(turned_away(&admission, 2), [1, 0]);
    admission.leave(&charge(route, GOLD, 0));
    admission.leave(&charge(route, BASIC, 0));
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
    let on = |stage| admission.gate_on(&charge(declared(0), GOLD, 0), stage).is_some();
    assert_eq!([0, 1, 2, 3].map(on), [false, true, true, true]);
}

#[test]
fn a_preempted_gate_admits_a_request_regardless_of_its_limit() {
    let (admission, route) = admission();
    admission.gate(1).unwrap().set_limits(&all(1), &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 0), Ok(()));
    let next = charge(route, GOLD, 0);
    assert_eq!(admission.closed_on(&next, NOW), [1]);
    assert_eq!(admission.enter(&next, &[1], NOW), Ok(()));
    assert_eq!(bound(&admission), [0, 2, 2]);
    admission.gate(2).unwrap().set_limits(&all(2), &Limits::NONE);
    assert_eq!(admission.closed_on(&next, NOW), [1, 2]);
    assert_eq!(admission.enter(&next, &[1], NOW), Err(GateClosed { stage: 2 }));
    assert_eq!(bound(&admission), [0, 2, 2]);
}

#[test]
fn no_event_is_preempted_for_a_class_that_fills_its_limit_or_within_its_guarantee() {
    let (admission, route) = admission();
    let gate = admission.gate(1).unwrap();
    let mut most = PerClass::splat(UNLIMITED);
    (most[GOLD], most[BASIC]) = (2, 10);
    gate.set_limits(&Limits::of(most, &[1, 1]), &Limits::NONE);
    (0..5).for_each(|_| assert_eq!(enter(&admission, route, BASIC, 0), Ok(())));
    assert_eq!(gate.preemptible_class(GOLD, 0, 2), None, "basic is within its half");
    (0..3).for_each(|_| assert_eq!(enter(&admission, route, BASIC, 0), Ok(())));
    assert_eq!(gate.preemptible_class(GOLD, 0, 2), Some(BASIC));
    assert_eq!(gate.preemptible_class(GOLD, 0, 1), None, "there is no lower class");
    (0..2).for_each(|_| admission.gate(1).unwrap().enter_anyway(GOLD, 0));
    assert_eq!(gate.preemptible_class(GOLD, 0, 2), None);
}

#[test]
fn a_class_has_its_guarantee_regardless_of_the_others() {
    let (admission, route) = admission();
    let mut limits = Limits::NONE;
    (limits.most[GOLD], limits.most[BASIC], limits.guaranteed[BASIC]) = (3, 2, 1);
    admission.gate(1).unwrap().set_limits(&limits, &Limits::NONE);
    assert!((0..3).all(|_| enter(&admission, route, GOLD, 0).is_ok()));
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(enter(&admission, route, BASIC, 0), Err(GateClosed { stage: 1 }));
    assert!(!admission.gate(1).unwrap().exceeds_guarantee(BASIC));
}

#[test]
fn an_observing_gate_counts_the_requests_it_would_have_refused() {
    let (admission, route) = admission();
    admission.set(&SLO, Mode::Observe);
    admission.gate(1).unwrap().set_limits(&all(0), &Limits::NONE);
    assert_eq!(enter(&admission, route, BASIC, 0), Ok(()));
    assert_eq!(turned_away(&admission, 1), [0, 1]);
    assert_eq!(bound(&admission), [0, 1, 1]);
}

#[test]
fn costs_are_bounded_instead_of_requests_where_they_are_declared() {
    let (admission, route) = admission();
    let gate = admission.gate(1).unwrap();
    gate.set_limits(&all(1), &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 5), Ok(()));
    let refused = enter(&admission, route, GOLD, 5);
    assert_eq!(refused, Err(GateClosed { stage: 1 }), "the worth of 5 is unknown");
    gate.set_limits(&all(1), &all(12));
    assert_eq!(enter(&admission, route, GOLD, 8), Err(GateClosed { stage: 1 }));
    assert_eq!(enter(&admission, route, GOLD, 7), Ok(()));
    assert_eq!(
        enter(&admission, route, GOLD, 0),
        Err(GateClosed { stage: 1 }),
        "one request is the limit"
    );
    assert_eq!((gate.figures().bound, gate.figures().cost), (2, 12));
    assert_eq!(gate.fullness(GOLD, 0), Some(1.0));
    admission.leave(&charge(route, GOLD, 7));
    assert_eq!((gate.figures().bound, gate.figures().cost), (1, 5));
}

#[test]
fn a_measured_demand_does_not_count_for_the_model_of_declared_costs() {
    let (admission, route) = admission();
    let measured = GateCharge { declared: false, ..charge(route, GOLD, 50_000) };
    assert!(admission.counts_for_cost_models(&measured));
    let declared = admission.charge(route, GOLD, Some(7), None);
    assert!(admission.costs_are_declared());
    assert!(
        admission.counts_for_cost_models(&declared) && !admission.counts_for_cost_models(&measured)
    );
}

#[test]
fn an_slo_is_the_deadline_of_its_class_while_it_is_feasible() {
    let (admission, route) = admission();
    let deadline = |class| admission.deadline(route, class);
    assert_eq!(deadline(GOLD), Some(Duration::from_millis(190)));
    assert_eq!(deadline(BASIC), None);
    assert_eq!(admission.shortest_slo(), Some(Duration::from_millis(200)));
    admission.gate(2).unwrap().set_feasibility(GOLD, true, true);
    assert_eq!(deadline(GOLD), None);
    assert!(admission.deadline(admission.route(1, None), GOLD).is_some());
    admission.set(&SLO, Mode::Observe);
    admission.gate(2).unwrap().set_feasibility(GOLD, false, false);
    assert_eq!((deadline(GOLD), admission.shortest_slo()), (None, None));
}

/// A tenant of a test: its key, the cost of a request, its requests per millisecond, and its served
/// cost in the second half of the run.
struct Offered {
    key: Option<u64>,
    cost: u32,
    per_milli: f64,
    served: f64,
    refused: f64,
}

impl Offered {
    fn new(key: Option<u64>, cost: u32, per_milli: f64) -> Self {
        Self { key, cost, per_milli, served: 0.0, refused: 0.0 }
    }
}

/// Serves tenants for 40 seconds at one unit of cost per millisecond. The gate limits the requests,
/// or their costs if these are more than 1.
fn serve(tenants: &mut [Offered], limit: u64) {
    let (admission, _) = admission();
    let route = admission.route(1, None);
    let gate = admission.gate(1).unwrap();
    gate.set_limits(&all(limit), &all(limit));
    let mut queue = std::collections::VecDeque::new();
    let mut left = 0;
    for milli in 0..40_000_u64 {
        let now = || Time::from_nanos(milli * 1_000_000);
        let counts = if milli >= 20_000 { 1.0 } else { 0.0 };
        for tenant in &mut *tenants {
            let so_far = |milli: u64| (milli as f64 * tenant.per_milli) as u64;
            for _ in so_far(milli)..so_far(milli + 1) {
                let cost = if tenant.cost > 1 { tenant.cost } else { 0 };
                let request = GateCharge { tenant: tenant.key, ..charge(route, GOLD, cost) };
                match admission.enter(&request, &[], now) {
                    Ok(()) => {
                        queue.push_back((request, tenant.cost));
                        tenant.served += counts * f64::from(tenant.cost);
                    }
                    Err(closed) => {
                        admission.turn_away(&request, closed);
                        tenant.refused += counts;
                    }
                }
            }
        }
        if left == 0
            && let Some((request, cost)) = queue.pop_front()
        {
            left = cost;
            queue.push_front((request, cost));
        }
        left = left.saturating_sub(1);
        if left == 0
            && let Some((request, _)) = queue.pop_front()
        {
            admission.leave(&request);
        }
    }
}

#[test]
fn tenants_share_by_cost_and_not_by_requests() {
    let mut tenants = [
        Offered::new(Some(1), 2, 1.0),
        Offered::new(Some(2), 20, 0.5),
        Offered::new(Some(3), 4, 0.04),
    ];
    serve(&mut tenants, 400);
    let [cheap, dear, small] = tenants.each_ref().map(|tenant| tenant.served / 20_000.0);
    assert!((cheap / 0.42 - 1.0).abs() < 0.05, "{cheap} {dear} {small}");
    assert!((dear / 0.42 - 1.0).abs() < 0.05, "{cheap} {dear} {small}");
    assert!((small / 0.16 - 1.0).abs() < 0.01 && tenants[2].refused == 0.0, "{small}");
}

#[test]
fn all_requests_without_a_key_are_one_tenant() {
    let mut tenants =
        [Offered::new(None, 1, 8.0), Offered::new(Some(1), 1, 4.0), Offered::new(Some(2), 1, 0.1)];
    serve(&mut tenants, 50);
    let served = tenants.each_ref().map(|tenant| tenant.served / 20_000.0);
    assert!(served[..2].iter().all(|share| (share / 0.45 - 1.0).abs() < 0.05), "{served:?}");
    assert_eq!(tenants[2].refused, 0.0);
}

#[test]
fn without_a_refusal_nothing_is_decided_by_tenants() {
    let mut tenants = [Offered::new(Some(1), 1, 0.9), Offered::new(Some(2), 1, 0.05)];
    serve(&mut tenants, 10);
    assert!(tenants.iter().all(|tenant| tenant.refused == 0.0));
    // A program without tenants has the limit as it is.
    let mut keyless = [Offered::new(None, 1, 3.0)];
    serve(&mut keyless, 10);
    assert_eq!((keyless[0].served, keyless[0].refused), (20_000.0, 40_000.0));
}

#[test]
fn a_tenant_above_the_level_is_refused_although_the_gate_has_room_beyond_its_limit() {
    let (admission, _) = admission();
    let route = admission.route(1, None);
    let gate = admission.gate(1).unwrap();
    gate.set_limits(&all(100), &Limits::NONE);
    gate.set_in_time(PerClass::splat(120), PerClass::splat(UNLIMITED));
    let of = |key| GateCharge { tenant: Some(key), ..charge(route, GOLD, 0) };
    // The heavy tenant fills the gate: its first refusal makes the gate contended.
    (0..100).for_each(|_| assert_eq!(admission.enter(&of(1), &[], NOW), Ok(())));
    let closed = admission.enter(&of(1), &[], NOW).unwrap_err();
    admission.turn_away(&of(1), closed);
    // The target is now half of what is in time, so no debt is allowed beyond that.
    let entered = (0..100).filter(|_| admission.enter(&of(1), &[], NOW).is_ok()).count();
    assert!(entered < 20, "{entered}");
    assert!(admission.is_above_level(&of(1), 1, NOW) && !admission.is_above_level(&of(2), 1, NOW));
    assert_eq!(admission.enter(&of(2), &[], NOW), Ok(()));
    let heaviest = admission.heaviest_tenants(5, Time::ZERO);
    assert_eq!(heaviest[0].0, TenantName::Key(1));
}

#[test]
fn admission_that_is_off_counts_nothing() {
    let (admission, _) = admission();
    admission.set(&SLO, Mode::Off);
    assert_eq!(admission.route(1, None), None);
    assert_eq!(enter(&admission, None, GOLD, 0), Ok(()));
    admission.leave(&charge(None, GOLD, 0));
    assert_eq!(bound(&admission), [0, 0, 0]);
}
