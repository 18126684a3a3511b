//! Properties of every summary.

use super::*;
use crate::experiment::condition::{AssertionResult, Condition};
use crate::page::samples::Overload::{Collapses, Sheds};
use crate::page::samples::{step as step_report, sweep as sweep_report};
use crate::report::outcome::Outcomes;
use crate::report::{Interval, LoadReport};

/// Returns true if each table has as many cells in every row as in its header.
fn is_regular(text: &str) -> bool {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(2).all(|pair| {
        let both = pair.iter().all(|line| line.starts_with('|'));
        !both || cells(pair[0]) == cells(pair[1])
    })
}

fn load_report() -> LoadReport {
    let mut report = LoadReport {
        url: "http://127.0.0.1:8080/a_b|c".to_owned(),
        arrivals: "poisson 900/s:10s".to_owned(),
        goodput_per_second: 895.0,
        ..LoadReport::default()
    };
    report.goodput_by_slo.resize_with(2, Default::default);
    report.outcomes = Outcomes { scheduled: 200, good: 198, wrong: 2, ..Outcomes::default() };
    report.intervals.goodput_per_second = Some(Interval { low: 880.0, high: 910.0 });
    report
}

fn results(conditions: &[&str], report: &LoadReport) -> Vec<AssertionResult> {
    let parsed = conditions.iter().map(|text| text.parse::<Condition>().unwrap());
    parsed.map(|condition| condition.on_load(report)).collect()
}

#[test]
fn a_load_has_its_figures_its_intervals_and_the_results_of_its_conditions() {
    let report = load_report();
    let text = load(&report, &results(&["good>=0.99", "wrong<=0"], &report));
    assert!(is_regular(&text), "{text}");
    for part in [
        "### seda load",
        "`http://127.0.0.1:8080/a_b|c`: poisson 900/s:10s",
        "880/s to 910/s |",
        "too few samples",
        "| good | 198 | 99.0 % |",
        "| wrong | 2 | 1.0 % |",
        "| `good>=0.99` | ✅ yes | 0.9900 |",
        "| `wrong<=0` | ❌ **no** | 0.0100 |",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    assert!(!text.contains("refused") && !text.contains('⚠'), "{text}");
    assert!(!load(&report, &[]).contains("condition"));
}

#[test]
fn a_sweep_has_a_row_for_each_load_and_a_step_one_for_each_change() {
    let collapsed = sweep_report("a|b `c` <d>", 4800.0, Collapses);
    let text = sweep(&collapsed, &[]);
    assert!(is_regular(&text), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 12, "{text}");
    assert!(text.starts_with("### seda sweep: a\\|b \\`c\\` \\<d>\n"), "{text}");
    assert!(text.contains("| 0.25× | 1200/s |") && text.contains("not kept at 5×"), "{text}");
    let text = step(&step_report("seda", 4800.0, Sheds), &[]);
    assert!(is_regular(&text) && text.contains("after 2.40 s"), "{text}");
}
