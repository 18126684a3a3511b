use super::*;
use crate::top::model::testing::{shop, shop_after_a_minute};

#[test]
fn a_moment_has_the_rates_of_its_second() {
    let tape = shop_after_a_minute();
    let moment = Moment::of(&tape, None);
    let summary = moment.summary();
    assert_eq!((summary.admitted, summary.answered), (2_000.0, 1_980.0));
    assert_eq!((summary.refused, summary.shed, summary.lost), (540.0, 20.0, 20.0));
    assert_eq!((summary.load.offered_per_second, summary.cores), (2_540.0, Some((3.86, 4))));
    let stages = moment.stages();
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    assert_eq!(names, ["accept", "parse", "cache", "render-pages", "reply"]);
    assert_eq!(stages[3].rate(), 780.0);
    assert_eq!(stages.iter().map(|stage| stage.level).collect::<Vec<_>>(), [0, 1, 2, 2, 3]);
    let marked = stages.iter().filter(|stage| stage.is_bottleneck);
    assert_eq!(marked.map(|stage| stage.name).collect::<Vec<_>>(), ["render-pages"]);
}

#[test]
fn an_earlier_moment_has_its_own_figures_and_its_own_journal() {
    let tape = shop_after_a_minute();
    let moment = Moment::of(&tape, Some(30.0));
    assert_eq!((moment.at(), moment.stages()[3].rate()), (30.0, 390.0));
    assert!(moment.report().is_none());
    assert_eq!(moment.journal().len(), 1, "two decisions are later");
    let finding = moment.finding();
    assert_eq!((&*finding.headline, finding.is_found), ("bottleneck: render-pages (cpu)", true));
    let trend = moment.trend(4, |second| Some(f64::from(second.stages[3].events.handled)));
    assert_eq!(trend, [None, None, Some(195.0), Some(390.0)]);
}

#[test]
fn classes_have_their_slo_and_what_was_refused() {
    let tape = shop_after_a_minute();
    let classes = Moment::of(&tape, None).classes();
    let basic = &classes[1];
    assert_eq!((basic.slo, basic.p99, basic.keeps_slo()), (Some(0.2), Some(0.244), Some(false)));
    let rates = basic.rates.unwrap();
    assert_eq!((rates.offered, rates.refused, basic.answered), (1_200.0, 540.0, Some(660.0)));
    assert_eq!((classes[0].keeps_slo(), classes[2].keeps_slo()), (Some(true), None));
}

#[test]
fn response_times_of_a_recorded_second_come_from_its_buckets() {
    let tape = shop_after_a_minute();
    let class = &Moment::of(&tape, Some(40.0)).classes()[0];
    // Half of the answers take 10 to 25 ms, the others 100 to 250 ms.
    assert_eq!(class.p50, Some(0.025));
    assert!((class.p99.unwrap() - 0.247).abs() < 1e-9, "{:?}", class.p99);
}

#[test]
fn the_bottleneck_says_what_to_do_before_why() {
    let tape = shop_after_a_minute();
    let finding = Moment::of(&tape, None).finding();
    let headline = "bottleneck: pool render-pages (cpu) at 127 %, full at 2000.0 requests/s \
                    (1950.0 to 2050.0)";
    assert_eq!(finding.headline, headline);
    assert_eq!(
        finding.rest,
        [
            "do: Give `render-pages` more workers.",
            "because its workers are busy for 99 % of the time"
        ]
    );
}

#[test]
fn a_recorded_history_without_details_says_that_they_are_unknown() {
    let mut history = shop_after_a_minute().history().clone();
    history.seconds.iter_mut().for_each(|second| second.detail = None);
    let tape = Tape::of_history(history);
    let moment = Moment::of(&tape, None);
    assert_eq!((moment.classes()[0].answered, moment.classes()[0].rates), (None, None));
    assert!(moment.edges().iter().all(|edge| edge.counts.is_none()));
    assert!(moment.class_stages(0).is_empty());
    assert_eq!(moment.summary().refused, 540.0, "stages have it");
}

#[test]
fn a_recorded_history_has_its_decisions_up_to_each_second() {
    let tape = Tape::of_history(shop_after_a_minute().history().clone());
    let decided = |at| {
        let journal = Moment::of(&tape, Some(at)).journal();
        journal.iter().map(|decision| decision.at_seconds).collect::<Vec<_>>()
    };
    assert_eq!(decided(3.0), [0.0; 0]);
    assert_eq!(decided(30.0), [3.2]);
    assert_eq!(decided(60.0), [3.2, 41.0, 58.5]);
}

#[test]
fn a_single_report_has_answers_of_ten_seconds_and_no_rates_by_class() {
    let mut report = shop(100);
    report.classes.iter_mut().for_each(|class| class.last_ten_seconds.count = 6_600);
    let tape = Tape::of_report(Box::new(report));
    let class = &Moment::of(&tape, None).classes()[0];
    assert_eq!((class.answered, class.rates), (Some(660.0), None));
}

#[test]
fn an_empty_tape_has_an_empty_moment() {
    let tape = Tape::default();
    let moment = Moment::of(&tape, Some(7.0));
    assert_eq!((moment.at(), moment.stages().len(), moment.classes().len()), (0.0, 0, 0));
    assert_eq!(
        (moment.summary().admitted, moment.trend(2, |_| Some(1.0))),
        (0.0, vec![None, None])
    );
}
