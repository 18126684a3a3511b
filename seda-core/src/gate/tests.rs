use crate::gate::gate_charge::{GateCharge, GateClosed};
use crate::gate::*;
use proptest::prelude::*;

const MICROS: u64 = 1_000;

const NOW: fn() -> Time = || Time::ZERO;
const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);
const SLO: [Option<Duration>; 1] = [Some(Duration::from_millis(200))];

/// Stages 0 to 2, and a route through the last two.
fn admission() -> (Admission, Option<RouteIndex>) {
    let admission = Admission::default();
    admission.build(Box::from([0, 1, 2]), &[Box::from([2])], &[(None, 1)]);
    admission.set(&SLO, Mode::On);
    // A request counts at its entry, too.
    let route = admission.route(1, Some(Route { graph: 0, index: 0 }));
    (admission, route)
}

/// The charge of a request with this cost in microseconds at each gate on its route.
fn charge(admission: &Admission, route: Option<RouteIndex>, class: Class, cost: u32) -> GateCharge {
    let mut charge = admission.charge(route, class, None, None);
    for at in charge.costs.as_mut_slice() {
        at.cost = Cost { amount: cost, unit: CostUnit::Micros };
    }
    charge
}

fn enter(
    admission: &Admission,
    route: Option<RouteIndex>,
    class: Class,
    cost: u32,
) -> Result<(), GateClosed> {
    admission.enter(&charge(admission, route, class, cost), &[], NOW)
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
    admission.turn_away(&charge(&admission, route, GOLD, 0), GateClosed { stage: 2 });
    assert_eq!(turned_away(&admission, 2), [1, 0]);
    admission.leave(&charge(&admission, route, GOLD, 0));
    admission.leave(&charge(&admission, route, BASIC, 0));
    assert_eq!((bound(&admission), enter(&admission, route, GOLD, 0)), (vec![0, 1, 0], Ok(())));
}

#[test]
fn replicas_have_one_gate_together() {
    let admission = Admission::default();
    let entries = [(None, 0), (None, 2)];
    admission.build(Box::from([0, 1, 1, 1]), &[Box::from([2, 3]), Box::from([0])], &entries);
    admission.set(&SLO, Mode::On);
    admission.gate(3).unwrap().set_limits(&all(2), &Limits::NONE);
    // Route 0 begins at a replica, route 1 at stage 0.
    let entry = |index: u16| if index == 0 { 2 } else { 0 };
    let declared = |index| admission.route(entry(index), Some(Route { graph: 0, index }));
    assert_eq!(enter(&admission, declared(0), GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, admission.route(2, None), GOLD, 0), Ok(()));
    assert_eq!(enter(&admission, declared(0), GOLD, 0), Err(GateClosed { stage: 1 }));
    assert_eq!(enter(&admission, declared(1), GOLD, 0), Ok(()));
    let counted: Vec<_> = (0..4).map(|stage| admission.figures(stage).map(|g| g.bound)).collect();
    assert_eq!(counted, [Some(1), Some(2), None, None]);
    let on = |stage| admission.gate_on(&charge(&admission, declared(0), GOLD, 0), stage).is_some();
    assert_eq!([0, 1, 2, 3].map(on), [false, true, true, true]);
}

#[test]
fn a_preempted_gate_admits_a_request_regardless_of_its_limit() {
    let (admission, route) = admission();
    admission.gate(1).unwrap().set_limits(&all(1), &Limits::NONE);
    assert_eq!(enter(&admission, route, GOLD, 0), Ok(()));
    let next = charge(&admission, route, GOLD, 0);
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
    assert_eq!(gate.preemptible_class(GOLD, Cost::NONE, 2), None, "basic is within its half");
    (0..3).for_each(|_| assert_eq!(enter(&admission, route, BASIC, 0), Ok(())));
    assert_eq!(gate.preemptible_class(GOLD, Cost::NONE, 2), Some(BASIC));
    assert_eq!(gate.preemptible_class(GOLD, Cost::NONE, 1), None, "there is no lower class");
    (0..2).for_each(|_| admission.gate(1).unwrap().enter_anyway(GOLD, Cost::NONE));
    assert_eq!(gate.preemptible_class(GOLD, Cost::NONE, 2), None);
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
    admission.leave(&charge(&admission, route, GOLD, 7));
    assert_eq!((gate.figures().bound, gate.figures().cost), (1, 5));
}

fn tick(admission: &Admission, coarse: bool) {
    assert!(admission.learn_demands(coarse).is_empty(), "no route is measured");
}

/// The cost of a request without a declared cost at each gate on its route.
fn costs(admission: &Admission, route: Option<RouteIndex>) -> Vec<(usize, u32)> {
    let charge = admission.charge(route, GOLD, None, None);
    charge.costs().iter().map(|at| (at.gate, at.cost.amount)).collect()
}

/// Answers `requests` that take these microseconds at each gate, in one event each.
fn answer(
    admission: &Admission,
    route: Option<RouteIndex>,
    declared: Option<u32>,
    requests: usize,
    micros: &[u64],
) {
    for _ in 0..requests {
        let charge = admission.charge(route, GOLD, declared, None);
        let nanos = micros.iter().map(|micros| micros * MICROS);
        let services: Vec<_> = nanos.map(|nanos| GateService { events: 1, nanos }).collect();
        admission.report_service(&charge, &services);
    }
}

/// Stages 0 to 2, and the routes A over the first two, B over the second, C over all three.
fn routes() -> (Admission, [Option<RouteIndex>; 3]) {
    let admission = Admission::default();
    let declared = [Box::from([0, 1]), Box::from([1]), Box::from([0, 1, 2])];
    admission.build(Box::from([0, 1, 2]), &declared, &[(None, 0), (None, 1)]);
    admission.set(&SLO, Mode::On);
    let routes = [(0, 0), (1, 1), (0, 2)]
        .map(|(entry, index)| admission.route(entry, Some(Route { graph: 0, index })));
    // A route is measured from the tick after its first request on.
    routes.iter().for_each(|route| drop(admission.charge(*route, GOLD, None, None)));
    tick(&admission, false);
    (admission, routes)
}

#[test]
fn a_route_weighs_at_each_gate_by_its_demand_there() {
    let (admission, [a, b, c]) = routes();
    answer(&admission, a, None, 1, &[100_000, 1_000]);
    answer(&admission, b, None, 1, &[4_000]);
    answer(&admission, c, None, 1, &[60_000, 1_500, 700]);
    tick(&admission, false);
    // At the first gate the two demands are alike, and one route alone passes the third.
    assert_eq!(costs(&admission, a), [(0, 0), (1, 1_000)]);
    assert_eq!(costs(&admission, b), [(1, 4_000)]);
    assert_eq!(costs(&admission, c), [(0, 0), (1, 1_500), (2, 0)]);
    assert_eq!([0, 1, 2].map(|stage| admission.costs_differ(stage)), [false, true, false]);
    tick(&admission, true);
    assert_eq!(costs(&admission, a), [(0, 100_000), (1, 1_000)]);
    assert_eq!(costs(&admission, c), [(0, 60_000), (1, 1_500), (2, 700)]);
    assert_eq!([0, 1, 2].map(|stage| admission.costs_differ(stage)), [false, true, false]);
}

#[test]
fn routes_that_differ_twofold_are_weighed_until_they_differ_by_less_than_a_half() {
    let (admission, [_, b, _]) = routes();
    let alone = admission.route(1, None);
    let seen = |micros: [u64; 2], ticks: usize| {
        for _ in 0..ticks {
            answer(&admission, b, None, 1, &micros[..1]);
            answer(&admission, alone, None, 1, &micros[1..]);
            tick(&admission, false);
        }
        [b, alone].map(|route| costs(&admission, route)[0].1)
    };
    seen([100, 100], 1);
    assert_eq!(seen([100, 199], 400), [0, 0]);
    assert_eq!(seen([100, 250], 400), [100, 250]);
    assert_eq!(seen([100, 160], 400), [100, 160]);
    assert_eq!(seen([100, 140], 400), [0, 0]);
}

#[test]
fn a_single_stall_makes_no_route_dear() {
    let (admission, [a, b, _]) = routes();
    for stalled in [100, 90_000] {
        answer(&admission, a, None, 1, &[100, 100]);
        answer(&admission, b, None, 1, &[stalled]);
        tick(&admission, false);
        assert_eq!(costs(&admission, b), [(1, 0)]);
    }
}

#[test]
fn a_route_without_an_answer_counts_as_the_mean_of_the_known_ones() {
    let (admission, [a, b, c]) = routes();
    answer(&admission, a, None, 1, &[100, 100]);
    answer(&admission, b, None, 1, &[300]);
    tick(&admission, false);
    assert_eq!(costs(&admission, c), [(0, 0), (1, 200), (2, 0)]);
}

#[test]
fn an_answer_and_its_service_may_come_in_different_ticks() {
    let (admission, [a, b, _]) = routes();
    let charge = admission.charge(a, GOLD, None, None);
    admission.report_service(&charge, &[GateService::default(); 2]);
    answer(&admission, b, None, 1, &[100]);
    tick(&admission, false);
    assert_eq!(costs(&admission, a), [(0, 0), (1, 0)]);
    admission.record_service(&charge, 1, 500 * MICROS);
    tick(&admission, false);
    assert_eq!(
        (costs(&admission, a), costs(&admission, b)),
        (vec![(0, 0), (1, 500)], vec![(1, 100)])
    );
}

#[test]
fn a_request_that_brings_several_events_weighs_as_all_of_them() {
    let (admission, [a, ..]) = routes();
    let charge = admission.charge(a, GOLD, None, None);
    let once = GateService { events: 1, nanos: 100 * MICROS };
    let ten_times = GateService { events: 10, nanos: 1_000 * MICROS };
    admission.report_service(&charge, &[once, ten_times]);
    tick(&admission, false);
    assert_eq!(costs(&admission, a), [(0, 0), (1, 1_000)]);
    assert!(!admission.costs_differ(1));
}

#[test]
fn a_gate_is_credited_with_what_was_charged_although_the_costs_change() {
    let (admission, [a, b, _]) = routes();
    tick(&admission, true);
    answer(&admission, a, None, 1, &[700, 300]);
    tick(&admission, true);
    let first = admission.charge(a, GOLD, None, None);
    admission.enter(&first, &[], NOW).unwrap();
    answer(&admission, a, None, 640, &[900, 500]);
    tick(&admission, true);
    let second = admission.charge(a, GOLD, Some(40), None);
    admission.enter(&second, &[], NOW).unwrap();
    tick(&admission, true);
    let third = admission.charge(b, GOLD, Some(9), None);
    admission.enter(&third, &[], NOW).unwrap();
    [first, second, third].iter().for_each(|charge| admission.leave(charge));
    for gate in [0, 1].map(|stage| admission.gate(stage).unwrap()) {
        assert_eq!((gate.figures().bound, gate.figures().cost), (0, 0));
    }
}

#[test]
fn a_declared_cost_counts_at_the_gates_of_its_route_and_leaves_the_others_measured() {
    let (admission, [a, b, c]) = routes();
    let alone = admission.route(2, None);
    drop(admission.charge(alone, GOLD, None, None));
    let answer_all = || {
        answer(&admission, b, None, 1, &[4_000]);
        answer(&admission, c, None, 1, &[2_000, 1_000, 600]);
        answer(&admission, alone, None, 1, &[200]);
        answer(&admission, a, Some(50), 1, &[2_000, 10_000]);
        tick(&admission, false);
    };
    answer_all();
    answer_all();
    let declared: Vec<_> = (0..3).map(|stage| admission.costs_are_declared(stage)).collect();
    assert_eq!(declared, [true, true, false]);
    // A unit is 40 us at the first gate and 200 us at the second.
    assert_eq!(costs(&admission, b), [(1, 20)]);
    assert_eq!(costs(&admission, c), [(0, 50), (1, 5), (2, 600)]);
    assert_eq!(costs(&admission, alone), [(2, 200)]);
    let charge = admission.charge(a, GOLD, Some(80), None);
    let amounts: Vec<_> = charge.costs().iter().map(|at| at.cost).collect();
    assert_eq!(amounts, [Cost { amount: 80, unit: CostUnit::Declared }; 2]);
}

#[test]
fn costs_in_another_unit_than_that_of_the_gate_count_as_requests_only() {
    let (admission, [_, b, _]) = routes();
    let gate = admission.gate(1).unwrap();
    let micros = charge(&admission, b, GOLD, 50_000);
    admission.enter(&micros, &[], NOW).unwrap();
    drop(admission.charge(b, GOLD, Some(7), None));
    tick(&admission, false);
    gate.set_limits(&Limits::NONE, &all(10));
    assert_eq!((gate.figures().bound, gate.figures().cost), (1, 0));
    let declared = admission.charge(b, GOLD, Some(7), None);
    assert_eq!(admission.enter(&declared, &[], NOW), Ok(()));
    assert_eq!(admission.enter(&declared, &[], NOW), Err(GateClosed { stage: 1 }));
    assert_eq!((gate.figures().bound, gate.figures().cost), (2, 7));
    admission.leave(&micros);
    admission.leave(&declared);
    assert_eq!((gate.figures().bound, gate.figures().cost), (0, 0));
}

/// Visits of requests that enter at stage 0 without a declared route. Stage 3 is on no path.
#[test]
fn a_request_without_a_route_is_charged_where_nine_of_ten_of_its_entry_go() {
    let admission = Admission::default();
    let edges = [(None, 0), (Some(0), 1), (Some(1), 2), (Some(2), 1), (None, 3), (Some(3), 2)];
    admission.build(Box::from([0, 1, 2, 3]), &[], &edges);
    admission.set(&SLO, Mode::On);
    let route = admission.route(0, None);
    let gates = || costs(&admission, route).iter().map(|(gate, _)| *gate).collect::<Vec<_>>();
    assert_eq!(gates(), [0]);
    for request in 0..40 {
        let (charge, visits) = (admission.charge(route, GOLD, None, None), Visits::default());
        let visited: &[usize] = if request % 2 == 0 { &[0, 1, 2, 3] } else { &[0, 1] };
        visited.iter().for_each(|stage| admission.visit(&charge, &visits, *stage));
        admission.report_visits(&charge, &visits);
    }
    assert_eq!(admission.learn_demands(false), [0]);
    assert_eq!(
        (gates(), admission.stages_from(0), admission.stages_from(3)),
        (vec![0, 1], vec![0, 1], vec![3])
    );
    assert!(admission.learn_demands(false).is_empty());
    assert_eq!(costs(&admission, admission.route(3, None)), [(3, 0)]);
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
                let request =
                    GateCharge { tenant: tenant.key, ..charge(&admission, route, GOLD, cost) };
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
    let limits = Limits { in_time: PerClass::splat(120), ..all(100) };
    gate.set_limits(&limits, &Limits::NONE);
    let of = |key| GateCharge { tenant: Some(key), ..charge(&admission, route, GOLD, 0) };
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
fn a_check_of_a_request_decides_by_its_tenant_as_its_entry_does_and_charges_nothing() {
    let (admission, _) = admission();
    let route = admission.route(1, None);
    let limits = Limits { in_time: PerClass::splat(12), ..all(10) };
    admission.gate(1).unwrap().set_limits(&limits, &Limits::NONE);
    let of = |key| GateCharge { tenant: Some(key), ..charge(&admission, route, GOLD, 0) };
    (0..10).for_each(|_| assert_eq!(admission.enter(&of(1), &[], NOW), Ok(())));
    let closed = admission.first_closed(&of(1), NOW).unwrap();
    admission.turn_away(&of(1), closed);
    // The gate is contended now: beyond its limit it has two places for a tenant without a debt.
    let checked = |key| admission.first_closed(&of(key), NOW).is_none();
    assert!((0..100).all(|_| checked(2)), "a check takes no place");
    let mut entered = 0;
    while checked(2) {
        assert_eq!(admission.enter(&of(2), &[], NOW), Ok(()));
        entered += 1;
    }
    assert!(admission.enter(&of(2), &[], NOW).is_err());
    assert_eq!((entered, bound(&admission)), (2, vec![0, 12, 0]));
    // A check by itself refuses nothing in the report: only the refusal that follows counts.
    let rates = admission.heaviest_tenants(5, Time::ZERO);
    let of_first = rates.iter().find(|(name, _)| *name == TenantName::Key(1)).unwrap().1;
    assert!((of_first.refused_share - 1.0 / 11.0).abs() < 1e-3, "{rates:?}");
}

#[test]
fn admission_that_is_off_counts_nothing() {
    let (admission, _) = admission();
    admission.set(&SLO, Mode::Off);
    assert_eq!(admission.route(1, None), None);
    assert_eq!(enter(&admission, None, GOLD, 0), Ok(()));
    admission.leave(&charge(&admission, None, GOLD, 0));
    assert_eq!(bound(&admission), [0, 0, 0]);
}

/// What happens to requests and gates, in any order.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A request on this route enters, with or without a declared cost.
    Enter(usize, Option<u32>),
    /// The oldest request is answered after these microseconds at each gate.
    Answer(u64),
    Tick {
        coarse: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..4, proptest::option::weighted(0.2, 0_u32..100))
            .prop_map(|(route, cost)| Step::Enter(route, cost)),
        (1_u64..100_000).prop_map(Step::Answer),
        proptest::bool::ANY.prop_map(|coarse| Step::Tick { coarse }),
    ]
}

proptest! {
    #[test]
    fn every_gate_is_empty_once_all_requests_have_left(
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let (admission, [a, b, c]) = routes();
        let routes = [a, b, c, admission.route(1, None)];
        let mut inside = std::collections::VecDeque::new();
        let leave = |charge: GateCharge, micros: u64| {
            let service = GateService { events: 1, nanos: micros * MICROS };
            if charge.measured {
                admission.report_service(&charge, &vec![service; charge.costs().len()]);
            }
            admission.leave(&charge);
        };
        for step in steps {
            match step {
                Step::Enter(route, cost) => {
                    let charge = admission.charge(routes[route], GOLD, cost, None);
                    admission.enter(&charge, &[], NOW).unwrap();
                    inside.push_back(charge);
                }
                Step::Answer(micros) => {
                    inside.pop_front().into_iter().for_each(|charge| leave(charge, micros));
                }
                Step::Tick { coarse } => tick(&admission, coarse),
            }
        }
        let bound = bound(&admission);
        let passing = |gate| inside.iter().filter(|charge| charge.at(gate).is_some()).count();
        prop_assert_eq!(bound, [0, 1, 2].map(passing));
        inside.into_iter().for_each(|charge| leave(charge, 1));
        for stage in 0..3 {
            let figures = admission.gate(stage).unwrap().figures();
            prop_assert_eq!((figures.bound, figures.cost), (0, 0));
        }
    }
}
