//! Bounds, shares and budgets that change while events are there.

use super::*;

#[test]
fn a_capacity_set_below_the_depth_shrinks_with_it_in_every_step() {
    let mut small = small();
    assert_eq!(small.fill(), 64);
    set(&mut small.graph, "stages.own.capacity = 10\nstages.own.batch = 7");
    let mut depths = Vec::new();
    loop {
        let report = small.graph.report();
        assert_balanced(&report);
        let queue = &report.stages[0].queue;
        assert_eq!((queue.capacity, queue.soft), (queue.depth.max(10), 10));
        let refused = small.own.send(0).err().map(|refused| refused.reason());
        if queue.depth >= 10 {
            assert_eq!(refused, Some(RefusalReason::Full));
        }
        depths.push(queue.depth);
        if queue.depth < 10 {
            assert_eq!(refused, None);
            break;
        }
        small.graph.step();
    }
    // The first batch has one event, to measure; the next has seven.
    assert_eq!(depths, [64, 63, 56, 49, 42, 35, 28, 21, 14, 7]);
    small.graph.run_until_idle();
    assert_eq!(small.fill(), 10);
    assert!(small.own.send_all(vec![0; 11]).is_err_and(|e| e.reason() == RefusalReason::TooLarge));
    set(&mut small.graph, "stages.own.capacity = 12");
    assert_eq!(small.fill(), 2);
    small.graph.run_until_idle();
    assert_balanced(&small.graph.report());
}

#[test]
fn a_soft_capacity_set_live_stays_until_the_setting_changes() {
    let mut small = small();
    small.graph.set_soft_capacity("own", 20);
    set(&mut small.graph, "stages.own.capacity = 48");
    assert_eq!(small.graph.report().stages[0].queue.soft, 20);
    set(&mut small.graph, "stages.own.capacity = 16");
    assert_eq!(small.graph.report().stages[0].queue.soft, 16);
    set(&mut small.graph, "stages.own.capacity = 48");
    assert_eq!((small.graph.report().stages[0].queue.soft, small.fill()), (20, 20));
    set(&mut small.graph, "stages.own.soft = 30");
    assert_eq!((small.graph.report().stages[0].queue.soft, small.fill()), (30, 10));
    set(&mut small.graph, "");
    assert_eq!((small.graph.report().stages[0].queue.soft, small.fill()), (64, 34));
}

#[test]
fn a_size_set_live_stays_unless_the_new_range_excludes_it() {
    let mut small = small();
    let mut workers = |text: &str, live: Option<usize>| {
        set(&mut small.graph, text);
        if let Some(live) = live {
            small.graph.set_workers("own", live);
        }
        small.graph.step();
        let workers = small.graph.report().stages[0].workers;
        (workers.now, workers.min, workers.max)
    };
    assert_eq!(workers("stages.own.workers = \"1..8\"", Some(6)), (6, 1, 8));
    assert_eq!(workers("stages.own.workers = \"1..8\"\nbudget = 100", None), (6, 1, 8));
    assert_eq!(workers("stages.own.workers = \"2..7\"", None), (6, 2, 7));
    assert_eq!(workers("stages.own.workers = \"2..4\"", None), (4, 2, 4));
    assert_eq!(workers("stages.own.workers = \"7..9\"", None), (7, 7, 9));
    assert_eq!(workers("", None), (1, 1, 1));
}

#[test]
fn a_batch_and_the_shares_of_classes_hold_from_the_next_take_on() {
    let mut small = small();
    small.own.send(9_999).unwrap();
    small.graph.run_until_idle();
    let taken = |small: &mut Small| {
        small.handled.lock().clear();
        assert_eq!(small.graph.step(), small.handled.lock().len());
        small.handled.lock().iter().map(|event| event / 100).collect::<Vec<_>>()
    };
    let (gold, basic) = (small.own.with_options(class(0)), small.own.with_options(class(1)));
    set(&mut small.graph, "stages.own.batch = 8");
    gold.send_all((0..30).collect()).unwrap();
    basic.send_all((100..130).collect()).unwrap();
    // The first event belonged to gold's turn.
    assert_eq!(taken(&mut small), [0, 0, 1, 0, 0, 0, 1, 0]);
    set(&mut small.graph, "stages.own.batch = 6\n[classes]\ngold = 1\nbasic = 2");
    assert_eq!(taken(&mut small), [0, 1, 1, 0, 1, 1]);
    set(&mut small.graph, "stages.own.batch = 4");
    assert_eq!(taken(&mut small), [0, 0, 0, 1]);
    assert_balanced(&small.graph.report());
}

#[test]
fn stages_of_a_shared_pool_get_its_time_by_their_new_weights() {
    let mut small = small();
    small.shared.iter().for_each(|source| source.send_all(vec![0; 700]).unwrap());
    let handled = |small: &mut Small| {
        small.graph.run(400);
        let report = small.graph.report();
        assert_balanced(&report);
        [report.stages[1].handled, report.stages[2].handled]
    };
    assert_eq!(handled(&mut small), [200, 200]);
    set(&mut small.graph, "stages.a.weight = 3");
    let [a, b] = handled(&mut small);
    assert_eq!(a + b, 800);
    assert!((498..=502).contains(&a), "{a} to {b}");
}

#[test]
fn a_budget_below_its_use_admits_nothing_and_shrinks_with_it_and_a_larger_one_admits() {
    let mut small = small();
    assert_eq!(small.fill(), 64);
    set(&mut small.graph, "budget = 20\nstages.own.batch = 9");
    for used in [64_usize, 63, 54, 45, 36, 27, 18] {
        let report = small.graph.report();
        assert_balanced(&report);
        assert_eq!((report.budget.used, report.budget.limit), (used, used.max(20)));
        if used > 20 {
            let refused = small.shared[0].send(0).unwrap_err();
            assert_eq!(refused.reason(), RefusalReason::Budget);
            small.graph.step();
        }
    }
    assert_eq!(small.fill(), 2);
    set(&mut small.graph, "budget = 25");
    assert_eq!(small.fill(), 5);
    assert_balanced(&small.graph.report());
}

#[test]
fn a_default_budget_follows_the_capacities() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let changes = set(&mut graph, "stages.s.capacity = 100");
    assert_eq!(changes, ["`budget`: 64 → 100", "`stages.s.capacity`: 64 → 100"]);
    assert_eq!(graph.report().budget.limit, 100);
}

#[test]
fn the_valve_and_its_policy_follow_the_settings() {
    let mut small = small();
    let (gold, basic) = (small.own.with_options(class(0)), small.own.with_options(class(1)));
    set(&mut small.graph, "budget = 10\ncontrol.valve = \"off\"");
    basic.send_all(vec![0; 10]).unwrap();
    assert_eq!(gold.send(1).unwrap_err().reason(), RefusalReason::Budget);
    set(&mut small.graph, "budget = 10\ncontrol.overload = \"none\"");
    assert_eq!(gold.send(1).unwrap_err().reason(), RefusalReason::Budget);
    set(&mut small.graph, "budget = 10");
    gold.send(1).unwrap();
    assert!(small.graph.report().stages[0].shed["valve"] > 0);
}

#[test]
fn the_limit_of_pending_events_can_change_while_some_are_pending() {
    let parked: Arc<Mutex<Vec<Pending>>> = Arc::default();
    let kept = Arc::clone(&parked);
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("outside", 64);
    let defer = move |_event, cx: &mut Context| kept.lock().extend(cx.defer().ok());
    graph.attach_each(stage, |_wire| defer).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let mut pending = |text: &str| {
        set(&mut graph, text);
        source.send_all(vec![0; 8]).unwrap();
        graph.run_until_idle();
        let report = graph.report();
        assert_balanced(&report);
        report.events.pending
    };
    assert_eq!(pending("stages.outside.pending = 5"), 5);
    assert_eq!(pending("stages.outside.pending = 7"), 7);
    assert_eq!(pending("stages.outside.pending = 2"), 7);
    parked.lock().truncate(1);
    assert_eq!(pending("stages.outside.pending = 2"), 2);
    assert_eq!(pending(""), 10);
}
